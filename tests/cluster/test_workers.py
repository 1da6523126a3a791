"""Leaders hand requests out and workers send them: each leaves once, whoever dies or sleeps."""

from collections.abc import Iterator
from dataclasses import replace

import pytest

from sinch_wrapper.bulk._calls import BatchCall, Done
from sinch_wrapper.bulk._responses import (
    Accepted,
    Doubtful,
    Later,
    NotLeft,
    Refused,
    Sent,
    Stop,
)
from sinch_wrapper.cluster._call_table import of_job
from sinch_wrapper.cluster._life import WorkerLife, life, may_leave
from sinch_wrapper.cluster._results import as_text, read_text
from sinch_wrapper.errors import BulkError
from tests.helpers.cluster import LEASE, NUMBER, MemoryCluster

pytestmark = pytest.mark.once


@pytest.fixture
def cluster() -> Iterator[MemoryCluster]:
    """A job of three requests."""
    made = MemoryCluster()
    yield made
    made.journal.close()


def call_states(cluster: MemoryCluster) -> list[str]:
    """The state of each call that is written down."""
    with cluster.journal.read() as connection:
        return [row.state for row in of_job(connection, NUMBER)]


def test_what_leaves_is_handed_out_in_the_same_transaction(cluster: MemoryCluster) -> None:
    """Each request that is on its way has a call and a ticket, and no other one has."""
    worker, leader = cluster.worker(), cluster.leader()
    tickets = leader.step()
    assert ["sending"] * 3 == cluster.states()
    assert (["handed"] * 3, 3) == (call_states(cluster), len(tickets))
    for number in tickets:
        worker.perform(number)
    leader.step()
    assert (["accepted"] * 3, []) == (cluster.states(), call_states(cluster))
    assert [0, 1, 2] == sorted(cluster.batch.posts)


def test_one_worker_takes_a_call_however_often_its_ticket_comes(cluster: MemoryCluster) -> None:
    """A ticket that comes twice, to two workers, sends once."""
    one, two, leader = cluster.worker(), cluster.worker(), cluster.leader()
    for number in leader.step():
        prepared = one.prepare(number), two.prepare(number)
        seats = [
            worker.take(each) for worker, each in zip((one, two), prepared, strict=True) if each
        ]
        assert [True, False] == [seat is not None for seat in seats]
        two.perform(number)
    assert [] == cluster.batch.posts


def test_a_new_leader_takes_up_what_is_on_its_way(cluster: MemoryCluster) -> None:
    """What is done is taken, what has left is waited for, what nobody took leaves anew."""
    worker, leader = cluster.worker(), cluster.leader()
    done, left, handed = leader.step()
    worker.perform(done)
    prepared = worker.prepare(left)
    assert prepared
    seat = worker.take(prepared)
    assert seat
    leader = cluster.leader()
    assert ["done", "left", "revoked"] == call_states(cluster)
    cluster.tickets.waiting.clear()
    (again,) = leader.step()
    assert ["accepted", "sending", "sending"] == cluster.states()
    worker.perform(handed)
    worker.perform(again)
    worker.finish(prepared, seat, Done(prepared.call, Accepted("B1")))  # type: ignore[arg-type]  # a call
    leader.step()
    assert ["accepted"] * 3 == cluster.states()
    assert [1, 1, 1] == [chunk.sent for chunk in cluster.journal.after(-1)]
    assert [0, 2] == cluster.batch.posts


def test_calls_of_an_earlier_leader_do_not_leave(cluster: MemoryCluster) -> None:
    """Once another one leads, perhaps without handing out, a call of before is not taken."""
    worker, leader = cluster.worker(), cluster.leader()
    (first, *_) = leader.step()
    prepared = worker.prepare(first)
    assert prepared
    cluster.leader()
    assert None is worker.take(prepared)


