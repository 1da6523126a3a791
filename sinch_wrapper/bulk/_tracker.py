"""What becomes of the chunks of a job while it is sent; each change is written at once.

*now* is monotonic seconds in this file.
"""

from collections import deque
from dataclasses import dataclass, replace

from sqlalchemy import Connection

from sinch_wrapper.bulk._calls import Done, mark_of
from sinch_wrapper.bulk._journal import Chunk, Job
from sinch_wrapper.bulk._options import RunSettings
from sinch_wrapper.bulk._outcomes import promote_early
from sinch_wrapper.bulk._queue import SendQueue
from sinch_wrapper.bulk._reconcile import (
    Accepted,
    Doubt,
    Doubtful,
    DoubtVerdict,
    Later,
    Refused,
    found_batches,
    judge,
    next_look,
    read_sent,
)
from sinch_wrapper.bulk._states import ChunkState, Tally
from sinch_wrapper.errors import SinchError

# Attempts in a row without a connection after which the job stops.
_UNREACHABLE_MOST = 10


@dataclass(slots=True)
class OpenChunk:
    """A chunk in doubt: the doubt, when to look next, and whether a look-up is running."""

    doubt: Doubt
    due: float
    looking: bool = False


class ChunkTracker:
    """The chunks of *job*: those in doubt, those to send again, and how many are in which state."""

    def __init__(self, job: Job, settings: RunSettings, queue: SendQueue) -> None:
        self._job = job
        self._journal = job.journal
        self._settings = settings
        self._queue = queue
        self._trusted = False
        self.tally = Tally(job.journal.totals())
        self.open: dict[int, OpenChunk] = {}
        self.again: deque[int] = deque()
        self.stopped_by: SinchError | None = None
        self.refused_by: SinchError | None = None

    def recover(self, now: float) -> None:
        """Take up the chunks that an earlier run has left in doubt."""
        left = self._journal.in_doubt()
        with self._journal.write() as connection:
            for chunk in left:
                # Attempts count within a run: crashes are not the fault of a request.
                self._journal.set(connection, chunk.id, sent=1)
                self._doubt(connection, chunk, Doubt(now, 1, chunk.certain), now)

    def send(self, connection: Connection, chunk: Chunk) -> None:
        """Write down that *chunk* leaves, which must be on disk before it does."""
        if self.again and self.again[0] == chunk.id:
            self.again.popleft()
        self._move(connection, chunk, ChunkState.SENDING, sent=chunk.sent + 1)
        self._queue.add(chunk.count)

    def next_again(self, connection: Connection) -> Chunk | None:
        """The next chunk that leaves again, unless a callback has proven that it was accepted."""
        while self.again:
            chunk = self._journal.chunk(connection, self.again[0])
            if chunk is None or not chunk.certain or self._job.kind.doubt != "look_up":
                return chunk
            self.again.popleft()
            self._queue.add(chunk.count)
            if chunk.batch_id:
                self._accept(connection, chunk, Accepted(chunk.batch_id, chunk.send_after))
        return None

    def take(self, connection: Connection, done: Done, now: float) -> None:
        """Write down how a call ended."""
        chunk = self._journal.chunk(connection, done.call.chunk)
        if chunk is None or chunk.state not in {ChunkState.SENDING, ChunkState.UNKNOWN}:
            return
        if done.call.purpose == "look":
            self._take_look(connection, chunk, done, now)
        else:
            self._take_sent(connection, chunk, done, now)

    def _take_sent(self, connection: Connection, chunk: Chunk, done: Done, now: float) -> None:
        sent = read_sent(done, self._job.request)
        if isinstance(sent, Accepted) and not sent.batch_id and self._job.kind.doubt == "look_up":
            sent = Doubtful(True, '{"line": "accepted, but without a batch id"}')
        match sent:
            case Accepted():
                self._queue.clear()
                self._accept(connection, chunk, sent)
            case Refused(error, shared):
                self._queue.add(-chunk.count)
                self._move(connection, chunk, ChunkState.REJECTED, error=error)
                # Fields that were accepted once are not at fault in every request.
                if shared and not self.tally.accepted:
                    self.refused_by = done.error
            case Doubtful(certain, error):
                values = {"certain": int(certain), "error": error}
                chunk = self._move(connection, chunk, ChunkState.UNKNOWN, **values)
                self._doubt(connection, chunk, Doubt(now, chunk.sent, certain), now)
            case _:
                self._queue.add(-chunk.count)
                # It did not leave, so it does not count as an attempt.
                self._move(connection, chunk, ChunkState.PLANNED, sent=chunk.sent - 1)
                self._hold(done.error, sent, now)

    def _hold(self, error: SinchError | None, sent: object, now: float) -> None:
        if isinstance(sent, Later):
            self._queue.pause(now, sent.retry_after, unreachable=sent.unreachable)
            if self._queue.unreachable < _UNREACHABLE_MOST:
                return
        self.stopped_by = self.stopped_by or error

    def _doubt(self, connection: Connection, chunk: Chunk, doubt: Doubt, now: float) -> None:
        if chunk.batch_id:
            # A callback has named it in the meantime.
            self._accept(connection, chunk, Accepted(chunk.batch_id, chunk.send_after))
            return
        if chunk.state is ChunkState.SENDING:
            chunk = self._move(connection, chunk, ChunkState.UNKNOWN)
        if self._job.kind.doubt == "look_up":
            self.open[chunk.id] = OpenChunk(doubt, next_look(doubt, now, self._settings.settle))
        elif self._job.kind.doubt == "repeat" and doubt.sent < self._settings.attempts:
            self.again.append(chunk.id)
            self._queue.pause(now, 0.0, unreachable=False)

    def _take_look(self, connection: Connection, chunk: Chunk, done: Done, now: float) -> None:
        entry = self.open[chunk.id]
        entry.looking = False
        look_up, found = found_batches(done, mark_of(self._job.id, chunk.id))
        if chunk.batch_id:
            look_up, found = "found", found or (Accepted(chunk.batch_id),)
        self._trusted = self._trusted or look_up == "found"
        verdict = judge(
            replace(entry.doubt, accepted=entry.doubt.accepted or chunk.certain),
            look_up,
            asked_at=done.call.begun,
            settle=self._settings.settle,
            trusted=self._trusted,
            attempts=self._settings.attempts,
            patience=self._settings.patience,
        )
        if verdict is DoubtVerdict.WAIT:
            failed = entry.doubt.failed + 1 if look_up == "failed" else 0
            entry.doubt = replace(entry.doubt, looks=entry.doubt.looks + 1, failed=failed)
            entry.due = next_look(entry.doubt, now, self._settings.settle)
            return
        del self.open[chunk.id]
        self._end(connection, chunk, verdict, found)

    def _end(
        self,
        connection: Connection,
        chunk: Chunk,
        verdict: DoubtVerdict,
        found: tuple[Accepted, ...],
    ) -> None:
        match verdict:
            case DoubtVerdict.ADOPT:
                self._accept(connection, chunk, found[0], twice=len(found) > 1)
            case DoubtVerdict.SEND_AGAIN:
                self._queue.add(-chunk.count)
                self.again.append(chunk.id)
            case DoubtVerdict.REJECT:
                self._queue.add(-chunk.count)
                self._move(connection, chunk, ChunkState.REJECTED)

    def _accept(
        self, connection: Connection, chunk: Chunk, sent: Accepted, *, twice: bool = False
    ) -> None:
        known = {"batch_id": sent.batch_id, "send_after": sent.send_after, "certain": 1}
        error = '{"line": "the API lists this request twice"}' if twice else None
        self._move(connection, chunk, ChunkState.ACCEPTED, error=error, **known)
        self.refused_by = None
        if sent.batch_id:
            promote_early(connection, sent.batch_id, chunk.id)

    def _move(
        self, connection: Connection, chunk: Chunk, state: ChunkState, **values: object
    ) -> Chunk:
        moved = self._journal.move(connection, chunk, state, **values)
        self.tally.move(chunk.count, chunk.state, state)
        return moved
