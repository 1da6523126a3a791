"""The state of a recipient follows from the set of its receipts, whatever their order."""

import json

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from sinch_wrapper.bulk import RecipientState
from sinch_wrapper.callbacks import DeliveryState, advance, read_event, settle, state_of
from tests.helpers.bulk import FakeBatchApi, MakeBulk, make_bulk, rows

__all__ = ["make_bulk"]

STATUSES = [
    "QUEUED_ON_CHANNEL",
    "SWITCHING_CHANNEL",
    "DELIVERED",
    "READ",
    "FAILED",
    "QUEUED",
    "NEW",
]

SHUFFLED = st.lists(st.sampled_from(STATUSES), max_size=6).flatmap(
    lambda once: st.tuples(
        st.just(once),
        st.lists(st.sampled_from(once), max_size=6).flatmap(
            lambda twice: st.permutations([*once, *twice])
        )
        if once
        else st.just([]),
    )
)


@given(SHUFFLED)
def test_every_order_and_repetition_ends_the_same(pair: tuple[list[str], list[str]]) -> None:
    """A set of receipts leads to one state, in any order and any number of times."""
    once, shuffled = pair
    assert settle(once) == settle(shuffled)


@given(st.sampled_from(DeliveryState), st.sampled_from(DeliveryState))
def test_state_never_goes_back(old: DeliveryState, new: DeliveryState) -> None:
    """The furthest of two states stays; repeating it changes nothing."""
    order = list(DeliveryState)
    after = advance(old, new)
    assert order.index(after) == max(order.index(old), order.index(new))
    assert after == advance(after, old) == advance(after, new)


@pytest.mark.parametrize(
    ("statuses", "state"),
    [
        ([], None),
        (["NEW", ""], None),
        (["QUEUED_ON_CHANNEL"], DeliveryState.QUEUED),
        (["READ"], DeliveryState.READ),
        (["FAILED", "SWITCHING_CHANNEL"], DeliveryState.FAILED),
        (["SWITCHING_CHANNEL", "QUEUED_ON_CHANNEL"], DeliveryState.QUEUED),
        (["DELIVERED", "FAILED"], DeliveryState.DELIVERED),
        (["READ", "DELIVERED", "QUEUED_ON_CHANNEL"], DeliveryState.READ),
    ],
)
def test_state_of_receipts(statuses: list[str], state: DeliveryState | None) -> None:
    """Read may come without delivered; a late failure does not undo a delivery."""
    assert state == settle(statuses)


def test_unknown_status_tells_nothing() -> None:
    """An unknown status has no state."""
    assert state_of("EXPIRED") is None


def test_states_of_bulk_jobs_are_these() -> None:
    """A recipient of a bulk job has the same states, beside those before any receipt."""
    assert set(DeliveryState) <= set(RecipientState)


@settings(max_examples=20, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(pair=SHUFFLED)
def test_journal_ends_the_same(make_bulk: MakeBulk, pair: tuple[list[str], list[str]]) -> None:
    """The journal of a bulk job ends in the same state as the pure state machine."""
    api = FakeBatchApi()
    bulk = make_bulk(api)
    report = bulk.go(rows(1))
    body = api.sent[-1]
    marks = body["message_metadata"] | body["recipient_and_params"][0]["message_metadata"]
    once, shuffled = pair
    for status in shuffled:
        receipt = {"status": status, "metadata": json.dumps(marks)}
        bulk.record(read_event(json.dumps({"message_delivery_report": receipt}).encode()))
    (recipient,) = report.recipients()
    assert (settle(once) or "accepted") == recipient.state
