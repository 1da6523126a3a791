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
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path
from random import Random
from typing import Any, cast

from sinch_wrapper import BulkError, text
from sinch_wrapper._json import decode
from sinch_wrapper.bulk._callbacks import record
from sinch_wrapper.bulk._calls import BatchCall, Done, Step
from sinch_wrapper.bulk._job_spec import message_spec
from sinch_wrapper.bulk._journal import Chunk, Job, open_job
from sinch_wrapper.bulk._options import RunSettings, SendOptions, read_options
from sinch_wrapper.bulk._prepare import prepare
from sinch_wrapper.bulk._queue import MessageLimits
from sinch_wrapper.bulk._sender import Sender
from sinch_wrapper.bulk._sources import source_of
from sinch_wrapper.bulk._states import ChunkState
from sinch_wrapper.callbacks import Event
from tests.simulation.api import CALM, STORM, Post, SimulatedApi
from tests.simulation.journals import KillableJournal, KilledError, journal_at, put_back
from tests.simulation.scenario import JobScript, Scenario

APP = "01J0SANDB0X0APP00000000000"
# Steps after which a job is said not to end; no seed that was tried takes a half.
MOST_STEPS = 5_000


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
    seconds: float = 0.0
    faults: Counter[str] = field(default_factory=Counter)
    trace: list[str] = field(default_factory=list)


