"""Our verdict on every kind of change that a peer knows, and why it differs where it does."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest
from drift.change import worst
from drift.compare import compare

from codegen.document import Node
from tests.helpers.codegen import content, document, obj, operation, parameter, ref
from tests.helpers.drift_rules import RULES, A, Rule


def parts(given: Node) -> dict[str, Node]:
    """The component schemas of the document."""
    found: dict[str, Node] = given["components"]["schemas"]
    return found


def one(given: Node) -> Node:
    """The operation in which rules change something."""
    found: Node = given["paths"]["/p/{project_id}"]["post"]
    return found


def answer(given: Node) -> Node:
    """The response of that operation."""
    found: Node = one(given)["responses"]["200"]
    return found


def set_body(given: Node, required: Any) -> None:
    """Let the operation have a body, required or not, or none."""
    del one(given)["requestBody"]
    if required is not None:
        one(given)["requestBody"] = content(ref("Body")) | {"required": required}


def set_operation(given: Node, more: Node | None) -> None:
    """Let the operation have other keys, or be missing."""
    if more is None:
        del given["paths"]["/p/{project_id}"]["post"]
    else:
        one(given).update(more)


def set_statuses(given: Node, codes: list[str]) -> None:
    """Let the operation respond with these statuses."""
    one(given)["responses"] = {code: answer(given) for code in codes}


def set_media(given: Node, names: list[str]) -> None:
    """Let the response have these media types."""
    answer(given)["content"] = {name: {"schema": ref("Answer")} for name in names}


PLACES: dict[str, Callable[[Node, Any], object]] = {
    "body": lambda d, it: parts(d).update(Body=it),
    "answer": lambda d, it: parts(d).update(Answer=it),
    "request": lambda d, it: parts(d).update(Body=obj(it=it)),
    "response": lambda d, it: parts(d).update(Answer=obj(it=it)),
    "query": lambda d, it: one(d)["parameters"].append(parameter("q", schema=it)),
    "parameters": lambda d, it: one(d)["parameters"].extend(it),
    "headers": lambda d, it: answer(d).update(headers=it),
    "statuses": set_statuses,
    "media": set_media,
    "required": set_body,
    "operation": set_operation,
    "webhooks": lambda d, it: d.update(webhooks=it),
}


def made(place: str, it: Any) -> Node:
    """A document with something at a place; another operation uses the same schemas."""
    tried = operation("A_a", body=ref("Body"), response=ref("Answer"))
    kept = operation("Z_z", response=ref("Answer"))
    given = document({"Answer": A, "Body": A}, {"/p/{project_id}": {"post": tried, "get": kept}})
    result: Node = json.loads(json.dumps(given))
    PLACES[place](result, it)
    return result


@pytest.mark.parametrize("rule", RULES, ids=[f"{one.names} {one.level}" for one in RULES])
def test_change_is_rated_as_the_table_says(rule: Rule) -> None:
    """One small pair of documents for each kind of change."""
    found = compare(made(rule.place, rule.old), made(rule.place, rule.new))
    rated = str(worst(one.kind for one in found)) if found else "none"
    assert rule.verdict == rated, [one.text for one in found]


@pytest.mark.parametrize("rule", RULES, ids=[one.names for one in RULES])
def test_verdict_that_differs_from_the_peer_has_a_reason(rule: Rule) -> None:
    """ERR and WARN break and INFO does not, or the row says why we differ."""
    same = (rule.level in {"ERR", "WARN"}) is (rule.verdict == "breaking")
    assert same is (not rule.why)
