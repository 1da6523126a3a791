"""Serving a receiver with uvicorn: the port, the signals, and one line per callback."""

import logging
import signal
import socket
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

from sinch_wrapper.callbacks import Event, Receiver
from sinch_wrapper.cli._callback_views import facts_of, show_facts
from sinch_wrapper.cli._exit_codes import acts
from sinch_wrapper.cli._guarded_server import GuardedConfig, GuardedServer
from sinch_wrapper.cli._terminal import say, shown

if TYPE_CHECKING:
    from collections.abc import Callable


_BACKLOG = 2048
_GRACE = 10


class _LineFormatter(logging.Formatter):
    """Keeps what strangers chose from moving the cursor of a terminal."""

    def format(self, record: logging.LogRecord) -> str:
        return "\n".join(map(shown, super().format(record).splitlines()))


class Printer:
    """Prints one line per callback; calls *gone* when the reader of the lines has gone."""

    def __init__(self, *, as_json: bool) -> None:
        self._as_json = as_json
        self.gone: Callable[[], None] = lambda: None
        self.error: BrokenPipeError | None = None

    async def __call__(self, event: Event) -> None:
        """Print the line of *event*; a coroutine, so lines never mix."""
        try:
            show_facts(facts_of(event), as_json=self._as_json)
        except BrokenPipeError as error:
            self.error = error
            self.gone()
            raise


def listen(host: str, port: int) -> socket.socket:
    """Listen on the port.

    Raises: click.ClickException when that is not possible.
    """
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    # asyncio switches Nagle's algorithm off only when the protocol is given.
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
    """Print where callbacks are received, on stderr because stdout has the callbacks."""
    host, port = listener.getsockname()[:2]
    name = f"[{host}]" if ":" in host else host
    say(
        f"Receiving callbacks at http://{name}:{port}{path}, stored in {store} (Ctrl-C to stop)",
        err=True,
    )


def run(
    app: Receiver, listener: socket.socket, printer: Printer | None, receive_timeout: float
) -> None:
    """Serve until a signal comes; Ctrl-C raises KeyboardInterrupt, SIGTERM returns."""
    acts()
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(_LineFormatter("%(asctime)s %(levelname)s %(message)s"))
    logging.basicConfig(level=logging.WARNING, handlers=[handler])
    server = GuardedServer(GuardedConfig(app, receive_timeout=receive_timeout, grace=_GRACE))

    def stop() -> None:
        server.should_exit = True

    if printer is not None:
        printer.gone = stop
    # uvicorn ends gently, then raises the signal again, which must not kill this process.
    before = signal.signal(signal.SIGTERM, lambda *_: None)
    try:
        server.run(sockets=[listener])
    finally:
        signal.signal(signal.SIGTERM, before)
        listener.close()
    if printer is not None and printer.error is not None:
        raise printer.error
