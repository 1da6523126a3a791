"""Runs a job of a cluster in virtual time: several processes that work and lead, one database.

The planner, the desk, the workers and their SQL are the real ones. Each process may be killed,
stopped or cut off before every statement, at every commit, after it, and before a request leaves.
"""

from contextlib import nullcontext, suppress
from dataclasses import dataclass, field, replace
from math import inf
from pathlib import Path
from random import Random
from tempfile import TemporaryDirectory
from typing import Any, Final, cast

from sinch_wrapper import text
from sinch_wrapper._json import decode
from sinch_wrapper.bulk import SuppressionList
from sinch_wrapper.bulk._intake import Intake
from sinch_wrapper.bulk._job_spec import message_spec
from sinch_wrapper.bulk._journal import Job
from sinch_wrapper.bulk._metadata import CHUNK_MARK
from sinch_wrapper.bulk._options import RunSettings, SendOptions, read_options
from sinch_wrapper.bulk._prepare import prepare
from sinch_wrapper.bulk._queue import MessageLimits
from sinch_wrapper.bulk._sources import source_of
from sinch_wrapper.bulk._states import ChunkState
from sinch_wrapper.cluster._call_table import CallState, of_job
from sinch_wrapper.cluster._desk import Surroundings
from sinch_wrapper.cluster._worker import PreparedCall, Seat, Worker
from sinch_wrapper.cluster._worker_table import fixed
from sinch_wrapper.errors import BulkError
from tests.simulation.api import CALM, STORM, Ending, SimulatedApi, identity_of
from tests.simulation.checks import Ledger
from tests.simulation.cluster_scenario import SETTLE, ClusterScenario
from tests.simulation.journals import put_back
from tests.simulation.leading import Leadership, lead_when_free
from tests.simulation.nodes import NUMBER, Node, NodeJournal, NodeStorage, Session, World
from tests.simulation.outbox import APP, person
from tests.simulation.processes import Process
from tests.simulation.receivers import Receivers, opt_out

LEASE: Final = 30.0
SLOTS: Final = 2
# Turns after which a job is said not to end; no seed that was tried takes a half.
MOST_TURNS: Final = 20_000
# What is counted in each seed; *seconds* are virtual ones.
COUNTS: Final = ("posts", "leaders", "again", "unknown", "left_out", "gaps", "twice", "seconds")


@dataclass
class ClusterOutcome:
    """What came out of one seed: *problems* and *risks* must be empty.

    *risks* are fences that were crossed, whether anything came of it or not. *gaps* counts requests
    that left when their worker had no session any more: it was stopped after it had looked whether
    they may leave, which nobody can exclude.
    """

    problems: list[str] = field(default_factory=list)
    risks: list[str] = field(default_factory=list)
    posts: int = 0
    again: int = 0
    leaders: int = 0
    twice: int = 0
    unknown: int = 0
    gaps: int = 0
    left_out: int = 0
    seconds: float = 0.0
    trace: list[str] = field(default_factory=list)

    @property
    def wrong(self) -> list[str]:
        """All that must not be."""
        return [*self.problems, *self.risks]

    def add(self, other: "ClusterOutcome") -> None:
        """Count what came out of another seed, too."""
        for name in COUNTS:
            setattr(self, name, getattr(self, name) + getattr(other, name))

    def counts(self) -> str:
        """What was counted, in words."""
        return ", ".join(f"{name} {getattr(self, name):.0f}" for name in COUNTS)


class Pauses:
    """An event that is never set, and for which a worker waits in virtual time."""

    def __init__(self, node: Node) -> None:
        self._node = node

    def wait(self, seconds: float) -> bool:
        """Let time pass."""
        if seconds > 0:
            self._node.sleep(seconds)
        return False


@dataclass
class Leaving:
    """A request that *node* is about to send, or is sending, with the session of its worker.

    *heard* is when that was last heard of. *stood* is for how long it stood still after it had
    looked whether it may send.
    """

    chunk: int
    node: Node
    session: Session
    heard: float
    stood: float = 0.0


class NodeWorker(Worker):
    """A worker that says where it is."""

    def __init__(self, batch: "NodeBatch", *args: Any, **options: Any) -> None:
        super().__init__(batch, *args, **options)
        self._node = batch.node

    def take(self, prepared: PreparedCall) -> Seat | None:
        """Take a call."""
        with self._node.at("take"):
            return super().take(prepared)


class RandomPace:
    """The rate that workers share: a request waits at most *most* seconds for its slot."""

    def __init__(self, chance: Random, most: float) -> None:
        self._chance = chance
        self._most = most

    def reserve(self) -> float:
        """Book a slot."""
        return self._chance.choice((0.0, self._chance.uniform(0, self._most)))

    def throttled(self, ago: float) -> None:
        """Do nothing."""


