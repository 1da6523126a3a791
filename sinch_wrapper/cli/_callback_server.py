"""Serving a receiver with uvicorn: the port, the signals, and a line for each callback."""

import logging
import signal
import socket
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click
import uvicorn

from sinch_wrapper.callbacks import Event, Receiver
from sinch_wrapper.cli._callback_views import facts_of, line_of

if TYPE_CHECKING:
    from collections.abc import Callable


_BACKLOG = 2048
_GRACE = 10


class Printer:
    """Prints a line for each callback; *gone* is called when nobody reads them any more."""

    def __init__(self, *, as_json: bool) -> None:
        self._as_json = as_json
        self.gone: Callable[[], None] = lambda: None
        self.error: BrokenPipeError | None = None

    async def __call__(self, event: Event) -> None:
        """Print the line of *event*; a coroutine, so that lines never mix."""
        try:
            click.echo(line_of(facts_of(event), as_json=self._as_json))
        except BrokenPipeError as error:
            self.error = error
            self.gone()
            raise


def printer(*, as_json: bool) -> Printer:
    """A handler that prints."""
    return Printer(as_json=as_json)


def listen(host: str, port: int) -> socket.socket:
    """Take the port.

    Raises: click.ClickException when it cannot be had.
    """
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    # asyncio switches Nagle's algorithm off only where the protocol is given.
    listener = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    try:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind((host, port))
        listener.listen(_BACKLOG)
    except OSError as error:
        listener.close()
        raise click.ClickException(f"cannot listen on {host}:{port}: {error.strerror}") from error
    return listener


def announce(listener: socket.socket, path: str, store: Path | None) -> None:
    """Say where callbacks are taken; on stderr, for stdout has the callbacks."""
    host, port = listener.getsockname()[:2]
    name = f"[{host}]" if ":" in host else host
    click.echo(
        f"Receiving callbacks at http://{name}:{port}{path}, stored in {store} (Ctrl-C ends it)",
        err=True,
    )


def run(app: Receiver, listener: socket.socket, lines: Printer | None) -> None:
    """Serve until a signal comes; Ctrl-C raises KeyboardInterrupt, SIGTERM returns."""
    logging.basicConfig(
        level=logging.WARNING, format="%(asctime)s %(levelname)s %(message)s", stream=sys.stderr
    )
    config = uvicorn.Config(
        app,
        ws="none",
        lifespan="on",
        log_config=None,
        access_log=False,
        timeout_graceful_shutdown=_GRACE,
    )
    server = uvicorn.Server(config)

    def stop() -> None:
        server.should_exit = True

    if lines is not None:
        lines.gone = stop
    # uvicorn ends gently, then raises the signal again: that shall not kill us.
    before = signal.signal(signal.SIGTERM, lambda *_: None)
    try:
        server.run(sockets=[listener])
    finally:
        signal.signal(signal.SIGTERM, before)
        listener.close()
    if lines is not None and lines.error is not None:
        raise lines.error
