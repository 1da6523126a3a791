"""What a step reads at once about all requests that come back or leave, instead of one by one."""

from collections import deque
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

from sqlalchemy import Connection, bindparam, select

from sinch_wrapper.bulk._calls import Done
from sinch_wrapper.bulk._chunks import Chunk
from sinch_wrapper.bulk._journal import Job, Journal
from sinch_wrapper.bulk._keys import own_requests, read_request
from sinch_wrapper.bulk._responses import text_of
from sinch_wrapper.bulk._schema import chunks, early

_OWNERS: Final = select(chunks.c.batch_id, chunks.c.id).where(
    chunks.c.batch_id.in_(bindparam("batches", expanding=True))
)
_ANY_EARLY: Final = select(early.c.batch_id).limit(1)


@dataclass(slots=True)
class ReadAhead:
    """The chunks that are about to change, who has their batches, and whether callbacks wait.

    It holds for one transaction, in which nobody else writes. *owners* has the batches that it
    knows about, with the number of the request, or None for nobody.
    """

    chunks: dict[int, Chunk] = field(default_factory=dict)
    owners: dict[str, int | None] = field(default_factory=dict)
    may_be_early: bool = True


def read_ahead(journal: Journal, connection: Connection, done: Sequence[Done]) -> ReadAhead:
    """Read what is needed for *done*; nothing when a look-up among them may change it."""
    if len(done) < 2 or any(each.call.purpose != "send" for each in done):  # noqa: PLR2004 (several)
        return ReadAhead()
    ids = [text_of(getattr(each.value, "batch_id", None)) for each in done]
    owners: dict[str, int | None] = dict.fromkeys(each for each in ids if each)
    owners |= {row.batch_id: row.id for row in connection.execute(_OWNERS, {"batches": [*owners]})}
    known = journal.chunks(connection, [each.call.chunk for each in done])
    return ReadAhead(known, owners, connection.execute(_ANY_EARLY).first() is not None)


class Planned:
    """The requests of *job* that leave next; it reads as many at once as may leave, *many*."""

    def __init__(self, job: Job, many: int) -> None:
        self._job = job
        self._many = many
        self.begin()

    def begin(self) -> None:
        """Forget what was read: a new transaction begins."""
        self._before = -1
        self._found: deque[Chunk] = deque()
        self._bodies: dict[int, tuple[bytes, bytes]] = {}
        self._requests: dict[int, bytes] = {}

    def take(self, connection: Connection, before: int) -> Chunk | None:
        """The first request below *before* that has not left; none twice in a transaction."""
        if not self._found or before != self._before:
            self._before = before
            self._found = deque(self._job.journal.planned(connection, self._many, before))
            self._read(connection, [each.id for each in self._found])
        return self._found.popleft() if self._found else None

    def body(self, connection: Connection, number: int) -> tuple[bytes, bytes]:
        """The packed items and places of a request; raises LookupError."""
        if number not in self._bodies:
            self._read(connection, [number])
        return self._bodies[number]

    def request(self, number: int) -> Mapping[str, object]:
        """The fields of a request, whose body was asked for, beside its recipients.

        Raises: LookupError, and others, for what is damaged.
        """
        return read_request(self._requests[number]) if self._job.is_outbox else self._job.request

    def _read(self, connection: Connection, numbers: Sequence[int]) -> None:
        self._bodies = self._job.journal.bodies(connection, numbers)
        if self._job.is_outbox:
            self._requests = own_requests(connection, numbers)