def test_the_requests_of_a_dead_worker_are_in_doubt(cluster: MemoryCluster) -> None:
    """Not heard of, and without a session: nobody knows whether its request has left."""
    worker, other, leader = cluster.worker(), cluster.worker(), cluster.leader()
    (first, *others) = leader.step()
    prepared = worker.prepare(first)
    assert prepared
    assert worker.take(prepared)
    cluster.book.holders[1].release()
    for number in others:
        other.perform(number)
    cluster.now += LEASE + 1
    other.beat()
    leader.step(sweeps=True)
    assert ["unknown", "accepted", "accepted"] == cluster.states()
    assert (frozenset(), []) == (leader.desk.held, call_states(cluster))


def test_what_a_silent_worker_has_taken_never_leaves_again_while_its_session_lives(
    cluster: MemoryCluster,
) -> None:
    """A process that was stopped may go on at any time: its request is looked up, and held."""
    worker, other, leader = cluster.worker(), cluster.worker(), cluster.leader()
    (first, *others) = leader.step()
    prepared = worker.prepare(first)
    assert prepared
    seat = worker.take(prepared)
    assert seat
    for number in others:
        other.perform(number)
    cluster.now += LEASE + 1
    other.beat()
    leader.step(sweeps=True)
    assert ("unknown", frozenset({0})) == (cluster.states()[0], leader.desk.held)
    assert {0} == cluster.leader().desk.held
    # It wakes up, and finds that nobody waits.
    assert not worker.may_leave(seat)
    worker.finish(prepared, seat, None)
    assert [] == call_states(cluster)
    leader = cluster.leader()
    leader.step(sweeps=True)
    assert (frozenset(), "unknown") == (leader.desk.held, cluster.states()[0])


def test_a_late_result_changes_nothing(cluster: MemoryCluster) -> None:
    """What a worker writes about a call that was given up on reaches no request."""
    worker, leader = cluster.worker(), cluster.leader()
    (first, *_) = leader.step()
    prepared = worker.prepare(first)
    assert prepared
    seat = worker.take(prepared)
    assert seat
    cluster.now += LEASE + 1
    leader.step(sweeps=True)
    worker.finish(prepared, seat, Done(prepared.call, Accepted("B9")))  # type: ignore[arg-type]  # a call
    leader.step()
    assert "unknown" == cluster.states()[0]


def test_a_worker_that_was_not_confirmed_gives_its_call_back(cluster: MemoryCluster) -> None:
    """Between taking and sending it looks at its lease: the request leaves later, and once."""
    worker, leader = cluster.worker(), cluster.leader()
    (first, *_) = leader.step()
    prepared = worker.prepare(first)
    assert prepared
    seat = worker.take(prepared)
    assert seat
    cluster.now += LEASE / 2
    assert not worker.may_leave(seat)
    worker.finish(prepared, seat, None)
    worker.beat()
    assert worker.may_leave(seat)
    before = len(cluster.tickets.waiting)
    leader.step()
    assert [before + 1, "sending"] == [len(cluster.tickets.waiting), cluster.states()[0]]
    assert 1 == next(iter(cluster.journal.after(-1))).sent


def test_a_worker_on_a_machine_that_slept_sends_nothing(cluster: MemoryCluster) -> None:
    """The monotonic clock of a machine stands still while it sleeps; its other one does not."""
    worker, leader = cluster.worker(), cluster.leader()
    prepared = worker.prepare(leader.step()[0])
    assert prepared
    seat = worker.take(prepared)
    assert seat
    assert worker.may_leave(seat)
    cluster.now += LEASE
    cluster.slept += LEASE
    assert not worker.may_leave(seat)


def test_a_call_whose_ticket_is_lost_is_handed_out_anew(cluster: MemoryCluster) -> None:
    """Its ticket died with a worker that had not taken the call."""
    worker, leader = cluster.worker(), cluster.leader()
    lost = leader.step()[0]
    cluster.tickets.waiting.remove(lost)
    cluster.now += LEASE + 1
    worker.beat()
    leader.step(sweeps=True)
    leader.step()
    assert 3 == len(cluster.tickets.waiting)
    assert "sending" == cluster.states()[0]


