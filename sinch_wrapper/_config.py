"""The options of a client, resolved: arguments first, then the environment."""

import os
import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final, Literal, Protocol, TypeAlias

from sinch_wrapper._auth.credentials import AccessKey, AuthProvider
from sinch_wrapper._rate_limit import RateLimiter, RateLimits
from sinch_wrapper._retry import RetryPolicy
from sinch_wrapper._validate import is_number
from sinch_wrapper.errors import ConfigurationError
from sinch_wrapper.regions import Endpoints, Region

if TYPE_CHECKING:
    from sinch_wrapper._telemetry import Telemetry


# More than a month says nothing more, and is more than a socket can be told.
_LONGEST_TIMEOUT: Final = 2_000_000.0
_MOST_CONNECTIONS: Final = 1000
_PROJECT_ID: Final = re.compile(r"(?!\.+$)[\x21-\x7e]+")


def checked_timeout(seconds: object) -> float:
    """Return *seconds*.

    Raises: ConfigurationError unless it is a finite number above 0: nobody waits for ever.
    """
    if not (is_number(seconds) and 0 < seconds <= _LONGEST_TIMEOUT):
        message = f"timeout must be a number of seconds above 0, up to {_LONGEST_TIMEOUT:.0f}"
        raise ConfigurationError(message)
    return seconds


def checked_connections(number: object) -> int:
    """Return *number*.

    Raises: ConfigurationError unless it is a whole number from 1 to 1000.
    """
    if type(number) is not int or not 1 <= number <= _MOST_CONNECTIONS:
        message = f"connections must be a whole number from 1 to {_MOST_CONNECTIONS}"
        raise ConfigurationError(message)
    return number


def checked_retry(retry: object) -> RetryPolicy:
    """Return *retry*.

    Raises: ConfigurationError for anything but a RetryPolicy.
    """
    if not isinstance(retry, RetryPolicy):
        message = "retry must be a RetryPolicy, such as RetryPolicy(attempts=1) to repeat nothing"
        raise ConfigurationError(message)
    return retry


def checked_limits(limits: object) -> RateLimits | RateLimiter | None:
    """Return *limits*.

    Raises: ConfigurationError for anything else.
    """
    if limits is not None and not isinstance(limits, RateLimits | RateLimiter):
        message = "limits must be RateLimits, a RateLimiter that clients share, or None for none"
        raise ConfigurationError(message)
    return limits


def checked_endpoints(endpoints: object) -> Endpoints:
    """Return *endpoints*.

    Raises: ConfigurationError for anything but Endpoints.
    """
    if not isinstance(endpoints, Endpoints):
        message = "endpoints must be Endpoints, such as Endpoints.sandbox(url)"
        raise ConfigurationError(message)
    return endpoints


def checked_proxy(secrets: "Secrets") -> str | None:
    """Return the proxy among *secrets*.

    Raises: ConfigurationError when it is no text; which URLs can be used is seen on use.
    """
    if secrets.proxy is not None and not isinstance(secrets.proxy, str):
        message = 'proxy must be the URL of a proxy, "" for none, or None for the environment\'s'
        raise ConfigurationError(message)
    return secrets.proxy


def checked_project(project_id: str) -> str:
    """Return *project_id*.

    Raises: ConfigurationError when it has a character that no id has.
    """
    if not _PROJECT_ID.fullmatch(project_id):
        message = "project_id= (SINCH_PROJECT_ID) has a character that no id has: copy it again"
        raise ConfigurationError(message)
    return project_id


AuthOption: TypeAlias = Literal["oauth2", "basic"] | AuthProvider

_PROJECT: Final = "SINCH_PROJECT_ID"
_KEY: Final = {"key_id": "SINCH_KEY_ID", "key_secret": "SINCH_KEY_SECRET"}
_REGION: Final = "SINCH_REGION"
_SANDBOX: Final = "SINCH_SANDBOX_URL"


