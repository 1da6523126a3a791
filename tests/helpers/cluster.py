"""A cluster in one database in memory: leaders and workers as steps, and a clock to move."""

from collections.abc import Callable, Collection
from dataclasses import dataclass, field
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

from sqlalchemy import Connection, insert, update

from sinch_wrapper import text
from sinch_wrapper._json import decode
from sinch_wrapper.bulk._calls import Done
from sinch_wrapper.bulk._intake import Intake
from sinch_wrapper.bulk._job_spec import message_spec
from sinch_wrapper.bulk._journal import Job, Journal
from sinch_wrapper.bulk._metadata import CHUNK_MARK
from sinch_wrapper.bulk._options import RunSettings, SendOptions, read_options
from sinch_wrapper.bulk._prepare import prepare
from sinch_wrapper.bulk._register import SHARED
from sinch_wrapper.bulk._sender import Sender
from sinch_wrapper.bulk._sources import source_of
from sinch_wrapper.cluster._desk import CallDesk, Surroundings
from sinch_wrapper.cluster._tables import jobs, shared
from sinch_wrapper.cluster._worker import Worker
from sinch_wrapper.cluster._worker_table import fixed
from tests.helpers.bulk import APP, rows

NUMBER = 7
LEASE = 30.0


class TicketPile:
    """Tickets that nobody takes by himself: *waiting* has those that are there."""

    def __init__(self) -> None:
        self.waiting: list[int] = []

    def issue(self, _connection: Connection, numbers: Collection[int]) -> None:
        """Put tickets on the pile."""
        self.waiting += numbers

    def missing(self, _connection: Connection, numbers: Collection[int]) -> Collection[int]:
        """Those that are not on the pile."""
        return set(numbers) - set(self.waiting)


class SessionBook:
    """The sessions of workers."""

    def __init__(self) -> None:
        self.holders: dict[int, BookedSession] = {}

    def has(self, _connection: Connection, worker: int) -> bool:
        """Whether the session of *worker* lives."""
        return worker in self.holders and self.holders[worker].is_held


@dataclass
class BookedSession:
    """A session in the book."""

    book: SessionBook
    worker: int
    is_held: bool = False

    def take(self) -> bool:
        """Let the worker have it."""
        self.book.holders[self.worker] = self
        self.is_held = True
        return True

    def release(self) -> None:
        """End it."""
        self.is_held = False


class ScriptedBatch:
    """The Batch API of a worker: accepts all, and *posts* has the requests that came."""

    def __init__(self) -> None:
        self.posts: list[int] = []
        self.answer: Callable[[int], object] = lambda chunk: SimpleNamespace(
            batch_id=f"B{chunk}", send_after=None
        )
        self.messages = self

    def send_batch(self, *, body: Any) -> object:
        """Take a request."""
        mark = cast("Any", decode(body.content))["batch_metadata"][CHUNK_MARK]
        chunk = int(mark.rpartition("-")[2])
        self.posts.append(chunk)
        return self.answer(chunk)


@dataclass
class MemoryCluster:
    """One job of *people*, a request each unless *size* says otherwise.

    It leaves out who is on the list *exclude*. For *slept* seconds until *now* the machine slept.
    """

    people: int = 3
    size: int = 1
    now: float = 1000.0
    slept: float = 0.0
    exclude: Path | None = None
    tickets: TicketPile = field(default_factory=TicketPile)
    book: SessionBook = field(default_factory=SessionBook)
    batch: ScriptedBatch = field(default_factory=ScriptedBatch)
    journal: Journal = field(init=False)
    job: Job = field(init=False)
    token: int = 0

    def __post_init__(self) -> None:
        self.journal = Journal(None)
        given = {"chunk_size": self.size, "exclude": self.exclude}
        options = read_options("send()", given, SendOptions)
        spec = message_spec(APP, text("Hi"), options)
        source = source_of("recipients", rows(self.people))
        self.job = prepare(self.journal, Intake(spec, source, self.now, lambda: False), "P")
        with self.journal.write() as connection:
            connection.execution_options(schema_translate_map={SHARED: None})
            shared.create_all(connection)
            connection.execute(insert(jobs).values(number=NUMBER, name="job", leader=0))

    @property
    def around(self) -> Surroundings:
        """What leaders and workers share."""
        return Surroundings(lambda: fixed(self.now), self.tickets, self.book, LEASE)

    def leader(self, **options: Any) -> "Leader":
        """A new leader of the job, who has raised the token."""
        self.token += 1
        with self.journal.write() as connection:
            connection.execute(update(jobs).values(leader=self.token))
        desk = CallDesk(self.job, NUMBER, 1, self.around)
        return Leader(self, desk, RunSettings(settle=600.0, **options))

    def worker(self, slots: int = 4) -> Worker:
        """A worker that takes part."""
        worker = Worker(
            self.batch, self.journal, self.around, job_of=self._job_of,
            session=lambda number: BookedSession(self.book, number), name="w", slots=slots,
            clock=lambda: self.now - self.slept, wall=lambda: self.now,
        )  # fmt: skip
        worker.beat()
        return worker

    def _job_of(self, _number: int, mark: str) -> Job | None:
        return self.job if mark == self.job.id else None

    def states(self) -> list[str]:
        """The state of each request."""
        return [str(chunk.state) for chunk in self.journal.after(-1)]


class Leader:
    """The planner of a cluster's job, step by step."""

    def __init__(self, cluster: MemoryCluster, desk: CallDesk, settings: RunSettings) -> None:
        self.cluster, self.desk = cluster, desk
        self.lost = desk.sweep()
        self.sender = Sender(cluster.job, settings, cluster.now, lambda: cluster.now, dispatch=desk)

    def step(self, *more: Done, sweeps: bool = False) -> list[int]:
        """Take what has ended, and hand out; returns the numbers of all tickets now."""
        done, self.lost = [*self.lost, *self.desk.ended(), *more], []
        done += self.desk.sweep() if sweeps else []
        self.sender.step(self.cluster.now, done, stopping=False)
        return self.cluster.tickets.waiting
