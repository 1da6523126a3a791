"""OpenAPI Overlay 1.0: apply the repairs of openapi/overlays to a document."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import jsonpath

from codegen.document import Node, Refused, copied


@dataclass(frozen=True, slots=True)
class Note:
    """An action that had nothing to repair."""

    place: str
    problem: str
    document: str = ""

    def __str__(self) -> str:
        on = f" on {self.document}" if self.document else ""
        return f"{self.place}{on}: {self.problem}; remove or correct the action"


def apply(document: Node, overlay: Node, name: str) -> tuple[Node, list[Note]]:
    """Return the document with every action of the overlay applied in order, and what was idle.

    An action is idle when its target matches nothing, or when the document has its update already:
    the fault that it repaired is gone or is elsewhere now.

    Raises: Refused, naming the overlay and the action, for an invalid action.
    """
    result, notes = copied(document), list[Note]()
    for place, action in actions(overlay, name):
        matches = matched(result, action, place)
        if not matches:
            problem = "matches nothing in the document: the fault is gone, or is elsewhere now"
            notes.append(Note(place, problem))
        elif not _removes(action) and all(_holds(m.obj, action["update"]) for m in matches):
            notes.append(Note(place, "is no longer needed: the document has its update already"))
        else:
            _apply_action(matches, action, place)
    return result, notes


def actions(overlay: Node, name: str) -> Iterator[tuple[str, Node]]:
    """Yield the actions of an overlay, each with its place for messages.

    Raises: Refused for a file that is not an overlay, and for an action without target or reason.
    """
    if not str(overlay.get("overlay", "")).startswith("1."):
        raise Refused(name, "is not an Overlay 1.x file", "start it with overlay: 1.0.0")
    listed = overlay.get("actions")
    if not isinstance(listed, list) or not listed:
        raise Refused(name, "has no list of actions", "add at least one action")
    for number, action in enumerate(listed, 1):
        place = f"{name}, action {number}"
        if not isinstance(action, dict):
            raise Refused(
                place, "is not an action", "give it a target, a description and an update"
            )
        place = f"{place} ({action.get('target')})"
        if not isinstance(action.get("target"), str):
            raise Refused(place, "has no valid JSONPath target", "correct the target")
        if not action.get("description"):
            raise Refused(place, "has no description", "give the reason for the repair")
        if not _removes(action) and "update" not in action:
            raise Refused(place, "neither updates nor removes", "give update or remove: true")
        yield place, action


def matched(document: Node, action: Node, place: str) -> list[jsonpath.JSONPathMatch]:
    """The nodes that the target of an action matches.

    Raises: Refused when the target is not a JSONPath.
    """
    try:
        return list(jsonpath.finditer(action["target"], document))
    except jsonpath.JSONPathError as error:
        raise Refused(place, "has no valid JSONPath target", "correct the target") from error


def _removes(action: Node) -> bool:
    return action.get("remove") is True


def _apply_action(matches: list[jsonpath.JSONPathMatch], action: Node, place: str) -> None:
    if not _removes(action):
        for match in matches:
            _update(match.obj, action["update"], place)
        return
    # From the end, so that removing an item of a list does not move the next one.
    for match in reversed(matches):
        if match.parent is None:
            raise Refused(place, "would remove the whole document", "correct the target")
        holder: Any = match.parent.obj
        del holder[match.parts[-1]]


def _holds(target: object, update: object) -> bool:
    """Whether an update would change nothing; a list that is the target gets an item."""
    if isinstance(target, list):
        return update in target
    return _is_there(target, update)


def _is_there(target: object, update: object) -> bool:
    if isinstance(target, list) and isinstance(update, list):
        # The order of names and of alternatives means nothing.
        return len(target) == len(update) and all(item in target for item in update)
    if isinstance(target, dict) and isinstance(update, dict):
        return all(key in target and _is_there(target[key], value) for key, value in update.items())
    return bool(target == update) and type(target) is type(update)


def _update(target: object, update: Any, place: str) -> None:  # noqa: ANN401 - any JSON value
    if isinstance(target, list):
        target.append(copied(update) if isinstance(update, dict) else update)
    elif isinstance(target, dict) and isinstance(update, dict):
        _merge(target, copied(update))
    else:
        raise Refused(place, "targets a plain value", "target the object that holds it")


def _merge(target: Node, update: Node) -> None:
    for key, value in update.items():
        present = target.get(key)
        if isinstance(present, dict) and isinstance(value, dict):
            _merge(present, value)
        else:
            target[key] = value
