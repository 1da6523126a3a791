"""The planner that asks for the status of batches, and cancels them and polls until they end.

*now* is monotonic seconds in this file.
"""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Final

from sinch_wrapper._backoff import backoff
from sinch_wrapper.bulk._calls import BatchCall, Done, Step
from sinch_wrapper.bulk._journal import Job
from sinch_wrapper.bulk._states import ChunkState
from sinch_wrapper.errors import AuthenticationError, PermissionDeniedError, SinchError

_FINAL: Final = frozenset({"CANCELLED", "PROCESSED"})
_FIRST_POLL: Final = 0.25
_LONGEST_POLL: Final = 5.0
# Batches that are polled side by side, for each call that may run.
_WINDOW: Final = 8
_CANCELLED: Final = '{"line": "the job was cancelled before it left", "status": "CANCELLED"}'


@dataclass(frozen=True, slots=True)
class PolledBatch:
    """A batch to ask about, the number of its chunk (-1 without a job), and its recipients."""

    batch_id: str
    chunk: int = -1
    recipients: int = 0


@dataclass(frozen=True, slots=True)
class Cancellation:
    """What was really cancelled: batch ids, and the number of recipients where a job knows it.

    *too_late* had been handed over before; *unknown* had no final status in time. *never_sent*
    is the number of recipients of the job that had not left, and now never will.
    """

    cancelled: tuple[str, ...]
    too_late: tuple[str, ...]
    unknown: tuple[str, ...]
    recipients: int = 0
    never_sent: int = 0


def withdraw(job: Job) -> int:
    """Reject what has not left; returns how many recipients that are."""
    never = 0
    # First of all: a cancelling that is cut off must not be followed by sending.
    with job.journal.write() as connection:
        job.journal.note(connection, cancelled=True)
    for found in job.journal.pages(state=ChunkState.PLANNED):
        with job.journal.write() as connection:
            for chunk in found:
                never += chunk.count
                job.journal.move(connection, chunk, ChunkState.REJECTED, error=_CANCELLED)
    job.journal.flush()
    return never


def forget_late(job: Job, done: Cancellation) -> None:
    """Forget that *job* was cancelled, when that came too late for every request of it."""
    if done.cancelled or done.unknown or done.never_sent:
        return
    if set(job.journal.totals()) == {ChunkState.ACCEPTED}:
        with job.journal.write() as connection:
            job.journal.note(connection, cancelled=False)


def accepted_batches(job: Job) -> Iterator[PolledBatch]:
    """The batches of *job* that were accepted."""
    for chunk in job.journal.each(state=ChunkState.ACCEPTED):
        if chunk.batch_id:
            yield PolledBatch(chunk.batch_id, chunk.id, chunk.count)


def batch_ids(statuses: object) -> list[str]:
    """The ids in the response to a look-up by metadata."""
    if not isinstance(statuses, Iterable):
        return []
    ids = (getattr(status, "batch_id", None) for status in statuses)
    return [batch_id for batch_id in ids if isinstance(batch_id, str)]


def status_writer(job: Job) -> Callable[[PolledBatch, str], None]:
    """Return what writes the status of a batch into the journal of *job*."""

    def write(batch: PolledBatch, status: str) -> None:
        with job.journal.write() as connection:
            job.journal.set(connection, batch.chunk, batch_status=status)

    return write


@dataclass(slots=True)
class _Polled:
    batch: PolledBatch
    due: float
    until: float
    cancelled: bool
    running: bool = False
    polls: int = 0