class Environment(Protocol):
    """Where variables are looked up."""

    def get(self, name: str, /) -> str | None:
        """The value of the variable *name*, or None."""
        ...


class ProcessEnvironment:
    """The variables of the process, none of which shows: os.environ would show all of them."""

    def get(self, name: str, /) -> str | None:
        """The value of the variable *name*, or None."""
        return os.environ.get(name)


@dataclass(frozen=True, slots=True, repr=False)
class Secrets:
    """What was passed and must not show, not even as a local in a traceback."""

    key_id: str | None = None
    key_secret: str | None = None
    proxy: str | None = None


@dataclass(frozen=True, slots=True)
class Options:
    """What a client was made of; the key and the proxy do not show in the repr."""

    project_id: str
    origin: AccessKey | AuthProvider = field(repr=False)
    endpoints: Endpoints
    basic: bool = False
    timeout: float = 10.0
    retry: RetryPolicy = field(default_factory=RetryPolicy)
    limits: RateLimits | RateLimiter | None = field(default_factory=RateLimits)
    proxy: str | None = field(default=None, repr=False)
    connections: int = 32
    telemetry: "Telemetry | None" = None


def resolve_identity(
    project_id: str | None, secrets: Secrets, auth: AuthOption, environment: Environment
) -> tuple[str, AccessKey | AuthProvider]:
    """Find the project id, and where tokens come from: an access key, or the caller's provider.

    Raises: ConfigurationError that names every option and variable that is missing.
    """
    given = project_id or environment.get(_PROJECT) or ""
    project = str(given).strip()
    missing = [] if project else [f"project_id= ({_PROJECT})"]
    key = None if callable(auth) else _found_key(secrets, environment)
    if key is not None:
        missing += [f"{name}= ({_KEY[name]})" for name in _KEY if not getattr(key, name)]
    if missing:
        message = f"missing {', '.join(missing)}: pass the option or set the variable"
        raise ConfigurationError(message)
    return checked_project(project), _origin(auth, secrets if key is None else key)


def _found_key(secrets: Secrets, environment: Environment) -> Secrets:
    found = (getattr(secrets, name) or environment.get(var) for name, var in _KEY.items())
    # What is no text is left to AccessKey, which says so.
    return Secrets(*(half.strip() if isinstance(half, str) else half for half in found))


def _origin(auth: AuthOption, key: Secrets) -> AccessKey | AuthProvider:
    if not callable(auth):
        if not (isinstance(auth, str) and auth in {"oauth2", "basic"}):
            message = 'auth must be "oauth2", "basic", or a function that gives a token or a key'
            raise ConfigurationError(message)
        return AccessKey(key.key_id or "", key.key_secret or "")
    if key.key_id or key.key_secret:
        message = "auth= with a function contradicts key_id= and key_secret=: pass one of them"
        raise ConfigurationError(message)
    return auth


def resolve_place(
    region: Region | str | None, endpoints: Endpoints | None, environment: Environment
) -> Endpoints:
    """Find the endpoints: as given, or those of the region in the option or *environment*.

    With SINCH_SANDBOX_URL an unchanged program talks to a sandbox, whatever its region.

    Raises: ConfigurationError when both or none are given, or the region is unknown.
    """
    if endpoints is not None:
        if region is not None:
            message = "region= and endpoints= contradict each other: pass one of them"
            raise ConfigurationError(message)
        return checked_endpoints(endpoints)
    name, sandbox = region or environment.get(_REGION), environment.get(_SANDBOX)
    if sandbox:
        if name:
            # So that a wrong region is found here, and not in production.
            Region.parse(name)
        return Endpoints.sandbox(sandbox)
    if not name:
        message = (
            f"missing region= ({_REGION}): set it to {', '.join(Region)}, "
            "the one in which the app was created"
        )
        raise ConfigurationError(message)
    return Endpoints.for_region(name)
