"""What goes on in a cluster, for people, programs and OpenTelemetry; the rate of real processes."""

import json
import subprocess
import sys
import threading
from bisect import bisect_left
from collections.abc import Iterator
from dataclasses import asdict, replace
from itertools import chain
from pathlib import Path
from typing import Any

import pytest
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import InMemoryMetricReader

from sinch_wrapper import RateLimits, Sinch, cluster, text
from sinch_wrapper.bulk._chunks import Chunk
from sinch_wrapper.bulk._evidence import AcceptedRequest
from sinch_wrapper.bulk._job_url import database_url
from sinch_wrapper.bulk._states import ChunkState
from sinch_wrapper.cli import main
from sinch_wrapper.cli._cluster_status import show_cluster, status_lines
from sinch_wrapper.cluster import (
    ClusterStatus,
    DoubtStatus,
    JobStatus,
    KnownRate,
    QueueStatus,
    WorkerStatus,
)
from sinch_wrapper.cluster._database import ClusterDatabase
from sinch_wrapper.cluster._metrics import ClusterGauges
from sinch_wrapper.cluster._status import doubt_status
from sinch_wrapper.errors import DatabaseAwayError
from tests.helpers.bulk import rows
from tests.helpers.postgres import job_in
from tests.helpers.sandbox import Api

pytestmark = pytest.mark.once
PROGRAM = Path(__file__).parents[1] / "programs" / "cluster_rate.py"
STATUS = ClusterStatus(
    (
        WorkerStatus("a:1", "working", 4, 3, 1.0, ("spring",)),
        WorkerStatus("b:2", "silent", 4, 1, 47.0),
    ),
    (KnownRate("P", 741.0, 780.0, 0.1, 900, 30),),
    (QueueStatus("A", 12_000),),
    (
        JobStatus(
            "spring", "a:1", 12_000, 1, 1_000, 4_000, 20_000, 640.0, 7_500.0, 1_600.0, 2,
            (DoubtStatus(17, 1_000, 1, 40.0, "the response was lost", 12, 3),),
        ),
    ),
    2,
)  # fmt: skip


def test_lines_for_people() -> None:
    """Workers, rate, queue, each job with its time left, and each doubt with its evidence."""
    assert [
        "2 workers, 1 job to send, 2 ended",
        "  a:1  working: sends 3 of 4 requests at a time, leads spring",
        "  b:2  silent, not heard of for 47 s: sends 1 of 4 requests at a time",
        "rate of project P: 741 requests per second of 780, lowered by a 429",
        "queue of app A: about 12000 recipients",
        "job spring, led by a:1",
        "  12000 accepted, 1 rejected, 1000 unknown, 4000 on their way, 20000 planned",
        (
            "  640 recipients per second; time until all are accepted: 2 h, until the queue of the "
            "app is empty: 27 min"
        ),
        "  2 requests in doubt",
        (
            "    request 17, 1000 recipients, left once, last 40 s ago: the response was lost; "
            "evidence: 12 accepted before it, 3 that left later"
        ),
        "    and 1 more",
    ] == list(status_lines(STATUS))


def test_watching_outlasts_the_database(capsys: pytest.CaptureFixture[str]) -> None:
    """While the database is away watching says so, and goes on; Ctrl-C ends it."""
    script: list[Any] = [STATUS, DatabaseAwayError("the database is away"), STATUS]

    def read() -> ClusterStatus:
        if not script:
            raise KeyboardInterrupt
        found = script.pop(0)
        if isinstance(found, Exception):
            raise found
        return found  # type: ignore[no-any-return]

    show_cluster(read, as_json=True, watch=True, sleep=lambda _: None)
    printed = capsys.readouterr()
    lines = [json.loads(line) for line in printed.out.splitlines()]
    assert [json.loads(json.dumps(asdict(STATUS)))] * 2 == lines
    assert printed.err.startswith("the database is away\n")


def test_evidence_of_a_doubt() -> None:
    """Elders were accepted before it left, witnesses certainly left after the doubt began."""
    chunk = Chunk(
        7, ChunkState.UNKNOWN, 50, 2, False, None, None, None, '{"line": "lost"}',
        first_left=10, last_left=20, doubted=21, left_at=5_000,
    )  # fmt: skip
    accepted = [
        AcceptedRequest(1, 1, 5),
        AcceptedRequest(2, 2, 15),
        AcceptedRequest(22, 22, 30),
        AcceptedRequest(3, 25, 31, adopted=True),
    ]
    assert DoubtStatus(7, 50, 2, 4.0, "lost", 1, 1) == doubt_status(chunk, accepted, 9_000)


