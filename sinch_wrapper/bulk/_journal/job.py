"""A job that has its recipients: what its journal says about it."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import cast

from sinch_wrapper.bulk._journal.journal import Journal, text_fact
from sinch_wrapper.bulk._operations import BATCH_OPERATIONS, BatchOperation
from sinch_wrapper.bulk._pace import MessageLimits, Outstanding
from sinch_wrapper.errors import BulkError

__all__ = ["Job", "open_job", "read_job"]


@dataclass(frozen=True, slots=True)
class Job:
    """A job: *id* is unique for ever, *request* the fields that all its requests share."""

    journal: Journal
    id: str
    kind: BatchOperation
    project: str
    request: Mapping[str, object] = field(repr=False)
    facts: Mapping[str, object] = field(repr=False)

    def outstanding_at(self, wall: float, limits: MessageLimits) -> float:
        """The recipients that an earlier run may have left in the queue of the app."""
        found = self.facts.get("outstanding")
        if not isinstance(found, list):
            return 0.0
        count, at = found
        return Outstanding(count, at).at_time(wall, limits).count


def read_job(journal: Journal) -> Job | None:
    """The job in *journal*; None when its recipients are not there, or not all."""
    facts = journal.facts()
    if facts.get("state") != "ready":
        return None
    kind = BATCH_OPERATIONS.get(text_fact(facts, "kind"))
    request = facts.get("request")
    if kind is None or not isinstance(request, dict):
        raise BulkError(f"journal {journal.name}: it is corrupt: what it sends is unreadable")
    ids = text_fact(facts, "job"), text_fact(facts, "project")
    return Job(journal, ids[0], kind, ids[1], cast("dict[str, object]", request), facts)


def open_job(journal: Journal) -> Job:
    """The job in *journal*.

    Raises: BulkError when the reading of its recipients had not ended.
    """
    job = read_job(journal)
    if job is None:
        raise BulkError(
            f"journal {journal.name}: reading its recipients had not ended, nothing was sent: "
            "start the job again with them"
        )
    return job
