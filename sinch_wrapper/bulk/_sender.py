"""The planner that sends a job: it decides what leaves when.

*now* is monotonic seconds in this file, *wall* gives Unix seconds.
"""

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime

from sqlalchemy import Connection

from sinch_wrapper._validate import counted
from sinch_wrapper.bulk._calls import (
    BatchCall,
    Dispatch,
    Done,
    LocalDispatch,
    Step,
    look_call,
)
from sinch_wrapper.bulk._chunks import Chunk
from sinch_wrapper.bulk._damage import DamagedRequestError, sound
from sinch_wrapper.bulk._departures import Departures
from sinch_wrapper.bulk._exclusions import Exclusions, leave_out
from sinch_wrapper.bulk._job_spec import in_time
from sinch_wrapper.bulk._journal import NO_LIMIT, Job
from sinch_wrapper.bulk._options import RunSettings
from sinch_wrapper.bulk._pieces import request_of
from sinch_wrapper.bulk._queue import Outstanding, SendQueue, eta
from sinch_wrapper.bulk._states import ChunkState, JobStage, Progress, StopReason
from sinch_wrapper.bulk._tracker import ChunkTracker
from sinch_wrapper.errors import BulkError, SinchError

# Seconds after which windows are looked at again: the time of day may be changed.
_LONGEST_CLOSED = 30.0
# Chunks in doubt for each request that may run: with more, nothing new leaves.
_DOUBTS = 4


