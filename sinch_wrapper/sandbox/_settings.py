"""The settings with which a sandbox starts."""

import math
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Literal, Self, TypeAlias, get_args

from sinch_wrapper.sandbox._arguments import (
    check_choice,
    check_flag,
    check_kind,
    check_number,
    check_positive,
    check_share,
    check_text,
    check_whole,
    wrong_kind,
)
from sinch_wrapper.sandbox._clock import LAST_START
from sinch_wrapper.sandbox._documents import regions
from sinch_wrapper.sandbox._doors import is_host_name
from sinch_wrapper.sandbox._errors import ErrorShape
from sinch_wrapper.sandbox._faults import FaultRule, check_rule

CallbackSignature: TypeAlias = Literal["new", "first"]
Start: TypeAlias = Literal["app", "empty", "sample"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """The project, its credentials, the limits and the faults of one sandbox.

    Times are in seconds, rates per second. The defaults of queue and callbacks are fast, for
    tests; `documented` gives the rates that Sinch documents.

    Args:
        project_id: the project, which has one app (*app_id*) and the access key (*key_id*,
            *key_secret*) that every request needs.
        region: the region of paths that name none.
        start: what exists at the start: one app, nothing, or a sample of everything.
        error_shape: the body of errors, under `error` or flat; both are documented.
        drain_rate: messages that leave the queue of an app.
        queue_limit: messages that may wait in the queue of an app; one more gets 429.
        request_rate: requests of the project; one more gets 429.
        message_limit: messages that are remembered.
        ledger_limit: accepted recipients that the ledger remembers.
        body_limit: bytes of a request body; more gets 413.
        callback_rate: callbacks of an app.
        callback_attempts: how often a callback is posted until it is accepted.
        token_lifetime: time until a token expires.
        callback_timeout: time that a receiver has to respond.
        callback_workers: callbacks that are posted at once.
        callback_backoff: time until the second attempt; it doubles, up to 60.
        callback_duplicates: the share of callbacks that are posted twice.
        callback_disorder: the share that is held back, so that later ones overtake it.
        callback_delay: time between an event and its callback.
        callback_signature: whether each attempt of a callback is signed anew, with its own time, or
            all carry the signature of the first. Which of the two Sinch does is not documented.
        remote_callbacks: whether callbacks may leave this machine. The client credentials of a
            webhook never do: a callback that needs a token from elsewhere is withheld.
        allow_hosts: host names, beside those of this machine and of the APIs, under which the
            sandbox is served and whose pages may call it.
        seed: the same seed makes the same ids, tokens and chances.
        now: the time at the start, as Unix time; the machine's time when None.
        frozen: whether the time stands still until it is moved.

    Raises: TypeError or ValueError that names the setting, for a value it cannot have.
    """

    project_id: str = "sandbox-project"
    key_id: str = "sandbox-key"
    key_secret: str = field(default="sandbox-secret", repr=False)
    app_id: str = "01J0SANDB0X0APP00000000000"
    region: str = "us"
    start: Start = "app"
    error_shape: ErrorShape = "wrapped"
    token_lifetime: float = 3600
    drain_rate: float = 1000
    queue_limit: int = 500_000
    request_rate: float = 800
    message_limit: int = 100_000
    ledger_limit: int = 1_000_000
    body_limit: int = 10_000_000
    callback_rate: float = 1000
    callback_attempts: int = 5
    callback_backoff: float = 0.5
    callback_timeout: float = 5
    callback_workers: int = 4
    callback_duplicates: float = 0
    callback_disorder: float = 0
    callback_delay: float = 0
    callback_signature: CallbackSignature = "new"
    remote_callbacks: bool = False
    allow_hosts: tuple[str, ...] = ()
    faults: tuple[FaultRule, ...] = ()
    seed: int = 0
    now: float | None = None
    frozen: bool = False

    def __post_init__(self) -> None:
        """Check every setting."""
        for name, check in _CHECKS.items():
            check(name, getattr(self, name))

    def documented(self) -> Self:
        """Return these settings with the rates that Sinch documents: queue 20, callbacks 25.

        Source: Sinch documentation, Rate limits.
        """
        return replace(self, drain_rate=20, callback_rate=25)


def check_settings(value: object) -> None:
    """Check for Settings or None."""
    if value is not None:
        check_kind("settings", value, Settings, "Settings or None")


def _check_region(option: str, value: object) -> None:
    check_choice(option, value, regions())


def _check_time(option: str, value: object) -> None:
    if value is not None:
        check_number(option, value, 0, LAST_START)


def _check_hosts(option: str, value: object) -> None:
    wanted = "a tuple of host names, such as ('sandbox.internal',)"
    if not isinstance(value, tuple | list):
        raise wrong_kind(option, wanted, value)
    for name in value:
        check_kind(option, name, str, wanted)
        if not is_host_name(name):
            raise ValueError(f"{option}= must be {wanted}, without port or scheme")


def _check_rules(option: str, value: object) -> None:
    if not isinstance(value, tuple | list):
        raise wrong_kind(option, "a tuple of FaultRule", value)
    for rule in value:
        check_rule(option, rule)


_CHECKS: dict[str, Callable[[str, object], None]] = {
    **dict.fromkeys(("project_id", "key_id", "key_secret", "app_id"), check_text),
    "region": _check_region,
    "callback_signature": partial(check_choice, choices=get_args(CallbackSignature)),
    "start": partial(check_choice, choices=get_args(Start)),
    "error_shape": partial(check_choice, choices=get_args(ErrorShape)),
    **dict.fromkeys(
        ("drain_rate", "request_rate", "callback_rate", "callback_timeout"), check_positive
    ),
    **dict.fromkeys(("token_lifetime", "callback_backoff", "callback_delay"), check_number),
    **dict.fromkeys(("queue_limit", "message_limit", "ledger_limit", "body_limit"), check_whole),
    **dict.fromkeys(("callback_attempts", "callback_workers"), check_whole),
    **dict.fromkeys(("callback_duplicates", "callback_disorder"), check_share),
    **dict.fromkeys(("remote_callbacks", "frozen"), check_flag),
    "allow_hosts": _check_hosts,
    "faults": _check_rules,
    "seed": partial(check_whole, least=-math.inf),
    "now": _check_time,
}
