"""What a test does with the sandbox: faults, time, and what was truly accepted."""

import asyncio
import time
from collections.abc import Callable
from dataclasses import dataclass, fields
from datetime import UTC, datetime
from typing import Any, TypeVar

from sinch_wrapper import AsyncSinch, Endpoints, Sinch
from sinch_wrapper._validate import is_whole, seconds, wrong_kind
from sinch_wrapper.sandbox import Server, parse_fault

T = TypeVar("T")

_PATIENCE = 10.0
_TICK = 0.005


@dataclass(frozen=True, slots=True)
class Received:
    """A recipient that the sandbox truly accepted, whatever response the caller got.

    Args:
        batch_id: the batch, or empty for a single send.
        index: the place in the batch; 0 for a single send.
        outcome: ACCEPTED, then the status of the last receipt, or CANCELLED.
        reason: the code of a failure.

    Raises: TypeError that names the field, for a value of another kind.
    """

    operation: str
    app_id: str
    batch_id: str
    index: int
    channel: str
    identity: str
    message_id: str
    outcome: str
    reason: str

    def __post_init__(self) -> None:
        """Check every field."""
        for each in fields(self):
            value = getattr(self, each.name)
            if each.name == "index" and not is_whole(value):
                raise wrong_kind(each.name, "a whole number", value)
            if each.name != "index" and not isinstance(value, str):
                raise wrong_kind(each.name, "a string", value)

    def __repr__(self) -> str:
        """Show no phone number: a failed assertion ends up in the log of a CI run."""
        return (
            f"<Received {self.operation} #{self.index} {self.outcome} {self.reason}".rstrip() + ">"
        )


class _SandboxKit:
    """What the kits for `Sinch` and `AsyncSinch` share."""

    def __init__(self, server: Server) -> None:
        if not isinstance(server, Server):
            raise wrong_kind("server", "a sinch_wrapper.sandbox.Server", server)
        self.server = server

    @property
    def url(self) -> str:
        """The URL of the sandbox; the value of SINCH_SANDBOX_URL."""
        return self.server.url

    @property
    def app_id(self) -> str:
        """The id of the app that exists from the start."""
        return self.server.settings.app_id

    @property
    def endpoints(self) -> Endpoints:
        """The endpoints for a client of your own: `Sinch(endpoints=...)`."""
        return Endpoints.sandbox(self.server.url)

    @property
    def now(self) -> datetime:
        """The time of the sandbox, in UTC."""
        return datetime.fromtimestamp(self.server.clock(), UTC)

    def fault(self, *rules: str) -> None:
        """Add fault rules such as `"Messages_SendMessage:503:#1"`, all of them or none.

        Raises: ValueError for a string that `sinch_wrapper.sandbox.parse_fault` refuses, TypeError
            for anything else.
        """
        for text in rules:
            if not isinstance(text, str):
                raise wrong_kind("rules", "strings", text)
        for rule in [parse_fault(text) for text in rules]:
            self.server.faults.add(rule)

    def clear_faults(self) -> None:
        """Remove all fault rules."""
        self.server.faults.replace([])

    def advance(self, seconds: float) -> None:
        """Move the time of the sandbox forward: tokens expire, scheduled batches run.

        Raises: ValueError for a negative number, TypeError when *seconds* is not a number.
        """
        self.server.clock.advance(seconds)

    def received(self) -> list[Received]:
        """Return the recipients that were truly accepted, oldest first."""
        names = [each.name for each in fields(Received)]
        return [
            Received(*(entry[name] for name in names)) for entry in self.server.ledger.entries()
        ]

    def _client_options(self, given: dict[str, Any]) -> dict[str, Any]:
        settings = self.server.settings
        return {
            "project_id": settings.project_id,
            "key_id": settings.key_id,
            "key_secret": settings.key_secret,
            "endpoints": self.endpoints,
            "limits": None,
            "proxy": "",
            **given,
        }


class Sandbox(_SandboxKit):
    """A new sandbox for code that uses `Sinch`: the fixture `sinch_sandbox`."""

    def __init__(self, server: Server) -> None:
        super().__init__(server)
        self._clients: list[Sinch] = []

    def client(self, **options: Any) -> Sinch:  # noqa: ANN401 (those of Sinch)
        """Return a client of this sandbox, which the fixture closes.

        *options* are those of `Sinch`; they override the ones of the kit.
        """
        client = Sinch(**self._client_options(options))
        self._clients.append(client)
        return client

    def eventually(self, look: Callable[[], T], *, patience: float = _PATIENCE) -> T:
        """Call *look* until it returns something true, and return that.

        Raises: AssertionError when *patience* (seconds) ends first; TypeError or ValueError for
            an option of another kind.
        """
        deadline = _deadline(look, patience)
        while not (found := look()):
            _check(deadline, patience)
            time.sleep(_TICK)
        return found

    def close(self) -> None:
        """Close the clients."""
        for client in self._clients:
            client.close()


class AsyncSandbox(_SandboxKit):
    """A new sandbox for code that uses `AsyncSinch`: the fixture `async_sinch_sandbox`."""

    def client(self, **options: Any) -> AsyncSinch:  # noqa: ANN401 (those of AsyncSinch)
        """Return a client of this sandbox; close it, or use `async with`.

        *options* are those of `AsyncSinch`; they override the ones of the kit.
        """
        return AsyncSinch(**self._client_options(options))

    async def eventually(self, look: Callable[[], T], *, patience: float = _PATIENCE) -> T:
        """Call *look* until it returns something true, and return that.

        Raises: AssertionError when *patience* (seconds) ends first; TypeError or ValueError for
            an option of another kind.
        """
        deadline = _deadline(look, patience)
        while not (found := look()):
            _check(deadline, patience)
            await asyncio.sleep(_TICK)
        return found


def _deadline(look: object, patience: float) -> float:
    if not callable(look):
        raise wrong_kind("look", "a function without arguments", look)
    return time.monotonic() + seconds("patience", patience)


def _check(deadline: float, patience: float) -> None:
    if time.monotonic() > deadline:
        message = f"condition not met within {patience:g} s"
        raise AssertionError(message)
