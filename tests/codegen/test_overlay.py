"""Overlays: what their actions do, and when they are refused."""

from __future__ import annotations

import copy

import pytest

from codegen.document import Node, Refused
from codegen.overlay import apply

DOCUMENT: Node = {
    "info": {"title": "Things", "version": "1.0"},
    "components": {
        "schemas": {
            "A": {"type": "object", "required": ["a", "b", "c"], "properties": {"a": {"x": 1}}},
            "B": {"oneOf": [{"k": 1}, {"k": 2}, {"k": 1}]},
        }
    },
}


def action(target: str, **more: object) -> Node:
    """An action with its reason."""
    return {"target": target, "description": "A reason."} | more


def applied(*actions: object) -> Node:
    """The schemas after some actions."""
    result, notes = apply(DOCUMENT, {"overlay": "1.0.0", "actions": [*actions]}, "repair.yaml")
    assert notes == []
    schemas: Node = result["components"]["schemas"]
    return schemas


def noted(*actions: object) -> list[str]:
    """The notes of an overlay that changes nothing."""
    overlay = {"overlay": "1.0.0", "actions": [*actions]}
    result, notes = apply(DOCUMENT, overlay, "repair.yaml")
    assert result == DOCUMENT
    return [str(note) for note in notes]


def refused(*actions: object, **more: object) -> Refused:
    """The refusal of an overlay."""
    with pytest.raises(Refused) as caught:
        apply(DOCUMENT, {"overlay": "1.0.0", "actions": [*actions]} | more, "repair.yaml")
    return caught.value


def test_update_merges_objects_at_every_depth() -> None:
    """An update of an object adds and replaces keys, and leaves the others."""
    update = {"properties": {"a": {"y": 2}, "b": {}}, "type": "string"}
    expected = {
        "type": "string",
        "required": ["a", "b", "c"],
        "properties": {"a": {"x": 1, "y": 2}, "b": {}},
    }
    assert expected == applied(action("$.components.schemas.A", update=update))["A"]


def test_update_of_an_object_sets_its_lists() -> None:
    """A list within an update takes the place of the present one: nothing stands in it twice."""
    found = applied(action("$.components.schemas.A", update={"required": ["c", "d"]}))
    assert ["c", "d"] == found["A"]["required"]


@pytest.mark.parametrize("entry", ["d", {"k": 3}])
def test_update_appends_to_a_list(entry: object) -> None:
    """An update of a list is a new entry at its end."""
    found = applied(action("$.components.schemas.B.oneOf", update=entry))
    assert [{"k": 1}, {"k": 2}, {"k": 1}, entry] == found["B"]["oneOf"]


def test_update_of_the_root_reaches_the_document() -> None:
    """The whole document can be the target of an update."""
    overlay = {"overlay": "1.0.0", "actions": [action("$", update={"info": {"version": "2"}})]}
    assert apply(DOCUMENT, overlay, "repair.yaml")[0]["info"] == {"title": "Things", "version": "2"}


def test_update_reaches_every_match() -> None:
    """A target that matches several places changes all of them, each with its own copy."""
    found = applied(
        action("$.components.schemas.*", update={"x": {}}),
        action("$.components.schemas.A.x", update={"only": "here"}),
    )
    assert (found["A"]["x"], found["B"]["x"]) == ({"only": "here"}, {})


@pytest.mark.parametrize(
    ("target", "expected"),
    [
        ("$.components.schemas.B.oneOf[?@.k == 1]", [{"k": 2}]),
        ("$.components.schemas.B.oneOf[0]", [{"k": 2}, {"k": 1}]),
        ("$.components.schemas.B.oneOf[*]", []),
    ],
)
def test_remove_takes_list_items_by_what_they_are(target: str, expected: list[Node]) -> None:
    """Removing several items removes those that matched, though others move meanwhile."""
    assert expected == applied(action(target, remove=True))["B"]["oneOf"]


def test_remove_takes_plain_items_by_value() -> None:
    """One name leaves a required list."""
    target = "$.components.schemas.A.required[?@ == 'b']"
    assert applied(action(target, remove=True))["A"]["required"] == ["a", "c"]


def test_remove_takes_keys_also_those_inside_removed_ones() -> None:
    """Matches may lie inside one another."""
    assert applied(action("$.components.schemas.A..*", remove=True))["A"] == {}


def test_actions_see_what_earlier_ones_did() -> None:
    """Actions are applied in order."""
    found = applied(
        action("$.components.schemas", update={"C": {"type": "object"}}),
        action("$.components.schemas.C", update={"title": "C"}),
    )
    assert found["C"] == {"type": "object", "title": "C"}


