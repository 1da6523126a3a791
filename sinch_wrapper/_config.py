"""The options of a client: their defaults, the environment, and how the two are resolved.

An argument wins over its variable. Only `SINCH_WRAPPER_HTTP` is read elsewhere, in `_http`: it
chooses the library that everything else is built on.
"""

import os
import re
import ssl
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final, Literal, Self, TypeAlias

from sinch_wrapper import _validate
from sinch_wrapper._auth.credentials import AccessKey, AuthProvider
from sinch_wrapper._forget import forgetting
from sinch_wrapper._http import AIOHTTP
from sinch_wrapper._rate_limit import RateLimiter, RateLimits
from sinch_wrapper._request import LARGEST_RESPONSE
from sinch_wrapper._retry import RetryPolicy
from sinch_wrapper.errors import ConfigurationError
from sinch_wrapper.regions import Endpoints, Region

if TYPE_CHECKING:
    from sinch_wrapper._telemetry import Telemetry

HTTPOption: TypeAlias = Literal["aiohttp"]
AuthOption: TypeAlias = Literal["oauth2", "basic"] | AuthProvider

DEFAULT_TIMEOUT: Final = 10.0
DEFAULT_CONNECTIONS: Final = 32
DEFAULT_MAX_RESPONSE_SIZE: Final = LARGEST_RESPONSE
DEFAULT_RETRY: Final = RetryPolicy()
DEFAULT_LIMITS: Final = RateLimits()

# More than a month is not waited for, and a longer time than a socket accepts.
_LONGEST_TIMEOUT: Final = 2_000_000
_MOST_CONNECTIONS: Final = 1000
_LEAST_RESPONSE: Final = 1000
_MOST_RESPONSE: Final = 2**40
_PROJECT_ID: Final = re.compile(r"(?!\.+$)[\x21-\x7e]+")

_PROJECT_VARIABLE: Final = "SINCH_PROJECT_ID"
_KEY_VARIABLES: Final = {"key_id": "SINCH_KEY_ID", "key_secret": "SINCH_KEY_SECRET"}
_REGION_VARIABLE: Final = "SINCH_REGION"
_SANDBOX_VARIABLE: Final = "SINCH_SANDBOX_URL"
_TESTING_VARIABLE: Final = "SINCH_WRAPPER_TESTING"


def variable(name: str) -> str | None:
    """The environment variable *name*; a traceback that shows locals shows no other one."""
    return os.environ.get(name)


def is_waiting_skipped() -> bool:
    """Whether SINCH_WRAPPER_TESTING says that no test waits between attempts."""
    return variable(_TESTING_VARIABLE) == "1"


@dataclass(frozen=True, slots=True, repr=False)
class HiddenOptions:
    """Options that must not be shown, not even as a local in a traceback."""

    key_id: str | None = None
    key_secret: str | None = None
    proxy: str | None = None

    def check(self) -> None:
        """Raise ConfigurationError for an option that is not a string."""
        for name in self.__slots__:
            # The value is never a local: a traceback would show it.
            if not isinstance(getattr(self, name), str | None):
                if name == "proxy":
                    wanted = 'the URL of a proxy, "" for none, or None for the environment\'s'
                else:
                    wanted = "a string"
                raise ConfigurationError(f"{name}= must be {wanted}")


@dataclass(frozen=True, slots=True)
class Options:
    """The resolved options of a client; the key and the proxy do not show in the repr."""

    project_id: str
    origin: AccessKey | AuthProvider = field(repr=False)
    basic: bool
    endpoints: Endpoints
    timeout: float
    retry: RetryPolicy
    limits: RateLimits | RateLimiter | None
    proxy: str | None = field(repr=False)
    connections: int
    telemetry: "Telemetry | None"
    attempt_timeout: float | None
    max_response_size: int
    tls: ssl.SSLContext | None
    http: HTTPOption | None = None
    # Of a view, instead of the limits of its client.
    limiter: RateLimiter | None = None

    def checked(self) -> Self:
        """Return these options.

        Raises: ConfigurationError for values of another kind or out of range.
        """
        fault = ConfigurationError
        _validate.seconds("timeout", self.timeout, 0, _LONGEST_TIMEOUT, above=True, error=fault)
        if (total := self.attempt_timeout) is not None:
            name, most = "attempt_timeout", _LONGEST_TIMEOUT
            _validate.seconds(name, total, 0, most, above=True, error=fault)
        _validate.whole("connections", self.connections, 1, _MOST_CONNECTIONS, error=fault)
        size, least, most = self.max_response_size, _LEAST_RESPONSE, _MOST_RESPONSE
        _validate.whole("max_response_size", size, least, most, error=fault)
        _check_tls(self.tls)
        if self.http is not None:
            _validate.one_of("http", self.http, (AIOHTTP,), error=fault)
        wanted = "a RetryPolicy, such as RetryPolicy(attempts=1) to repeat nothing"
        _validate.instance("retry", self.retry, RetryPolicy, wanted, error=fault)
        if not isinstance(self.limits, RateLimits | RateLimiter | None):
            wanted = "RateLimits, a RateLimiter that clients share, or None for no limit"
            raise _validate.wrong_kind("limits", wanted, self.limits, fault)
        if not isinstance(self.limiter, RateLimiter | None):
            wanted = "a RateLimiter that clients share, or None for that of the client"
            raise _validate.wrong_kind("limits", wanted, self.limiter, fault)
        return self


