"""How a process of a simulated cluster leads: it takes the lock, and drives the real planner."""

from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass, field
from typing import Final

from sqlalchemy import update

from sinch_wrapper.bulk._calls import BatchCall, Done
from sinch_wrapper.bulk._journal import open_job
from sinch_wrapper.bulk._options import RunSettings
from sinch_wrapper.bulk._register import turns
from sinch_wrapper.bulk._sender import Sender
from sinch_wrapper.cluster._desk import CallDesk, Surroundings
from sinch_wrapper.cluster._tables import jobs
from sinch_wrapper.cluster._worker_table import known_workers
from sinch_wrapper.errors import BulkError
from tests.simulation.api import SimulatedApi
from tests.simulation.nodes import NUMBER, Node, NodeJournal, NodeStorage, Session, World

_TICK: Final = 0.5
_LONGEST: Final = 7.5


@dataclass
class Leadership:
    """Who leads the job of *world*: one at a time, by a *lock* that ends with its session.

    *leaders* counts how often it was taken; *is_over* says that the job is complete.
    """

    world: World
    api: SimulatedApi
    around: Surroundings
    settings: RunSettings
    wall: Callable[[], float]
    lock: Session | None = None
    worker: int = 0
    leaders: int = 0
    is_over: bool = False
    looks: int = 0

    def take(self, node: Node, storage: NodeStorage, worker: int) -> Session | None:
        """Take the lock, unless another process has it; one that is silent loses it."""
        with storage.write() as connection:
            if self.lock is not None and self.lock.is_held:
                known = {each.id: each for each in known_workers(connection, self.around.time())}
                holder = known.get(self.worker)
                if holder is None or holder.silence > self.around.lease:
                    self.lock.is_held = False
                return None
        session = node.session_of_leader()
        session.take()
        self.lock, self.worker = session, worker
        try:
            session.token = self._raise_token(storage)
        except BaseException:
            session.release()
            raise
        self.leaders += 1
        self.world.note(f"{node.name} leads with token {session.token}")
        return session

    def _raise_token(self, storage: NodeStorage) -> int:
        with storage.write() as connection:
            raised = update(jobs).values(leader=jobs.c.leader + 1).returning(jobs.c.leader)
            return int(connection.execute(raised).scalar_one())

    def lead(self, node: Node, session: Session, worker: int) -> None:
        """Lead the job until it is complete, or a BulkError ends it."""
        storage = NodeStorage(node, turns(NUMBER, "job", session.token), session.token)
        job = open_job(NodeJournal(storage, self.wall))
        desk = CallDesk(job, NUMBER, worker, self.around)
        run = Run(self, node, desk, desk.sweep())
        sender = Sender(job, self.settings, self.world.time.now, self.wall, dispatch=desk)
        with closing(sender):
            self._drive(sender, run)

    def _drive(self, sender: Sender, run: "Run") -> None:
        due = self.world.time.now
        while True:
            done = run.ended()
            if not done and self.world.time.now < due:
                run.rest(due)
                continue
            step = sender.step(self.world.time.now, done, stopping=False)
            run.look(step.calls)
            if step.finished:
                self.is_over = True
                return
            due = self.world.time.now + (1e9 if step.wait is None else step.wait + 1e-6)


@dataclass
class Run:
    """One time that *node* leads: what has ended, and when it looks after workers."""

    leadership: Leadership
    node: Node
    desk: CallDesk
    waiting: list[Done] = field(default_factory=list)
    sweep_at: float = 0.0
    # How many transactions had written anything when it last looked.
    seen: int = -1

    def ended(self) -> list[Done]:
        """What has ended, in the order of the real one: workers that are gone, then results."""
        now = self.node.world.time.now
        if now >= self.sweep_at:
            self.sweep_at = now + _LONGEST
            self.waiting += self.desk.sweep()
        if self.desk.running and self.seen != self.node.world.commits:
            self.seen = self.node.world.commits
            self.waiting += self.desk.ended()
        done, self.waiting = self.waiting, []
        return done

    def look(self, calls: tuple[BatchCall, ...]) -> None:
        """Make the look-ups."""
        time = self.node.world.time
        for call in calls:
            if call.purpose != "send":
                self.leadership.looks += 1
                ending = self.leadership.api.look(str(call.arguments["metadata_value"]), time.now)
                done = Done(call, ending.value, ending.error)
                time.after(ending.wait, lambda _, done=done: self.waiting.append(done))  # type: ignore[misc]  # bound here

    def rest(self, due: float) -> None:
        """Let time pass, *due* at the latest."""
        now = self.node.world.time.now
        most = _TICK if self.desk.running else self.sweep_at - now
        self.node.sleep(max(1e-3, min(most, due - now, _TICK if self.leadership.looks else most)))


def lead_when_free(leadership: Leadership, node: Node, number: Callable[[], int | None]) -> None:
    """Lead the job whenever nobody does, until it is complete."""
    storage = NodeStorage(node)
    while not leadership.is_over:
        try:
            worker = number() or 0
            session = leadership.take(node, storage, worker) if worker else None
            if session is not None:
                try:
                    leadership.lead(node, session, worker)
                finally:
                    session.release()
        except BulkError as error:
            node.world.note(f"{node.name} does not lead: {error}")
        node.sleep(_LONGEST)
