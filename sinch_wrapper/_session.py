"""Operations in, values or exceptions out: the layer between generated code and the HTTP client."""

from collections.abc import Callable
from datetime import UTC, date, datetime
from typing import TYPE_CHECKING, Generic, TypeVar
from urllib.parse import urlsplit

from sinch_wrapper import _validate
from sinch_wrapper._auth.credentials import AccessToken
from sinch_wrapper._rate_limit import Limiter
from sinch_wrapper._request import (
    FAILURES,
    APIRequest,
    Call,
    OperationLike,
    Response,
    build_request,
    connection_error,
    read_response,
    timeouts,
)
from sinch_wrapper._retry import RetryPolicy
from sinch_wrapper._transport.http_client import AsyncHTTPClient, HTTPClient
from sinch_wrapper.errors import ConfigurationError

if TYPE_CHECKING:
    from sinch_wrapper._telemetry import Telemetry

T = TypeVar("T")
ClientT = TypeVar("ClientT", HTTPClient, AsyncHTTPClient)


def _today() -> date:
    return datetime.now(UTC).date()


def check_lifetime(operation: OperationLike[T], base_url: str, today: date) -> None:
    """Warn of an operation whose end is announced, and refuse it from that day on.

    Other servers than those of the API may have it for ever.

    Raises: ConfigurationError, before anything is sent.
    """
    ends, instead = getattr(operation, "ends", ""), getattr(operation, "instead", "")
    if not ends or not (urlsplit(base_url).hostname or "").endswith(".sinch.com"):
        return
    if today < date.fromisoformat(ends):
        _validate.deprecated(f"{operation.id} ends on {ends}: use {instead}")
        return
    raise ConfigurationError(
        f"{operation.id} was not sent: it ended on {ends}; use {instead}, or name a server that "
        "still has it with endpoints="
    )


class _BaseSession(Generic[ClientT]):
    """Where a session sends, and how.

    *timeout* is in seconds, for each step of a request; *attempt_timeout* for all of them.
    *limiter* is for this session alone.
    """

    def __init__(  # noqa: PLR0913 (keyword-only, like the options of a client)
        self,
        http_client: ClientT,
        base_url: str,
        *,
        timeout: float,
        retry: RetryPolicy,
        attempt_timeout: float | None = None,
        telemetry: "Telemetry | None" = None,
        limiter: Limiter | None = None,
        today: Callable[[], date] = _today,
    ) -> None:
        self._http_client: ClientT = http_client
        self._base_url = base_url
        self._timeouts = timeouts(timeout, attempt_timeout)
        self._retry = retry
        self._telemetry = telemetry
        self._limiter = limiter
        self._today = today

    def _build(self, operation: OperationLike[T]) -> APIRequest:
        check_lifetime(operation, self._base_url, self._today())
        call = Call(
            operation.id, operation.method, self._retry, self._timeouts, limiter=self._limiter
        )
        return build_request(operation, self._base_url, call)


class Session(_BaseSession[HTTPClient]):
    """Sends operations of one API in threads."""

    def request(self, operation: OperationLike[T], /) -> Response[T]:
        """Send *operation* and read its response.

        Raises: APIStatusError by status, APIConnectionError without a response,
        APIResponseValidationError for a 2xx that cannot be read.
        """
        request = self._build(operation)
        if self._telemetry is None:
            return self._exchange(operation, request)
        with self._telemetry.observe(request) as observed:
            return observed(self._exchange(operation, request))

    def _exchange(self, operation: OperationLike[T], request: APIRequest) -> Response[T]:
        try:
            response = self._http_client.send(request)
        except FAILURES as error:
            raise connection_error(request, error) from error
        return read_response(operation, request, response)

    def fetch_token(self) -> AccessToken:
        """Get the token in use.

        Raises: SinchError when no token can be fetched.
        """
        return self._http_client.fetch_token(Call("token", "GET", self._retry, self._timeouts))


class AsyncSession(_BaseSession[AsyncHTTPClient]):
    """Sends operations of one API in tasks."""

    async def request(self, operation: OperationLike[T], /) -> Response[T]:
        """Send *operation* and read its response.

        Raises: APIStatusError by status, APIConnectionError without a response,
        APIResponseValidationError for a 2xx that cannot be read.
        """
        await self._http_client.load()
        request = self._build(operation)
        if self._telemetry is None:
            return await self._exchange(operation, request)
        with self._telemetry.observe(request) as observed:
            return observed(await self._exchange(operation, request))

    async def _exchange(self, operation: OperationLike[T], request: APIRequest) -> Response[T]:
        try:
            response = await self._http_client.send(request)
        except FAILURES as error:
            raise connection_error(request, error) from error
        return read_response(operation, request, response)

    async def fetch_token(self) -> AccessToken:
        """Get the token in use.

        Raises: SinchError when no token can be fetched.
        """
        await self._http_client.load()
        call = Call("token", "GET", self._retry, self._timeouts)
        return await self._http_client.fetch_token(call)
