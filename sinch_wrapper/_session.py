"""Operations in, values or our exceptions out: the layer between generated code and the wire.

Errors are mapped here, below the parsing of the generated code.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cache
from typing import Final, Generic, Protocol, TypeVar, cast

from sinch_wrapper._call import CALL, Call
from sinch_wrapper._failures import connection_error
from sinch_wrapper._http import httpx
from sinch_wrapper._json import decode, encode
from sinch_wrapper._replies import reply_from
from sinch_wrapper._retry import RetryPolicy
from sinch_wrapper._transport import UNDECODABLE
from sinch_wrapper._version import package_version
from sinch_wrapper._wire import AsyncWire, Wire
from sinch_wrapper.errors import SinchError, error_from_reply, unreadable_reply

__all__ = ["AsyncSession", "OperationLike", "Response", "Session", "Settings"]

T_co = TypeVar("T_co", covariant=True)
T = TypeVar("T")

_CONNECT_TIMEOUT: Final = 5.0
_ACCEPTED: Final = range(200, 300)
# What reading a foreign shape can raise in generated code.
_MISFITS: Final = (ValueError, TypeError, LookupError, AttributeError, RecursionError)


class OperationLike(Protocol[T_co]):
    """One call of an API as a value; the generated packages build them."""

    @property
    def id(self) -> str: ...
    @property
    def method(self) -> str: ...
    @property
    def path(self) -> str: ...
    @property
    def params(self) -> Mapping[str, str | list[str]]: ...
    @property
    def json(self) -> object: ...
    @property
    def load(self) -> Callable[[object], T_co] | None: ...


@dataclass(frozen=True, slots=True)
class Response(Generic[T_co]):
    """A 2xx: the status, headers and raw body beside the *parsed* value.

    *parsed* is None for operations without content. Only the status shows in the repr.
    """

    status_code: int
    headers: Mapping[str, str] = field(repr=False)
    content: bytes = field(repr=False)
    parsed: T_co = field(repr=False)


@dataclass(frozen=True, slots=True)
class Settings:
    """Where and how a session sends; *timeout* is in seconds, for each step of a request."""

    base_url: str
    timeout: float = 10.0
    retry: RetryPolicy = field(default_factory=RetryPolicy)


@cache
def _common_headers() -> dict[str, str]:
    library = f"{httpx.__name__}/{httpx.__version__}"
    return {
        "Accept": "application/json",
        "Accept-Encoding": "gzip, deflate",
        "User-Agent": f"sinch-wrapper/{package_version()} {library}",
    }


class _Desk:
    """What both sessions do before and after the wire."""

    def __init__(self, settings: Settings) -> None:
        self._base_url = settings.base_url
        self._retry = settings.retry
        seconds = settings.timeout
        self._timeout = {
            "connect": min(seconds, _CONNECT_TIMEOUT),
            "read": seconds,
            "write": seconds,
            "pool": seconds,
        }

    def _prepare(self, operation: OperationLike[T]) -> tuple[Call, httpx.Request]:
        call = Call(operation.id, operation.method, self._retry)
        headers = dict(_common_headers())
        content = None
        if operation.json is not None:
            content = encode(operation.json)
            headers["Content-Type"] = "application/json"
        try:
            request = httpx.Request(
                operation.method,
                self._base_url + operation.path,
                params=dict(operation.params) or None,
                headers=headers,
                content=content,
                extensions={"timeout": self._timeout, CALL: call},
            )
        except httpx.InvalidURL:
            message = f"{operation.id} was not sent: its URL is malformed; check ids and endpoints="
            raise SinchError(message) from None
        return call, request

    def _finish(
        self, operation: OperationLike[T], call: Call, response: httpx.Response
    ) -> Response[T]:
        if response.status_code not in _ACCEPTED:
            raise error_from_reply(call.name, reply_from(response), attempts=call.attempts)
        reply = reply_from(response)
        parsed, fault = _read(operation, response)
        if fault is not None:
            raise unreadable_reply(call.name, reply, fault, call.attempts)
        # None stands for no content, and is then the T of the operation.
        return Response(reply.status_code, reply.headers, reply.content, cast("T", parsed))


def _read(operation: OperationLike[T], response: httpx.Response) -> tuple[T | None, str | None]:
    """The value in a 2xx, or what is wrong with it; the fault never quotes the body."""
    if operation.load is None:
        return None, None
    if UNDECODABLE in response.extensions:
        return None, "its Content-Encoding does not fit"
    if not response.content:
        return None, "it is empty"
    try:
        value = decode(response.content)
    except ValueError:
        return None, "it is not JSON"
    try:
        return operation.load(value), None
    except _MISFITS as misfit:
        return None, f"its shape is not the documented one, {type(misfit).__name__}"


class Session(_Desk):
    """Sends operations of one API in threads."""

    def __init__(self, wire: Wire, settings: Settings) -> None:
        super().__init__(settings)
        self._wire = wire

    def request(self, operation: OperationLike[T], /) -> Response[T]:
        """Send *operation* and read its answer.

        Raises: APIStatusError by status, APIConnectionError without an answer,
        APIResponseValidationError for a 2xx that cannot be read.
        """
        call, request = self._prepare(operation)
        try:
            response = self._wire.send(request)
        except httpx.LocalProtocolError as error:
            # Its text may quote a header.
            raise connection_error(call, request.url.host, error) from None
        except (httpx.RequestError, OSError) as error:
            raise connection_error(call, request.url.host, error) from error
        return self._finish(operation, call, response)


class AsyncSession(_Desk):
    """Sends operations of one API in tasks."""

    def __init__(self, wire: AsyncWire, settings: Settings) -> None:
        super().__init__(settings)
        self._wire = wire

    async def request(self, operation: OperationLike[T], /) -> Response[T]:
        """Send *operation* and read its answer.

        Raises: APIStatusError by status, APIConnectionError without an answer,
        APIResponseValidationError for a 2xx that cannot be read.
        """
        call, request = self._prepare(operation)
        try:
            response = await self._wire.send(request)
        except httpx.LocalProtocolError as error:
            # Its text may quote a header.
            raise connection_error(call, request.url.host, error) from None
        except (httpx.RequestError, OSError) as error:
            raise connection_error(call, request.url.host, error) from error
        return self._finish(operation, call, response)