class BatchPoller:
    """Asks for the status of *batches*; with *cancel* cancels each, and polls until it is final.

    *write* is called with each status. *patience* is for how many seconds one batch is polled.
    """

    def __init__(
        self,
        batches: Iterator[PolledBatch],
        write: Callable[[PolledBatch, str], None],
        *,
        concurrency: int,
        cancel: bool = False,
        patience: float = 30.0,
    ) -> None:
        self._batches = batches
        self._write = write
        self._concurrency = concurrency
        self._cancel = cancel
        self._patience = patience
        self._polled: dict[str, _Polled] = {}
        self._running = 0
        self._failed_by: SinchError | None = None
        self.statuses: Counter[str] = Counter()
        self.ended: dict[str, list[PolledBatch]] = {}

    @classmethod
    def of_ids(cls, ids: Iterable[str], concurrency: int, patience: float) -> "BatchPoller":
        """The poller that cancels the batches with these *ids*, which belong to no job."""
        batches = (PolledBatch(batch_id) for batch_id in dict.fromkeys(ids))
        return cls(
            batches, lambda *_: None, concurrency=concurrency, cancel=True, patience=patience
        )

    def step(self, now: float, done: list[Done], *, stopping: bool) -> Step:
        """Take what is *done*, and hand out the next calls."""
        for each in done:
            self._running -= 1
            self._take(each, now)
        if stopping or self._failed_by is not None:
            return Step(finished=not self._running)
        self._fill(now)
        calls = self._due(now)
        self._running += len(calls)
        waits = [polled.due - now for polled in self._polled.values() if not polled.running]
        # Without a free place for a call only the end of one changes anything.
        is_full = self._running >= self._concurrency
        wait = max(0.0, min(waits)) if waits and not is_full else None
        return Step(tuple(calls), wait, not self._polled and not self._running)

    def _fill(self, now: float) -> None:
        while len(self._polled) < self._concurrency * _WINDOW:
            batch = next(self._batches, None)
            if batch is None:
                return
            until = now + self._patience
            self._polled[batch.batch_id] = _Polled(batch, now, until, cancelled=not self._cancel)

    def _due(self, now: float) -> list[BatchCall]:
        calls: list[BatchCall] = []
        for polled in self._polled.values():
            if polled.running or polled.due > now:
                continue
            if self._running + len(calls) >= self._concurrency:
                break
            polled.running = True
            calls.append(_call(polled, now))
        return calls

    def _take(self, done: Done, now: float) -> None:
        polled = self._polled[_batch_id(done.call)]
        polled.running = False
        if isinstance(done.error, (AuthenticationError, PermissionDeniedError)):
            self._failed_by = done.error
        if done.call.purpose == "cancel":
            # After an error too: the status says what is true.
            polled.cancelled, polled.due = True, now
            return
        status = str(getattr(done.value, "status", "") or "") if done.error is None else ""
        if status:
            self._write(polled.batch, status)
        if (status if not self._cancel else status in _FINAL) or now >= polled.until:
            if done.error is not None and not self._cancel and not self.statuses:
                # One batch has used up its time, and nothing is known about any.
                self._failed_by = self._failed_by or done.error
            self._end(polled.batch, status)
            return
        polled.due = min(now + backoff(polled.polls + 1, _FIRST_POLL, _LONGEST_POLL), polled.until)
        polled.polls += 1

    def _end(self, batch: PolledBatch, status: str) -> None:
        del self._polled[batch.batch_id]
        self.statuses[status or "UNKNOWN"] += 1
        if self._cancel:
            self.ended.setdefault(status if status in _FINAL else "UNKNOWN", []).append(batch)

    def check(self) -> None:
        """Raise the SinchError that every other call would end in too, if there was one."""
        if self._failed_by is not None:
            raise self._failed_by

    def cancellation(self, never_sent: int = 0) -> Cancellation:
        """What was really cancelled."""
        left = [polled.batch for polled in self._polled.values()]
        gone = self.ended.get("CANCELLED", [])
        unknown = [*self.ended.get("UNKNOWN", []), *left]
        return Cancellation(
            _ids(gone),
            _ids(self.ended.get("PROCESSED", [])),
            _ids(unknown),
            sum(batch.recipients for batch in gone),
            never_sent,
        )


def _ids(batches: Iterable[PolledBatch]) -> tuple[str, ...]:
    return tuple(batch.batch_id for batch in batches)


def _call(polled: _Polled, now: float) -> BatchCall:
    batch = polled.batch
    arguments: dict[str, object] = {"batch_id": batch.batch_id}
    if polled.cancelled:
        return BatchCall("status", "messages", "get_batch_status", arguments, batch.chunk, now)
    return BatchCall("cancel", "messages", "cancel_batch", {"body": arguments}, batch.chunk, now)


def _batch_id(call: BatchCall) -> str:
    body = call.arguments.get("body", call.arguments)
    return str(body["batch_id"]) if isinstance(body, Mapping) else ""
