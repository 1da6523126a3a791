"""What becomes of the chunks of a job while it is sent; each change is written at once.

*now* is monotonic seconds in this file.
"""

import json
from collections.abc import Collection, Iterable, Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any

from sqlalchemy import Connection, Row

from sinch_wrapper._validate import counted
from sinch_wrapper.bulk._ahead import ReadAhead, read_ahead
from sinch_wrapper.bulk._calls import Done
from sinch_wrapper.bulk._chunks import Chunk
from sinch_wrapper.bulk._doubles import has_sent_again, warn_of_double
from sinch_wrapper.bulk._doubts import Doubts
from sinch_wrapper.bulk._evidence import (
    AcceptedRequest,
    Doubt,
    DoubtVerdict,
    Evidence,
    EvidenceRules,
    only_own,
    other_batches,
    read_roll_call,
)
from sinch_wrapper.bulk._journal import Job
from sinch_wrapper.bulk._options import RunSettings
from sinch_wrapper.bulk._outcomes import promote_early
from sinch_wrapper.bulk._pieces import pieces_of
from sinch_wrapper.bulk._queue import SendQueue
from sinch_wrapper.bulk._responses import (
    Accepted,
    Doubtful,
    Later,
    NotLeft,
    Refused,
    Sent,
    read_sent,
)
from sinch_wrapper.bulk._states import ChunkState, Tally
from sinch_wrapper.errors import BulkError, SinchError

# Attempts in a row without a connection after which the job stops.
_UNREACHABLE_MOST = 10
# Requests that left last, about which callbacks are searched.
_WITNESSES = 50


@dataclass(frozen=True, slots=True)
class Resend:
    """Why a chunk leaves again: its doubt, and the evidence, None for a person's word."""

    doubt: Doubt | None = None
    evidence: Evidence | None = None


