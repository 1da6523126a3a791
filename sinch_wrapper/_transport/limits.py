"""The limits of one attempt: its time in all, and the size of a response.

The timeouts of the HTTP library are for single steps: a server that sends a byte now and then is
waited for for ever, and one that sends without end is read until the memory is full.
"""

import ssl
import threading
import time
import zlib
from collections.abc import Coroutine, Sequence
from typing import Final, Protocol, TypeVar, cast

from sinch_wrapper._giving_up import waiting
from sinch_wrapper._http import httpx

T = TypeVar("T")

# So few bytes fit into the buffer of a socket at once: the time is looked at between them.
_SLICE: Final = 16_384
_LATE: Final = "the attempt took too long in all"
_GIVEN_UP: Final = "nobody waits for it any more"
# The windows of zlib: with the header of gzip, of zlib, or of neither.
_WINDOWS: Final = {
    "gzip": (zlib.MAX_WBITS | 16,),
    "x-gzip": (zlib.MAX_WBITS | 16,),
    "deflate": (zlib.MAX_WBITS, -zlib.MAX_WBITS),
}


class ResponseTooLargeError(httpx.ReadError):
    """The response has more bytes than a client reads."""

    def __init__(self, request: httpx.Request | None = None) -> None:
        super().__init__("the response is larger than max_response_size", request=request)


def total_time(request: httpx.Request) -> float | None:
    """The seconds that an attempt to send *request* may take; None for no limit."""
    timeouts = cast("dict[str, float | None]", request.extensions.get("timeout", {}))
    return timeouts.get("total")


# In threads: every step gets what is left of the time in all, if that is less than its own.


class _Deadline(threading.local):
    """When the attempt that this thread is making has to end, on the monotonic clock."""

    at: float | None = None

    def start(self, seconds: float | None) -> None:
        """Begin an attempt that may take *seconds* at most."""
        self.at = None if seconds is None else time.monotonic() + seconds

    def left(self, timeout: float | None, late: type[httpx.TimeoutException]) -> float | None:
        """The time for a step that has a *timeout* of its own.

        Raises: *late* when no time is left, or nobody waits any more.
        """
        group = waiting()
        if group is not None and group.is_over:
            raise late(_GIVEN_UP)
        if self.at is None:
            return timeout
        left = self.at - time.monotonic()
        if left <= 0:
            raise late(_LATE)
        return left if timeout is None or left < timeout else timeout


deadline: Final = _Deadline()


class _Stream(Protocol):
    def read(self, max_bytes: int, timeout: float | None = None) -> bytes: ...
    def write(self, buffer: bytes, timeout: float | None = None) -> None: ...
    def close(self) -> None: ...
    def start_tls(
        self,
        ssl_context: ssl.SSLContext,
        server_hostname: str | None = None,
        timeout: float | None = None,
    ) -> "_Stream": ...
    def get_extra_info(self, info: str) -> object: ...


class _Backend(Protocol):
    def connect_tcp(
        self, host: str, port: int, timeout: float | None = None, **options: object
    ) -> _Stream: ...


class _TimedStream:
    """A connection whose steps end with the attempt."""

    def __init__(self, inner: _Stream) -> None:
        self._inner = inner
        self.close = inner.close
        self.get_extra_info = inner.get_extra_info

    def _note(self) -> None:
        group = waiting()
        if group is not None:
            group.use(self._inner)

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        self._note()
        return self._inner.read(max_bytes, deadline.left(timeout, httpx.ReadTimeout))

    def write(self, buffer: bytes, timeout: float | None = None) -> None:
        self._note()
        for start in range(0, len(buffer), _SLICE):
            part = buffer[start : start + _SLICE]
            self._inner.write(part, deadline.left(timeout, httpx.WriteTimeout))

    def start_tls(
        self,
        ssl_context: ssl.SSLContext,
        server_hostname: str | None = None,
        timeout: float | None = None,
    ) -> "_TimedStream":
        self._note()
        left = deadline.left(timeout, httpx.ConnectTimeout)
        return _TimedStream(self._inner.start_tls(ssl_context, server_hostname, left))


