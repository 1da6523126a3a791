"""A uvicorn server that slow and silent clients cannot hold up: limits of time and connections."""

import asyncio
import socket
import sys
from typing import Final

import h11
import uvicorn
from uvicorn.protocols.http.h11_impl import H11Protocol

from sinch_wrapper.callbacks import Receiver

_MOST: Final = 1000
# Descriptors for the store, the journals, and connections that were accepted or are ending.
_SPARE: Final = 256
# Connections that asyncio accepts before it looks at any of them; the system keeps the others.
_AT_ONCE: Final = 32
_QUEUE: Final = 2048
# For requests that are half here when the server ends.
_LAST_SECONDS: Final = 1.0


class GuardedConfig(uvicorn.Config):
    """How a GuardedServer serves *receiver*, and limits its connections.

    A request, headers and body, must arrive within *receive_timeout* seconds. At most *most*
    connections are open: of those that wait for their client the oldest gives way to a new one.
    """

    def __init__(self, receiver: Receiver, *, receive_timeout: float, grace: int) -> None:
        super().__init__(
            receiver,
            http=GuardedProtocol,
            ws="none",
            # The server does it: a failure of this one is printed as a traceback.
            lifespan="off",
            log_config=None,
            access_log=False,
            backlog=_AT_ONCE,
            timeout_graceful_shutdown=grace,
        )
        self.receiver = receiver
        self.receive_timeout = receive_timeout
        self.most = most_connections(_descriptors())


def most_connections(descriptors: int) -> int:
    """How many connections a process may have that may open this number of *descriptors*."""
    return max(
        1, min(_MOST, descriptors - _SPARE if descriptors > 2 * _SPARE else descriptors // 2)
    )


def _descriptors() -> int:
    if sys.platform == "win32":
        return _MOST + _SPARE
    import resource

    soft, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    return _MOST + _SPARE if soft == resource.RLIM_INFINITY else soft


class GuardedServer(uvicorn.Server):
    """Begins and ends a receiver; as many connections wait as the system lets them."""

    config: GuardedConfig

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Start; raises what the receiver raises when it cannot begin."""
        await self.config.receiver.__aenter__()
        await super().startup(sockets)
        # asyncio has made the queue of the system as short as what it accepts at once.
        for each in sockets or []:
            each.listen(_QUEUE)

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """End; what is on its way is finished, unless it was interrupted a second time."""
        await super().shutdown(sockets)
        if not self.force_exit:
            await self.config.receiver.__aexit__(None, None, None)


class GuardedProtocol(H11Protocol):
    """A connection that ends when it waits too long for its client, or when others need room."""

    config: GuardedConfig
    _timer: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]  # as the base
        """Wait for a request, and make room."""
        super().connection_made(transport)
        self._watch()
        if len(self.connections) > self.config.most:
            waiting = [
                (each._timer.when(), id(each), each)  # noqa: SLF001 (of this class)
                for each in self.connections
                if isinstance(each, GuardedProtocol) and each._timer is not None  # noqa: SLF001 (as above)
            ]
            min(waiting)[-1]._end()  # noqa: SLF001 (as above)

    def data_received(self, data: bytes) -> None:
        """Take a part of a request."""
        if self.timeout_keep_alive_task is not None:
            # A further request, which has its own time.
            self._stop()
        super().data_received(data)
        self._watch()

    def on_response_complete(self) -> None:
        """Wait for a further request, or for what is left of this one."""
        super().on_response_complete()
        self._watch()

    def connection_lost(self, exc: Exception | None) -> None:
        """Wait for nothing more."""
        self._stop()
        super().connection_lost(exc)

    def shutdown(self) -> None:
        """End, soon where half a request is here: it is not confirmed, so it is repeated."""
        super().shutdown()
        if self._timer is not None:
            self._stop()
            self._timer = self.loop.call_later(_LAST_SECONDS, self._end)

    def _watch(self) -> None:
        if self.conn.their_state not in {h11.IDLE, h11.SEND_BODY}:
            self._stop()
        elif self._timer is None:
            self._timer = self.loop.call_later(self.config.receive_timeout, self._end)

    def _stop(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _end(self) -> None:
        self._stop()
        self.transport.abort()
