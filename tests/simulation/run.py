"""Runs a scenario in virtual time: real planner, real journal, simulated API; checks what came out.

Each job is a process that may be killed after any write into its journal. All the calls that were
running then are lost to it, but not to the API.
"""

import heapq
import shutil
import tempfile
from collections import Counter
from collections.abc import Callable
from contextlib import nullcontext
from dataclasses import dataclass, field, replace
from itertools import count
from pathlib import Path
from random import Random
from typing import Any, cast

from sinch_wrapper import BulkError, text
from sinch_wrapper._json import decode
from sinch_wrapper.bulk._callbacks import record
from sinch_wrapper.bulk._calls import BatchCall, Done, Step
from sinch_wrapper.bulk._intake import Intake
from sinch_wrapper.bulk._job_spec import message_spec
from sinch_wrapper.bulk._journal import Job, open_job
from sinch_wrapper.bulk._keys import open_outbox
from sinch_wrapper.bulk._options import RunSettings, SendOptions, read_options
from sinch_wrapper.bulk._outbox_desk import OutboxDesk, OutboxPlanner
from sinch_wrapper.bulk._prepare import prepare
from sinch_wrapper.bulk._queue import MessageLimits
from sinch_wrapper.bulk._retries import failed_of, retried_spec
from sinch_wrapper.bulk._sender import Sender
from sinch_wrapper.bulk._sources import Source, source_of
from sinch_wrapper.bulk._states import ChunkState
from sinch_wrapper.callbacks import Event
from tests.simulation.api import CALM, FAILURE, STORM, Post, SimulatedApi
from tests.simulation.checks import Ledger
from tests.simulation.journals import KillableJournal, KilledError, journal_at, put_back
from tests.simulation.outbox import APP, Callers, HandOver, hand_overs
from tests.simulation.processes import Process
from tests.simulation.scenario import JobScript, Scenario

# Steps after which a job is said not to end; no seed that was tried takes a half.
MOST_STEPS = 5_000
REASONS = frozenset({"400", FAILURE})


@dataclass
class Outcome:
    """What came out of one seed: *problems* must be empty, doubles are counted."""

    problems: list[str] = field(default_factory=list)
    doubts: int = 0
    twice: int = 0
    told: int = 0
    again: int = 0
    unknown: int = 0
    recipients: int = 0
    unknown_recipients: int = 0
    twice_recipients: int = 0
    posts: int = 0
    looks: int = 0
    kills: int = 0
    retries: int = 0
    keys: int = 0
    seconds: float = 0.0
    faults: Counter[str] = field(default_factory=Counter)
    trace: list[str] = field(default_factory=list)