class _TimedBackend:
    """Opens connections whose steps end with the attempt."""

    def __init__(self, inner: _Backend) -> None:
        self._inner = inner

    def connect_tcp(
        self, host: str, port: int, timeout: float | None = None, **options: object
    ) -> _TimedStream:
        left = deadline.left(timeout, httpx.ConnectTimeout)
        return _TimedStream(self._inner.connect_tcp(host, port, left, **options))


def timed(transport: httpx.HTTPTransport) -> httpx.HTTPTransport:
    """*transport*, all of whose steps end with the attempt."""
    # The HTTP library takes no backend from us, and cannot end a read that is under way.
    pool = transport._pool  # noqa: SLF001 (see above)
    backend = cast("_Backend", pool._network_backend)  # noqa: SLF001 (see above)
    vars(pool)["_network_backend"] = _TimedBackend(backend)
    return transport


def sleep(seconds: float) -> None:
    """Wait between attempts.

    Raises: ConnectTimeout when nobody waits any more; nothing is sent then.
    """
    group = waiting()
    if group is None:
        time.sleep(seconds)
    elif group.pause(seconds):
        raise httpx.ConnectTimeout(_GIVEN_UP)


# In tasks: the event loop interrupts any step.


async def within_time(request: httpx.Request, exchange: Coroutine[object, object, T]) -> T:
    """Await *exchange*, for as long as an attempt to send *request* may take.

    Raises: ReadTimeout when it takes longer.
    """
    from asyncio import timeout  # 10 ms of start-up, which programs with threads need not spend

    try:
        async with timeout(total_time(request)):
            return await exchange
    except TimeoutError:
        raise httpx.ReadTimeout(_LATE, request=request) from None


# Sizes


class WholeResponse(httpx.Response):
    """A response whose *body* has been read, still encoded.

    The HTTP library would read it once more, through decoders, at a twentieth of a call's cost.
    """

    def __init__(
        self, status: int, headers: httpx.Headers | Sequence[tuple[bytes, bytes]], body: bytes
    ) -> None:
        super().__init__(status, headers=headers, stream=httpx.ByteStream(body))
        self._body = body

    @property
    def content(self) -> bytes:
        """The body."""
        return self._body

    def read(self) -> bytes:
        """Return the body."""
        return self._body


class BodyParts:
    """The parts of a body, up to a size."""

    def __init__(self, largest: int) -> None:
        self._room = largest
        self._parts: list[bytes] = []

    def add(self, part: bytes) -> None:
        """Take *part* in.

        Raises: ResponseTooLargeError when there is no room for it.
        """
        self._room -= len(part)
        if self._room < 0:
            raise ResponseTooLargeError
        self._parts.append(part)

    def whole(self) -> bytes:
        """The body."""
        return b"".join(self._parts)


def take_in(response: httpx.Response, largest: int) -> WholeResponse:
    """Read the whole body, of *largest* bytes at most, and close its stream.

    Raises: ResponseTooLargeError; ReadTimeout when the attempt takes too long.
    """
    stream = cast("httpx.SyncByteStream", response.stream)
    parts = BodyParts(largest)
    try:
        for part in stream:
            parts.add(part)
            deadline.left(None, httpx.ReadTimeout)
    finally:
        stream.close()
    return WholeResponse(response.status_code, response.headers, parts.whole())


async def take_in_async(response: httpx.Response, largest: int) -> WholeResponse:
    """take_in() in a task.

    Raises: ResponseTooLargeError.
    """
    stream = cast("httpx.AsyncByteStream", response.stream)
    parts = BodyParts(largest)
    try:
        async for part in stream:
            parts.add(part)
    finally:
        await stream.aclose()
    return WholeResponse(response.status_code, response.headers, parts.whole())


def decoded(content: bytes, encoding: str, largest: int) -> bytes | None:
    """*content* without its Content-Encoding; None when that is wrong, or not one we asked for.

    The HTTP library would build all that a few bytes say, which may be a thousand times as many.

    Raises: ResponseTooLargeError when *largest* bytes do not hold it.
    """
    name = encoding.strip().lower()
    if name in {"", "identity"}:
        return content
    for window in _WINDOWS.get(name, ()):
        unpacking = zlib.decompressobj(window)
        try:
            found = unpacking.decompress(content, largest + 1)
        except zlib.error:
            continue
        if len(found) > largest:
            raise ResponseTooLargeError
        return found if unpacking.eof else None
    return None
