"""What a caller may say about a job, sorted by who needs it; pure."""

import math
import threading
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field, fields, replace
from datetime import datetime
from pathlib import Path
from typing import Literal, TypeAlias, TypedDict, TypeVar, cast

from sinch_wrapper.bulk._calls import BATCH_OPERATIONS
from sinch_wrapper.bulk._columns import Columns
from sinch_wrapper.bulk._job_spec import CuttingRules, OnInvalid, Plan, RequestOptions, message_plan
from sinch_wrapper.bulk._queue import MessageLimits
from sinch_wrapper.bulk._report import failed_recipients, old_request
from sinch_wrapper.bulk._sources import Items, Source, source_of
from sinch_wrapper.bulk._states import Progress
from sinch_wrapper.errors import BulkError


@dataclass(frozen=True, slots=True)
class SendingRules:
    """How a job is sent.

    *concurrency* requests run at a time. *settle* is the seconds after which a request that the
    look-up does not find was surely not accepted; *attempts* is how often one may leave, and
    *patience* how many look-ups in a row may fail before it stays unknown. *limits* are those of
    the app's queue. *deadline* is the seconds, reading included, after which no more is sent;
    None for no limit.

    Raises: BulkError for values out of range.
    """

    concurrency: int = 4
    settle: float = 30.0
    attempts: int = 5
    patience: int = 10
    limits: MessageLimits = field(default_factory=MessageLimits)
    deadline: float | None = None

    def __post_init__(self) -> None:
        for name in ("concurrency", "attempts", "patience"):
            if getattr(self, name) < 1:
                raise BulkError(f"{name} must be 1 or more")
        for name in ("settle", "deadline"):
            value = getattr(self, name)
            if value is not None and not (math.isfinite(value) and value >= 0):
                raise BulkError(f"{name} must be 0 seconds or more")


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


JobPath: TypeAlias = str | Path


@dataclass(frozen=True, slots=True)
class Order:
    """A job that a caller wants: what, from whom, into which journal, and how."""

    path: Path | None
    run: Run
    plan: Plan | None = None
    source: Source | None = None


def message_order(  # noqa: PLR0913 (keyword-only, as the caller said them)
    *,
    app_id: str,
    message: Mapping[str, object],
    recipients: Items,
    job: JobPath | None,
    options: SendOptions,
    parent: str = "",
) -> Order:
    """The order of a job that sends messages; raises BulkError or TypeError for mistakes."""
    others = cast("RequestOptions", rest(options, "columns", "send_after", "api"))
    plan = message_plan(
        app_id=app_id,
        message=message,
        options=others,
        api=options.get("api", "v1"),
        columns=options.get("columns") or Columns(),
        rules=rules_of(options),
        send_after=options.get("send_after"),
    )
    path = None if job is None else Path(job)
    return Order(path, run_of(options), replace(plan, parent=parent), source_of(recipients))


def items_order(
    kind: str,
    request: Mapping[str, object],
    things: Items,
    job: JobPath | None,
    options: JobOptions,
) -> Order:
    """The order of a job of another kind; raises BulkError or TypeError for mistakes."""
    if unknown := rest(options):
        message = f"unknown option {next(iter(unknown))}"
        raise TypeError(message)
    plan = Plan(BATCH_OPERATIONS[kind], request, rules=rules_of(options))
    return Order(None if job is None else Path(job), run_of(options), plan, source_of(things))


def retry_order(
    job: JobPath, new_job: JobPath, reasons: Collection[str], options: JobOptions
) -> Order:
    """The order of a job for those that failed; raises BulkError when *job* cannot be read."""
    if unknown := rest(options):
        message = f"unknown option {next(iter(unknown))}"
        raise TypeError(message)
    if Path(job) == Path(new_job):
        raise BulkError("a retry is a job of its own: give it another file")
    request, kind, parent = old_request(Path(job))
    request = {name: value for name, value in request.items() if name != "send_after"}
    plan = Plan(BATCH_OPERATIONS[kind], request, rules=rules_of(options), parent=parent)
    source = Source("failed recipients", None, failed_recipients(Path(job), reasons))
    return Order(Path(new_job), run_of(options), plan, source)