@dataclass
class Process:
    """One job and the process that sends it: dies, is resumed, and comes to its last act."""

    number: int
    script: JobScript
    folder: Path
    journal: KillableJournal
    job: Job | None = None
    planner: Sender | None = None
    run: int = 0
    kills: list[float] = field(default_factory=list)
    began: float = 0.0
    stop_at: float | None = None
    acts: list[str] = field(default_factory=list)
    doing: str = "send"
    steps: int = 0
    wakes: int = 0
    is_stopping: bool = False
    stopped_by: str = ""
    queued: float = 0.0
    queued_at: float = 0.0
    forced: set[int] = field(default_factory=set)
    seen: set[int] = field(default_factory=set)
    is_over: bool = False
    error: str = ""


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
            for number, script in enumerate(self.scenario.jobs):
                process = self._process(number, script, Path(folder))
                self.after(script.begins, lambda _, process=process: self._begin(process))  # type: ignore[misc]  # bound here
            while self._heap:
                self.now, _, what = heapq.heappop(self._heap)
                what(self.now)
            for process in self.processes:
                self._check(process)
                put_back(process.journal)
        self.outcome.seconds = self.now
        return self.outcome

    def _process(self, number: int, script: JobScript, folder: Path) -> Process:
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
        options = read_options("send()", {"chunk_size": script.chunk_size}, SendOptions)
        spec = message_spec(APP, text("Hi"), options)
        start = self.processes.index(process) * 1_000_000
        rows = [{"phone": f"+4670{start + n:07d}"} for n in range(script.recipients)]
        source = source_of("recipients", rows)
        return prepare(process.journal, spec, source, "P", self.wall, lambda: False)

    def _begin(self, process: Process) -> None:
        process.job = self._prepare(process)
        process.number = len(self.begun)
        self.begun.append(process)
        self.api.jobs.append(process.job.id)
        self.outcome.recipients += process.script.recipients
        self._start(process)

    def _start(self, process: Process) -> None:
        """Start a run: the first one, or one after a kill, a stop or an end."""
        if self.scenario.clock_jumps and process.run:
            self.offset += self.chance.uniform(-90_000, 90_000)
        process.run += 1
        process.journal.wall = self.wall
        process.began, process.is_stopping = self.now, False
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
        )
        if is_cancel:
            self._withdraw(process)
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
        process.planner = None
        if process.script.moved:
            self._move(process)
        run = process.run

        def resume(_at: float) -> None:
            if process.run == run:
                self._start(process)

        self.after(process.script.pause, resume)

    def _move(self, process: Process) -> None:
        """Move the file without the log beside it."""
        assert process.journal.path is not None
        new = process.folder / f"{process.journal.path.stem}x.db"
        shutil.copyfile(process.journal.path, new)
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
        self._pace(process, post)
        self.outcome.posts += 1
        self.outcome.faults[post.truth] += post.truth != "ok"
        self.outcome.doubts += post.truth in {"unreadable", "stale", "timeout", "cut", "odd"}
        self.trace(process, f"request {post.chunk} leaves: {post.truth}")
        done = Done(call, ending.value, ending.error)
        self._end_later(process, run, done, ending.wait)
        if post.truth in {"busy", "unreachable", "refused"}:
            self.after(ending.wait, lambda _: self._unpace(process, post.count))
        if process.doing == "send-again":
            process.forced.add(post.chunk)

    def _record(self, number: int, event: Event) -> None:
        """The receiver is a process of its own, which nobody kills."""
        process = self.begun[number]
        left, process.journal.left = process.journal.left, None
        assert process.job is not None
        record(process.job, [event])
        process.journal.left = left

    def _finish(self, process: Process) -> None:
        assert process.planner is not None
        process.stopped_by = str(process.planner.stopped_by or "")
        process.planner, process.journal.left = None, None
        self.trace(process, f"run {process.run} ends")
        if not process.acts:
            process.is_over = True
            return
        process.doing = process.acts.pop(0)
        self.after(process.script.pause, lambda _: self._start(process))

    def _pace(self, process: Process, post: Post) -> None:
        """Keep the books about the queue of the app, and compare them with what is allowed."""
        script = process.script
        drained = script.drain * (self.now - process.queued_at)
        process.queued = max(0.0, process.queued - drained) + post.count
        process.queued_at = self.now
        if post.chunk in process.seen:
            # The one before has no place any more, or this one would not have left.
            process.queued = max(float(post.count), process.queued - post.count)
        process.seen.add(post.chunk)
        most = max(script.queue, post.count) + script.chunk_size
        if process.queued > most and not self.scenario.clock_jumps:
            self._problem(process, f"request {post.chunk} overflows the queue: {process.queued}")

    def _unpace(self, process: Process, count_: int) -> None:
        process.queued = max(0.0, process.queued - count_)

    def _problem(self, process: Process, words: str) -> None:
        self.outcome.problems.append(f"job {process.number}: {words}")

    def _check(self, process: Process) -> None:
        """Compare the journal with the ledger of the API."""
        if process.error or not process.is_over:
            self._problem(process, process.error or "did not end")
        chunks = process.journal.after(-1, 10_000)
        total = sum(chunk.count for chunk in chunks)
        if total != process.script.recipients:
            self._problem(process, f"{process.script.recipients} recipients, {total} in requests")
        for chunk in chunks:
            self._compare(process, chunk)
        again = process.journal.sent_again()
        self.outcome.again += len(again)
        by_itself = [chunk.id for chunk, evidence in again if evidence is not None]
        if process.script.send_again == "never" and by_itself:
            self._problem(process, f"requests {by_itself} left again by themselves")

    def _compare(self, process: Process, chunk: Chunk) -> None:
        batches = self.api.accepted.get((process.number, chunk.id), [])
        is_twice = len(batches) > 1
        is_covered = self.scenario.model.covered or process.script.send_again == "never"
        if is_twice and chunk.id not in process.forced:
            self.outcome.twice += 1
            self.outcome.twice_recipients += chunk.count * (len(batches) - 1)
            if is_covered:
                self._problem(process, f"request {chunk.id} was accepted as {batches}")
        self.outcome.told += chunk.twice is not None
        if chunk.twice and (not is_twice or chunk.twice not in batches):
            self._problem(process, f"request {chunk.id} is told to be {chunk.twice} too")
        if chunk.state is ChunkState.ACCEPTED and chunk.batch_id not in batches:
            self._problem(process, f"request {chunk.id} is {chunk.batch_id}, but was {batches}")
        if chunk.state in {ChunkState.REJECTED, ChunkState.PLANNED} and batches:
            self._problem(process, f"request {chunk.id} is {chunk.state}, but was {batches}")
        if chunk.state is ChunkState.SENDING:
            self._problem(process, f"request {chunk.id} is still being sent")
        if chunk.state is ChunkState.PLANNED and not process.stopped_by:
            self._problem(process, f"request {chunk.id} never left")
        if chunk.state is ChunkState.UNKNOWN:
            self.outcome.unknown += 1
            self.outcome.unknown_recipients += chunk.count