class Sender:
    """Sends the chunks of *job*; other runs of it compare their *wall* with that of this one.

    *by_hand* says that a person wants all that is unknown to leave again, after one look-up.
    *dispatch* says where its requests leave from; without it, from this process.
    """

    def __init__(  # noqa: PLR0913 (a job, and how it is sent)
        self,
        job: Job,
        settings: RunSettings,
        now: float,
        wall: Callable[[], float],
        *,
        by_hand: bool = False,
        dispatch: Dispatch | None = None,
    ) -> None:
        self._job = job
        self._dispatch = dispatch or LocalDispatch()
        self._settings = settings
        self._wall = wall
        self._began = now
        left = job.outstanding_at(wall(), settings.limits)
        self._queue = SendQueue(settings.limits, Outstanding(left, now))
        self._tracker = ChunkTracker(job, settings, self._queue, by_hand=by_hand)
        running = self._dispatch.running
        self._tracker.recover(now, running)
        self._start = self._tracker.tally.accepted
        self._running = self._sending = len(running)
        self._waiting = False
        self._is_lost = False
        self._exclusions = Exclusions(job)
        together = settings.concurrency
        self._departures = Departures(job, self._queue, wall, settings.limits, together)
        # What keeps it from knowing who must not be written to.
        self._blind: BulkError | None = None

    def close(self) -> None:
        """Close the lists that it looks into."""
        self._exclusions.close()

    @property
    def stopped_by(self) -> SinchError | None:
        """The error that every other request would end in too, if there was one."""
        return self._tracker.stopped_by or self._tracker.refused_by

    @property
    def campaign_stop(self) -> StopReason:
        """The rule of the campaign that let it stop."""
        return self._departures.stopped

    def remarks(self) -> list[str]:
        """What the rules of the campaign could not know."""
        return self._departures.remarks()

    def check_rules(self) -> None:
        """Raise BulkError when the rules of the campaign let nothing leave, ever."""
        self._departures.check()

    @property
    def is_refused(self) -> bool:
        """Whether that error is about the content of the requests, so that some were rejected."""
        return self._tracker.stopped_by is None and self._tracker.refused_by is not None

    def add(self, recipients: int) -> None:
        """Count *recipients* that were written into the journal meanwhile."""
        self._tracker.tally.add(recipients)

    def take_word_for(self, number: int, now: float) -> None:
        """Let one request that is unknown leave again by a person's word, after one look-up."""
        with self._job.journal.write() as connection:
            self._tracker.take_word_for(connection, number, now)

    def check(self) -> None:
        """Raise BulkError when the journal or a list was taken away while the job was running."""
        if self._blind is not None:
            raise self._blind
        if self._is_lost:
            tally = self._tracker.tally.progress(None, waiting=False)
            left = tally.unknown + tally.pending
            raise BulkError(
                f"journal {self._job.journal.name}: deleted, moved, replaced or cut off while the "
                f"job was running: it stopped with {counted(tally.settled, 'recipient')} settled "
                f"and {left} not: put the file back and resume; a new job would send to all again"
            )

    def progress(self, now: float) -> Progress:
        """How far it is."""
        tally, limits = self._tracker.tally, self._settings.limits
        done, elapsed = tally.accepted - self._start, now - self._began
        rest = eta(tally.left, self._queue.outstanding.count, limits, done, elapsed)
        found = tally.progress(rest, waiting=self._waiting)
        queued = self._queue.outstanding.at_time(now, limits).count
        is_out = not found.pending and not found.unknown and bool(queued)
        return replace(
            found,
            stage=JobStage.DELIVERING if is_out else JobStage.SENDING,
            rate=done / elapsed if elapsed > 0 else None,
            # What is scheduled waits for its time.
            to_deliver=None
            if "send_after" in self._job.request
            else (queued + tally.left) / limits.drain,
        )

    def step(self, now: float, done: list[Done], *, stopping: bool) -> Step:
        """Write down what is *done* and what leaves, in one transaction; then hand it out."""
        self._running -= len(done)
        self._sending -= sum(each.call.purpose == "send" for each in done)
        # What leaves must be in the file that the next run will read.
        self._is_lost = self._is_lost or not self._job.journal.storage.is_current
        stopping = stopping or self._is_lost
        self._tracker.hold(self._dispatch.held, now)
        with self._job.journal.write() as connection:
            self._dispatch.enter(connection, self._queue, now)
            self._tracker.take(connection, done, now)
            stopping = stopping or self.stopped_by is not None or self._blind is not None
            if not stopping:
                self._departures.brake(connection, now)
            stopping = stopping or bool(self._departures.stopped)
            calls, wait = ([], None) if stopping else self._next(connection, now)
            if done or calls:
                count = self._queue.outstanding.at_time(now, self._settings.limits).count
                self._job.journal.note(connection, outstanding=[count, self._wall()])
                self._dispatch.note(connection, done, calls)
            self._dispatch.leave(connection, self._queue, now)
        sending = sum(call.purpose == "send" for call in calls)
        if sending:
            # Otherwise a journal that is moved after a crash might not know that they have left.
            self._job.journal.flush()
        self._running += len(calls)
        self._sending += sending
        idle = self._running == 0
        return Step(tuple(calls), wait, idle and (stopping or wait is None))

    def _next(self, connection: Connection, now: float) -> tuple[list[BatchCall], float | None]:
        self._waiting = False
        self._departures.begin()
        calls, waits = self._look(now, 0), list[float]()
        looks = sent = len(calls)
        while (
            self._blind is None
            and self._has_room(sent, sent - looks)
            and (chunk := self._candidate(connection, now, sent - looks))
        ):
            wait = self._queue.wait(now, chunk.count)
            if wait > 0:
                self._waiting = True
                waits.append(wait)
                break
            call = self._send(connection, chunk, now)
            calls += [] if call is None else [call]
            sent += call is not None
        if self._departures.closed is not None:
            waits.append(min(self._departures.closed, _LONGEST_CLOSED))
            # What is in doubt waits, too: others will still leave.
            self._tracker.doubts.change(now)
        # It may have become due: nothing is left to leave before.
        calls += self._look(now, sent)
        if look := self._tracker.doubts.wait(now):
            waits.append(look)
        is_last = not (calls or waits or self._running)
        return calls + (self._last_look(now) if is_last else []), min(waits, default=None)

    def _last_look(self, now: float) -> list[BatchCall]:
        """One more look-up after all others, for what became two batches after all."""
        is_due, self._tracker.may_be_twice = self._tracker.may_be_twice, False
        return [look_call(self._job.id, now)] if is_due else []

    def _look(self, now: float, started: int) -> list[BatchCall]:
        if self._tracker.doubts.wait(now) != 0 or not self._is_free(started):
            return []
        self._tracker.doubts.look(now)
        return [look_call(self._job.id, now)]

    def _is_free(self, started: int) -> bool:
        return self._running + started < self._concurrency

    @property
    def _concurrency(self) -> int:
        most = self._dispatch.concurrency
        return self._settings.concurrency if most is None else most

    def _has_room(self, started: int, sent: int) -> bool:
        """Whether one more may leave: doubts hold back all but one at a time."""
        room = _DOUBTS * self._concurrency - self._tracker.doubts.unproven
        return self._is_free(started) and (sent < room or not self._sending + sent)

    def _candidate(self, connection: Connection, now: float, sent: int) -> Chunk | None:
        """What leaves next: what is planned, then what leaves again, then what was held back."""
        tracker = self._tracker
        is_alone = not self._sending + sent
        is_over = not tracker.tally.left and not self._job.is_outbox
        chunk = None if is_over else self._planned(connection, tracker.pieces.held, now)
        if chunk is not None:
            is_first = chunk.id <= tracker.pieces.alone + 1 and tracker.pieces.alone >= 0
            return None if is_first and not is_alone and not tracker.tally.accepted else chunk
        if self._departures.closed is not None:
            return None
        tracker.doubts.wake(now)
        chunk = tracker.next_again(connection, now)
        if chunk is not None:
            return chunk if self._departures.may_leave(chunk, now) else None
        doubts = tracker.doubts
        if doubts.open and not doubts.rules.never and not (is_alone and doubts.wants_piece(now)):
            return None
        return None if is_over else self._planned(connection, NO_LIMIT, now)

    def _planned(self, connection: Connection, before: int, now: float) -> Chunk | None:
        return self._departures.next_planned(connection, before, now)

    def _send(self, connection: Connection, chunk: Chunk, now: float) -> BatchCall | None:
        """What sends *chunk*; None when nothing of it may leave, or the journal has lost it."""
        job = self._job
        try:
            with sound(job.journal.name, chunk.id):
                chunk, items = self._sifted(connection, chunk)
                if not chunk.count or self._blind is not None:
                    return None
                # A job may take hours, and its time may come in between.
                own = self._departures.planned.request(chunk.id)
                request = in_time(own, datetime.fromtimestamp(self._wall(), UTC))
                request = self._departures.request(request, chunk, now)
                call = self._dispatch.call(job.kind, request, job.id, chunk.id, items, now)
        except DamagedRequestError as error:
            self._tracker.lose(connection, chunk, error)
            return None
        self._tracker.send(connection, chunk, now)
        return call

    def _sifted(self, connection: Connection, chunk: Chunk) -> tuple[Chunk, bytes]:
        """*chunk* without those who must not be written to by now; its count is 0 for nobody.

        A request that may have been accepted is never rebuilt, for receipts and errors know
        recipients by their position: when somebody in it opts out it does not leave again.
        """
        items, places = self._departures.planned.body(connection, chunk.id)
        try:
            kept, gone = self._exclusions.sift(connection, items, places)
        except BulkError as error:
            self._blind = error
            return chunk, items
        if not gone:
            return chunk, items
        if chunk.state is ChunkState.UNKNOWN:
            self._tracker.keep_unknown(connection, chunk, len(gone))
            return replace(chunk, count=0), items
        left = request_of(chunk.id, kept, is_messages=True)
        self._tracker.tally.add(-len(gone))
        return leave_out(self._job.journal, connection, chunk, left, gone), left.content
