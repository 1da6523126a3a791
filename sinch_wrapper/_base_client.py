"""What Sinch and AsyncSinch share: options, endpoints, and views with other options."""

import inspect
from dataclasses import replace
from functools import update_wrapper
from types import FunctionType
from typing import TYPE_CHECKING, Generic, NoReturn, Self, TypeVar

from sinch_wrapper import _validate
from sinch_wrapper._config import (
    DEFAULT_CONNECTIONS,
    DEFAULT_LIMITS,
    DEFAULT_MAX_RESPONSE_SIZE,
    DEFAULT_RETRY,
    DEFAULT_TIMEOUT,
    AuthOption,
    HiddenOptions,
    HTTPOption,
    Options,
    refuse_waiting,
    resolve_endpoints,
    resolve_identity,
)
from sinch_wrapper._forget import forgetting
from sinch_wrapper._rate_limit import RateLimiter, RateLimits
from sinch_wrapper._retry import RetryPolicy
from sinch_wrapper._session import AsyncSession, Session
from sinch_wrapper._transport.http_client import AsyncHTTPClient, HTTPClient
from sinch_wrapper.errors import ConfigurationError
from sinch_wrapper.regions import Endpoints, Region, RegionName

if TYPE_CHECKING:
    import ssl
    from collections.abc import Callable

    from sinch_wrapper._telemetry import Telemetry


TransportT = TypeVar("TransportT")
HTTPClientT = TypeVar("HTTPClientT", HTTPClient, AsyncHTTPClient)
SessionT = TypeVar("SessionT", Session, AsyncSession)
ClientT = TypeVar("ClientT")


def _telemetry(wanted: object) -> "Telemetry | None":
    if not _validate.boolean("telemetry", wanted, error=ConfigurationError):
        return None
    try:
        from sinch_wrapper._telemetry import Telemetry
    except ImportError:
        message = "telemetry= needs opentelemetry-api: install sinch-wrapper[otel]"
        raise ConfigurationError(message) from None
    return Telemetry()


