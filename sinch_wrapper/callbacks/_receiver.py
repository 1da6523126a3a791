"""The receiver: an ASGI app that takes callbacks, and loses none that it has answered (extra: cli).

A request is verified, read, and written to the store; the answer 2xx comes after that, once for
all that were written together. Handlers run afterwards, from the store.
"""

import asyncio
import logging
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from pathlib import Path
from types import TracebackType
from typing import Final, Self, TypeAlias, TypeVar, Unpack

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect, Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route
from starlette.types import Receive, Scope, Send

from sinch_wrapper.callbacks._committer import Committer
from sinch_wrapper.callbacks._dispatcher import Dispatcher, EventHandler, Handlers
from sinch_wrapper.callbacks._events import Event, parse
from sinch_wrapper.callbacks._records import Arrival, Counts, DeadLetter, Store, Verdict
from sinch_wrapper.callbacks._settings import ReceiverOptions, Settings
from sinch_wrapper.callbacks._signature import Secrets
from sinch_wrapper.callbacks._store import EventStore
from sinch_wrapper.errors import (
    CallbackError,
    CallbackParseError,
    ConfigurationError,
    SignatureError,
)

SecretSource: TypeAlias = Secrets | Callable[[], Secrets]

_LOG: Final = logging.getLogger(__name__)
_HEALTH: Final = "/health"


def make_app(
    secrets: SecretSource,
    settings: Settings,
    keep: Callable[[Event], Awaitable[None]],
    health: Callable[[], Awaitable[Counts]],
    lifespan: Callable[[Starlette], AbstractAsyncContextManager[None]],
) -> Starlette:
    """Return the app; *keep* returns when an event is durable, or raises CallbackError.

    Raises: ConfigurationError when there is no secret.
    """
    current = _secrets(secrets)

    async def receive(request: Request) -> Response:
        try:
            body = await _body(request, settings.max_body)
            event = parse(
                body,
                request.scope["headers"],
                current(),
                tolerance=settings.tolerance,
                now=settings.now,
            )
            await keep(event)
        except CallbackError as error:
            return _refusal(error, settings.retry_after)
        return Response()

    async def show_health(_request: Request) -> Response:
        try:
            counts = await health()
        except CallbackError as error:
            _LOG.error("not healthy: %s", error)
            return JSONResponse({"status": "failing"}, 503)
        return JSONResponse(
            {
                "status": "ok",
                "stored": counts.stored,
                "waiting": counts.waiting,
                "dead": counts.dead,
            }
        )

    return Starlette(
        routes=[
            *(Route(path, receive, methods=["POST"]) for path in _spellings(settings.path)),
            Route(_HEALTH, show_health, methods=["GET"]),
        ],
        lifespan=lifespan,
    )


def _spellings(path: str) -> list[str]:
    # A redirect to the other spelling would be a callback that is not taken.
    bare = path.rstrip("/")
    return [bare, f"{bare}/"] if bare else ["/"]


def _secrets(given: SecretSource) -> Callable[[], Secrets]:
    if callable(given):
        return given
    keys = [given] if isinstance(given, (str, bytes)) else list(given)
    usable = [each for each in keys if each]
    if not usable:
        raise ConfigurationError("no callback secret: give secrets= the secret of each webhook")
    return lambda: usable  # type: ignore[return-value]  # str and bytes may be mixed


def _refusal(error: CallbackError, retry_after: int) -> Response:
    if isinstance(error, SignatureError):
        status, headers = 401, None
    elif isinstance(error, CallbackParseError):
        status, headers = 400, None
    else:
        status, headers = 503, {"Retry-After": str(retry_after)}
    # The sender learns nothing that would help to guess.
    _LOG.warning("answered %d: %s", status, error)
    return Response(status_code=status, headers=headers)


async def _body(request: Request, most: int) -> bytes:
    if _announced(request.headers) > most:
        raise HTTPException(413)
    chunks, size = [], 0
    try:
        async for chunk in request.stream():
            size += len(chunk)
            if size > most:
                raise HTTPException(413)
            chunks.append(chunk)
    except ClientDisconnect:
        raise CallbackParseError("callback unreadable: the sender went away") from None
    return b"".join(chunks)


def _announced(headers: Mapping[str, str]) -> int:
    length = headers.get("content-length", "")
    return int(length) if length.isascii() and length.isdigit() and len(length) < 20 else 0  # noqa: PLR2004 (digits)


F = TypeVar("F", bound=EventHandler)

_BESIDE: Final = ".callbacks"


def receiver(
    secrets: SecretSource,
    *,
    store: str | Path | Store | None = None,
    job: str | Path | Iterable[str | Path] | None = None,
    **options: Unpack[ReceiverOptions],
) -> "Receiver":
    """Return an ASGI app that takes callbacks and keeps them in *store*.

    Args:
        secrets: of the webhooks, and of the app for overridden callback URLs; or a function that
            returns them, called for each callback, so that they may change meanwhile.
        store: path of the file that keeps the callbacks, or a store of your own. With *job* it
            may be left out: it lies beside the first journal then, with `.callbacks` added.
        job: journals of bulk jobs, which learn from the callbacks before these are answered.
        **options: see Settings.

    Raises: ConfigurationError when there is no secret or no store; TypeError for an unknown option.
    """
    return Receiver(secrets, store=store, job=job, **options)


