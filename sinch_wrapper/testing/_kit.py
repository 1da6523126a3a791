"""The sandbox in the hands of a test: faults, time, and what was truly accepted."""

import asyncio
import time
from collections.abc import Callable
from dataclasses import dataclass, fields
from datetime import UTC, datetime
from typing import Any, TypeVar

from sinch_wrapper import AsyncSinch, Endpoints, Sinch
from sinch_wrapper.sandbox import Server, parse_fault

T = TypeVar("T")

_PATIENCE = 10.0
_TICK = 0.005


@dataclass(frozen=True, slots=True)
class Received:
    """A recipient that the sandbox truly accepted, whatever the caller was told.

    *outcome* is ACCEPTED, then what the last receipt said, or CANCELLED; *reason* is the code of
    a failure. *index* is the place in the batch *batch_id*, 0 in a single send.
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

    def __repr__(self) -> str:
        """Show no phone number: a failed assertion ends in the log of a CI run."""
        return (
            f"<Received {self.operation} #{self.index} {self.outcome} {self.reason}".rstrip() + ">"
        )


class _Base:
    """What both kits share."""

    def __init__(self, server: Server) -> None:
        self.server = server

    @property
    def url(self) -> str:
        """Where the sandbox listens; the value of SINCH_SANDBOX_URL."""
        return self.server.url

    @property
    def app_id(self) -> str:
        """The app that is there from the start."""
        return self.server.settings.app_id

    @property
    def endpoints(self) -> Endpoints:
        """The endpoints to give to a client."""
        return Endpoints.sandbox(self.server.url)

    @property
    def now(self) -> datetime:
        """The time of the sandbox, in UTC."""
        return datetime.fromtimestamp(self.server.clock(), UTC)

    def fault(self, *rules: str) -> None:
        """Let something go wrong from now on, such as `"Messages_SendMessage:503:#1"`.

        Raises: ValueError for what `sinch_wrapper.sandbox.parse_fault` does not read.
        """
        for rule in map(parse_fault, rules):
            self.server.faults.add(rule)

    def clear_faults(self) -> None:
        """Let nothing go wrong from now on."""
        self.server.faults.replace([])

    def advance(self, seconds: float) -> None:
        """Move the time of the sandbox forward: tokens expire, scheduled batches run."""
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


class Sandbox(_Base):
    """A sandbox as new, the fixture `sinch_sandbox`."""

    def __init__(self, server: Server) -> None:
        super().__init__(server)
        self._clients: list[Sinch] = []

    def client(self, **options: Any) -> Sinch:  # noqa: ANN401 (those of Sinch)
        """Return a client of this sandbox; the fixture closes it, and keeps it from sleeping.

        *options* are those of `Sinch` and win.
        """
        client = Sinch(**self._client_options(options))
        self._clients.append(client)
        return client

    def eventually(self, look: Callable[[], T], *, patience: float = _PATIENCE) -> T:
        """Call *look* until what it returns is true, and return that.

        Raises: AssertionError when *patience* (seconds) ends first.
        """
        deadline = time.monotonic() + patience
        while not (found := look()):
            _check(deadline, patience)
            time.sleep(_TICK)
        return found

    def close(self) -> None:
        """Close the clients."""
        for client in self._clients:
            client.close()


class AsyncSandbox(_Base):
    """A sandbox as new, the fixture `async_sinch_sandbox`."""

    def client(self, **options: Any) -> AsyncSinch:  # noqa: ANN401 (those of AsyncSinch)
        """Return a client of this sandbox; close it, or use `async with`.

        *options* are those of `AsyncSinch` and win.
        """
        return AsyncSinch(**self._client_options(options))

    async def eventually(self, look: Callable[[], T], *, patience: float = _PATIENCE) -> T:
        """Call *look* until what it returns is true, and return that.

        Raises: AssertionError when *patience* (seconds) ends first.
        """
        deadline = time.monotonic() + patience
        while not (found := look()):
            _check(deadline, patience)
            await asyncio.sleep(_TICK)
        return found


def _check(deadline: float, patience: float) -> None:
    if time.monotonic() > deadline:
        message = f"it did not happen within {patience:g} s"
        raise AssertionError(message)