def refuse_waiting(limits: object) -> None:
    """Raise ConfigurationError when *limits* would keep an event loop waiting."""
    if isinstance(limits, RateLimiter) and limits.blocks:
        raise ConfigurationError("limits= waits for a database, in threads: it is for Sinch")


def _check_tls(tls: object) -> None:
    if tls is None:
        return
    wanted = "an ssl.SSLContext, such as ssl.create_default_context(cafile=...), or None"
    context = _validate.instance("tls", tls, ssl.SSLContext, wanted, error=ConfigurationError)
    if context.verify_mode is ssl.CERT_NONE or not context.check_hostname:
        message = (
            "tls= must check certificates and host names, as ssl.create_default_context() does: "
            "give it the authority to trust instead"
        )
        raise ConfigurationError(message)


def resolve_identity(
    project_id: str | None, hidden: HiddenOptions, auth: AuthOption
) -> tuple[str, AccessKey | AuthProvider, bool]:
    """Find the project id, where tokens come from, and whether the key is sent in their place.

    Tokens come from an access key, or from the function that the caller gave.

    Raises: ConfigurationError that names every option and variable that is missing.
    """
    hidden.check()
    if not isinstance(project_id, str | None):
        raise _validate.wrong_kind("project_id", "a string", project_id, ConfigurationError)
    project = (project_id or variable(_PROJECT_VARIABLE) or "").strip()
    missing = [] if project else [f"project_id= ({_PROJECT_VARIABLE})"]
    key = None if callable(auth) else _find_key(hidden)
    if key is not None:
        missing += [
            f"{name}= ({var})" for name, var in _KEY_VARIABLES.items() if not getattr(key, name)
        ]
    if missing:
        message = f"missing {', '.join(missing)}: pass the option or set the variable"
        raise ConfigurationError(message)
    if not _PROJECT_ID.fullmatch(project):
        message = "project_id= (SINCH_PROJECT_ID) has a character that no id has: copy it again"
        raise ConfigurationError(message)
    return project, _origin(auth, hidden if key is None else key), auth == "basic"


def _find_key(hidden: HiddenOptions) -> HiddenOptions:
    found = (getattr(hidden, name) or variable(var) or "" for name, var in _KEY_VARIABLES.items())
    return HiddenOptions(*(half.strip() for half in found))


def _origin(auth: AuthOption, key: HiddenOptions) -> AccessKey | AuthProvider:
    if not callable(auth):
        if not (isinstance(auth, str) and auth in {"oauth2", "basic"}):
            message = 'auth= must be "oauth2", "basic", or a function that returns a token or a key'
            raise ConfigurationError(message)
        return AccessKey(key.key_id or "", key.key_secret or "")
    if key.key_id or key.key_secret:
        message = "auth= with a function contradicts key_id= and key_secret=: pass one of them"
        raise ConfigurationError(message)
    return auth


@forgetting
def resolve_endpoints(region: Region | str | None, endpoints: Endpoints | None) -> Endpoints:
    """Find the endpoints: as given, or those of the region in the option or the environment.

    With SINCH_SANDBOX_URL an unchanged program talks to a sandbox, whatever its region.

    Raises: ConfigurationError when both or neither are given, or the region is unknown.
    """
    if endpoints is not None:
        if region is not None:
            message = "region= and endpoints= contradict each other: pass one of them"
            raise ConfigurationError(message)
        wanted = "Endpoints, such as Endpoints.sandbox(url)"
        return _validate.instance(
            "endpoints", endpoints, Endpoints, wanted, error=ConfigurationError
        )
    given = (variable(_REGION_VARIABLE) or None) if region is None or region == "" else region
    # With a sandbox too, so that a wrong region is found here and not in production.
    place = None if given is None else Region.parse(given)
    if sandbox := variable(_SANDBOX_VARIABLE):
        return Endpoints.sandbox(sandbox)
    if place is None:
        message = (
            f"missing region= ({_REGION_VARIABLE}): set it to {', '.join(Region)}, "
            "the one in which the app was created"
        )
        raise ConfigurationError(message)
    return Endpoints.for_region(place)