class Receiver:
    """An ASGI app; `receiver` makes one.

    Served alone it starts and ends with its server. Mounted in another app it must be entered:
    `async with receiver:` in the lifespan of that app, or `lifespan=receiver.lifespan`.

    POST to its path: 200 stored (or it was stored before), 401 not signed by any of the secrets,
    400 no callback, 413 too large, 503 with Retry-After when it could not be stored or the
    receiver is not running: the sender tries again. GET /health below the place where it is
    mounted: 200 with counts, 503 when the store cannot be written.
    """

    def __init__(
        self,
        secrets: SecretSource,
        *,
        store: str | Path | Store | None = None,
        job: str | Path | Iterable[str | Path] | None = None,
        **options: Unpack[ReceiverOptions],
    ) -> None:
        self._settings = Settings(**options)
        from sinch_wrapper.bulk._callbacks import Jobs, paths_of, refuse_same

        paths = [] if job is None else paths_of(job)
        if store is None and paths:
            store = paths[0].with_name(paths[0].name + _BESIDE)
        if store is None:
            raise ConfigurationError("no callback store: give store= a file, or job= a journal")
        refuse_same(store, paths)
        self._given = store
        self._store: Store | None = None
        self._jobs: Jobs | None = Jobs(paths) if paths else None
        self._handlers = Handlers()
        self._committer: Committer[Arrival | Verdict] | None = None
        self._dispatcher: Dispatcher | None = None
        self._app = make_app(secrets, self._settings, self._keep, self._health, self.lifespan)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve a request, or the lifespan of a server."""
        await self._app(scope, receive, send)

    def on(self, *wanted: str, name: str = "") -> Callable[[F], F]:
        """Register a handler for these triggers, such as `MESSAGE_DELIVERY`; for all without any.

        It is called with the Event, after that was stored; a plain function runs in a thread.
        When it raises it is tried again, later and later, and at last the callback becomes a dead
        letter. It may run twice for a callback when the process is killed meanwhile. Register
        before the receiver starts: a callback that nobody wants counts as handled. The store
        remembers by *name*, else by module and function, which handlers have worked.

        Raises: ConfigurationError for an unknown trigger, or a second handler of one name.
        """
        return lambda function: self._handlers.add(function, wanted, name)

    @property
    def store(self) -> Store:
        """The store, opened when it is first asked for; raises CallbackError."""
        if self._store is None:
            given = self._given
            if isinstance(given, (str, Path)):
                given = EventStore(given, now=self._settings.now)
            self._store = given
        return self._store

    def check(self) -> None:
        """See that the files are what they should be; raises CallbackError, BulkError."""
        _ = self.store
        if self._jobs is not None:
            self._jobs.check()

    def dead(self, limit: int = 1000) -> list[DeadLetter]:
        """Callbacks whose handlers failed too often, the newest first; raises CallbackError."""
        return self.store.dead(limit)

    def retry_dead(self, ids: Sequence[int] | None = None) -> int:
        """Let handlers of dead letters run again, all without *ids*; says how many.

        Raises: CallbackError.
        """
        return self.store.retry_dead(ids)

    @asynccontextmanager
    async def lifespan(self, _app: object = None) -> AsyncIterator[None]:
        """Run the receiver inside another app: the lifespan of that app, or a part of it."""
        async with self:
            yield

    async def __aenter__(self) -> Self:
        """Open the store, start handling what waits; raises CallbackError, BulkError."""
        if self._committer is not None:
            raise ConfigurationError("the receiver runs already: enter it once")
        await asyncio.to_thread(self.check)
        store = self.store
        self._committer = Committer(self._write, self._settings.backlog)
        self._dispatcher = Dispatcher(store, self._handlers, self._settings, self._settle)
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        """Finish what was taken, and close the store, one of your own too."""
        committer, dispatcher = self._committer, self._dispatcher
        try:
            if dispatcher is not None:
                await dispatcher.aclose(self._settings.grace)
        finally:
            if committer is not None:
                await committer.aclose()
            self._committer = self._dispatcher = None
            await asyncio.to_thread(self._close)

    def _close(self) -> None:
        if self._jobs is not None:
            self._jobs.close()
        if self._store is not None:
            self._store.close()
            self._store = None

    async def _keep(self, event: Event) -> None:
        committer, dispatcher = self._committer, self._dispatcher
        if committer is None or dispatcher is None:
            raise CallbackError("callback not taken: enter the receiver in your app's lifespan")
        wanted = self._handlers.wanting(event.kind)
        await committer.put(Arrival(event, self._settings.now(), wanted))
        if wanted:
            dispatcher.wake()

    async def _settle(self, verdict: Verdict) -> None:
        if self._committer is None:
            raise CallbackError("the receiver has ended")
        await self._committer.put(verdict, limited=False)

    def _write(self, items: Iterable[Arrival | Verdict]) -> None:
        arrivals = [each for each in items if isinstance(each, Arrival)]
        verdicts = [each for each in items if isinstance(each, Verdict)]
        if self._jobs is not None and arrivals:
            self._jobs.take([each.event for each in arrivals])
        self.store.commit(arrivals, verdicts)

    async def _health(self) -> Counts:
        if self._committer is None:
            raise CallbackError("the receiver is not running")
        return await asyncio.to_thread(self.store.counts)
