"""One connection of aiohttp, with limits that aiohttp has none for.

It would wait for ever until a server takes a request in, and read without end what belongs to no
body: extensions of chunks, trailers, empty lines.
"""

import asyncio
from typing import Final

from aiohttp.client_proto import ResponseHandler

from sinch_wrapper._http import httpx
from sinch_wrapper._transport.limits import ResponseTooLargeError

_LATE: Final = "the server did not take the request in"
_CLOSED: Final = "the connection was closed"
# A chunk of one byte takes six.
_OF_A_CHUNK: Final = 6
_AROUND: Final = 1024 * 1024


def most_received(largest: int) -> int:
    """The bytes that may come for a body of *largest* bytes, with heads and the sizes of chunks."""
    return _OF_A_CHUNK * largest + _AROUND


class LimitedProtocol(ResponseHandler):
    """A connection that receives *most* bytes for each request."""

    def __init__(self, loop: asyncio.AbstractEventLoop, most: int) -> None:
        super().__init__(loop)
        self._most = self._room = most
        self._step: float | None = None
        self._writing: asyncio.TimerHandle | None = None

    def begin(self, step: float | None) -> None:
        """Make ready for a request that the server takes in within *step* seconds."""
        self._room, self._step = self._most, step

    def data_received(self, data: bytes) -> None:
        """Read *data*, unless it is too much."""
        self._room -= len(data)
        if self._room < 0:
            self._give_up(ResponseTooLargeError())
            return
        super().data_received(data)
        if (error := self.exception()) is not None:
            self._tell_reader(httpx.RemoteProtocolError(type(error).__name__))

    def pause_writing(self) -> None:
        """Begin to wait: the buffers of this system are full."""
        super().pause_writing()
        if self._step is not None:
            self._writing = self._loop.call_later(self._step, self._end_writing)

    def resume_writing(self) -> None:
        """Go on: the server has taken most of it in."""
        self._forget_timer()
        super().resume_writing()

    def connection_lost(self, exc: BaseException | None) -> None:
        """End; nothing is waited for any more."""
        self._forget_timer()
        super().connection_lost(exc)

    def close(self) -> None:
        """Close the connection at once, even if a server does not take in what was sent."""
        self._tell_reader(httpx.ReadError(_CLOSED))
        if self.transport is not None and self.transport.get_write_buffer_size():
            self.transport.abort()
        super().close()

    def abort(self) -> None:
        """Close the connection without a word to the server."""
        self._tell_reader(httpx.ReadError(_CLOSED))
        super().abort()

    def _end_writing(self) -> None:
        self._give_up(httpx.WriteTimeout(_LATE))

    def _forget_timer(self) -> None:
        if self._writing is not None:
            self._writing.cancel()
            self._writing = None

    def _give_up(self, error: httpx.TransportError) -> None:
        transport = self.transport
        self.set_exception(error)
        self._tell_reader(error)
        if transport is not None:
            transport.abort()

    def _tell_reader(self, error: httpx.TransportError) -> None:
        # Who reads a body waits for nothing else. aiohttp forgets it when a trailer is wrong, and
        # when the client is closed.
        if self._payload is not None and not self._payload.is_eof():
            self._payload.set_exception(error)
