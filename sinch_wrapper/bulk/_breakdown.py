"""What a report shows beside the counts: channels, countries, the course of time, slow requests."""

from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final

from sqlalchemy import Connection, func, select

from sinch_wrapper.bulk._damage import DamagedRequestError, sound
from sinch_wrapper.bulk._destinations import Address, address_of
from sinch_wrapper.bulk._journal import Job
from sinch_wrapper.bulk._results import RecipientResult, stream
from sinch_wrapper.bulk._schema import chunks, outcomes, recipient_sum, unpack_items
from sinch_wrapper.bulk._states import ChunkState, RecipientState

# Points of a curve.
_POINTS: Final = 120
_SLOWEST: Final = 10
_ARRIVED: Final = (RecipientState.DELIVERED, RecipientState.READ)


@dataclass(frozen=True, slots=True)
class TimelinePoint:
    """How many recipients were *accepted*, *delivered* (read or not) and *failed* until *at*."""

    at: datetime
    accepted: int
    delivered: int
    failed: int


@dataclass(frozen=True, slots=True)
class SlowRequest:
    """A request that took *seconds* from when it last left until its outcome was known.

    *number*, *recipients*, *sent* and *state* are those of Batch.
    """

    number: int
    recipients: int
    seconds: float
    sent: int
    state: str


@dataclass(frozen=True, slots=True)
class Breakdown:
    """What became of the recipients of a job, from several sides.

    *channels* and *countries* count them by state, for the channel that is tried first and the
    country code of its number. *timeline* adds up what was known at each time: acceptance by the
    response, receipts when they were written down. *slowest* has the ten slowest requests.
    """

    channels: Mapping[str, Mapping[RecipientState, int]]
    countries: Mapping[str, Mapping[RecipientState, int]]
    timeline: tuple[TimelinePoint, ...]
    slowest: tuple[SlowRequest, ...]


class BreakdownCounter:
    """Counts recipients as they pass by."""

    def __init__(self) -> None:
        self._channels: defaultdict[str, Counter[RecipientState]] = defaultdict(Counter)
        self._countries: defaultdict[str, Counter[RecipientState]] = defaultdict(Counter)

    def add(self, result: RecipientResult, address: Address) -> None:
        """Count one recipient."""
        if result.chunk is None:
            return
        self._channels[address.channel or "contact"][result.state] += 1
        if country := address.country:
            self._countries[country][result.state] += 1

    def result(self, job: Job) -> Breakdown:
        """The breakdown of *job*, whose recipients were counted."""
        with job.journal.read() as connection:
            slowest = tuple(_slowest(connection))
            timeline = tuple(_timeline(connection))
        return Breakdown(
            _largest_first(self._channels), _largest_first(self._countries), timeline, slowest
        )


def addressed(job: Job) -> Iterator[tuple[RecipientResult, Address]]:
    """Every recipient of *job*, with where its message goes first; rows left out come last.

    Raises: DamagedRequestError at the end, for the first request that cannot be read.
    """
    return ((result, address_of(item)) for result, item in with_items(job))


def with_items(job: Job) -> Iterator[tuple[RecipientResult, Mapping[str, object]]]:
    """Every recipient of *job*, with what its request holds for it; nothing for rows left out.

    Raises: DamagedRequestError at the end, for the first request that cannot be read.
    """
    chunk, items = None, list[dict[str, object]]()
    for result in stream(job, frozenset(RecipientState)):
        if result.chunk is None or result.position is None:
            yield result, {}
            continue
        if result.chunk != chunk:
            chunk, items = result.chunk, _items(job, result.chunk)
        known = result.position < len(items)
        yield result, items[result.position] if known else {}


def _items(job: Job, chunk: int) -> list[dict[str, object]]:
    """What a request holds for its recipients; nothing when it is damaged."""
    try:
        with job.journal.read() as connection, sound(job.journal.name, chunk):
            return unpack_items(job.journal.body(connection, chunk)[0])
    except DamagedRequestError:
        return []


def breakdown(job: Job) -> Breakdown:
    """Count the recipients of *job* in one pass, in constant memory."""
    counter = BreakdownCounter()
    for result, address in addressed(job):
        counter.add(result, address)
    return counter.result(job)


def _largest_first(
    found: Mapping[str, Counter[RecipientState]],
) -> dict[str, dict[RecipientState, int]]:
    ordered = sorted(found.items(), key=lambda each: (-each[1].total(), each[0]))
    return {name: dict(counts) for name, counts in ordered}


def _slowest(connection: Connection) -> Iterator[SlowRequest]:
    took = chunks.c.settled_at - chunks.c.left_at
    query = select(chunks.c.id, chunks.c.count, chunks.c.sent, chunks.c.state, took)
    query = query.where(took > 0).order_by(took.desc(), chunks.c.id).limit(_SLOWEST)
    for row in connection.execute(query):
        number, recipients, sent, state, milliseconds = row
        yield SlowRequest(number, recipients, milliseconds / 1000, sent, state)


def _timeline(connection: Connection) -> Iterator[TimelinePoint]:
    ends = [
        connection.execute(select(func.min(column), func.max(column)).where(column > 0)).one()
        for column in (chunks.c.left_at, chunks.c.settled_at, outcomes.c.at)
    ]
    known = [each for pair in ends for each in pair if each is not None]
    if not known:
        return
    first, last = min(known), max(known)
    step = max((last - first) // _POINTS, 1)
    buckets = _buckets(connection, first, step)
    total: Counter[str] = Counter()
    for bucket in sorted({0, (last - first) // step, *buckets}):
        total.update(buckets.get(bucket, {}))
        at = datetime.fromtimestamp(min(first + (bucket + 1) * step, last) / 1000, UTC)
        yield TimelinePoint(at, total["accepted"], total["delivered"], total["failed"])


def _buckets(connection: Connection, first: int, step: int) -> dict[int, Counter[str]]:
    """How many were accepted, delivered and failed in each *step* milliseconds after *first*."""
    found: defaultdict[int, Counter[str]] = defaultdict(Counter)
    when = (chunks.c.settled_at - first) // step
    accepted = select(when, recipient_sum).where(
        chunks.c.state == ChunkState.ACCEPTED, chunks.c.settled_at.is_not(None)
    )
    for bucket, many in connection.execute(accepted.group_by(when)):
        found[bucket]["accepted"] += many
    when = (outcomes.c.at - first) // step
    receipts = select(when, outcomes.c.state, func.count()).where(outcomes.c.at > 0)
    for bucket, state, many in connection.execute(receipts.group_by(when, outcomes.c.state)):
        name = "delivered" if state in _ARRIVED else "failed" if state == "failed" else "other"
        found[bucket][name] += many
    return found
