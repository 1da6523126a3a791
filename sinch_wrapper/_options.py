"""The options of a client, resolved: arguments first, then the environment."""

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final, Literal, TypeAlias

from sinch_wrapper._credentials import Credentials
from sinch_wrapper._limits import RateLimits
from sinch_wrapper._retry import RetryPolicy
from sinch_wrapper.errors import ConfigurationError
from sinch_wrapper.regions import Endpoints, Region

__all__ = ["AuthKind", "Options", "checked_timeout", "resolve_identity", "resolve_place"]

AuthKind: TypeAlias = Literal["oauth2", "basic"]

_IDENTITY: Final = {
    "project_id": "SINCH_PROJECT_ID",
    "key_id": "SINCH_KEY_ID",
    "key_secret": "SINCH_KEY_SECRET",
}
_REGION: Final = "SINCH_REGION"
_SANDBOX: Final = "SINCH_SANDBOX_URL"


@dataclass(frozen=True, slots=True)
class Options:
    """What a client was made of; credentials and proxy do not show in the repr."""

    project_id: str
    credentials: Credentials = field(repr=False)
    endpoints: Endpoints
    auth: AuthKind = "oauth2"
    timeout: float = 10.0
    retry: RetryPolicy = field(default_factory=RetryPolicy)
    limits: RateLimits | None = field(default_factory=RateLimits)
    proxy: str | None = field(default=None, repr=False)

    def __post_init__(self) -> None:
        if self.auth not in {"oauth2", "basic"}:
            message = 'auth must be "oauth2" or "basic"'
            raise ConfigurationError(message)
        checked_timeout(self.timeout)


def checked_timeout(seconds: float) -> float:
    """Return *seconds*.

    Raises: ConfigurationError unless it is a finite number above 0: nobody waits for ever.
    """
    if not (math.isfinite(seconds) and seconds > 0):
        message = "timeout must be a number of seconds above 0"
        raise ConfigurationError(message)
    return seconds


def resolve_identity(
    given: Mapping[str, str | None], environment: Mapping[str, str]
) -> tuple[str, Credentials]:
    """Find project id and access key in *given* or *environment*.

    Raises: ConfigurationError that names every option and variable that is missing.
    """
    # Copied keys and mounted secrets often end in a line break.
    found = {
        name: (given.get(name) or environment.get(variable) or "").strip()
        for name, variable in _IDENTITY.items()
    }
    missing = [f"{name}= ({_IDENTITY[name]})" for name, value in found.items() if not value]
    if missing:
        message = f"missing {', '.join(missing)}: pass the option or set the variable"
        raise ConfigurationError(message)
    return found["project_id"], Credentials(found["key_id"], found["key_secret"])


def resolve_place(
    region: Region | str | None, endpoints: Endpoints | None, environment: Mapping[str, str]
) -> Endpoints:
    """Find the endpoints: as given, or those of the region in the option or *environment*.

    With SINCH_SANDBOX_URL an unchanged program talks to a sandbox, whatever its region.

    Raises: ConfigurationError when both or none are given, or the region is unknown.
    """
    if endpoints is not None:
        if region is not None:
            message = "region= and endpoints= contradict each other: pass one of them"
            raise ConfigurationError(message)
        return endpoints
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
