"""What both clients share: options, environment, endpoints, views with other options."""

import os
from dataclasses import replace
from typing import Generic, Self, TypeVar

from sinch_wrapper._limits import RateLimits
from sinch_wrapper._options import AuthKind, Options, resolve_identity, resolve_place
from sinch_wrapper._retry import RetryPolicy
from sinch_wrapper._session import Settings
from sinch_wrapper._wire import AsyncWire, Wire
from sinch_wrapper.regions import Endpoints, Region

__all__ = ["BaseClient"]

TransportT = TypeVar("TransportT")
WireT = TypeVar("WireT", Wire, AsyncWire)

_DEFAULT_RETRY = RetryPolicy()
_DEFAULT_LIMITS = RateLimits()


class BaseClient(Generic[TransportT, WireT]):
    """What both clients share: options, endpoints, views with other options."""

    _wire: WireT

    def __init__(  # noqa: PLR0913 (keyword-only, each with a default)
        self,
        *,
        project_id: str | None = None,
        key_id: str | None = None,
        key_secret: str | None = None,
        region: Region | str | None = None,
        auth: AuthKind = "oauth2",
        endpoints: Endpoints | None = None,
        timeout: float = 10.0,
        retry: RetryPolicy = _DEFAULT_RETRY,
        limits: RateLimits | None = _DEFAULT_LIMITS,
        proxy: str | None = None,
        transport: TransportT | None = None,
    ) -> None:
        """Resolve the options; nothing is opened or read before the first request.

        Args:
            project_id: else SINCH_PROJECT_ID.
            key_id: else SINCH_KEY_ID.
            key_secret: else SINCH_KEY_SECRET.
            region: the one in which the app was created, else SINCH_REGION; no default.
            auth: `"oauth2"`, or `"basic"` for tests, which the API limits heavily.
            endpoints: other servers, such as Endpoints.sandbox(...), instead of a region; else
                the sandbox at SINCH_SANDBOX_URL.
            timeout: seconds for each step of a request (connecting: at most 5).
            retry: which requests are repeated, and how.
            limits: requests per second; None for no limit.
            proxy: URL of a proxy; None for what the environment says, "" for none.
            transport: replaces the connection pool, for tests.

        Raises:
            ConfigurationError: for what is missing or wrong; it names the variable to set.

        """
        given = {"project_id": project_id, "key_id": key_id, "key_secret": key_secret}
        project, credentials = resolve_identity(given, os.environ)
        self._setup(
            Options(
                project,
                credentials,
                resolve_place(region, endpoints, os.environ),
                auth,
                timeout,
                retry,
                limits,
                proxy,
            ),
        )
        self._wire = self._connect(transport)

    def _setup(self, options: Options, origin: Self | None = None) -> None:
        self._options = options
        self._origin = origin

    def _connect(self, transport: TransportT | None) -> WireT:
        raise NotImplementedError

    def _settings(self, base_url: str) -> Settings:
        return Settings(base_url, self._options.timeout, self._options.retry)

    def __repr__(self) -> str:
        options = self._options
        return f"<{type(self).__name__} {options.project_id} at {options.endpoints.conversation}>"

    def with_options(
        self, *, timeout: float | None = None, retry: RetryPolicy | None = None
    ) -> Self:
        """A view of this client with another *timeout* (seconds) or *retry* policy.

        It shares connections, token and limits; closing it closes nothing, closing this client
        closes it too.

        Raises: ConfigurationError for values out of range.
        """
        options = replace(
            self._options,
            timeout=self._options.timeout if timeout is None else timeout,
            retry=self._options.retry if retry is None else retry,
        )
        view = object.__new__(type(self))
        view._setup(options, origin=self)
        view._wire = self._wire
        return view