class BaseClient(Generic[TransportT, HTTPClientT]):
    """What both clients share: options, endpoints, views with other options."""

    _options: Options
    _http: HTTPClientT
    # A view closes nothing: its connections belong to the client that it was made from.
    _is_view: bool = False

    @forgetting
    def __init__(  # noqa: PLR0913 (keyword-only, each with a default)
        self,
        *,
        project_id: str | None = None,
        key_id: str | None = None,
        key_secret: str | None = None,
        region: Region | RegionName | None = None,
        auth: AuthOption = "oauth2",
        endpoints: Endpoints | None = None,
        timeout: float = DEFAULT_TIMEOUT,
        retry: RetryPolicy = DEFAULT_RETRY,
        limits: RateLimits | RateLimiter | None = DEFAULT_LIMITS,
        proxy: str | None = None,
        connections: int = DEFAULT_CONNECTIONS,
        telemetry: bool = False,
        attempt_timeout: float | None = None,
        max_response_size: int = DEFAULT_MAX_RESPONSE_SIZE,
        tls: "ssl.SSLContext | None" = None,
        http: HTTPOption | None = None,
        transport: TransportT | None = None,
    ) -> None:
        """Resolve the options; nothing is opened or read before the first request.

        Args:
            project_id: else SINCH_PROJECT_ID.
            key_id: else SINCH_KEY_ID.
            key_secret: else SINCH_KEY_SECRET.
            region: the one in which the app was created, else SINCH_REGION; no default.
            auth: `"oauth2"`; `"basic"` for tests, which the API limits heavily; or a function
                without arguments, for AsyncSinch also an asynchronous one, that returns a token
                (a string or AccessToken) or the AccessKey to fetch one with. It is called when a
                token is needed, not for each request: its token is used until it expires (a
                string: after an hour) or is refused. So a key can be changed without a restart.
            endpoints: other servers, such as Endpoints.sandbox(...), instead of a region; else
                the sandbox at SINCH_SANDBOX_URL.
            timeout: seconds for each step of a request (connecting: at most 5). A step is to
                connect, to send, or to receive the next bytes, so a slow server may take longer.
            retry: which requests are repeated, and how.
            limits: requests per second; a RateLimiter is shared by all clients that are given
                it; None for no limit.
            proxy: URL of a proxy; None for the one in the environment, "" for none.
            connections: how many requests may run at once; further ones wait. With responses
                that take 100 ms, 32 carry 320 requests per second.
            telemetry: spans and metrics for OpenTelemetry, whose API must be installed.
            attempt_timeout: seconds for all steps of one attempt; None for 60, or twice
                *timeout* if that is longer. What had left by then may have been carried out.
            max_response_size: bytes of a response, unpacked; a larger one is not read. It counts
                like a response that was lost.
            tls: an ssl.SSLContext, for certificates of an authority of your own or a certificate
                of the client; None for the usual authorities, SSL_CERT_FILE and SSL_CERT_DIR.
            http: `"aiohttp"` for an AsyncSinch whose connections are made by aiohttp (extra:
                aiohttp), at half the CPU; None for what SINCH_WRAPPER_HTTP says.
            transport: replaces the connection pool, for tests. Its failures are not taken as
                proof that nothing was sent, unless its class is one of the HTTP library itself.
                Before the body comes, one for threads has to limit the time of an attempt itself.

        Raises:
            ConfigurationError: for what is missing or wrong; it names the variable to set.

        """
        hidden = HiddenOptions(key_id, key_secret, proxy)
        self._options = Options(
            *resolve_identity(project_id, hidden, auth), resolve_endpoints(region, endpoints),
            timeout=timeout, retry=retry, limits=limits, proxy=hidden.proxy, tls=tls, http=http,
            connections=connections, telemetry=_telemetry(telemetry),
            attempt_timeout=attempt_timeout, max_response_size=max_response_size,
        ).checked()  # fmt: skip
        self._http = self._connect(transport)

    def _connect(self, transport: TransportT | None) -> HTTPClientT:
        raise NotImplementedError

    def _session_of(self, kind: "Callable[..., SessionT]", base_url: str) -> SessionT:
        options = self._options
        return kind(
            self._http,
            base_url,
            timeout=options.timeout,
            retry=options.retry,
            attempt_timeout=options.attempt_timeout,
            telemetry=options.telemetry,
            limiter=options.limiter,
        )

    @property
    def project_id(self) -> str:
        """The id of the project whose apps this client uses."""
        return self._options.project_id

    @property
    def retry(self) -> RetryPolicy:
        """Which requests this client repeats, and how; another one by `with_options()`."""
        return self._options.retry

    def __repr__(self) -> str:
        options: Options | None = getattr(self, "_options", None)
        if options is None:
            # Tools that show the locals of a failed constructor show the client as well.
            return f"<{type(self).__name__}>"
        return f"<{type(self).__name__} {options.project_id} at {options.endpoints.conversation}>"

    def __reduce__(self) -> NoReturn:
        message = (
            f"a {type(self).__name__} cannot be pickled or copied because it holds connections: "
            "make one in each process"
        )
        raise TypeError(message)

    def with_options(
        self,
        *,
        timeout: float | None = None,
        retry: RetryPolicy | None = None,
        attempt_timeout: float | None = None,
        limits: RateLimiter | None = None,
    ) -> Self:
        """A view of this client with another *timeout* or *attempt_timeout* (seconds), or *retry*.

        It shares connections, token and limits, unless other *limits* are given, and costs
        microseconds, so it is also the way to set them for one call:
        `sinch.with_options(timeout=60).send(...)`. Closing it closes nothing, closing this client
        closes it too.

        Raises: ConfigurationError for values out of range.
        """
        options = self._options
        view = object.__new__(type(self))
        view._options = replace(
            options,
            timeout=options.timeout if timeout is None else timeout,
            retry=options.retry if retry is None else retry,
            attempt_timeout=options.attempt_timeout if attempt_timeout is None else attempt_timeout,
            limiter=options.limiter if limits is None else limits,
        ).checked()
        if isinstance(self._http, AsyncHTTPClient):
            refuse_waiting(limits)
        view._http = self._http
        view._is_view = True
        return view


def named_by_itself(kind: type[ClientT]) -> type[ClientT]:
    """Copies of inherited methods, so that a TypeError about arguments names the class *kind*."""
    for name in ("__init__", "with_options"):
        inherited = inspect.unwrap(getattr(kind, name))
        own = FunctionType(inherited.__code__, inherited.__globals__, name)
        update_wrapper(own, inherited).__qualname__ = f"{kind.__name__}.{name}"
        own.__kwdefaults__ = inherited.__kwdefaults__
        setattr(kind, name, forgetting(own))
    return kind
