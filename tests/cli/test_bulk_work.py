"""Jobs for workers at the command line: giving, working, and what is said when that cannot be."""

import os
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from sinch_wrapper import cluster
from tests.helpers.bulk import csv_file
from tests.helpers.postgres import job_in
from tests.helpers.sandbox import Api, RunCli, environment_of

pytestmark = pytest.mark.once

NOWHERE = "postgresql://nobody:pass-word@127.0.0.1:1/none"


@pytest.fixture
def address(database: str) -> str:
    """The address of a database that is prepared for workers."""
    cluster.prepare(database)
    return database


StartWorker = Callable[..., "WorkerCommand"]


class WorkerCommand:
    """`bulk work` in a process of its own; *lines* are those that it has said."""

    def __init__(self, api: Api, *words: str) -> None:
        command = [sys.executable, "-m", "sinch_wrapper.cli", "bulk", "work", *words]
        self.process = subprocess.Popen(
            command, env=os.environ | environment_of(api), text=True,
            stdout=subprocess.PIPE, stderr=subprocess.PIPE,
        )  # fmt: skip
        self.lines: list[str] = []
        self._more = threading.Condition()
        self._reader = threading.Thread(target=self._read)
        self._reader.start()

    def _read(self) -> None:
        assert self.process.stderr is not None
        for line in self.process.stderr:
            with self._more:
                # Without the time of the day.
                self.lines.append(line.strip()[9:])
                self._more.notify_all()

    def wait_for(self, words: str) -> None:
        """Wait until a line has these *words*."""
        with self._more:
            assert self._more.wait_for(lambda: any(words in each for each in self.lines), 60)

    def end(self, number: int) -> int:
        """Send it a signal; returns its exit code."""
        self.process.send_signal(number)
        code = self.process.wait(timeout=60)
        self._reader.join()
        return code


@pytest.fixture
def start_worker(api: Api, address: str) -> Iterator[StartWorker]:
    """Starts `bulk work` on the database."""
    begun: list[WorkerCommand] = []

    def start(*words: str, place: str = address) -> WorkerCommand:
        begun.append(WorkerCommand(api, place, *words))
        return begun[-1]

    yield start
    for each in begun:
        each.process.kill()
        each.process.communicate()


def test_a_worker_sends_what_it_is_given_and_ends_gently(
    api: Api, run_cli: RunCli, address: str, tmp_path: Path,
    start_worker: StartWorker,
) -> None:  # fmt: skip
    """It says when it begins, what it leads, and what it has sent; a stop is no failure."""
    job, source = job_in(address, "spring"), csv_file(tmp_path, 20)
    send = ["bulk", "send", str(source), "--app", api.settings.app_id, "--text", "Hi ${name}"]
    send += ["--job", job, "--cluster", "--chunk-size", "5", "--yes"]
    code, out, _ = run_cli(*send, "--no-wait", api=api)
    assert (0, "20 recipients: 20 pending") == (code, out.splitlines()[0])
    assert "Workers go on with it" in out
    worker = start_worker("--concurrency", "2")
    worker.wait_for("job spring is complete")
    code, out, _ = run_cli(*send, api=api)
    assert (0, "20 recipients: 20 accepted") == (code, out.splitlines()[0])
    assert 0 == worker.end(signal.SIGTERM)
    assert "2 requests at a time" in worker.lines[0]
    assert {"leads job spring", "job spring is complete"} < set(worker.lines)
    assert worker.lines[-1].startswith("stopped; ")
    assert "Traceback" not in "".join(worker.lines)


def test_a_worker_waits_for_its_database(start_worker: StartWorker) -> None:
    """At the beginning as well; it says so once, without the password, and can be stopped."""
    worker = start_worker(place=NOWHERE)
    worker.wait_for("nothing leaves until it is back")
    assert 0 == worker.end(signal.SIGINT)
    assert 1 == len(worker.lines)
    assert "pass-word" not in worker.lines[0]


def test_a_job_of_workers_can_be_cancelled(
    api: Api, run_cli: RunCli, address: str, tmp_path: Path
) -> None:
    """They have to let it go first, and then nothing of it leaves."""
    job, source = job_in(address, "spring"), csv_file(tmp_path, 3)
    app = ["--app", api.settings.app_id, "--text", "Hi"]
    give = ["--job", job, "--cluster", "--no-wait", "--yes"]
    assert 0 == run_cli("bulk", "send", str(source), *app, *give, api=api)[0]
    code, _, err = run_cli("bulk", "resume", job, api=api)
    assert (1, True) == (code, "sinch-wrapper bulk resume --cluster" in err)
    code, out, _ = run_cli("bulk", "cancel", job, api=api)
    assert (0, True) == (code, "Withdrawn before sending: 3 recipients" in out)


@pytest.mark.parametrize(
    ("words", "code", "said"),
    [
        (["work", "jobs.db"], 1, "must be the address of a database"),
        (["work", "mysql://host/jobs"], 1, "only PostgreSQL keeps jobs"),
        (["work", NOWHERE, "--concurrency", "0"], 2, "--concurrency"),
        (["work", NOWHERE, "--lease", "0"], 2, "--lease"),
        (["resume", "JOB", "--no-wait"], 2, "--no-wait needs --cluster"),
        (["resume", "JOB", "--cluster", "--concurrency", "3"], 1, "bulk work --concurrency"),
        (["resume", "JOB", "--cluster", "--deadline", "3"], 1, "stop waiting for it"),
        (["resume", "JOB", "--cluster"], 1, "the database has none of this name"),
        (["resume", "job.db", "--cluster"], 1, "must be the address of a job in PostgreSQL"),
    ],
    ids=lambda value: " ".join(value[:1]) if isinstance(value, list) else None,
)
def test_mistakes_are_one_line(  # noqa: PLR0913, PLR0917 (a table, and fixtures)
    words: list[str], code: int, said: str, api: Api, run_cli: RunCli, address: str
) -> None:
    """They name the option or the address, and nothing is sent."""
    words = [job_in(address, "none") if word == "JOB" else word for word in words]
    found, _, err = run_cli("bulk", *words, api=api)
    assert (code, 1) == (found, len(err.splitlines()))
    assert said in err


def test_a_database_without_tables_is_refused(api: Api, run_cli: RunCli, database: str) -> None:
    """The line says which command creates them."""
    code, _, err = run_cli("bulk", "work", database, api=api)
    assert (1, True) == (code, "bulk init" in err)


@pytest.mark.parametrize("missing", ["psycopg", "procrastinate"])
def test_without_the_extra_it_says_what_to_install(missing: str, api: Api) -> None:
    """One line, and nothing else."""
    hidden = f"import sys; sys.modules[{missing!r}] = None\n"
    code = f"{hidden}from sinch_wrapper.cli import main; sys.exit(main())"
    command = [sys.executable, "-c", code, "bulk", "work", NOWHERE]
    environment = os.environ | environment_of(api)
    found = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    assert (1, 1) == (found.returncode, len(found.stderr.splitlines()))
    assert "sinch-wrapper[cluster]" in found.stderr
