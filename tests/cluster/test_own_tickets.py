"""A ticket that comes to one worker twice does no harm."""

import pytest

from tests.helpers.cluster import MemoryCluster

pytestmark = pytest.mark.once


def test_a_worker_takes_a_call_once_while_it_is_busy_with_it() -> None:
    """What it says about the one time would be taken for the other."""
    cluster = MemoryCluster(people=1)
    worker, leader = cluster.worker(), cluster.leader()
    (number,) = leader.step()
    first, second = worker.prepare(number), worker.prepare(number)
    assert first
    assert second
    assert worker.take(first)
    assert None is worker.take(second)
    cluster.journal.close()
