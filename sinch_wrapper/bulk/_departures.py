"""What of a job may leave now: by the windows of its recipients, its pilot, and its brake.

*now* is monotonic seconds in this file, *wall* Unix seconds.
"""

import time
from collections import Counter
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Final

from sqlalchemy import Connection, func, select

from sinch_wrapper.bulk._ahead import Planned
from sinch_wrapper.bulk._campaign import campaign_of
from sinch_wrapper.bulk._chunks import Chunk
from sinch_wrapper.bulk._damage import sound
from sinch_wrapper.bulk._journal import NO_LIMIT, Job
from sinch_wrapper.bulk._pilot import Ends, PilotVerdict, judge_pilot, must_brake
from sinch_wrapper.bulk._queue import MessageLimits, SendQueue
from sinch_wrapper.bulk._schema import chunks, outcomes, recipient_sum
from sinch_wrapper.bulk._states import ChunkState, RecipientState, StopReason
from sinch_wrapper.bulk._windows import OpenZones
from sinch_wrapper.bulk._zone_groups import group_of, groups_of
from sinch_wrapper.errors import BulkError

# Seconds between two looks at the receipts; a look may take this share of the time.
_POLL: Final = 1.0
_TIMES: Final = 20
# Seconds after which windows are looked at again: requests come back, and the queue drains.
_LONGEST_SLEEP: Final = 10.0
# What the API takes ahead, less a margin.
_HORIZON: Final = 7 * 86_400 - 3600
# Windows that are tried until there is room for a request.
_TRIES: Final = 60
_DELIVERED: Final = (RecipientState.DELIVERED, RecipientState.READ)
_UNKNOWING: Final = (
    "no receipts came, so nobody knows how many were delivered: receive callbacks with "
    "JournalFollower"
)
_STOPS: Final = {
    PilotVerdict.FAILED: StopReason.PILOT,
    PilotVerdict.NO_RECEIPTS: StopReason.NO_RECEIPTS,
}


