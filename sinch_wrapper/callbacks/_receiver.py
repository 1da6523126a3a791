"""The receiver: an ASGI app that takes callbacks and loses none that it has confirmed.

A request is verified, read, and written to the store; the response 2xx comes after that, once for
all callbacks that were written together. Handlers run afterwards, from the store.
"""

import asyncio
import logging
import os
from collections.abc import AsyncIterator, Callable, Iterable, Mapping, Sequence
from contextlib import asynccontextmanager
from functools import partial
from pathlib import Path
from types import TracebackType
from typing import Final, Self, TypeAlias, TypeVar, Unpack

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route
from starlette.types import Receive, Scope, Send

from sinch_wrapper import _validate
from sinch_wrapper._forget import forgetting
from sinch_wrapper.callbacks._bodies import CLOSE, BodyReader
from sinch_wrapper.callbacks._committer import Committer
from sinch_wrapper.callbacks._dispatcher import Dispatcher, EventHandler, Handlers, kinds_of
from sinch_wrapper.callbacks._events import Event, event_or_error, read_quietly
from sinch_wrapper.callbacks._health import FAILING, Health
from sinch_wrapper.callbacks._records import (
    Arrival,
    DeadLetter,
    JobFollower,
    Store,
    Verdict,
    place_of,
)
from sinch_wrapper.callbacks._settings import ReceiverOptions, ReceiverSettings
from sinch_wrapper.callbacks._signature import (
    Secrets,
    accept,
    check_presence,
    is_key,
    proof_of,
)
from sinch_wrapper.callbacks._store import EventStore
from sinch_wrapper.errors import (
    CallbackError,
    CallbackParseError,
    ConfigurationError,
    SignatureError,
)

SecretSource: TypeAlias = Secrets | Callable[[], Secrets]
HandlerT = TypeVar("HandlerT", bound=EventHandler)

_LOG: Final = logging.getLogger(__name__)
_HEALTH: Final = "/health"
_BESIDE: Final = ".callbacks"


@forgetting
def receiver(
    secrets: SecretSource,
    *,
    store: str | Path | Store | None = None,
    job: JobFollower | None = None,
    suppression: JobFollower | None = None,
    **options: Unpack[ReceiverOptions],
) -> "Receiver":
    """Return an ASGI app that takes callbacks and keeps them in *store*.

    Args:
        secrets: of the webhooks, and of the app for overridden callback URLs; or a function that
            returns them, called for each callback, so that they may change meanwhile.
        store: path of the file that keeps the callbacks, or a store of your own. With *job* it
            may be left out: the file is then beside the first journal, with `.callbacks` added.
        job: what learns of the callbacks before these are confirmed, such as
            `sinch_wrapper.bulk.JournalFollower("spring.db")`.
        suppression: what learns of them in the same way, and keeps who opts out, such as
            `sinch_wrapper.bulk.OptOutFollower("stop.db")`.
        **options: see ReceiverOptions.

    Raises: ConfigurationError when there is no secret or no store, or for an option out of range;
        TypeError for an unknown option, a store or a job of another kind. Nothing is opened yet.
    """
    return Receiver(secrets, store=store, job=job, suppression=suppression, **options)


