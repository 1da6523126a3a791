"""Processes of a simulated cluster, and their connections: killed, stopped or cut off anywhere."""

import heapq
from collections.abc import Callable, Collection, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path
from random import Random
from typing import Any, Final

from sqlalchemy import Connection, event, insert, select

from sinch_wrapper.bulk._journal import Journal
from sinch_wrapper.bulk._register import SHARED
from sinch_wrapper.cluster._tables import jobs, shared
from sinch_wrapper.errors import DatabaseAwayError
from tests.simulation.fibers import Fiber
from tests.simulation.journals import KillableJournal, KilledError, journal_at

NUMBER: Final = 7
AWAY: Final = "the database is away"
# The share of transactions before which other processes may come.
SLOW: Final = 0.3


class DyingError(Exception):
    """The process is killed within a transaction; a KilledError would end the database, too."""


@dataclass(frozen=True)
class Fault:
    """What happens to a process after *points* places where something may: *kind* says what.

    For *seconds* it is stopped or cut off, or away before it comes again; when it *sleeps* its
    monotonic clock stands still, too. With *is_noticed* the database ends its sessions. *where*
    says which places count, by what is done there: "lead", "work", and of work "take", the
    transaction that takes a call, and "leave", right before its request leaves; all without it.
    """

    points: int
    kind: str
    seconds: float
    is_noticed: bool
    where: str = ""


class Clockwork:
    """Virtual time: what is to happen, in its order."""

    def __init__(self) -> None:
        self.now = 0.0
        self._heap: list[tuple[float, int, Callable[[float], None]]] = []
        self._order = count()

    def after(self, wait: float, what: Callable[[float], None]) -> None:
        """Do something in *wait* seconds."""
        heapq.heappush(self._heap, (self.now + wait, next(self._order), what))

    def turn(self) -> bool:
        """Do what comes next; whether there was anything."""
        if not self._heap:
            return False
        self.now, _, what = heapq.heappop(self._heap)
        what(self.now)
        return True


class TicketTable:
    """Tickets, which are there once the transaction that issued them is."""

    def __init__(self) -> None:
        self.waiting: list[int] = []
        self._issued: list[int] = []

    def issue(self, _connection: Connection, numbers: Collection[int]) -> None:
        """Issue tickets, in this transaction."""
        self._issued += numbers

    def missing(self, _connection: Connection, numbers: Collection[int]) -> Collection[int]:
        """Those that were taken."""
        return set(numbers) - set(self.waiting)

    def end(self, *, commits: bool) -> None:
        """End the transaction."""
        self.waiting += self._issued if commits else []
        self._issued = []


@dataclass
class Session:
    """A session with the database, which either side may end."""

    node: "Node"
    is_held: bool = False
    # Of a leader.
    token: int = 0

    def take(self) -> bool:
        """Begin it."""
        self.node.reach()
        self.is_held = True
        return True

    def release(self) -> None:
        """End it."""
        self.is_held = False


@dataclass
class World:
    """What all processes share: time, the database, its sessions, and who runs at the moment."""

    chance: Random
    time: Clockwork = field(default_factory=Clockwork)
    tickets: TicketTable = field(default_factory=TicketTable)
    journal: KillableJournal = field(default_factory=lambda: journal_at(None))
    # By the number of the worker.
    sessions: dict[int, Session] = field(default_factory=dict)
    away_until: float = 0.0
    # How many transactions have written anything.
    commits: int = 0
    current: "tuple[Node, Fiber] | None" = None
    risks: list[str] = field(default_factory=list)
    trace: list[str] | None = None

    def __post_init__(self) -> None:
        with self.journal.write() as connection:
            connection.execution_options(schema_translate_map={SHARED: None})
            shared.create_all(connection)
            for table in reversed(shared.sorted_tables):
                connection.execute(table.delete())
            connection.execute(insert(jobs).values(number=NUMBER, name="job", leader=0))
        self._connection = connection
        event.listen(connection, "before_cursor_execute", self.statement)

    def close(self) -> None:
        """Take its hands off the journal."""
        event.remove(self._connection, "before_cursor_execute", self.statement)

    def has(self, _connection: Connection, worker: int) -> bool:
        """Whether the session of *worker* lives."""
        return worker in self.sessions and self.sessions[worker].is_held

    def note(self, words: str) -> None:
        """Trace what happened."""
        if self.trace is not None:
            self.trace.append(f"{self.time.now:10.2f} s  {words}")

    def statement(self, *_: object) -> None:
        """A place within a transaction."""
        if self.current is not None:
            try:
                self.current[0].point(is_inside=True)
            except KilledError:
                raise DyingError from None


@dataclass
class _Due:
    """A fault, and how many places are left before it."""

    left: int
    fault: Fault


