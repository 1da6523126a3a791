"""The queue of an app that several jobs fill: together they never fill it beyond its limit."""

from collections.abc import Iterator

import pytest

from sinch_wrapper.bulk import MessageLimits
from sinch_wrapper.bulk._queue import SendQueue
from sinch_wrapper.cluster._app_queue import SharedQueue
from tests.helpers.cluster import MemoryCluster
from tests.helpers.shared_database import SharedDatabase

pytestmark = pytest.mark.once
LIMITS = MessageLimits(queue=100, drain=10)


@pytest.fixture
def database() -> Iterator[SharedDatabase]:
    """A database in memory."""
    made = SharedDatabase()
    yield made
    made.close()


class Job:
    """One job of an app, and the clock of its leader."""

    def __init__(self, database: SharedDatabase, app: str, ahead: float) -> None:
        self._database = database
        self._row = SharedQueue(app, database.time)
        self._ahead = ahead
        self.queue = SendQueue(LIMITS)

    def send(self, recipients: int) -> float:
        """Send that many when they have room; returns the seconds until they do."""
        now = self._database.now + self._ahead
        with self._database.write() as connection:
            self._row.enter(connection, self.queue, now)
            wait = self.queue.wait(now, recipients)
            self.queue.add(0 if wait else recipients)
            self._row.leave(connection, self.queue, now)
        return wait


def test_jobs_of_an_app_share_its_queue(database: SharedDatabase) -> None:
    """What one job has sent takes the room of another, whose clock is another; it drains once."""
    spring, summer = Job(database, "A", 5.0), Job(database, "A", 70.0)
    other = Job(database, "B", 0.0)
    assert [0, 0, 2.0] == [spring.send(60), summer.send(40), spring.send(20)]
    assert 0 == other.send(100)
    database.now += 2.0
    assert [0, 2.0] == [summer.send(20), pytest.approx(spring.send(20))]
    database.now += 60.0
    assert [0, 0] == [spring.send(50), summer.send(50)]


def test_a_leader_that_fails_leaves_no_trace(database: SharedDatabase) -> None:
    """What a transaction that fails has counted is forgotten by the next one."""
    job = Job(database, "A", 0.0)
    job.queue.add(90)
    assert 0 == job.send(100)


def test_workers_stop_where_the_queue_of_the_app_is_full() -> None:
    """A leader hands out what the app has room for after all its other jobs."""
    cluster = MemoryCluster(people=5)
    with cluster.journal.write() as connection:
        app = str(cluster.job.request["app_id"])
        other = SharedQueue(app, cluster.around.time)
        queue = SendQueue(LIMITS)
        other.enter(connection, queue, 0.0)
        queue.add(98)
        other.leave(connection, queue, 0.0)
    cluster.worker()
    leader = cluster.leader(limits=LIMITS)
    assert 2 == len(leader.step())
    cluster.now += 0.1
    assert 3 == len(leader.step())
    cluster.journal.close()