class Simulation:
    """One scenario; run() says what came out, with a trace when one is wanted."""

    def __init__(self, scenario: Scenario, *, traced: bool = False) -> None:
        self.scenario = scenario
        self.chance = Random(scenario.seed + 1)  # noqa: S311 (repeatable)
        self.outcome = Outcome()
        self.now = 0.0
        self.offset = 1_800_000_000.0
        self._traced = traced
        self._heap: list[tuple[float, int, Callable[[float], None]]] = []
        self._order = count()
        self.api = SimulatedApi(
            self.chance,
            scenario.model,
            STORM if scenario.stormy else CALM,
            self.after,
            self._record if scenario.receiver else None,
        )
        self.processes: list[Process] = []
        # As the API numbers them.
        self.begun: list[Process] = []
        self.callers: dict[int, Callers] = {}

    def after(self, wait: float, what: Callable[[float], None]) -> None:
        """Do something in *wait* seconds."""
        heapq.heappush(self._heap, (self.now + wait, next(self._order), what))

    def trace(self, process: Process, words: str) -> None:
        """Note what happened."""
        if self._traced:
            self.outcome.trace.append(f"{self.now:10.2f} s  job {process.number}  {words}")

    def run(self) -> Outcome:
        """Run it to its end."""
        is_on_disk = any(script.moved for script in self.scenario.jobs)
        with tempfile.TemporaryDirectory() if is_on_disk else nullcontext("") as folder:
            for script in self.scenario.jobs:
                process = self._process(script, Path(folder))
                self.after(script.begins, lambda _, process=process: self._begin(process))  # type: ignore[misc]  # bound here
            while self._heap:
                self.now, _, what = heapq.heappop(self._heap)
                what(self.now)
            for process in self.processes:
                self._check(process)
            for process in self.processes:
                put_back(process.journal)
        self.outcome.seconds = self.now
        return self.outcome

    def _process(self, script: JobScript, folder: Path) -> Process:
        number = len(self.processes)
        path = folder / f"{number}.db" if script.moved else None
        acts = ["resume"] if script.stop is not None else []
        acts += [script.last] if script.last else []
        process = Process(number, script, folder, journal_at(path), acts=acts)
        process.kills, process.stop_at = list(script.kills), script.stop
        self.processes.append(process)
        return process

    def wall(self) -> float:
        """Unix seconds, which may jump between runs."""
        return self.offset + self.now

    def _prepare(self, process: Process) -> Job:
        script = process.script
        if script.is_outbox:
            return open_outbox(process.journal, "P", self.wall())
        options = read_options("send()", {"chunk_size": script.chunk_size}, SendOptions)
        if process.old is not None:
            assert process.old.job is not None
            spec = replace(retried_spec(process.old.job, "old.db"), rules=options.rules)
            failed = failed_of(process.old.job, REASONS, spec.damage)
            source = Source("failed recipients", None, failed)
        else:
            spec = message_spec(APP, text("Hi"), options)
            start = self.processes.index(process) * 1_000_000
            rows = [{"phone": f"+4670{start + n:07d}"} for n in range(script.recipients)]
            source = source_of("recipients", rows)
        intake = Intake(spec, source, self.wall(), lambda: False)
        return prepare(process.journal, intake, "P")

    def _begin(self, process: Process) -> None:
        process.job = self._prepare(process)
        process.number = len(self.begun)
        self.begun.append(process)
        self.api.jobs.append(process.job.id)
        self.outcome.recipients += process.script.recipients
        if process.script.is_outbox:
            self._open(process)
        else:
            self._start(process)

    def _open(self, process: Process) -> None:
        """Let callers come to an outbox."""
        self.callers[process.number] = Callers(process, lambda: self._wake_up(process))
        for what in hand_overs(process.script.recipients, self.chance):
            self._expect(process, what, what.at)

    def _expect(self, process: Process, what: HandOver, wait: float) -> None:
        self.outcome.keys += 1
        self.after(wait, lambda _: self.callers[process.number].come(what))

    def _wake_up(self, process: Process) -> None:
        """Let an outbox go on: its planner, or when it has none the next process."""
        if process.planner is None:
            self._start(process)
        else:
            self.after(0.0, lambda _, run=process.run: self._step(process, run, []))  # type: ignore[misc]  # bound here

    def _start(self, process: Process) -> None:
        """Start a run: the first one, or one after a kill, a stop or an end."""
        if self.scenario.clock_jumps and process.run:
            self.offset += self.chance.uniform(-90_000, 90_000)
        process.run += 1
        process.journal.wall = self.wall
        process.began, process.is_stopping, process.is_over = self.now, False, False
        # Connections are new.
        self.api.answered[process.number] = []
        try:
            process.job = open_job(process.journal)
        except BulkError:
            # The file was moved before anything had left: the caller starts the job again.
            process.job = self._prepare(process)
            self.api.jobs[process.number] = process.job.id
        self.trace(process, f"run {process.run} begins: {process.doing}")
        if process.kills:
            self._plan_kill(process, process.kills.pop(0))
        self._guarded(process, self._make_planner)
        self._step(process, process.run, [])

    def _plan_kill(self, process: Process, kill: float) -> None:
        if isinstance(kill, int):
            process.journal.left = kill
            return
        run = process.run

        def die(_at: float) -> None:
            if process.run == run and process.planner is not None:
                self._die(process)

        self.after(kill, die)

    def _make_planner(self, process: Process) -> None:
        assert process.job is not None
        script = process.script
        is_cancel = process.doing == "cancel"
        settings = RunSettings(
            concurrency=script.concurrency,
            send_again="never" if is_cancel else script.send_again,
            limits=MessageLimits(script.queue, script.drain),
            attempts=script.attempts,
        )
        if is_cancel:
            self._withdraw(process)
        if script.is_outbox:
            process.planner = OutboxPlanner(process.desk, process.job, settings, 0.0, self.wall)
            return
        process.planner = Sender(
            process.job, settings, 0.0, self.wall, by_hand=process.doing == "send-again"
        )

    def _withdraw(self, process: Process) -> None:
        assert process.job is not None
        for chunk in process.journal.after(-1, 10_000, state=ChunkState.PLANNED):
            with process.journal.write() as connection:
                process.journal.move(connection, chunk, ChunkState.REJECTED, error=None)

    def _guarded(self, process: Process, work: Callable[[Process], None]) -> None:
        try:
            work(process)
        except KilledError:
            self._die(process)

    def _die(self, process: Process) -> None:
        """All that was running is lost to the process, and its file may be moved."""
        self.outcome.kills += 1
        self.trace(process, "is killed")
        process.planner, process.desk = None, OutboxDesk()
        if process.script.moved:
            self._move(process)
        run = process.run

        def resume(_at: float) -> None:
            if process.run == run:
                self._start(process)

        self.after(process.script.pause, resume)
        if process.script.is_outbox:
            for what in self.callers[process.number].die():
                self._expect(process, what, process.script.pause + self.chance.uniform(0, 60))

    def _move(self, process: Process) -> None:
        """Move the file without the log beside it."""
        assert process.journal.storage.path is not None
        new = process.folder / f"{process.journal.storage.path.stem}x.db"
        shutil.copyfile(process.journal.storage.path, new)
        process.journal.close()
        process.journal = KillableJournal(new)

    def _step(self, process: Process, run: int, done: list[Done]) -> None:
        if process.planner is None or process.run != run:
            return
        process.steps += 1
        if process.stop_at is not None and self.now - process.began >= process.stop_at:
            process.stop_at, process.is_stopping = None, True
            self.trace(process, "is asked to stop")
        if process.steps > MOST_STEPS:
            process.error = "does not end"
            process.planner = None
            return
        try:
            step = process.planner.step(
                self.now - process.began, done, stopping=process.is_stopping
            )
        except KilledError:
            self._die(process)
            return
        self._carry_out(process, run, step)

    def _carry_out(self, process: Process, run: int, step: Step) -> None:
        for call in step.calls:
            if call.purpose == "send":
                self._send(process, run, call)
            else:
                self.outcome.looks += 1
                ending = self.api.look(str(call.arguments["metadata_value"]), self.now)
                self._end_later(process, run, Done(call, ending.value, ending.error), ending.wait)
        if step.finished:
            self._finish(process)
        elif step.wait is not None:
            process.wakes += 1
            wake = process.wakes
            # The next step makes a newer one.
            self.after(step.wait + 1e-6, lambda _: self._wake(process, run, wake))

    def _wake(self, process: Process, run: int, wake: int) -> None:
        if process.wakes == wake:
            self._step(process, run, [])

    def _end_later(self, process: Process, run: int, done: Done, wait: float) -> None:
        def end(_at: float) -> None:
            self._step(process, run, [done])
            if process.run == run and hasattr(done.value, "batch_id"):
                self.api.answered[process.number].append(str(getattr(done.value, "batch_id", "")))

        self.after(wait, end)

    def _send(self, process: Process, run: int, call: BatchCall) -> None:
        content: bytes = getattr(call.arguments["body"], "content")  # noqa: B009 (of an Encoded)
        body = cast("dict[str, Any]", decode(content))
        post, ending = self.api.post(body, self.now)
        self._ask_journal(process, post)
        if not process.queue.take(post, self.now) and not self.scenario.clock_jumps:
            self._problem(process, f"request {post.chunk} overflows the queue of the app")
        self.outcome.posts += 1
        self.outcome.faults[post.truth] += post.truth != "ok"
        self.outcome.doubts += post.truth in {"unreadable", "stale", "timeout", "cut", "odd"}
        self.trace(process, f"request {post.chunk} leaves: {post.truth}")
        done = Done(call, ending.value, ending.error)
        self._end_later(process, run, done, ending.wait)
        if post.truth in {"busy", "unreachable", "refused"}:
            self.after(ending.wait, lambda _: process.queue.give_back(post.count))
        if process.doing == "send-again":
            process.forced.add(post.chunk)

    def _ask_journal(self, process: Process, post: Post) -> None:
        """What a callback has proven to be accepted leaves no more."""
        if post.chunk in process.queue.seen:
            with process.journal.read() as connection:
                chunk = process.journal.chunk(connection, post.chunk)
            if chunk is not None and chunk.certain:
                self._problem(process, f"request {post.chunk} was certain, and left again")

    def _record(self, number: int, event: Event) -> None:
        """The receiver is a process of its own, which nobody kills."""
        process = self.begun[number]
        left, process.journal.left = process.journal.left, None
        assert process.job is not None
        record(process.job, [event])
        process.journal.left = left

    def _finish(self, process: Process) -> None:
        assert process.sender is not None
        process.stopped_by = str(process.sender.stopped_by or "")
        process.planner, process.journal.left = None, None
        self.trace(process, f"run {process.run} ends")
        if process.script.is_outbox:
            self.callers[process.number].look(is_over=True)
        if not process.acts:
            process.is_over = True
            return
        process.doing = process.acts.pop(0)
        if process.doing == "retry":
            process.is_over = True
            self._retry(process)
            return
        self.after(process.script.pause, lambda _: self._start(process))

    def _retry(self, old: Process) -> None:
        """Make a job of those who failed."""
        script = replace(old.script, kills=(), moved=False, stop=None, last="")
        process = self._process(script, old.folder)
        process.old = old
        self.outcome.retries += 1
        self.after(old.script.pause, lambda _: self._begin(process))

    def _problem(self, process: Process, words: str) -> None:
        self.outcome.problems.append(f"job {process.number}: {words}")

    def _check(self, process: Process) -> None:
        """Compare the journal with the ledger of the API, and count."""
        ledger, outcome = Ledger(self.api, covered=self.scenario.model.covered), self.outcome
        for problem in ledger.problems(process):
            self._problem(process, problem)
        if process.number in self.callers and process.script.is_outbox:
            people = {each: self.api.people_of(each) for each in self.api.bodies}
            for problem in self.callers[process.number].problems(people):
                self._problem(process, problem)
        outcome.again += len(process.journal.sent_again())
        for chunk in process.journal.after(-1, 10_000):
            if ledger.is_twice(process, chunk):
                outcome.twice += 1
                outcome.twice_recipients += chunk.count * (len(ledger.batches(process, chunk)) - 1)
            outcome.told += chunk.twice is not None
            if chunk.state is ChunkState.UNKNOWN:
                outcome.unknown += 1
                outcome.unknown_recipients += chunk.count
