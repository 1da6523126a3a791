"""What a caller may say about a job, sorted by who needs it; pure."""

import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, fields
from datetime import datetime
from typing import Literal, TypedDict, TypeVar, cast

from sinch_wrapper.bulk._pace import MessageLimits
from sinch_wrapper.bulk._plan import CuttingRules, OnInvalid, RequestOptions
from sinch_wrapper.bulk._recipients.columns import Columns
from sinch_wrapper.bulk._sending.counts import Progress
from sinch_wrapper.bulk._sending.rules import SendingRules

__all__ = ["JobOptions", "Run", "RunOptions", "SendOptions", "rest", "rules_of", "run_of"]


class RunOptions(TypedDict, total=False):
    """How a job is sent, now; see SendingRules for the numbers.

    *progress* is called with a Progress after each step, from the thread that sends. *stop* ends
    the job gently: what runs is finished, and the rest stays for `resume()`. *send_now* lets a
    job that is resumed after its `send_after` send the rest at once; without it, it refuses.
    """

    concurrency: int
    settle: float
    attempts: int
    patience: int
    limits: MessageLimits
    deadline: float | None
    progress: Callable[[Progress], None] | None
    stop: threading.Event | None
    send_now: bool


class JobOptions(RunOptions, total=False):
    """How items become requests, and how these are sent; see CuttingRules and RunOptions."""

    on_invalid: OnInvalid
    on_duplicate: Literal["stop", "skip", "send"]
    chunk_size: int
    chunk_bytes: int


class SendOptions(JobOptions, RequestOptions, total=False):
    """All options of a job that sends messages.

    *columns* says what the columns of a table mean; *send_after* must have a time zone, and the
    time the server settles on is in the report; *api* `"v1beta"` sends through the older path,
    which has no look-up, so that doubtful requests stay unknown.
    """

    columns: Columns
    send_after: datetime | None
    api: Literal["v1", "v1beta"]


def _ignore(_progress: Progress) -> None:
    pass


@dataclass(frozen=True, slots=True)
class Run:
    """How a job is sent, now."""

    how: SendingRules = field(default_factory=SendingRules)
    progress: Callable[[Progress], None] = _ignore
    stop: threading.Event = field(default_factory=threading.Event)
    send_now: bool = False


T = TypeVar("T", CuttingRules, SendingRules)


def _picked(kind: type[T], options: Mapping[str, object]) -> T:
    known = {each.name: options[each.name] for each in fields(kind) if each.name in options}
    return kind(**known)  # type: ignore[arg-type]  # the TypedDicts say the same types


def run_of(options: Mapping[str, object]) -> Run:
    """The part about sending; raises BulkError for values out of range."""
    progress = cast("Callable[[Progress], None] | None", options.get("progress"))
    stop = cast("threading.Event | None", options.get("stop"))
    return Run(
        _picked(SendingRules, options),
        progress or _ignore,
        stop or threading.Event(),
        bool(options.get("send_now")),
    )


def rules_of(options: Mapping[str, object]) -> CuttingRules:
    """The part about cutting; raises BulkError for values out of range."""
    return _picked(CuttingRules, options)


def rest(options: Mapping[str, object], *names: str) -> dict[str, object]:
    """The options that neither rules, nor sending, nor *names* take."""
    taken = {*JobOptions.__annotations__, *RunOptions.__annotations__, *names}
    return {name: value for name, value in options.items() if name not in taken}
