"""Events lead back to their batch and recipient, with a degree of confidence."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sinch_wrapper.callbacks import BatchRef, Confidence, Event, batch_ref, read_event
from tests.helpers.callbacks import make_event

R, E, P, C, T = (Confidence[name] for name in ("RESERVED", "ENVELOPE", "PAYLOAD", "CALLER", "TEXT"))
SENTENCE = "Validation failed for batch [B] and message at index [3]. Details: [index [9]]"


def make_receipt(envelope: str = "", metadata: str = "", **report: object) -> Event:
    """A receipt that may name its batch in several places."""
    payload = {"status": "FAILED", "metadata": metadata} | report
    return make_event("message_delivery_report", payload, message_metadata=envelope)


@pytest.mark.parametrize(
    ("envelope", "metadata", "expected"),
    [
        ('{"batchId":"B","messageIndex":150}', "", BatchRef("B", 150, E)),
        ('{"batch_id":"B","message_index":"3"}', "", BatchRef("B", 3, E)),
        ('{"_batch_id":"B"}', "", BatchRef("B", None, E)),
        ("", '{"_batch_id":"B","row":"7"}', BatchRef("B", None, R)),
        ('{"batchId":"B","messageIndex":2}', '{"_batch_id":"B"}', BatchRef("B", 2, R)),
        ('{"batchId":"OTHER","messageIndex":2}', '{"_batch_id":"B"}', BatchRef("B", None, R)),
        ('{"operator":"x"}', '{"_batch_id":"B","messageIndex":9}', BatchRef("B", None, R)),
        ("", '{"_batch_id":"B","batchId":"B","messageIndex":9}', BatchRef("B", None, R)),
        ("", '{"batchId":"B","messageIndex":9}', BatchRef("B", 9, C)),
        ('{"batchId":"B","messageIndex":-1}', "", BatchRef("B", None, E)),
        ('{"batchId":"B","messageIndex":true}', "", BatchRef("B", None, E)),
        ('{"batchId":"B","messageIndex":"x"}', "", BatchRef("B", None, E)),
        ('{"batchId":"B","messageIndex":18446744073709551615}', "", BatchRef("B", None, E)),
        ('{"batchId":"B","messageIndex":"99999999999999999999"}', "", BatchRef("B", None, E)),
        ('{"batchId":7}', "[]", None),
        ("no json", "{", None),
        ("", "", None),
    ],
)
def test_batch_and_index_are_found(envelope: str, metadata: str, expected: BatchRef | None) -> None:
    """Batch id and index are found in every documented place, the most certain first."""
    assert expected == batch_ref(make_receipt(envelope, metadata))


@pytest.mark.parametrize(
    ("description", "expected"),
    [
        (SENTENCE, BatchRef("B", 3, T)),
        ("BATCH [B], INDEX [3]", BatchRef("B", 3, T)),
        ("batch B, index 3", None),
        ("index [3] of batch [B]", None),
        ("batch [] index [3]", None),
        ("x" * 500 + SENTENCE, None),
        ("batch " * 10_000 + "index " * 10_000, None),
        (None, None),
    ],
)
def test_description_is_the_last_resort(description: object, expected: BatchRef | None) -> None:
    """The description of a failure names batch and index, when nothing else does."""
    event = make_receipt(reason={"code": "BAD_REQUEST", "description": description})
    assert expected == batch_ref(event)


def test_description_completes_a_surer_place() -> None:
    """The index may come from the description of a failure, if it names the same batch."""
    reason = {"description": SENTENCE}
    assert BatchRef("B", 3, R) == batch_ref(make_receipt("", '{"_batch_id":"B"}', reason=reason))
    assert BatchRef("X", None, R) == batch_ref(make_receipt("", '{"_batch_id":"X"}', reason=reason))


def test_keys_of_the_payload_itself() -> None:
    """Keys beside the status of a receipt count, and those of a batch notification."""
    assert BatchRef("B", 4, P) == batch_ref(make_receipt(batch_id="B", message_index=4))
    notice = make_event("batch_status_update_notification", {"batch_id": "B"})
    assert BatchRef("B", None, P) == batch_ref(notice)


def test_reply_names_the_batch() -> None:
    """An inbound message carries the batch in the conversation metadata."""
    event = make_event("message", {}, message_metadata='{"_batch_id":"B"}')
    assert BatchRef("B", None, E) == batch_ref(event)


def test_confidences_compare() -> None:
    """Confidences are ordered, so that a caller can ask for at least one of them."""
    assert [T, C, P, E, R] == sorted(Confidence)


@given(st.dictionaries(st.text(), st.text()), st.text(), st.text())
def test_any_event_is_correlated(payload: object, metadata: str, envelope: str) -> None:
    """Whatever an event holds, asking for its batch raises nothing."""
    batch_ref(make_receipt(envelope, metadata, reason=payload))
    batch_ref(read_event(b"{}"))
