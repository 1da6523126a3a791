"""OpenAPI Overlay 1.0: apply the repairs of openapi/overlays to a document."""

from __future__ import annotations

from typing import Any

import jsonpath

from codegen.document import Node, Refused, copied


def apply(document: Node, overlay: Node, name: str) -> Node:
    """
    Return the document with every action of the overlay applied in order.

    An action whose target matches nothing is refused: the document has changed under it, and a
    repair that silently stops repairing is worse than none.

    Raises: Refused, naming the overlay and the action.
    """
    if not str(overlay.get("overlay", "")).startswith("1."):
        raise Refused(name, "is not an Overlay 1.x file", "start it with overlay: 1.0.0")
    result = copied(document)
    actions = overlay.get("actions")
    if not isinstance(actions, list) or not actions:
        raise Refused(name, "has no list of actions", "an overlay without them repairs nothing")
    for number, action in enumerate(actions):
        place = f"{name}, action {number + 1}"
        if not isinstance(action, dict):
            raise Refused(place, "is no action", "give it a target, a description and an update")
        place = f"{place} ({action.get('target')})"
        if not isinstance(action.get("target"), str):
            raise Refused(place, "has no valid JSONPath target", "correct the target")
        if not action.get("description"):
            raise Refused(place, "has no description", "give the reason for the repair")
        _apply_action(result, action, place)
    return result


def _apply_action(document: Node, action: Node, place: str) -> None:
    try:
        matches = list(jsonpath.finditer(action["target"], document))
    except jsonpath.JSONPathError as error:
        raise Refused(place, "has no valid JSONPath target", "correct the target") from error
    if not matches:
        raise Refused(place, "matches nothing in the document", "drop or correct the action")
    if action.get("remove") is True:
        # From the back, so that removing one list item does not move the next.
        for match in reversed(matches):
            if match.parent is None:
                raise Refused(place, "would remove the whole document", "correct the target")
            holder: Any = match.parent.obj
            del holder[match.parts[-1]]
    elif "update" in action:
        for match in matches:
            _update(match.obj, action["update"], place)
    else:
        raise Refused(place, "neither updates nor removes", "give update or remove: true")


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
        elif isinstance(present, list) and isinstance(value, list):
            present.extend(value)
        else:
            target[key] = value