class ChunkTracker:
    """The chunks of *job*: those in doubt, those to send again, and how many are in which state.

    *by_hand* says that a person wants all that is unknown to leave again, after one look-up.
    """

    def __init__(
        self, job: Job, settings: RunSettings, queue: SendQueue, *, by_hand: bool = False
    ) -> None:
        self._job = job
        self._journal = job.journal
        self._settings = settings
        self._queue = queue
        self._by_hand = self._is_word_due = by_hand
        self._words: set[int] = set()
        self._has_look_up = job.kind.doubt == "look_up"
        self._event = job.journal.last_event()
        never = (settings.send_again or job.facts.get("send_again")) == "never"
        rules = EvidenceRules(settings.settle, settings.attempts, never)
        self.pieces = pieces_of(job)
        self.tally = Tally(job.journal.totals())
        self.doubts = Doubts(rules, settings.patience)
        self._ahead = ReadAhead()
        self.again: dict[int, Resend] = {}
        # Something left again that may show twice by the end.
        is_asked = self._has_look_up and not job.is_outbox
        self.may_be_twice = is_asked and has_sent_again(job.journal)
        # Doubts about requests that are on their way again.
        self._resent: dict[int, Doubt] = {}
        self._held: frozenset[int] = frozenset()
        self.stopped_by: SinchError | None = None
        self.refused_by: SinchError | None = None

    def recover(self, now: float, running: Collection[int]) -> None:
        """Take up what an earlier run has left in doubt, but not what is still *running*."""
        left = self._journal.in_doubt()
        with self._journal.write() as connection:
            for chunk in left:
                if chunk.id not in running:
                    self._doubt(connection, chunk, now)

    def hold(self, held: Collection[int], now: float) -> None:
        """Hold back the requests in *held*; those held before may have left meanwhile."""
        for number in self._held - set(held):
            if number in self.doubts.open:
                self.doubts.begin(replace(self.doubts.open[number], since=now), now)
        self._held = frozenset(held)

    def send(self, connection: Connection, chunk: Chunk, now: float) -> None:
        """Write down that *chunk* leaves, which must be on disk before it does."""
        event = self._number()
        if chunk.state is ChunkState.UNKNOWN:
            resend = self.again.pop(chunk.id)
            if resend.doubt is not None:
                self._resent[chunk.id] = resend.doubt
            if self._has_look_up or self._by_hand:
                text = json.dumps(asdict(resend.evidence)) if resend.evidence else None
                self._journal.note_again(connection, chunk.id, event, text)
                self.may_be_twice = self._has_look_up
        values = {"first_left": chunk.first_left or event, "last_left": event}
        self._move(connection, chunk, ChunkState.SENDING, sent=chunk.sent + 1, **values)
        self._queue.add(chunk.count)
        self.doubts.leave(chunk.id, now, again=chunk.first_left is not None)

    def take_word_for(self, connection: Connection, number: int, now: float) -> None:
        """Let one request that is unknown leave again by a person's word, after one look-up."""
        chunk = self._journal.chunk(connection, number)
        if chunk is not None and chunk.state is ChunkState.UNKNOWN:
            self._words.add(number)
            self._doubt(connection, chunk, now)

    def lose(self, connection: Connection, chunk: Chunk, error: BulkError) -> None:
        """Write down that *chunk* cannot leave, because the journal has lost what is in it."""
        self.again.pop(chunk.id, None)
        text = json.dumps({"line": str(error), "status": "DAMAGED"})
        if chunk.state is ChunkState.PLANNED and not chunk.sent:
            self._move(connection, chunk, ChunkState.REJECTED, error=text)
        else:
            # It may have been accepted before.
            self._unknown(connection, chunk, error=text)

    def keep_unknown(self, connection: Connection, chunk: Chunk, opted_out: int) -> None:
        """Let a request stay unknown that would leave again, but some in it have opted out."""
        self.again.pop(chunk.id, None)
        line = f"not sent again: {counted(opted_out, 'recipient')} must not be written to any more"
        text = json.dumps({"line": line, "status": "SUPPRESSED"})
        self._unknown(connection, chunk, error=text)

    def next_again(self, connection: Connection, now: float) -> Chunk | None:
        """The next chunk that leaves again, unless a callback has proven that it was accepted."""
        for number in list(self.again):
            chunk = self._journal.chunk(connection, number)
            if chunk is None or not chunk.certain or not self._has_look_up:
                return chunk
            del self.again[number]
            self._queue.add(chunk.count)
            self._doubt(connection, chunk, now)
        return None

    def take(self, connection: Connection, done: Sequence[Done], now: float) -> None:
        """Write down how calls ended."""
        self._ahead = read_ahead(self._journal, connection, done)
        for each in done:
            self._take(connection, each, now)
        self._ahead = ReadAhead()

    def _take(self, connection: Connection, done: Done, now: float) -> None:
        if done.call.purpose == "look":
            self._take_roll(connection, done, now)
            return
        number = done.call.chunk
        chunk = self._ahead.chunks.get(number) or self._journal.chunk(connection, number)
        if chunk is not None and chunk.state is ChunkState.SENDING:
            self._take_sent(connection, chunk, done, now)

    def _take_sent(self, connection: Connection, chunk: Chunk, done: Done, now: float) -> None:
        before = self._resent.pop(chunk.id, None)
        sent = self._read(connection, chunk, done)
        is_second = chunk.sent > 1 and self._job.kind.doubt != "repeat"
        match sent:
            case Accepted():
                self._queue.clear()
                self.doubts.change(now)
                self._accept(connection, chunk, sent, is_response=True)
            case Doubtful(certain, error):
                values = {"certain": int(certain or chunk.certain), "error": error}
                chunk = self._unknown(connection, chunk, doubted=self._number(), **values)
                self._doubt(connection, chunk, now)
            case Refused(error, shared) if not is_second:
                self._queue.add(-chunk.count)
                self._move(connection, chunk, ChunkState.REJECTED, error=error)
                # Fields that were accepted once are not at fault in every request.
                if shared and not self.tally.accepted:
                    self.refused_by = done.error
            case _ if is_second:
                self._return(connection, chunk, before, now, is_refused=isinstance(sent, Refused))
                self._hold(done.error, sent, now)
            case _:
                # It did not leave, so it does not count as an attempt.
                self._queue.add(-chunk.count)
                self._move(connection, chunk, ChunkState.PLANNED, sent=chunk.sent - 1)
                self.doubts.meter.forget(chunk.id)
                self._hold(done.error, sent, now)

    def _read(self, connection: Connection, chunk: Chunk, done: Done) -> Sent:
        """What became of *chunk*, by its response and by what is known of it."""
        said = done.value
        # What another process has sent says so already.
        sent = said if isinstance(said, Sent) else read_sent(done, self._job.request)
        if isinstance(sent, Accepted) and self._has_look_up:
            return self._owned(connection, chunk, sent)
        if chunk.certain and not isinstance(sent, Accepted):
            # A callback has proven it.
            return Doubtful(True, '{"line": "accepted, but the response says otherwise"}')
        return sent

    def _owned(self, connection: Connection, chunk: Chunk, sent: Accepted) -> Accepted | Doubtful:
        """A batch belongs to one request: that of another proves nothing about this one."""
        if not sent.batch_id:
            return Doubtful(True, '{"line": "accepted, but without a batch id"}')
        owners = self._ahead.owners
        if sent.batch_id not in owners:
            found = self._journal.by_batch(connection, sent.batch_id)
            owners[sent.batch_id] = None if found is None else found.id
        owner = owners[sent.batch_id]
        if owner is None or owner == chunk.id:
            owners[sent.batch_id] = chunk.id
            return sent
        return Doubtful(False, '{"line": "the response named the batch of another request"}')

    def _return(
        self,
        connection: Connection,
        chunk: Chunk,
        before: Doubt | None,
        now: float,
        *,
        is_refused: bool,
    ) -> None:
        """Take back a request that left before: how it ended this time says nothing about then."""
        self._queue.add(-chunk.count)
        # What is refused would be refused again.
        chunk = self._unknown(connection, chunk, sent=chunk.sent if is_refused else chunk.sent - 1)
        if before is None and self._has_look_up:
            # An earlier run has sent it.
            self._doubt(connection, chunk, now)
            before = self.doubts.open.get(chunk.id)
        if before is not None:
            sent = max(before.sent, self._settings.attempts) if is_refused else before.sent
            self.doubts.begin(replace(before, sent=sent), now)

    def _hold(self, error: SinchError | None, sent: object, now: float) -> None:
        if isinstance(sent, Refused | NotLeft):
            return
        if isinstance(sent, Later):
            self._queue.pause(now, sent.retry_after, unreachable=sent.unreachable)
            if self._queue.unreachable < _UNREACHABLE_MOST:
                return
        self.stopped_by = self.stopped_by or error

    def _doubt(self, connection: Connection, chunk: Chunk, now: float) -> None:
        """Take up the doubt about *chunk*; one that was on its way when the process died is new."""
        if chunk.batch_id:
            # A callback has named it in the meantime.
            self._accept(connection, chunk, Accepted(chunk.batch_id, chunk.send_after))
            return
        if chunk.state is ChunkState.SENDING or chunk.doubted is None:
            chunk = self._unknown(connection, chunk, doubted=self._number())
        kind = self._job.kind.doubt
        if kind == "look_up":
            began = chunk.doubted or self._event
            doubt = Doubt(chunk.id, began, chunk.first_left or 0, now, chunk.sent, chunk.certain)
            doubt = replace(doubt, count=chunk.count)
            self.doubts.begin(doubt, now)
        elif self._is_word_due and not chunk.certain:
            self.again[chunk.id] = Resend()
        elif kind == "repeat" and chunk.sent < self._settings.attempts:
            self.again[chunk.id] = Resend()
            self._queue.pause(now, 0.0, unreachable=False)

    def _take_roll(self, connection: Connection, done: Done, now: float) -> None:
        rows = {row.id: row for row in self._journal.departed(connection)}
        owners = {row.batch_id: row.id for row in rows.values() if row.batch_id}
        roll = only_own(read_roll_call(done, self._job.id), owners, rows)
        event = self._event
        for number, batches in roll.found.items():
            self._adopt(connection, rows[number], batches)
        for number in list(self.doubts.open):
            self._ask_callbacks(connection, rows.get(number))
        # Each acceptance has a number of its own.
        is_same = event == self._event
        accepted = accepted_requests(
            rows.values() if is_same else self._journal.departed(connection)
        )
        latest = sorted(accepted, key=lambda number: accepted[number].last_left)[-_WITNESSES:]
        told = self._journal.told(connection, latest) if self.doubts.open else None
        self._take_word()
        more = self.tally.left > 0
        for number, found in self.doubts.take(roll, accepted, told, now, more=more).items():
            if found.verdict is DoubtVerdict.UNKNOWN:
                self.doubts.end(number)
            elif found.verdict is DoubtVerdict.SEND_AGAIN and number not in self._held:
                if self._journal.next_planned(connection, self.pieces.held) is not None:
                    self.doubts.ripen(number)
                else:
                    self._send_again(number, found.evidence)

    def _take_word(self) -> None:
        """After one look-up, let all leave again that a person wants to."""
        for number, doubt in list(self.doubts.open.items()):
            is_meant = self._is_word_due or number in self._words
            if is_meant and not doubt.certain and number not in self._held:
                self._send_again(number, None)
        self._is_word_due = False
        self._words.clear()

    def _send_again(self, number: int, evidence: Evidence | None) -> None:
        doubt = self.doubts.open[number]
        self.doubts.end(number)
        self.again[number] = Resend(doubt, evidence)
        # It has no place in the queue of the app.
        self._queue.add(-doubt.count)

    def _adopt(self, connection: Connection, row: Row[Any], listed: Iterable[Accepted]) -> None:
        """Take what a look-up lists for a request; *row* is what the journal has of it."""
        batches = tuple(listed)
        state = ChunkState(row.state)
        if state in {ChunkState.UNKNOWN, ChunkState.PLANNED}:
            chunk = self._journal.chunk(connection, row.id)
            if chunk is not None:
                first = Accepted(chunk.batch_id, chunk.send_after) if chunk.batch_id else batches[0]
                self._accept(connection, chunk, first)
        others = other_batches(row.batch_id, batches)
        if others and not row.twice:
            self._journal.set(connection, row.id, twice=others[0])
            known = row.batch_id or batches[0].batch_id
            warn_of_double(self._journal.name, row.id, known, others[0])

    def _ask_callbacks(self, connection: Connection, row: Row[Any] | None) -> None:
        """Take what callbacks have reported about a doubtful request in the meantime."""
        if row is None or row.id not in self.doubts.open:
            return
        if row.batch_id:
            chunk = self._journal.chunk(connection, row.id)
            if chunk is not None:
                self._accept(connection, chunk, Accepted(chunk.batch_id, chunk.send_after))
        elif row.certain:
            self.doubts.prove(row.id)

    def _accept(
        self, connection: Connection, chunk: Chunk, sent: Accepted, *, is_response: bool = False
    ) -> None:
        self.doubts.end(chunk.id)
        if self.again.pop(chunk.id, None) is not None:
            self._queue.add(chunk.count)
        batch_id, values = sent.batch_id, dict[str, object]()
        if chunk.batch_id and chunk.batch_id != batch_id:
            # A callback has named one by our marks; of one that left once there is no second.
            if chunk.sent > 1 and not chunk.twice:
                values["twice"] = batch_id
                warn_of_double(self._journal.name, chunk.id, chunk.batch_id, str(batch_id))
            batch_id = chunk.batch_id
        values |= {"batch_id": batch_id, "send_after": sent.send_after, "certain": 1, "error": None}
        values |= {"known": self._number(), "adopted": int(not is_response)}
        self._move(connection, chunk, ChunkState.ACCEPTED, **values)
        self.refused_by = None
        if batch_id and self._ahead.may_be_early:
            promote_early(connection, batch_id, chunk.id)

    def _unknown(self, connection: Connection, chunk: Chunk, **values: object) -> Chunk:
        if chunk.state is ChunkState.UNKNOWN:
            self._journal.set(connection, chunk.id, **values)
            return replace(chunk, **values)  # type: ignore[arg-type]  # columns
        return self._move(connection, chunk, ChunkState.UNKNOWN, **values)

    def _number(self) -> int:
        """The number of the next event; only the process that holds the lock gives them out."""
        self._event += 1
        return self._event

    def _move(
        self, connection: Connection, chunk: Chunk, state: ChunkState, **values: object
    ) -> Chunk:
        moved = self._journal.move(connection, chunk, state, **values)
        self.tally.move(chunk.count, chunk.state, state)
        return moved


def accepted_requests(rows: Iterable[Row[Any]]) -> dict[int, AcceptedRequest]:
    """The requests that are known to be accepted."""
    return {
        row.id: AcceptedRequest(row.first_left, row.last_left, row.known, bool(row.adopted))
        for row in rows
        if row.state == ChunkState.ACCEPTED
    }
