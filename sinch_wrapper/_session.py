"""Operations in, values or our exceptions out: the layer between generated code and the wire.

Errors are mapped here, below the parsing of the generated code.
"""

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final, TypeVar, cast

from sinch_wrapper._auth.credentials import AccessToken
from sinch_wrapper._http import httpx
from sinch_wrapper._json import decode
from sinch_wrapper._request import (
    FAILURES,
    Call,
    OperationLike,
    Response,
    build_request,
    call_of,
    connection_error,
    host_of,
    reply_from,
    timeouts,
)
from sinch_wrapper._retry import RetryPolicy
from sinch_wrapper._transport.http_client import AsyncWire, Wire
from sinch_wrapper._transport.retrying import UNDECODABLE

if TYPE_CHECKING:
    from collections.abc import Mapping

    from sinch_wrapper._telemetry import Telemetry


T = TypeVar("T")

_ACCEPTED: Final = range(200, 300)
# What reading a foreign shape can raise in generated code.
_MISFITS: Final = (
    ValueError,
    TypeError,
    LookupError,
    AttributeError,
    ArithmeticError,
    RecursionError,
)


@dataclass(frozen=True, slots=True)
class Settings:
    """Where and how a session sends; *timeout* is in seconds, for each step of a request."""

    base_url: str
    timeout: float = 10.0
    retry: RetryPolicy = field(default_factory=RetryPolicy)
    telemetry: "Telemetry | None" = None


class _Translator:
    """What both sessions do before and after the wire: from operation to request, and back."""

    def __init__(self, settings: Settings) -> None:
        self._base_url = settings.base_url
        self._retry = settings.retry
        self._timeout: Mapping[str, float] = timeouts(settings.timeout)
        self._telemetry = settings.telemetry

    def _begin(self, operation: OperationLike[T]) -> httpx.Request:
        call = Call(operation.id, operation.method, self._retry, self._timeout)
        return build_request(operation, self._base_url, call)

    def _finish(
        self, operation: OperationLike[T], request: httpx.Request, response: httpx.Response
    ) -> Response[T]:
        call, reply = call_of(request), reply_from(response)
        if reply.status_code not in _ACCEPTED:
            from sinch_wrapper.errors import error_from_reply

            raise error_from_reply(call.name, reply, where=host_of(request), attempts=call.attempts)
        parsed, fault = _read(operation, response)
        if fault is not None:
            from sinch_wrapper.errors import unreadable_reply

            raise unreadable_reply(call.name, reply, fault, call.attempts, host_of(request))
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


class Session(_Translator):
    """Sends operations of one API in threads."""

    def __init__(self, wire: Wire, settings: Settings) -> None:
        super().__init__(settings)
        self._wire = wire

    def request(self, operation: OperationLike[T], /) -> Response[T]:
        """Send *operation* and read its answer.

        Raises: APIStatusError by status, APIConnectionError without an answer,
        APIResponseValidationError for a 2xx that cannot be read.
        """
        request = self._begin(operation)
        if self._telemetry is None:
            return self._exchange(operation, request)
        with self._telemetry.observe(request) as observed:
            return observed(self._exchange(operation, request))

    def _exchange(self, operation: OperationLike[T], request: httpx.Request) -> Response[T]:
        try:
            response = self._wire.send(request)
        except FAILURES as error:
            raise connection_error(call_of(request), host_of(request), error) from error
        return self._finish(operation, request, response)

    def fetch_token(self) -> AccessToken:
        """Get the token in use.

        Raises: SinchError when there is none.
        """
        return self._wire.fetch_token(Call("token", "GET", self._retry, self._timeout))


class AsyncSession(_Translator):
    """Sends operations of one API in tasks."""

    def __init__(self, wire: AsyncWire, settings: Settings) -> None:
        super().__init__(settings)
        self._wire = wire

    async def request(self, operation: OperationLike[T], /) -> Response[T]:
        """Send *operation* and read its answer.

        Raises: APIStatusError by status, APIConnectionError without an answer,
        APIResponseValidationError for a 2xx that cannot be read.
        """
        request = self._begin(operation)
        if self._telemetry is None:
            return await self._exchange(operation, request)
        with self._telemetry.observe(request) as observed:
            return observed(await self._exchange(operation, request))

    async def _exchange(self, operation: OperationLike[T], request: httpx.Request) -> Response[T]:
        try:
            response = await self._wire.send(request)
        except FAILURES as error:
            raise connection_error(call_of(request), host_of(request), error) from error
        return self._finish(operation, request, response)

    async def fetch_token(self) -> AccessToken:
        """Get the token in use.

        Raises: SinchError when there is none.
        """
        return await self._wire.fetch_token(Call("token", "GET", self._retry, self._timeout))
