"""What each option of a client must be; a mistake is found when the client is made."""

import re
from typing import TYPE_CHECKING, Final

from sinch_wrapper._limits.limiter import RateLimiter, RateLimits
from sinch_wrapper._numbers import is_number
from sinch_wrapper._retry import RetryPolicy
from sinch_wrapper.errors import ConfigurationError
from sinch_wrapper.regions import Endpoints

if TYPE_CHECKING:
    from sinch_wrapper._options import Secrets

__all__ = [
    "checked_connections",
    "checked_endpoints",
    "checked_limits",
    "checked_project",
    "checked_proxy",
    "checked_retry",
    "checked_timeout",
]

# More than a month says nothing more, and is more than a socket can be told.
_LONGEST_TIMEOUT: Final = 2_000_000.0
_MOST_CONNECTIONS: Final = 1000
_PROJECT: Final = re.compile(r"(?!\.+$)[\x21-\x7e]+")


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
    if not _PROJECT.fullmatch(project_id):
        message = "project_id= (SINCH_PROJECT_ID) has a character that no id has: copy it again"
        raise ConfigurationError(message)
    return project_id
