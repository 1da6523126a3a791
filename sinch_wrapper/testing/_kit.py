"""What a test does with the sandbox: faults, time, and what was truly accepted."""

import asyncio
import math
import time
from collections.abc import Awaitable, Callable, Mapping
from contextlib import ExitStack
from dataclasses import dataclass, field, fields
from datetime import UTC, datetime
from typing import Any, TypeAlias, TypeVar

from sinch_wrapper import AsyncSinch, Endpoints, Sinch
from sinch_wrapper._validate import is_whole, seconds, string, wrong_kind
from sinch_wrapper.sandbox import BackgroundServer, Server, parse_fault

T = TypeVar("T")
App: TypeAlias = Callable[..., Awaitable[None]]

WEBHOOK_SECRET = "sandbox-webhook-secret"  # noqa: S105 (of a stand-in)
_PATIENCE = 10.0
_TICK = 0.005


@dataclass(frozen=True, slots=True)
class Received:
    """A recipient that the sandbox truly accepted, whatever response the caller got.

    Args:
        operation: the id of the operation that sent it.
        app_id: the app that sent it.
        message_id: the id of the message.
        batch_id: the batch, or empty for a single send.
        index: the place in the batch; 0 for a single send.
        channel: the channel that was tried last.
        identity: the address there; a phone number with its plus.
        outcome: ACCEPTED, then the status of the last receipt, or CANCELLED.
        reason: the code of a failure.
        message: the message as it was rendered, in the form of the API; empty as long as its batch
            is scheduled, and for an event.
        text: its text, with all parameters in it; titles and descriptions of cards by lines.
        metadata: the message metadata, as receipts carry it.

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
    message: Mapping[str, object] = field(default_factory=dict)
    text: str = ""
    metadata: str = ""

    def __post_init__(self) -> None:
        """Check every field."""
        for each in fields(self):
            value = getattr(self, each.name)
            if each.name == "index":
                if not is_whole(value):
                    raise wrong_kind(each.name, "a whole number", value)
            elif each.name == "message":
                if not isinstance(value, Mapping):
                    raise wrong_kind(each.name, "a mapping", value)
            elif not isinstance(value, str):
                raise wrong_kind(each.name, "a string", value)

    def __repr__(self) -> str:
        """Show no phone number and no text: a failed assertion ends up in the log of a CI run."""
        return (
            f"<Received {self.operation} #{self.index} {self.outcome} {self.reason}".rstrip() + ">"
        )


class _SandboxKit:
    """What the kits for `Sinch` and `AsyncSinch` share."""

    def __init__(self, server: Server) -> None:
        if not isinstance(server, Server):
            raise wrong_kind("server", "a sinch_wrapper.sandbox.Server", server)
        self.server = server
        self._open = ExitStack()

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

    def say(  # noqa: PLR0913 (all of it is what a person writes)
        self,
        *,
        from_: str,
        text: str | None = None,
        message: Mapping[str, object] | None = None,
        channel: str = "SMS",
        to: str = "",
        app_id: str | None = None,
    ) -> str:
        """Let a person write to the app: an inbound message, with its callback.

        An app in CONVERSATION mode gets a contact and a conversation too. STOP and the like are
        messages like any other: `opt_out` plays the consent management that acts on them.

        Args:
            from_: the person's address.
            text: the text of the message.
            message: instead of it, any contact message in the form of the API.
            channel: where the person writes.
            to: the sender id that the person writes to.
            app_id: another app than the first one.

        Returns: the id of the message.

        Raises: TypeError or ValueError that names the field.
        """
        string("from_", from_)
        given = {"from": from_, "text": text, "message": message, "channel": channel, "to": to}
        return str(self._play("/inbound", given, app_id)["message_id"])

    def opt_out(self, identity: str, *, channel: str = "SMS", app_id: str | None = None) -> None:
        """Let a person opt out of all messages of the app: listed, with its callback OPT_OUT.

        Raises: TypeError or ValueError that names the field.
        """
        string("identity", identity)
        self._play("/opt-out", {"from": identity, "channel": channel}, app_id)

    def opt_in(self, identity: str, *, channel: str = "SMS", app_id: str | None = None) -> None:
        """Let a person opt in again: off the list, with its callback OPT_IN.

        Raises: TypeError or ValueError that names the field.
        """
        string("identity", identity)
        self._play("/opt-in", {"from": identity, "channel": channel}, app_id)

    def _play(
        self, path: str, fields: Mapping[str, object], app_id: str | None
    ) -> dict[str, object]:
        given = {"app_id": app_id, **fields}
        return self.server.play(path, {k: v for k, v in given.items() if v is not None})

    def webhook_to(
        self,
        app: "App | str",
        *triggers: str,
        secret: str = WEBHOOK_SECRET,
        path: str = "/",
        app_id: str | None = None,
    ) -> str:
        """Send callbacks to *app*, which is served on this machine until the test ends.

        Args:
            app: an ASGI app, such as one of FastAPI or `sinch_wrapper.callbacks.receiver`; or the
                URL of a server that runs already.
            triggers: the kinds of callbacks; all when none is named.
            secret: what they are signed with.
            path: where the app takes callbacks.
            app_id: another app of the sandbox than the first one.

        Returns: the URL that callbacks are posted to.

        Raises: TypeError or ValueError that names the field.
        """
        string("secret", secret)
        string("path", path)
        if isinstance(app, str):
            url = string("app", app)
        else:
            url = self._open.enter_context(BackgroundServer(app)).url + path
        fields = {"target": url, "triggers": list(triggers) or None, "secret": secret}
        self._play("/webhooks", fields, app_id)
        return url

    def close(self) -> None:
        """Close what `client` and `webhook_to` opened."""
        self._open.close()

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

    def client(self, **options: Any) -> Sinch:  # noqa: ANN401 (those of Sinch)
        """Return a client of this sandbox, which the fixture closes.

        *options* are those of `Sinch`; they override the ones of the kit.
        """
        client = Sinch(**self._client_options(options))
        self._open.callback(client.close)
        return client

    def eventually(self, look: Callable[[], T], *, patience: float = _PATIENCE) -> T:
        """Call *look* until it returns something true, and return that.

        Raises: AssertionError when *patience* (seconds) ends first; TypeError or ValueError for
            an option of another kind.
        """
        for _ in _ticks(look, patience):
            if found := look():
                return found
            time.sleep(_TICK)
        raise _not_met(patience)


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
        for _ in _ticks(look, patience):
            if found := look():
                return found
            await asyncio.sleep(_TICK)
        raise _not_met(patience)


def _ticks(look: object, patience: float) -> range:
    """Return how often to look: counted, because a test may have stopped the clock."""
    if not callable(look):
        raise wrong_kind("look", "a function without arguments", look)
    return range(1 + math.ceil(seconds("patience", patience) / _TICK))


def _not_met(patience: float) -> AssertionError:
    return AssertionError(f"condition not met within {patience:g} s")
