"""Planners that ask what became of batches, and that cancel them and wait for the truth."""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Final

from sinch_wrapper.bulk._calls import Call, Done, Step
from sinch_wrapper.bulk._journal import Job
from sinch_wrapper.bulk._states import ChunkState
from sinch_wrapper.errors import AuthenticationError, PermissionDeniedError, SinchError


@dataclass(frozen=True, slots=True)
class Target:
    """A batch, and the number of its chunk; -1 for batches of no job."""

    batch_id: str
    chunk: int = -1
    recipients: int = 0


@dataclass(frozen=True, slots=True)
class Cancellation:
    """What was really cancelled: batch ids, and recipients where a job knows them.

    *too_late* were handed over before; *unknown* had no final status within the patience.
    *never_sent* counts recipients of the job that had not left and now never will.
    """

    cancelled: tuple[str, ...]
    too_late: tuple[str, ...]
    unknown: tuple[str, ...]
    recipients: int = 0
    never_sent: int = 0


def targets_of(job: Job) -> Iterator[Target]:
    """The batches of a job that were accepted."""
    last = -1
    while found := job.journal.after(last, state=ChunkState.ACCEPTED):
        for chunk in found:
            last = chunk.id
            if chunk.batch_id:
                yield Target(chunk.batch_id, chunk.id, chunk.count)


def ids_of(statuses: Iterable[object]) -> list[str]:
    """The ids in the answer of a look-up by metadata."""
    ids = (getattr(status, "batch_id", None) for status in statuses)
    return [batch_id for batch_id in ids if isinstance(batch_id, str)]


def note_status(job: Job) -> Callable[[Target, str], None]:
    """What writes the status of a batch into the journal of *job*."""

    def note(target: Target, status: str) -> None:
        with job.journal.write() as connection:
            job.journal.set(connection, target.chunk, batch_status=status)

    return note


_FINAL: Final = frozenset({"CANCELLED", "PROCESSED"})
_FIRST_POLL: Final = 0.25
_LONGEST_POLL: Final = 5.0
# Batches under way for each call that may run.
_WINDOW: Final = 8


@dataclass(slots=True)
class _Watched:
    target: Target
    due: float
    cancelled: bool
    running: bool = False
    polls: int = 0


class Follower:
    """Asks for the status of *targets*; with *cancel* it cancels each and polls until it is final.

    *note* is told each status. *patience* is the seconds for which one batch is polled.
    """

    def __init__(
        self,
        targets: Iterator[Target],
        note: Callable[[Target, str], None],
        *,
        concurrency: int,
        cancel: bool = False,
        patience: float = 30.0,
    ) -> None:
        self._targets = targets
        self._note = note
        self._concurrency = concurrency
        self._cancel = cancel
        self._patience = patience
        self._watched: dict[str, tuple[_Watched, float]] = {}
        self._running = 0
        self._failed_by: SinchError | None = None
        self.statuses: Counter[str] = Counter()
        self.ended: dict[str, list[Target]] = {}

    @classmethod
    def of_batches(cls, ids: Iterable[str], concurrency: int, patience: float) -> "Follower":
        """What cancels batches of no job."""
        targets = (Target(batch_id) for batch_id in dict.fromkeys(ids))
        return cls(targets, _forget, concurrency=concurrency, cancel=True, patience=patience)

    def step(self, now: float, done: list[Done], *, stopping: bool) -> Step:
        """Take answers, and hand out the next questions."""
        for each in done:
            self._running -= 1
            self._take(each, now)
        if stopping or self._failed_by is not None:
            return Step(finished=not self._running)
        self._fill(now)
        calls = self._due(now)
        self._running += len(calls)
        waits = [watched.due - now for watched, _ in self._watched.values() if not watched.running]
        # Without a free place for a call only the end of one changes anything.
        is_full = self._running >= self._concurrency
        wait = max(0.0, min(waits)) if waits and not is_full else None
        return Step(tuple(calls), wait, not self._watched and not self._running)

    def _fill(self, now: float) -> None:
        while len(self._watched) < self._concurrency * _WINDOW:
            target = next(self._targets, None)
            if target is None:
                return
            watched = _Watched(target, now, cancelled=not self._cancel)
            self._watched[target.batch_id] = watched, now + self._patience

    def _due(self, now: float) -> list[Call]:
        calls: list[Call] = []
        for watched, _ in self._watched.values():
            if watched.running or watched.due > now:
                continue
            if self._running + len(calls) >= self._concurrency:
                break
            watched.running = True
            calls.append(_call(watched, now))
        return calls

    def _take(self, done: Done, now: float) -> None:
        batch_id = str(done.call.arguments.get("batch_id") or _of_body(done.call))
        watched, until = self._watched[batch_id]
        watched.running = False
        if isinstance(done.error, (AuthenticationError, PermissionDeniedError)):
            self._failed_by = done.error
        if done.call.purpose == "cancel":
            # Also after an error: the status tells the truth.
            watched.cancelled, watched.due = True, now
            return
        status = str(getattr(done.value, "status", "") or "") if done.error is None else ""
        if status:
            self._note(watched.target, status)
        if (status if not self._cancel else status in _FINAL) or now >= until:
            if done.error is not None and not self._cancel and not self.statuses:
                # As long as one batch may take, and nothing was told about any.
                self._failed_by = self._failed_by or done.error
            self._end(batch_id, status)
            return
        watched.polls += 1
        watched.due = min(now + _pause(watched.polls), until)

    def _end(self, batch_id: str, status: str) -> None:
        watched, _ = self._watched.pop(batch_id)
        self.statuses[status or "UNKNOWN"] += 1
        if self._cancel:
            self.ended.setdefault(status if status in _FINAL else "UNKNOWN", []).append(
                watched.target
            )

    def check(self) -> None:
        """Raise the SinchError that every other question would meet too, if there was one."""
        if self._failed_by is not None:
            raise self._failed_by

    def cancellation(self, never_sent: int = 0) -> Cancellation:
        """What was really cancelled."""
        left = [watched.target for watched, _ in self._watched.values()]
        gone = self.ended.get("CANCELLED", [])
        unknown = [*self.ended.get("UNKNOWN", []), *left]
        return Cancellation(
            _ids(gone),
            _ids(self.ended.get("PROCESSED", [])),
            _ids(unknown),
            sum(target.recipients for target in gone),
            never_sent,
        )


def _ids(targets: Iterable[Target]) -> tuple[str, ...]:
    return tuple(target.batch_id for target in targets)


def _forget(_target: Target, _status: str) -> None:
    pass


def _pause(polls: int) -> float:
    return float(min(_LONGEST_POLL, _FIRST_POLL * 2.0 ** min(polls, 10)))


def _call(watched: _Watched, now: float) -> Call:
    target = watched.target
    if watched.cancelled:
        arguments = {"batch_id": target.batch_id}
        return Call("status", "messages", "get_batch_status", arguments, target.chunk, now)
    body = {"body": {"batch_id": target.batch_id}}
    return Call("cancel", "messages", "cancel_batch", body, target.chunk, now)


def _of_body(call: Call) -> object:
    body = call.arguments.get("body")
    return body.get("batch_id") if isinstance(body, dict) else None