class Node:
    """A process: its fibers stop and die together."""

    def __init__(
        self, world: World, name: str, faults: list[Fault], again: Callable[[], None]
    ) -> None:
        self.world = world
        self.name = name
        self.is_alive = True
        self.stopped_until = self.cut_until = self.slept = 0.0
        self.sessions: list[Session] = []
        self._leads = Session(self)
        # Each with the places that are left before it happens.
        self._faults = [_Due(each.points, each) for each in faults]
        self._again = again
        self._fibers: list[Fiber] = []
        self._stop: Fault | None = None

    def begin(self, work: Callable[[], None], does: str, wait: float = 0.0) -> None:
        """Run *work* in a fiber."""
        fiber = Fiber(work, does)
        self._fibers.append(fiber)
        self.world.time.after(wait, lambda _: self._wake(fiber))

    def sleep(self, seconds: float) -> None:
        """Let time pass."""
        assert self.world.current is not None
        _, fiber = self.world.current
        self.world.time.after(seconds, lambda _: self._wake(fiber))
        fiber.pause()

    def _wake(self, fiber: Fiber) -> None:
        if not self.is_alive or fiber.is_over:
            return
        wait = self.stopped_until - self.world.time.now
        if wait > 0:
            self.world.time.after(wait, lambda _: self._wake(fiber))
            return
        self.world.current = self, fiber
        try:
            fiber.resume()
        finally:
            self.world.current = None

    def session(self) -> Session:
        """A new session."""
        self.sessions.append(Session(self))
        return self.sessions[-1]

    def session_of_leader(self) -> Session:
        """A new session to lead by."""
        self._leads = Session(self)
        return self._leads

    def end_sessions(self) -> None:
        """The database ends what this process has with it."""
        for each in [*self.sessions, self._leads]:
            each.is_held = False

    def die(self) -> None:
        """Let nothing of it go on."""
        self.is_alive = False
        self.end_sessions()
        current, self.world.current = self.world.current, None
        for each in self._fibers:
            if not each.is_over and (current is None or each is not current[1]):
                each.kill()
        self.world.current = current

    def reach(self) -> None:
        """Reach for the database; raises DatabaseAwayError."""
        if not self.is_alive:
            raise KilledError
        if self.world.time.now < max(self.world.away_until, self.cut_until):
            raise DatabaseAwayError(AWAY)

    @contextmanager
    def at(self, place: str) -> Iterator[None]:
        """What is done within counts as *place*."""
        assert self.world.current is not None
        does = self.world.current[1].does
        does.append(place)
        try:
            yield
        finally:
            does.pop()

    def approach(self) -> None:
        """Begin a transaction, which takes its time on the way; raises DatabaseAwayError."""
        self.reach()
        self.point()
        if self.world.chance.random() < SLOW:
            self.sleep(self.world.chance.uniform(0, 0.1))
        self.reach()

    def point(self, *, is_inside: bool = False) -> None:
        """A place where a process may be killed, stopped or cut off; *is_inside* a transaction."""
        if not self.is_alive:
            raise KilledError
        assert self.world.current is not None
        places = {"", *self.world.current[1].does}
        for each in self._faults:
            each.left -= each.fault.where in places
        due = [each for each in self._faults if not each.left]
        self._faults = [each for each in self._faults if each.left]
        for each in due:
            self._suffer(each.fault)
        if self._stop is not None and not is_inside:
            self._sleep_through()

    def _suffer(self, fault: Fault) -> None:
        self.world.note(f"{self.name} {fault}")
        if fault.is_noticed:
            self.end_sessions()
        if fault.kind in {"stop", "sleep"}:
            # Within a transaction others wait for its locks, as if it came before or after.
            self._stop = fault
        elif fault.kind == "cut":
            self.cut_until = self.world.time.now + fault.seconds
            raise DatabaseAwayError(AWAY)
        else:
            self.die()
            self.world.time.after(fault.seconds, lambda _: self._again())
            raise KilledError

    def _sleep_through(self) -> None:
        assert self._stop is not None
        self.stopped_until = self.world.time.now + self._stop.seconds
        self.slept += self._stop.seconds if self._stop.kind == "sleep" else 0.0
        self._stop = None
        self.sleep(0.0)


class NodeStorage:
    """The database as *node* reaches it; *enter* begins each transaction that writes."""

    def __init__(
        self, node: Node, enter: Callable[[Connection], None] | None = None, token: int = 0
    ) -> None:
        self._node = node
        self._enter = enter
        self._token = token
        self.name = "job"
        self.path: Path | None = None
        self.is_current = True

    @contextmanager
    def read(self) -> Iterator[Connection]:
        """A transaction that reads."""
        self._node.approach()
        try:
            with self._node.world.journal.storage.read() as connection:
                yield connection
        except DyingError:
            raise KilledError from None
        self._node.point()

    @contextmanager
    def write(self) -> Iterator[Connection]:
        """A transaction that is lost, or not, when the process is killed or cut off at its end."""
        node, tickets = self._node, self._node.world.tickets
        node.approach()
        try:
            with node.world.journal.storage.write() as connection:
                if self._enter is not None:
                    self._enter(connection)
                yield connection
                node.world.statement()
                self._check_token(connection)
        except DyingError:
            tickets.end(commits=False)
            raise KilledError from None
        except BaseException:
            tickets.end(commits=False)
            raise
        tickets.end(commits=True)
        node.world.commits += 1
        node.point()

    def _check_token(self, connection: Connection) -> None:
        if self._token and self._token != connection.execute(select(jobs.c.leader)).scalar_one():
            self._node.world.risks.append(f"{self._node.name} wrote with token {self._token}")

    def insert(self, connection: Connection, table: Any, rows: Any) -> None:
        """Insert *rows*."""
        self._node.world.journal.storage.insert(connection, table, rows)

    def check(self) -> None:
        """Find no damage."""

    def flush(self) -> None:
        """Do nothing: it is not a file."""

    def close(self) -> None:
        """Stay open, for the others."""


class NodeJournal(Journal):
    """The journal of a job, by the storage of one process."""

    def __init__(self, storage: NodeStorage, clock: Callable[[], float]) -> None:
        self._clock = clock
        self.storage = storage
        self.name = storage.name
        self.address = None