class Departures:
    """The rules of *job* about what leaves next.

    *closed* is for how many seconds nothing may leave, None when nothing is held. *stopped* says
    why nothing leaves any more. *together* is how many requests may leave at once.
    """

    def __init__(
        self,
        job: Job,
        queue: SendQueue,
        wall: Callable[[], float],
        limits: MessageLimits,
        together: int,
    ) -> None:
        self._job = job
        self.planned = Planned(job, together)
        self._queue = queue
        self._wall = wall
        self._drain = limits.drain
        with sound(job.journal.name):
            self._rules = campaign_of(job.facts)
            self._groups = groups_of(job.facts)
        window = self._rules.window
        self._times = None if window is None else OpenZones(window)
        self._scheduled: Counter[float] = Counter()
        end = job.facts.get("pilot_end")
        self._pilot_end = end if isinstance(end, int) and not job.facts.get("piloted") else 0
        self._since: float | None = None
        # From when until when no window opens, in wall time.
        self._asleep = (0.0, 0.0)
        self._due = self._brake_due = 0.0
        self.closed: float | None = None
        self.stopped = StopReason.NONE

    def begin(self) -> None:
        """Forget that nothing may leave: a new look at it all, in a new transaction."""
        self.closed = None
        self.planned.begin()

    def next_planned(self, connection: Connection, before: int, now: float) -> Chunk | None:
        """The first request below *before* that has not left and may leave now."""
        wall = self._wall()
        if self._asleep[0] <= wall < self._asleep[1]:
            self._hold(self._asleep[1] - wall)
            return None
        limit = self._pilot_end or NO_LIMIT
        if self._times is None:
            chunk = self.planned.take(connection, min(before, limit))
        else:
            # The first one may have to wait, and be asked for again.
            chunk = self._job.journal.next_planned(connection, min(before, limit))
        if chunk is None and limit < before:
            if self._job.journal.next_planned(connection, before) is None:
                return None
            if not self._is_piloted(connection, now):
                return None
            chunk = self._job.journal.next_planned(connection, before)
        if chunk is None or self._times is None or self._wait(chunk, now) <= 0:
            return chunk
        return self._of_other_zones(connection, min(before, self._pilot_end or NO_LIMIT), now)

    def may_leave(self, chunk: Chunk, now: float) -> bool:
        """Whether *chunk*, which left before, may leave again now."""
        return self._times is None or self._wait(chunk, now) <= 0

    def _of_other_zones(self, connection: Connection, before: int, now: float) -> Chunk | None:
        for group in self._groups:
            if group.first >= before:
                break
            found = self._job.journal.next_planned(
                connection, min(before, group.last + 1), group.first
            )
            if found is not None and self._wait(found, now) <= 0:
                self.closed = None
                return found
        # Looking at all groups costs too much to be done many times a second.
        wall = self._wall()
        self._asleep = (wall, wall + min(self.closed or 0.0, _LONGEST_SLEEP))
        return None

    def _wait(self, chunk: Chunk, now: float) -> float:
        """Seconds until *chunk* may leave, noted as what all wait for when it is the shortest."""
        moment = self._moment(chunk, now)
        wait = moment - self._wall()
        if self._is_ahead():
            wait -= _HORIZON
        if wait > 0:
            self.closed = wait if self.closed is None else min(self.closed, wait)
        return wait

    def _is_ahead(self) -> bool:
        window = self._rules.window
        return window is not None and (window.schedule or "send_after" in self._job.request)

    def _moment(self, chunk: Chunk, now: float) -> float:
        """When the messages of *chunk* may begin to go out, so that the last one is inside too.

        Those that wait in the queue of the app, or are scheduled for the same moment, go first.
        """
        times, zones, wall = self._times, group_of(self._groups, chunk.id), self._wall()
        if times is None or not zones:
            return wall
        self._queue.wait(now, chunk.count)
        queued = self._queue.outstanding.count / self._drain
        own, after = chunk.count / self._drain, max(wall, self._not_before())
        for _ in range(_TRIES):
            moment = after + times.wait(zones, after, own)
            _, closes = times.times(zones, moment)
            before = max(0.0, queued - (moment - wall)) + self._scheduled[moment] / self._drain
            if moment + before + own <= closes or moment == float("inf"):
                return moment
            after = closes
        return float("inf")

    def _not_before(self) -> float:
        moment = self._job.request.get("send_after")
        return datetime.fromisoformat(moment).timestamp() if isinstance(moment, str) else 0.0

    def request(
        self, request: Mapping[str, object], chunk: Chunk, now: float
    ) -> Mapping[str, object]:
        """*request* for *chunk*, with the time from which its messages may go out."""
        if not self._is_ahead():
            return request
        moment = self._moment(chunk, now)
        if moment <= self._wall():
            return request
        self._scheduled[moment] += chunk.count
        text = datetime.fromtimestamp(moment, UTC).isoformat(timespec="seconds")
        return {**request, "send_after": text.replace("+00:00", "Z")}

    def check(self) -> None:
        """Raise BulkError when a request never fits into the window."""
        size = self._job.facts.get("cut")
        most = size[0] if isinstance(size, list) and isinstance(size[0], int) else 1
        times, wall, lasts = self._times, self._wall(), most / self._drain
        if times is None:
            return
        for zones in {group.zones for group in self._groups}:
            if times.wait(zones, wall, lasts) == float("inf"):
                raise BulkError(
                    f"journal {self._job.journal.name}: a request of {most} recipients takes "
                    f"{lasts:.0f} s to go out, longer than the window is open: use smaller ones, "
                    "with chunk_size="
                )

    # The pilot and the brake

    def _is_piloted(self, connection: Connection, now: float) -> bool:
        """Whether enough of the pilot is delivered; it has left."""
        if self._since is None:
            self._since = now
        if now < self._due:
            self._hold(self._due - now)
            return False
        ends, pause = self._look(connection, self._pilot_end)
        self._due = now + pause
        if ends is None:
            # Some of it is on its way.
            self._since = now
            self._hold(_POLL)
            return False
        rules = self._rules
        waited = now - self._since
        verdict = judge_pilot(ends, rules.pilot_delivered, waited, rules.pilot_wait)
        if verdict is PilotVerdict.GO_ON:
            self._pilot_end = 0
            self._job.journal.note(connection, piloted=True)
            return True
        self.stopped = _STOPS.get(verdict, StopReason.NONE)
        self._hold(_POLL)
        return False

    def _hold(self, seconds: float) -> None:
        self.closed = seconds if self.closed is None else min(self.closed, seconds)

    def brake(self, connection: Connection, now: float) -> None:
        """Stop when too many have failed."""
        share = self._rules.stop_if_failed
        if share is None or now < self._brake_due or self.stopped:
            return
        ends, pause = self._look(connection, NO_LIMIT)
        self._brake_due = now + pause
        if ends is not None and must_brake(ends, share):
            self.stopped = StopReason.FAILURES

    def _look(self, connection: Connection, before: int) -> tuple[Ends | None, float]:
        """The ends of those in requests below *before*, and the pause until the next look.

        None while a request of the pilot is on its way.
        """
        began = time.perf_counter()
        states = select(chunks.c.state, recipient_sum).where(chunks.c.id < before)
        people = {
            ChunkState(state): count
            for state, count in connection.execute(states.group_by(chunks.c.state)).all()
        }
        reported = select(outcomes.c.state, func.count()).where(outcomes.c.chunk < before)
        rows = connection.execute(reported.group_by(outcomes.c.state)).all()
        found = {str(state): int(count) for state, count in rows}
        pause = max(_POLL, _TIMES * (time.perf_counter() - began))
        if before != NO_LIMIT and people.get(ChunkState.SENDING):
            return None, pause
        delivered = sum(found.get(state, 0) for state in _DELIVERED)
        failed = found.get(RecipientState.FAILED, 0) + people.get(ChunkState.REJECTED, 0)
        return Ends(sum(people.values()), delivered, failed, bool(found)), pause

    def remarks(self) -> list[str]:
        """What the rules could not know, in words."""
        if self._rules.stop_if_failed is None and not self._rules.pilot:
            return []
        with self._job.journal.read() as connection:
            if connection.execute(select(outcomes.c.chunk).limit(1)).first():
                return []
        return [_UNKNOWING]
