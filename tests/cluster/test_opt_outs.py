"""Who opts out while workers send: whoever would send to them asks right before it does."""

from pathlib import Path

import pytest

from sinch_wrapper import Sinch, cluster, text
from sinch_wrapper.bulk import SuppressionList
from sinch_wrapper.bulk._campaign import ExcludeOption
from sinch_wrapper.bulk._exclusions import exclude
from sinch_wrapper.bulk._journal import open_job
from sinch_wrapper.errors import BulkError
from tests.cluster.test_cluster import workers
from tests.helpers.bulk import rows
from tests.helpers.cluster import LEASE, MemoryCluster
from tests.helpers.postgres import job_in
from tests.helpers.sandbox import Api

pytestmark = pytest.mark.once


@pytest.fixture
def stop_list(tmp_path: Path) -> Path:
    """An empty suppression list."""
    path = tmp_path / "stop.db"
    SuppressionList(path).close()
    return path


def opt_out(path: Path, number: int) -> None:
    """Put the recipient with this number on the list."""
    with SuppressionList(path) as found:
        found.add(rows(number + 1)[number]["phone"])


def test_who_opts_out_while_a_request_waits_is_left_out(stop_list: Path) -> None:
    """A worker gives a request back in which somebody has opted out; it is built without them."""
    cluster = MemoryCluster(people=4, size=2, exclude=stop_list)
    worker, leader = cluster.worker(), cluster.leader()
    first = list(leader.step())
    opt_out(stop_list, 0)
    for number in first:
        worker.perform(number)
    assert [1] == cluster.batch.posts
    for number in leader.step()[len(first) :]:
        worker.perform(number)
    leader.step()
    assert ([1, 0], ["accepted"] * 2) == (cluster.batch.posts, cluster.states())
    assert [1, 2] == [chunk.count for chunk in cluster.journal.after(-1)]
    worker.close()


def test_a_list_that_a_job_gets_later_is_asked_too(stop_list: Path) -> None:
    """Resumed with one list more, a job has a new leader, and workers that know it ask it."""
    cluster = MemoryCluster(people=2)
    worker = cluster.worker()
    first = cluster.leader().step()[0]
    worker.perform(first)
    given = ExcludeOption((stop_list,))
    exclude(cluster.journal, given, {})
    cluster.job = open_job(cluster.journal)
    *_, last = cluster.leader().step()
    opt_out(stop_list, 1)
    worker.perform(last)
    assert [0] == cluster.batch.posts


@pytest.mark.parametrize(("waited", "expected"), [(LEASE / 2 - 0.1, True), (LEASE / 2, False)])
def test_a_look_at_opt_outs_does_not_count_for_long(waited: float, *, expected: bool) -> None:
    """What stood still after it has looked sends nothing, although it is heard of again."""
    cluster = MemoryCluster(people=1)
    worker, leader = cluster.worker(), cluster.leader()
    prepared = worker.prepare(leader.step()[0])
    assert prepared
    looked = cluster.now, cluster.now
    cluster.now += waited
    worker.beat()
    seat = worker.take(prepared)
    assert seat
    assert expected is worker.may_leave(seat, looked)


def test_a_list_that_is_gone_lets_nothing_leave(stop_list: Path) -> None:
    """A worker that cannot know who has opted out sends nothing."""
    cluster = MemoryCluster(people=1, exclude=stop_list)
    worker, leader = cluster.worker(), cluster.leader()
    (number,) = leader.step()
    stop_list.unlink()
    with pytest.raises(BulkError):
        worker.perform(number)
    assert [] == cluster.batch.posts


@pytest.mark.xdist_group("postgres")
def test_a_list_in_the_database_of_the_workers(sinch: Sinch, api: Api, address: str) -> None:
    """Workers on any machine look into it."""
    path = job_in(address, "spring").replace("job=spring", "list=stop")
    with SuppressionList(path) as found:
        found.add(rows(3)[2]["phone"])
    with workers(sinch, address, 1):
        report = cluster.send(
            sinch, app_id=api.settings.app_id, message=text("Hi"), recipients=rows(6),
            job=job_in(address, "spring"), chunk_size=2, exclude=path,
        )  # fmt: skip
    assert (5, 1, True) == (report.accepted, report.suppressed, report.complete)
