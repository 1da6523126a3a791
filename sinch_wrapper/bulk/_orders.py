"""From what a caller says to an order: a plan, a source, a journal, and how to send."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TypeAlias, cast

from sinch_wrapper.bulk._operations import BATCH_OPERATIONS
from sinch_wrapper.bulk._options import JobOptions, Run, SendOptions, rest, rules_of, run_of
from sinch_wrapper.bulk._plan import Plan, RequestOptions, message_plan
from sinch_wrapper.bulk._recipients.columns import Columns
from sinch_wrapper.bulk._recipients.sources import Items, Source, source_of
from sinch_wrapper.bulk._results.retrying import failed_recipients, old_request
from sinch_wrapper.errors import BulkError

__all__ = ["JobPath", "Order", "items_order", "message_order", "retry_order"]

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