def test_a_call_of_a_job_that_was_replaced_does_not_leave(cluster: MemoryCluster) -> None:
    """A corrected command may take the place of a job of which nothing was accepted."""
    worker, leader = cluster.worker(), cluster.leader()
    (first, *_) = leader.step()
    cluster.job = replace(cluster.job, id="another")
    assert None is worker.prepare(first)


def test_the_call_of_another_leaving_says_nothing(cluster: MemoryCluster) -> None:
    """A request that left again meanwhile by other means has nothing to do with the old call."""
    cluster.worker()
    leader = cluster.leader()
    leader.step()
    with cluster.journal.write() as connection:
        cluster.journal.set(connection, 0, last_left=99)
    leader = cluster.leader()
    assert {1, 2} == set(leader.desk.running)
    assert "unknown" == cluster.states()[0]


def test_a_worker_whose_session_was_cut_takes_part_under_a_new_number(
    cluster: MemoryCluster,
) -> None:
    """The old number is struck out once none of its calls is running."""
    worker, leader = cluster.worker(), cluster.leader()
    (first, *_) = leader.step()
    prepared = worker.prepare(first)
    assert prepared
    seat = worker.take(prepared)
    assert seat
    seat.session.release()
    worker.beat()
    worker.beat()
    other = worker.prepare(cluster.tickets.waiting[1])
    assert other
    new = worker.take(other)
    assert new
    assert new.number != seat.number
    worker.finish(prepared, seat, Done(prepared.call, Accepted("B0")))  # type: ignore[arg-type]  # a call
    leader.step()
    worker.beat()
    assert "accepted" == cluster.states()[0]


@pytest.mark.parametrize(
    "sent",
    [
        Accepted("B1", "2030-01-01T00:00:00Z"),
        Refused('{"line": "no"}', shared=True),
        Later(3.0, unreachable=True),
        Doubtful(True, '{"line": "x"}'),
        Stop(),
        NotLeft(),
    ],
    ids=lambda sent: type(sent).__name__,
)
def test_a_result_is_read_as_it_was_written(sent: Sent) -> None:
    """Of each kind, and with the line of the error that said so."""
    call = BatchCall("send", "messages", "send_batch", {}, 1, 0.0)
    done = read_text(call, as_text(sent, BulkError("no way")))
    assert (sent, "no way") == (done.value, str(done.error))


@pytest.mark.parametrize(
    "text", [None, "", "{", "[]", "{}", '{"is": "Nothing"}', '{"is": "Later", "more": 1}', "3"]
)
def test_an_unreadable_result_leaves_the_outcome_unknown(text: str | None) -> None:
    """It is never taken for anything else."""
    call = BatchCall("send", "messages", "send_batch", {}, 1, 0.0)
    assert isinstance(read_text(call, text).value, Doubtful)


@pytest.mark.parametrize(
    ("silence", "has_session", "expected"),
    [
        (0.0, True, WorkerLife.WORKING),
        (30.0, False, WorkerLife.WORKING),
        (30.1, True, WorkerLife.SILENT),
        (30.1, False, WorkerLife.DEAD),
    ],
)
def test_a_worker_is_dead_only_without_a_sign_and_a_session(
    silence: float,
    has_session: bool,  # noqa: FBT001 (a parameter)
    expected: WorkerLife,
) -> None:
    """One of the two is not enough."""
    assert expected is life(silence, 30.0, has_session=has_session)


def test_nothing_leaves_in_the_second_half_of_a_lease() -> None:
    """So a request has left before anybody takes its worker for dead."""
    assert [True, False] == [may_leave(silence, 30.0) for silence in (14.9, 15.0)]
