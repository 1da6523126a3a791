"""What a sandbox can be told when it starts."""

from dataclasses import dataclass, field, replace
from typing import Literal, Self, TypeAlias

from sinch_wrapper.sandbox._errors import ErrorShape
from sinch_wrapper.sandbox._faults import FaultRule

Start: TypeAlias = Literal["app", "empty", "sample"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """The project, its credentials, the limits and the faults of one sandbox.

    Times are seconds, rates are per second, and those of the queue and of callbacks are fast, for
    tests; `documented` gives the ones that Sinch documents.

    Args:
        region: that of paths which name none.
        start: what is there at first: one app, nothing, or a sample of everything.
        error_shape: the body of errors, in `error` or flat; both are documented.
        drain_rate: messages that leave the queue of an app.
        queue_limit: messages that an app may have waiting; one more is 429.
        request_rate: requests of the project; one more is 429.
        message_limit: messages that are remembered.
        ledger_limit: accepted recipients that the ledger remembers.
        body_limit: bytes of a request body; more is 413.
        callback_rate: callbacks of an app.
        callback_attempts: how often a callback is posted until it is accepted.
        callback_backoff: until the second attempt; it doubles, up to 60.
        callback_duplicates: the share of callbacks that come twice.
        callback_disorder: the share that is held back, so that later ones come first.
        callback_delay: between an event and its callback.
        remote_callbacks: whether callbacks may leave this machine.
        seed: the same seed makes the same ids, tokens and chances.
        now: the time at the start, as Unix time; that of the machine when None.
        frozen: whether the time stands still until it is moved.

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
    remote_callbacks: bool = False
    faults: tuple[FaultRule, ...] = ()
    seed: int = 0
    now: float | None = None
    frozen: bool = False

    def documented(self) -> Self:
        """Return these settings with the rates that Sinch documents: queue 20, callbacks 25.

        Source: Sinch documentation, Rate limits.
        """
        return replace(self, drain_rate=20, callback_rate=25)
