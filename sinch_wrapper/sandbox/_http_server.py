"""A server for an ASGI app, in a background thread or in the foreground.

Its connections can be broken on purpose: aborted, reset, or closed in the middle of a body.
"""

import asyncio
import contextlib
import signal
import socket
import ssl
import struct
import threading
from typing import TYPE_CHECKING, Any, Self

import uvicorn
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import ASGIApp, Receive, Scope, Send
from uvicorn.protocols.http.h11_impl import H11Protocol

from sinch_wrapper.sandbox._arguments import (
    check_flag,
    check_kind,
    check_text,
    check_whole,
    wrong_kind,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

LOOPBACK = "127.0.0.1"
_BACKLOG = 2048
_GRACE = 1
_TICK = 0.1
_FIRST_PAUSE = 0.001
_EXTENSION = "sinch_wrapper.transport"
# Those that would kill the process before it has deleted its files; Windows has no SIGHUP.
_SIGNALS = [
    getattr(signal, name)
    for name in ("SIGINT", "SIGTERM", "SIGHUP", "SIGBREAK")
    if hasattr(signal, name)
]
_NO_LINGER = struct.pack("ii", 1, 0)


class _SignallingServer(uvicorn.Server):
    """A uvicorn server that signals its start, and ends without waiting for its next tick."""

    def __init__(self, config: uvicorn.Config) -> None:
        super().__init__(config)
        self.ready = threading.Event()
        self._wake: Callable[[], object] = lambda: None

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        self.ready.set()

    @contextlib.contextmanager
    def capture_signals(self) -> "Iterator[None]":
        # uvicorn raises the signal again when it has ended, which leaves no time to clean up.
        if threading.current_thread() is not threading.main_thread():
            yield
            return
        came: list[int] = []

        def end(number: int, _frame: object) -> None:
            if came:
                raise KeyboardInterrupt
            came.append(number)
            self.end()

        before = {number: signal.signal(number, end) for number in _SIGNALS}
        try:
            yield
        finally:
            for number, handler in before.items():
                signal.signal(number, handler)
        if signal.SIGINT in came:
            raise KeyboardInterrupt

    async def main_loop(self) -> None:
        loop, stopping = asyncio.get_running_loop(), asyncio.Event()
        self._wake = lambda: loop.call_soon_threadsafe(stopping.set)
        counter = 0
        while not await self.on_tick(counter):
            counter += 1
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(_TICK):
                    await stopping.wait()

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        # In the order of uvicorn, without its pauses: a test suite starts hundreds of servers.
        for server in self.servers:
            server.close()
        for each in sockets or []:
            each.close()
        for connection in list(self.server_state.connections):
            connection.shutdown()
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(_GRACE):
                await self._until_idle()
        for task in self.server_state.tasks:
            task.cancel()
        await self.lifespan.shutdown()
        # A connection that was accepted at the last moment is known one tick later.
        await asyncio.sleep(0)
        for connection in list(self.server_state.connections):
            transport = getattr(connection, "transport", None)
            if transport is not None:
                transport.abort()
        await asyncio.sleep(0)

    async def _until_idle(self) -> None:
        pause = 0.0
        while self.server_state.connections or self.server_state.tasks:
            await asyncio.sleep(pause)
            pause = min(_TICK, pause + _FIRST_PAUSE)

    def end(self) -> None:
        """End the server; may be called from any thread while it runs."""
        self.should_exit = True
        self._wake()


class BackgroundServer:
    """Serves *app* over HTTP from a thread, as a context manager.

    Args:
        app: an ASGI app.
        host: the address to listen on; with the default only this machine can reach it.
        port: 0, or a port that is taken, picks a free one; *url* names it from the start.
        tls: makes it speak HTTPS.
        dated: whether the server adds the header `Date`; False for an app that does.

    Raises: TypeError or ValueError for an option of another kind, before anything is opened;
        OSError when it cannot listen on *host*.
    """

    def __init__(
        self,
        app: ASGIApp,
        *,
        host: str = LOOPBACK,
        port: int = 0,
        tls: ssl.SSLContext | None = None,
        dated: bool = True,
    ) -> None:
        if not callable(app):
            raise wrong_kind("app", "an ASGI app", app)
        check_address(host, port)
        if tls is not None:
            check_kind("tls", tls, ssl.SSLContext, "an ssl.SSLContext or None")
        check_flag("dated", dated)
        self._socket = _listen(host, port)
        self.port: int = self._socket.getsockname()[1]
        name = f"[{host}]" if ":" in host else host
        self.url = f"{'http' if tls is None else 'https'}://{name}:{self.port}"
        self._server = _SignallingServer(_config(app, tls, dated=dated))
        self._thread = threading.Thread(target=self._run_quietly, name="sinch-server", daemon=True)

    def start(self) -> Self:
        """Start the thread and wait until it serves; raises RuntimeError when it cannot start."""
        self._thread.start()
        self._server.ready.wait()
        if not self._server.started:
            self.stop()
            message = "the server could not start"
            raise RuntimeError(message)
        return self

    def stop(self) -> None:
        """End the server and its thread; running requests get a second."""
        if self._thread.is_alive():
            self._server.end()
        if self._thread.ident is not None:
            self._thread.join()
        self.close()

    def close(self) -> None:
        """Release the port; `stop` does this too."""
        self._socket.close()

    def run(self) -> None:
        """Serve in this thread until a signal arrives; Ctrl-C then raises KeyboardInterrupt."""
        serving = self._server.serve(sockets=[self._socket])
        try:
            with asyncio.Runner(loop_factory=self._server.config.get_loop_factory()) as runner:
                runner.run(serving)
        finally:
            # A signal may have come before its first step.
            serving.close()
            self._server.ready.set()
            self.close()

    def _run_quietly(self) -> None:
        # uvicorn exits the process when it cannot start; start() raises in its own thread instead.
        with contextlib.suppress(SystemExit):
            self.run()

    def __enter__(self) -> Self:
        """Start serving."""
        return self.start()

    def __exit__(self, *_error: object) -> None:
        """Stop serving."""
        self.stop()


def check_address(host: object, port: object) -> None:
    """Check the address to listen on; raises TypeError or ValueError."""
    check_text("host", host)
    check_whole("port", port, 0, 65535)


def _listen(host: str, port: int) -> socket.socket:
    try:
        return _bound(host, port)
    except OSError:
        if port == 0:
            raise
        return _bound(host, 0)


def _bound(host: str, port: int) -> socket.socket:
    # asyncio switches Nagle's algorithm off only when the protocol number is given: otherwise each
    # response may wait 40 ms for an acknowledgement.
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    listener = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    try:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind((host, port))
        listener.listen(_BACKLOG)
    except OSError:
        listener.close()
        raise
    return listener


def _config(app: ASGIApp, tls: ssl.SSLContext | None, *, dated: bool) -> uvicorn.Config:
    return uvicorn.Config(
        app,
        http=AbortableProtocol,
        ws="none",
        # Not uvloop, where it is installed: its connections cannot be broken as these are. And
        # apps without a lifespan, as Django's, are served as well.
        loop="asyncio",
        lifespan="auto",
        log_config=None,
        access_log=False,
        date_header=dated,
        ssl_context_factory=None if tls is None else lambda _config, _default: tls,
    )


class AbortableProtocol(H11Protocol):
    """The HTTP protocol of uvicorn, which also gives the app the connection of a request."""

    def connection_made(
        self,
        transport: asyncio.Transport,  # type: ignore[override]  # narrowed by uvicorn too
    ) -> None:
        """Give each request of the connection its transport."""
        super().connection_made(transport)
        inner: ASGIApp = self.app

        async def app(scope: Scope, receive: Receive, send: Send) -> None:
            extensions: dict[str, Any] = scope.setdefault("extensions", {})
            extensions[_EXTENSION] = transport
            await inner(scope, receive, send)

        self.app = app


async def abort_connection(request: Request, *, reset: bool = False) -> None:
    """Close the connection of *request* without a response, or with *reset* by a TCP reset.

    Returns when the server has noticed.

    Raises: ConnectionAbortedError under another server, which cannot do this.
    """
    transport = _transport(request)
    if reset:
        connection = transport.get_extra_info("socket")
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _NO_LINGER)
    transport.abort()
    await _noticed(request)


class HalfResponse(Response):
    """A response that announces its whole body, sends half of it, and closes the connection."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Send the head and half the body."""
        request = Request(scope, receive)
        transport = _transport(request)
        await send(
            {"type": "http.response.start", "status": self.status_code, "headers": self.raw_headers}
        )
        half = bytes(self.body)[: len(self.body) // 2]
        await send({"type": "http.response.body", "body": half, "more_body": True})
        transport.close()
        await _noticed(request)


def _transport(request: Request) -> asyncio.Transport:
    transport = request.scope.get("extensions", {}).get(_EXTENSION)
    if not isinstance(transport, asyncio.Transport):
        raise ConnectionAbortedError
    return transport


async def _noticed(request: Request) -> None:
    while not await request.is_disconnected():  # noqa: ASYNC110 (no event exists for it)
        await asyncio.sleep(0)
