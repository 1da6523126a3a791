"""The decisions of the bulk sender, as laws."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sinch_wrapper import ConfigurationError
from sinch_wrapper.bulk import MessageLimits, RecipientState
from sinch_wrapper.bulk._calls import mark_of, read_mark
from sinch_wrapper.bulk._outcomes import RecipientOutcome
from sinch_wrapper.bulk._queue import Outstanding, SendQueue, eta
from sinch_wrapper.bulk._results import read_faults
from sinch_wrapper.bulk._rows_fast import by_bytes
from sinch_wrapper.bulk._states import ChunkState, may_become

TOLD = [RecipientState(name) for name in ("switching", "queued", "failed", "delivered", "read")]


@given(items=st.lists(st.text(max_size=30), min_size=1), limit=st.integers(1, 200))
def test_parts_by_bytes_joined_are_the_input(items: list[str], limit: int) -> None:
    """Each part of more than one item stays below the limit."""

    def encode(part: object) -> bytes:
        return json.dumps(part).encode()

    parts = list(by_bytes(items, encode, limit))
    assert items == [item for part, _ in parts for item in part]
    assert all(len(content) <= limit or len(part) == 1 for part, content in parts)


@given(
    told=st.lists(
        st.builds(RecipientOutcome, st.sampled_from(TOLD), st.sampled_from(["", "A", "B"]))
    ),
    data=st.data(),
)
def test_the_order_of_receipts_does_not_matter(
    told: list[RecipientOutcome], data: st.DataObject
) -> None:
    """Every order of the same receipts ends in the same outcome, reasons included."""

    def end(receipts: list[RecipientOutcome]) -> RecipientOutcome | None:
        last = None
        for receipt in receipts:
            last = receipt if last is None or receipt.outranks(last) else last
        return last

    assert end(told) == end(data.draw(st.permutations(told)))


def test_final_states_of_chunks_are_final() -> None:
    """Accepted and rejected never change, and only unknown or planned chunks may leave."""
    for new in ChunkState:
        assert not may_become(ChunkState.ACCEPTED, new)
        assert not may_become(ChunkState.REJECTED, new)
    leaving = {old for old in ChunkState if may_become(old, ChunkState.SENDING)}
    assert {ChunkState.PLANNED, ChunkState.UNKNOWN} == leaving


@given(
    requests=st.lists(st.tuples(st.integers(1, 1000), st.floats(0, 1000)), max_size=50),
    queue=st.integers(1, 100_000),
    drain=st.floats(0.1, 1000),
)
def test_the_queue_never_overflows(
    requests: list[tuple[int, float]], queue: int, drain: float
) -> None:
    """A sender that waits as long as it must never has more outstanding than the queue holds."""
    limits, now = MessageLimits(queue, drain), 0.0
    outstanding = Outstanding()
    for count, idle in requests:
        now += idle
        outstanding = outstanding.at_time(now, limits)
        now += outstanding.wait_for(count, limits)
        outstanding = outstanding.at_time(now, limits).plus(count)
        assert outstanding.count <= max(queue, count) + 1e-3


def test_a_clock_that_goes_back_drains_nothing() -> None:
    """The estimate only falls with time that has passed."""
    limits = MessageLimits(100, 10)
    assert 50 == Outstanding(50, 1000).at_time(10, limits).count


def test_eta_follows_the_drain_when_the_queue_is_full() -> None:
    """What fits goes at the speed so far, the rest as the queue drains."""
    limits = MessageLimits(500, 20)
    assert eta(0, 0, limits, 0, 0) == 0
    assert eta(10, 0, limits, 0, 5) is None
    assert eta(100, 0, limits, 100, 2) == 2
    assert eta(1500, 0, limits, 100, 1) == 50


@pytest.mark.parametrize(("queue", "drain"), [(0, 1), (1, 0), (1, float("inf"))])
def test_limits_out_of_range_are_refused(queue: int, drain: float) -> None:
    """A queue of nothing and a drain of nothing are mistakes."""
    with pytest.raises(ConfigurationError):
        MessageLimits(queue, drain)


def test_the_queue_waits_longer_each_time_and_forgets() -> None:
    """Setbacks double the pause up to a minute; news of one moment count once; success resets."""
    queue = SendQueue(MessageLimits(queue=10**6))
    now, waits = 0.0, []
    for _ in range(10):
        queue.pause(now, 0, unreachable=False)
        queue.pause(now, 0, unreachable=False)
        waits.append(queue.wait(now, 1))
        now += waits[-1]
    assert [0.5, 1, 2, 4, 8, 16, 32, 60, 60, 60] == pytest.approx(waits)
    queue.clear()
    queue.pause(now, 7, unreachable=False)
    assert pytest.approx(7) == queue.wait(now, 1)
    queue.pause(now + 7, 86400, unreachable=False)
    assert queue.wait(now + 7, 1) <= 60


@given(job=st.text("0123456789abcdef", min_size=1), chunk=st.integers(0, 10**9))
def test_marks_are_read_back_for_their_job_only(job: str, chunk: int) -> None:
    """A mark names one chunk of one job."""
    assert chunk == read_mark(mark_of(job, chunk), job)
    assert read_mark(mark_of(job, chunk), job + "f") is None
    assert read_mark(f"{job}-x", job) is None
    assert read_mark(None, job) is None
    assert read_mark(f"{job}-{'9' * 5000}", job) is None


@pytest.mark.parametrize(
    ("path", "position", "column"),
    [
        ("recipient_and_params[2].parameters.name", 2, "first"),
        ("recipient_and_params[2].parameters['name']", 2, "first"),
        ("recipient_and_params.2.message_metadata.segment", 2, "seg"),
        ("recipient_and_params[2].recipient.identified_by.channel_identities[1].identity", 2, "b"),
        ("recipient_and_params[2]", 2, ""),
        ("message.text_message.text", None, ""),
    ],
)
def test_violations_are_read_to_position_and_column(
    path: str, position: int | None, column: str
) -> None:
    """The path of a violation leads to the recipient and the column it was read from."""
    columns = {
        "to": {"a": "SMS", "b": "RCS"},
        "parameters": {"name": "first"},
        "message_metadata": {"segment": "seg"},
    }
    faults = read_faults(json.dumps({"status": "X", "violations": [[path, "bad"]]}), columns)
    if position is None:
        assert ({}, "X", f"{path}: bad") == (
            faults.named,
            faults.others.reason,
            faults.others.detail,
        )
    else:
        assert (column, "X") == (faults.of(position).column, faults.of(position).reason)
        assert "NOT_SENT" == faults.of(position + 1).reason