class Receiver:
    """An ASGI app; `receiver` makes one.

    Served alone it starts and ends with its server. Mounted in another app it must be entered:
    `async with receiver:` in the lifespan of that app, or `lifespan=receiver.lifespan`.

    POST to its path: 200 stored (or it was stored before), 401 not signed by any of the secrets,
    400 not a callback, 408 too slow, 413 too large, 503 with Retry-After when it could not be
    stored or the receiver is not running: the sender tries again. What has no signature is refused
    before its body is read. GET /health below the place where it is mounted: 200, with counts for
    an operator, or 503 when the store cannot be written.
    """

    @forgetting
    def __init__(
        self,
        secrets: SecretSource,
        *,
        store: str | Path | Store | None = None,
        job: JobFollower | None = None,
        suppression: JobFollower | None = None,
        **options: Unpack[ReceiverOptions],
    ) -> None:
        _validate.no_unknown("receiver()", options, ReceiverOptions.__annotations__)
        self._settings = ReceiverSettings(**options)
        self._secrets = _checked_secrets(secrets)
        follower = _checked_follower("job", job, "JournalFollower")
        keeper = _checked_follower("suppression", suppression, "OptOutFollower")
        self._followers = [each for each in (follower, keeper) if each is not None]
        self._given = _checked_store(store, follower, self._followers)
        self._store: Store | None = None
        self._handlers = Handlers()
        self._committer: Committer[Arrival | Verdict] | None = None
        self._dispatcher: Dispatcher | None = None
        self._health: Health | None = None
        self._window = self._settings.window(is_lasting=False)
        self._bodies = BodyReader(self._settings)
        self._paths = frozenset(_spellings(self._settings.path))
        self._app = Starlette(routes=self._routes(), lifespan=self.lifespan)

    def _routes(self) -> list[Route]:
        callbacks = [Route(path, self._receive, methods=["POST"]) for path in self._paths]
        return [*callbacks, Route(_HEALTH, self._show_health, methods=["GET"])]

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve a request, or the lifespan of a server."""
        if self._is_callback(scope):
            response = await self._respond(scope["headers"], receive)
            await response(scope, receive, send)
        else:
            await self._app(scope, receive, send)

    def _is_callback(self, scope: Scope) -> bool:
        """Whether the routes would say so, too; they take as long as checking the signature."""
        return (
            scope["type"] == "http"
            and scope["method"] == "POST"
            and scope["path"] in self._paths
            # Mounted in another app, the path has more in it.
            and not scope.get("root_path")
        )

    def on(self, *wanted: str, name: str = "") -> Callable[[HandlerT], HandlerT]:
        """Register a handler for *wanted* triggers, such as `MESSAGE_DELIVERY`; for all, if none.

        It is called with the Event after it is stored; a plain function runs in a thread. When
        the handler raises it is tried again, with growing delays, and at last the callback becomes
        a dead letter. A handler may run twice for a callback when the process is killed meanwhile.
        Register before the receiver starts: a callback that no handler wants counts as handled.
        The store remembers which handlers have worked by *name*, else by module and function.

        Raises: ConfigurationError for an unknown trigger, or a second handler of one name;
            TypeError for a *name* that is not a string, or a handler that cannot be called.
        """
        kinds, name = kinds_of(wanted), _validate.instance("name", name, str)
        return lambda function: self._handlers.add(function, kinds, name)

    @property
    def store(self) -> Store:
        """The store, opened on first use; raises CallbackError."""
        if self._store is None:
            given = self._given
            if isinstance(given, Path):
                given = EventStore(given, now=self._settings.now)
            self._store = given
        return self._store

    def check(self) -> None:
        """Check that the files are what they should be; raises CallbackError, BulkError."""
        _ = self.store
        for follower in self._followers:
            follower.check()

    def dead(self, limit: int = 1000) -> list[DeadLetter]:
        """At most *limit* callbacks whose handlers failed too often, the newest first.

        Raises: CallbackError.
        """
        return self.store.dead(limit)

    def retry_dead(self, ids: Sequence[int] | None = None) -> int:
        """Let the handlers of dead letters run again: of those with these *ids*, or of all.

        Returns: how many.
        Raises: CallbackError.
        """
        return self.store.retry_dead(ids)

    @asynccontextmanager
    async def lifespan(self, _app: object = None) -> AsyncIterator[None]:
        """Run the receiver inside another app: the lifespan of that app, or a part of it."""
        async with self:
            yield

    async def __aenter__(self) -> Self:
        """Open the store and start the handlers; raises CallbackError, BulkError."""
        if self._committer is not None:
            raise ConfigurationError("the receiver is already running")
        await asyncio.to_thread(self.check)
        path = getattr(self.store, "path", "the file or server of a store of the caller's own")
        self._window = self._settings.window(is_lasting=path is not None)
        self._bodies = BodyReader(self._settings)
        self._health = Health(self.store.counts, self._settings.health_token)
        self._committer = Committer(self._write, self._settings.backlog)
        self._dispatcher = Dispatcher(self.store, self._handlers, self._settings, self._put_verdict)
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        """Finish what was taken, and close the store, even one of your own."""
        committer, dispatcher = self._committer, self._dispatcher
        try:
            if dispatcher is not None:
                await dispatcher.aclose(self._settings.grace)
        finally:
            if committer is not None:
                await committer.aclose()
            self._committer = self._dispatcher = self._health = None
            await asyncio.to_thread(self._close)

    def _close(self) -> None:
        for follower in self._followers:
            follower.close()
        if self._store is not None:
            self._store.close()
            self._store = None

    # A callback: from the request to the store, and from its handlers back to the store.

    async def _receive(self, request: Request) -> Response:
        return await self._respond(request.scope["headers"], request.receive)

    async def _respond(self, headers: Iterable[tuple[bytes, bytes]], receive: Receive) -> Response:
        retry_after = self._settings.retry_after
        try:
            signed = check_presence(headers)
        except CallbackError as error:
            return _refusal(error, retry_after, CLOSE)
        try:
            body = await self._bodies.read(headers, receive)
            proof, found = proof_of(body, signed, self._secrets()), read_quietly(body)
            del body
            accept(proof, self._window, self._settings.now)
            await self._keep(event_or_error(found))
        except CallbackError as error:
            return _refusal(error, retry_after)
        except HTTPException as error:
            return PlainTextResponse(error.detail, error.status_code, error.headers)
        return Response()

    async def _keep(self, event: Event) -> None:
        """Return when *event* is durable; raises CallbackError."""
        committer, dispatcher = self._committer, self._dispatcher
        if committer is None or dispatcher is None:
            raise CallbackError("callback refused: enter the receiver in your app's lifespan")
        wanted = self._handlers.wanting(event.kind)
        await committer.put(Arrival(event, self._settings.now(), wanted))
        if wanted:
            dispatcher.wake()

    async def _put_verdict(self, verdict: Verdict) -> None:
        if self._committer is None:
            raise CallbackError("the receiver has ended")
        await self._committer.put(verdict, limited=False)

    def _write(self, items: Iterable[Arrival | Verdict]) -> None:
        """Write what the committer gathered; runs in its thread."""
        arrivals = [each for each in items if isinstance(each, Arrival)]
        verdicts = [each for each in items if isinstance(each, Verdict)]
        is_written = False
        try:
            for follower in self._followers if arrivals else ():
                follower.take([each.event for each in arrivals])
            self.store.commit(arrivals, verdicts)
            is_written = True
        finally:
            if self._health is not None:
                self._health.note(is_written=is_written)

    async def _show_health(self, request: Request) -> Response:
        if self._health is None:
            _LOG.error("not healthy: the receiver is not running")
            return FAILING
        return await self._health.respond(request)


# What the arguments of a receiver mean


def _checked_secrets(given: SecretSource) -> Callable[[], Secrets]:
    if callable(given):
        return partial(_called, given)
    wanted = "a string, a list of strings, or a function that returns them"
    single = isinstance(given, (str, bytes))
    if isinstance(given, Mapping) or not (single or isinstance(given, Iterable)):
        raise _validate.wrong_kind("secrets", wanted, given, ConfigurationError)
    keys: list[object] = [given] if single else list(given)
    if not keys:
        raise ConfigurationError("no callback secret: give secrets= the secret of each webhook")
    for key in keys:
        if not isinstance(key, (str, bytes)):
            raise _validate.wrong_kind("secrets", wanted, [key], ConfigurationError)
        if not is_key(key):
            raise ConfigurationError("secrets= must not be blank: give the secret of each webhook")
    return lambda: keys  # type: ignore[return-value]  # str and bytes may be mixed


def _called(secrets: Callable[[], Secrets]) -> Secrets:
    try:
        return secrets()
    except Exception as error:  # noqa: BLE001 (it is the caller's function)
        place = place_of(error)
    raise CallbackError(f"callback refused: the function given as secrets= failed, {place}")


def _checked_follower(option: str, given: object, hint: str) -> JobFollower | None:
    if given is None or (isinstance(given, JobFollower) and not isinstance(given, type)):
        return given
    kind = type(given).__name__
    raise TypeError(f"{option}= takes a follower, not {kind}: use sinch_wrapper.bulk.{hint}(PATH)")


def _checked_store(
    given: object, follower: JobFollower | None, followers: Sequence[JobFollower]
) -> Path | Store:
    followed = [] if follower is None else [Path(each) for each in follower.paths]
    if given is None:
        if not followed:
            other = ", or job= a follower" if follower is None else ""
            raise ConfigurationError(f"no callback store: give store= a file{other}")
        return followed[0].with_name(followed[0].name + _BESIDE)
    if isinstance(given, (str, os.PathLike)):
        path = _validate.path("store", given, error=ConfigurationError)
        if path.absolute() in [Path(name) for each in followers for name in each.paths]:
            raise ConfigurationError(
                "store= must not be a job journal or a suppression list; use a separate file"
            )
        return path
    if not isinstance(given, Store) or isinstance(given, type):
        raise _validate.wrong_kind("store", "a path or a store", given)
    return given


# What HTTP demands


def _spellings(path: str) -> list[str]:
    # A redirect to the other spelling would be a callback that is not taken.
    bare = path.rstrip("/")
    return [bare, f"{bare}/"] if bare else ["/"]


def _refusal(
    error: CallbackError, retry_after: int, headers: Mapping[str, str] | None = None
) -> Response:
    if isinstance(error, SignatureError):
        status = 401
    elif isinstance(error, CallbackParseError):
        status = 400
    else:
        status, headers = 503, {"Retry-After": str(retry_after)}
    # The sender learns nothing that would help to guess.
    _LOG.warning("responded %d: %s", status, error)
    return Response(status_code=status, headers=headers)