def test_gauges_say_nothing_while_the_database_is_away() -> None:
    """Each gauge has the values of one look; without the database it has none, and comes back."""
    script: list[ClusterStatus | None] = [STATUS, None, replace(STATUS, workers=())]
    now = [0.0]

    def read() -> ClusterStatus:
        found = script.pop(0)
        if found is None:
            raise DatabaseAwayError("away")
        return found

    reader = InMemoryMetricReader()
    provider = MeterProvider([reader])
    ClusterGauges(read, lambda: now[0]).offer(provider.get_meter("test"))
    collected = []
    for _ in range(3):
        data = reader.get_metrics_data()
        collected.append(
            {
                metric.name.removeprefix("sinch.cluster."): [
                    getattr(point, "value", None) for point in metric.data.data_points
                ]
                for resource in (data.resource_metrics if data else ())
                for scope in resource.scope_metrics
                for metric in scope.metrics
            }
        )
        now[0] += 10
    provider.shutdown()
    assert {
        "workers": [1, 1, 0],
        "recipients": [12_000, 1, 1_000, 4_000, 20_000],
        "doubts": [2],
        "queue": [12_000],
        "rate": [741],
    } == collected[0]
    assert [{}, [0, 0, 0]] == [collected[1], collected[2]["workers"]]


def test_an_idle_cluster(address: str) -> None:
    """A database without workers and jobs has nothing to show."""
    assert ClusterStatus((), (), (), (), 0) == cluster.status(address)
    cluster.rate_limiter(address, project_id="P", limits=RateLimits(20, 2)).reserve()
    (rate,) = cluster.status(address).rates
    assert ("P", 20, 20) == (rate.project, rate.rate, rate.full)
    # A busy machine takes another one when the first came late.
    assert rate.slots >= 1


def test_a_job_that_waits_for_workers(sinch: Sinch, api: Api, address: str) -> None:
    """It is shown with its recipients, and without a leader, until a worker has sent it."""
    cluster.send(
        sinch, app_id=api.settings.app_id, message=text("Hi"), recipients=rows(40),
        job=job_in(address, "spring"), chunk_size=10, wait=False,
    )  # fmt: skip
    (job,) = cluster.status(address).jobs
    assert ("spring", "", 40, 0, 0) == (job.name, job.leader, job.planned, job.accepted, job.rate)
    assert (None, 2.0, 0, ()) == (job.eta, job.to_deliver, job.doubts, job.listed)
    stop = threading.Event()
    worker = threading.Thread(target=cluster.work, args=(sinch, address), kwargs={"stop": stop})
    worker.start()
    try:
        cluster.resume(sinch, job_in(address, "spring"))
        found = cluster.status(address)
    finally:
        stop.set()
        worker.join()
    # Each request has taken a slot of the rate that all share, and its place in the app's queue.
    assert ((), 1) == (found.jobs, found.ended)
    assert [sinch.project_id] == [rate.project for rate in found.rates if rate.slots >= 4]
    assert [(api.settings.app_id, True)] == [(q.app, 0 < q.recipients <= 40) for q in found.queues]


def test_gauges_are_offered_for_a_database_that_is_there(address: str, database: str) -> None:
    """observe() reads the database once, so that a wrong address is found at once."""
    cluster.observe(address)
    asked: list[str] = []

    def read(url: str) -> ClusterStatus:
        asked.append(url)
        raise DatabaseAwayError("away")

    with pytest.raises(DatabaseAwayError):
        cluster.observe(database, read=read)
    assert [database] == asked


def test_the_command_shows_a_database(address: str, capsys: pytest.CaptureFixture[str]) -> None:
    """Bulk status with the address of a database shows it; a job has no --watch there."""
    assert 0 == main(["bulk", "status", address])
    assert "0 workers, 0 jobs to send, 0 ended\n" == capsys.readouterr().out
    assert 0 == main(["bulk", "status", address, "--json"])
    assert [] == json.loads(capsys.readouterr().out)["jobs"]
    assert 2 == main(["bulk", "status", "spring.db", "--watch"])


@pytest.fixture
def takers(address: str) -> Iterator[list[subprocess.Popen[str]]]:
    """Three processes that take slots of one rate, 200 a second, as soon as they are told to."""
    shared = ClusterDatabase(database_url(address))
    shared.limiter("P", RateLimits(200, 4))
    shared.close()
    processes = [
        subprocess.Popen(
            [sys.executable, str(PROGRAM), address, "2.5"],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
        )
        for _ in range(3)
    ]  # fmt: skip
    for process in processes:
        assert process.stdout is not None
        assert "ready\n" == process.stdout.readline()
    yield processes
    for process in processes:
        process.kill()
        process.communicate()


def test_processes_share_one_rate(takers: list[subprocess.Popen[str]]) -> None:
    """No second of three processes is above the rate, and none of them gets much less."""
    for process in takers:
        assert process.stdin is not None
        process.stdin.write("go\n")
        process.stdin.flush()
    taken = [json.loads(process.communicate(timeout=60)[0]) for process in takers]
    moments = sorted(chain.from_iterable(taken))
    busiest = max(
        bisect_left(moments, moment + 1.0) - number for number, moment in enumerate(moments)
    )
    # 200 and a burst of 4 by the clock of the database; each of 24 threads may show one late.
    assert 50 < busiest <= 228
    assert min(map(len, taken)) >= 0.3 * max(map(len, taken))