def test_document_and_overlay_stay_as_they_were() -> None:
    """Applying an overlay changes neither of its arguments."""
    before = copy.deepcopy(DOCUMENT)
    update: Node = {"properties": {"n": {}}}
    applied(
        action("$.components.schemas.A", update=update),
        action("$.components.schemas.A.properties.n", update={"later": 1}),
    )
    assert (before, {"properties": {"n": {}}}) == (DOCUMENT, update)


@pytest.mark.parametrize(
    ("faulty", "problem"),
    [
        (action("$.components.schemas.A.type", update={}), "targets a plain value"),
        (action("$.components.schemas.A", update="text"), "targets a plain value"),
        (action("$.components.schemas.A"), "neither updates nor removes"),
        (action("$.components.schemas.A", remove=False), "neither updates nor removes"),
        (action("$", remove=True), "would remove the whole document"),
        (action("$.[", remove=True), "has no valid JSONPath target"),
        ({"description": "A reason.", "remove": True}, "has no valid JSONPath target"),
        ({"target": "$.info", "remove": True}, "has no description"),
        ({"target": "$.info", "description": "", "update": {}}, "has no description"),
    ],
)
def test_faulty_action_is_refused_by_its_number(faulty: Node, problem: str) -> None:
    """The refusal names the file, the number of the action, its target and the problem."""
    found = refused(action("$.info", update={}), faulty)
    assert f"repair.yaml, action 2 ({faulty.get('target')})" == found.place
    assert problem in str(found)


@pytest.mark.parametrize("more", [{"update": {"x": 1}}, {"remove": True}])
def test_action_without_target_is_noted(more: Node) -> None:
    """An action whose target is gone changes nothing, and the note says which and what to do."""
    (note,) = noted(action("$.nowhere", **more))
    assert note == (
        "repair.yaml, action 1 ($.nowhere): matches nothing in the document: the fault is "
        "gone, or is elsewhere now; remove or correct the action"
    )


@pytest.mark.parametrize(
    ("target", "update"),
    [
        ("$.info", {"title": "Things"}),
        ("$.info", {}),
        ("$.components.schemas.A", {"required": ["c", "a", "b"], "properties": {"a": {}}}),
        ("$.components.schemas.B.oneOf", {"k": 2}),
    ],
)
def test_update_that_is_present_already_is_noted(target: str, update: object) -> None:
    """A repair that the document has made itself is not made twice."""
    (note,) = noted(action(target, update=update))
    assert note.startswith(
        f"repair.yaml, action 1 ({target}): is no longer needed: the document has its update"
    )


def test_update_that_only_looks_alike_is_applied() -> None:
    """One is not true, and half of an update is none."""
    assert (
        applied(action("$.components.schemas.B.oneOf[0]", update={"k": True}))["B"]["oneOf"][0]["k"]
        is True
    )
    found = applied(action("$.components.schemas.A", update={"required": ["b", "d"]}))
    assert ["b", "d"] == found["A"]["required"]


def test_other_actions_are_applied_beside_an_idle_one() -> None:
    """An action that finds nothing to repair holds up no other."""
    overlay = {
        "overlay": "1.0.0",
        "actions": [action("$.gone", remove=True), action("$.info", update={"x": 1})],
    }
    result, notes = apply(DOCUMENT, overlay, "repair.yaml")
    assert (result["info"]["x"], len(notes)) == (1, 1)


@pytest.mark.parametrize("version", ["2.0.0", "", None])
def test_file_that_is_no_overlay_is_refused(version: object) -> None:
    """Another file, or another version of the format, is not applied."""
    assert "repair.yaml: is not an Overlay 1.x file" in str(refused(overlay=version))


@pytest.mark.parametrize("rest", [{}, {"action": []}, {"actions": None}])
def test_overlay_without_actions_is_refused(rest: Node) -> None:
    """An overlay whose list of actions is missing or misspelt repairs nothing, so it is refused."""
    with pytest.raises(Refused, match=r"^repair\.yaml"):
        apply(DOCUMENT, {"overlay": "1.0.0"} | rest, "repair.yaml")


@pytest.mark.parametrize("faulty", ["text", {"target": 5, "description": "d", "remove": True}])
def test_malformed_action_is_refused(faulty: object) -> None:
    """An action that is not an object, or whose target is not a string, is named."""
    assert "repair.yaml, action 1" in refused(faulty).place
