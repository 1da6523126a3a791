"""The table of callbacks: payload keys, triggers and classes by the names in the document."""

from __future__ import annotations

from pathlib import Path

import pytest

from codegen.callbacks import EVENTS, TRIGGERS, Callback, callbacks
from codegen.document import Node, Refused
from codegen.render import render
from tests.helpers.codegen import STRING, document, enum, obj, ref


def event(key: str, /, **more: object) -> Node:
    """An event as the document writes it: common fields, and one with its payload."""
    return {"allOf": [ref("Common"), obj(**{key: obj()})]} | more


def with_events(*triggers: str, **events: Node) -> Node:
    """A document of events and the triggers of a webhook."""
    union = {"oneOf": [ref(name) for name in events]}
    common = obj(app_id=STRING, message_metadata=STRING)
    schemas = {EVENTS: union, TRIGGERS: enum("UNSPECIFIED_TRIGGER", *triggers), "Common": common}
    return document(schemas | events)


THREE = with_events(
    "MESSAGE_INBOUND",
    "MESSAGE_INBOUND_REDACTION",
    "OPT_IN",
    MessageInboundEvent=event("message"),
    MessageInboundRedactionEvent=event("message_redaction"),
    OptInEvent=event("in"),
)


def test_event_has_the_longest_trigger_that_its_name_begins_with() -> None:
    """The name is the only link, and one trigger may begin another; keys are in order."""
    assert callbacks(THREE) == [
        Callback("in", "OPT_IN", "OptInEvent"),
        Callback("message", "MESSAGE_INBOUND", "MessageInboundEvent"),
        Callback("message_redaction", "MESSAGE_INBOUND_REDACTION", "MessageInboundRedactionEvent"),
    ]


def test_trigger_can_be_named_in_an_overlay() -> None:
    """What the names do not say is said by x-trigger."""
    given = with_events("A", "OPT_IN", News=event("news", **{"x-trigger": "A"}), OptIn=event("in"))
    assert [(one.key, one.trigger) for one in callbacks(given)] == [("in", "OPT_IN"), ("news", "A")]


def test_document_without_events_has_no_callbacks(tmp_path: Path) -> None:
    """Its package has no table."""
    assert callbacks(document()) == []
    assert not (render(document(), "p", "p.yaml", tmp_path, tidy=False) / "callbacks.py").exists()


def test_package_has_the_table(tmp_path: Path) -> None:
    """The table is a module of its own, which needs nothing else of the package."""
    path = render(THREE, "p", "p.yaml", tmp_path, tidy=False) / "callbacks.py"
    found: dict[str, object] = {}
    exec(path.read_text(encoding="utf-8"), found)  # noqa: S102 - what was just rendered
    assert found["TRIGGERS"] == {
        "in": "OPT_IN",
        "message": "MESSAGE_INBOUND",
        "message_redaction": "MESSAGE_INBOUND_REDACTION",
    }
    assert found["MODELS"] == {
        "in": "OptInEvent",
        "message": "MessageInboundEvent",
        "message_redaction": "MessageInboundRedactionEvent",
    }


@pytest.mark.parametrize(
    ("given", "said"),
    [
        (with_events("OPT_IN", News=event("news"), OptIn=event("in")), "News: begins with no"),
        (
            with_events("OPT_IN", OptIn=event("in"), OptInAgain=event("again")),
            "OptInAgain: has the trigger OPT_IN, as OptIn has",
        ),
        (
            with_events("A", "B", A=event("x"), B={"allOf": [ref("A")]}),
            "A: has 0 fields that no other event has",
        ),
        (
            with_events("A", "B", A=event("x"), B=event("y") | obj(z=STRING)),
            "B: has 2 fields that no other event has",
        ),
    ],
)
def test_event_that_cannot_be_told_is_refused(given: Node, said: str) -> None:
    """A table with a gap, or with one trigger for two events, is not written."""
    with pytest.raises(Refused) as caught:
        callbacks(given)
    assert f"components.schemas.{said}" in str(caught.value)