class NodeBatch:
    """The Batch API as the worker of one process reaches it."""

    def __init__(self, cluster: "ClusterSimulation", node: Node) -> None:
        self._cluster = cluster
        self.node = node
        self.messages = self

    def send_batch(self, *, body: Any) -> object:
        """Send a request, and wait for its response."""
        cluster, node = self._cluster, self.node
        content = cast("dict[str, Any]", decode(body.content))
        chunk = int(content["batch_metadata"][CHUNK_MARK].rpartition("-")[2])
        leaving = Leaving(chunk, node, node.sessions[-1], cluster.heard[node.name])
        cluster.leaving.append(leaving)
        try:
            # What is stopped here leaves when it goes on; cut off is only the database.
            began = cluster.world.time.now
            with node.at("leave"), suppress(BulkError):
                node.point()
            leaving.stood = cluster.world.time.now - began
            ending = cluster.post(leaving, content)
            node.sleep(ending.wait)
        finally:
            cluster.leaving.remove(leaving)
        if ending.error is not None:
            raise ending.error
        cluster.api.answered[0].append(str(getattr(ending.value, "batch_id", "")))
        return ending.value


class ClusterSimulation:
    """One scenario; run() says what came out, with a trace when one is wanted."""

    def __init__(self, scenario: ClusterScenario, *, traced: bool = False) -> None:
        self.scenario = scenario
        chance = Random(scenario.seed + 1)  # noqa: S311 (repeatable)
        self.outcome = ClusterOutcome()
        self.world = World(chance, trace=self.outcome.trace if traced else None)
        self.api = SimulatedApi(
            chance,
            scenario.model,
            STORM if scenario.stormy else CALM,
            self.world.time.after,
            (lambda _number, event: self.receivers.expect(event)) if scenario.receivers else None,
        )
        around = Surroundings(
            lambda: fixed(self.world.time.now), self.world.tickets, self.world, LEASE
        )
        settings = RunSettings(
            settle=SETTLE,
            attempts=scenario.job.attempts,
            limits=MessageLimits(scenario.job.queue, scenario.job.drain),
        )
        self._leadership = Leadership(self.world, self.api, around, settings, self._wall)
        self.leaving: list[Leaving] = []
        # When each process last reached the database, by its name.
        self.heard: dict[str, float] = {}
        self._nodes: list[Node] = []
        self._workers: list[Worker] = []
        self._process = Process(0, scenario.job, Path(), self.world.journal)

    def run(self) -> ClusterOutcome:
        """Run it to its end."""
        with TemporaryDirectory() if self.scenario.opt_outs else nullcontext("") as folder:
            self._run(Path(folder) / "stop.db" if folder else None)
        return self.outcome

    def _run(self, stop_list: Path | None) -> None:
        job = self._plan(stop_list)
        self.receivers = Receivers(self.world, job, stop_list, lambda: self._leadership.is_over)
        for number in range(self.scenario.receivers):
            self.receivers.begin(self.scenario.receiver_faults[number])
        for at, number in self.scenario.opt_outs:
            event = opt_out(person(number))
            self.world.time.after(at, lambda _, event=event: self.receivers.expect(event))  # type: ignore[misc]  # bound here
        for number in range(self.scenario.processes):
            self._begin(float(number))
        for begins, seconds in self.scenario.outages:
            self.world.time.after(begins, lambda _, seconds=seconds: self._go_away(seconds))  # type: ignore[misc]  # bound here
        turns = 0
        while turns < MOST_TURNS and self.world.time.turn():
            turns += 1
        for node in (*self._nodes, *self.receivers.nodes):
            node.die()
        for worker in self._workers:
            worker.opt_outs.close()
        self._check()
        self.world.close()
        put_back(self.world.journal)

    def post(self, leaving: Leaving, body: dict[str, Any]) -> Ending:
        """Let a request leave."""
        world, chunk, session = self.world, leaving.chunk, leaving.session
        others = [
            other.node.name
            for other in self.leaving
            if other.chunk == chunk and other is not leaving and other.session.is_held
        ]
        if others:
            self.world.risks.append(f"request {chunk} leaves while {others} may still send it")
        if leaving.stood and not session.is_held and world.time.now - leaving.heard > LEASE:
            self.outcome.gaps += 1
            self._process.forced.add(chunk)
        late = [
            identity
            for identity in map(identity_of, body["recipient_and_params"])
            if world.time.now - self.receivers.gone.get(identity, inf) >= LEASE / 2
        ]
        if late and not leaving.stood:
            self._problem(f"request {chunk} is sent to {late}, who had opted out")
        post, ending = self.api.post(body, world.time.now)
        self.outcome.posts += 1
        world.note(f"{leaving.node.name} sends request {chunk}: {post.truth}")
        return ending

    def _wall(self) -> float:
        return 1_800_000_000.0 + self.world.time.now

    def _plan(self, stop_list: Path | None) -> Job:
        script = self.scenario.job
        given: dict[str, object] = {"chunk_size": script.chunk_size}
        if stop_list is not None:
            SuppressionList(stop_list).close()
            given["exclude"] = stop_list
        options = read_options("send()", given, SendOptions)
        rows = [{"phone": person(number)} for number in range(script.recipients)]
        spec = message_spec(APP, text("Hi"), options)
        intake = Intake(spec, source_of("recipients", rows), self._wall(), lambda: False)
        job = self._process.job = prepare(self.world.journal, intake, "P")
        self.api.jobs.append(job.id)
        self.api.answered[0] = []
        return job

    def _begin(self, wait: float) -> None:
        number = len(self._nodes)
        faults = self.scenario.faults[number] if number < len(self.scenario.faults) else ()
        node = Node(self.world, f"process {number}", list(faults), self._again)
        self._nodes.append(node)
        self.heard[node.name] = self.world.time.now
        worker = self._worker(node)
        node.begin(lambda: self._beat(node, worker), "beat", wait)
        lead = lambda: lead_when_free(self._leadership, node, lambda: worker.number)  # noqa: E731 (as the others)
        node.begin(lead, "lead", wait)
        for _ in range(SLOTS):
            node.begin(lambda: self._take(node, worker), "work", wait)

    def _again(self) -> None:
        if not self._leadership.is_over:
            self._begin(0.0)

    def _worker(self, node: Node) -> Worker:
        storage = NodeStorage(node)
        assert self._process.job is not None
        job = replace(self._process.job, journal=NodeJournal(storage, self._wall))

        def session(number: int) -> Session:
            self.world.sessions[number] = found = node.session()
            return found

        worker = NodeWorker(
            NodeBatch(self, node),
            storage,
            self._leadership.around,
            job_of=lambda *_: job,
            session=session,
            name=node.name,
            slots=SLOTS,
            pace=RandomPace(self.world.chance, self.scenario.pace),
            clock=lambda: self.world.time.now - node.slept,
            wall=self._wall,
        )
        self._workers.append(worker)
        worker.stopping = worker.over = cast("Any", Pauses(node))
        return worker

    def _beat(self, node: Node, worker: Worker) -> None:
        while not self._leadership.is_over or worker.running:
            began = self.world.time.now
            with suppress(BulkError):
                worker.beat()
                self.heard[node.name] = began
            node.sleep(LEASE / 4)

    def _take(self, node: Node, worker: Worker) -> None:
        """Take tickets, of which some come twice."""
        tickets = self.world.tickets.waiting
        while not self._leadership.is_over:
            if not tickets or self.world.time.now < max(self.world.away_until, node.cut_until):
                node.sleep(1.0)
                continue
            is_twice = self.world.chance.random() < self.scenario.repeats
            ticket = tickets[0] if is_twice else tickets.pop(0)
            with suppress(BulkError):
                worker.perform(ticket)
            # Others come first now and then.
            node.sleep(self.world.chance.uniform(0, 0.05))

    def _go_away(self, seconds: float) -> None:
        self.world.note(f"the database is away for {seconds:.1f} s")
        self.world.away_until = self.world.time.now + seconds
        for node in (*self._nodes, *self.receivers.nodes):
            node.end_sessions()

    def _problem(self, words: str) -> None:
        self.outcome.problems.append(words)

    def _check(self) -> None:
        """Compare the journal with the ledger of the API, and count."""
        process, outcome = self._process, self.outcome
        process.is_over = self._leadership.is_over
        process.left_out = self.receivers.left_out()
        ledger = Ledger(self.api, covered=True)
        outcome.problems += ledger.problems(process)
        outcome.risks = self.world.risks
        with process.journal.read() as connection:
            states = [row.state for row in of_job(connection, NUMBER)]
        if set(states) - {CallState.LOST}:
            self._problem(f"calls that nobody has taken up: {states}")
        if not self.receivers.is_idempotent():
            self._problem("callbacks that come once more change something")
        chunks = process.journal.after(-1, 10_000)
        outcome.left_out = process.left_out
        outcome.unknown = sum(chunk.state is ChunkState.UNKNOWN for chunk in chunks)
        outcome.twice = sum(len(ledger.batches(process, chunk)) > 1 for chunk in chunks)
        outcome.again = len(process.journal.sent_again())
        outcome.leaders, outcome.seconds = self._leadership.leaders, self.world.time.now
