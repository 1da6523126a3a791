"""Newer shapes of the template document, as an official update might bring them."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

from codegen.document import Node
from tests.helpers.codegen import STRING, content, enum, obj, parameter, ref

FROZEN = Path(__file__).parents[1] / "codegen" / "documents" / "template.yaml"
"""The template document of one day, so that no official update changes what tests expect."""
TEMPLATES = "/v2/projects/{project_id}/templates"
ONE = TEMPLATES + "/{template_id}"
PARAMETERS = [parameter("project_id", "path"), parameter("template_id", "path")]


def named(given: Node) -> dict[str, Node]:
    """The component schemas."""
    found: dict[str, Node] = given["components"]["schemas"]
    return found


def operation(identifier: str, tag: str) -> Node:
    """An operation on one template that responds with it."""
    return {
        "operationId": identifier,
        "tags": [tag],
        "summary": "Copy a template.",
        "parameters": PARAMETERS,
        "responses": {"200": content(ref("v2Template"))},
    }


def add_operation(given: Node) -> None:
    """Let templates be copied."""
    new = operation("Templates_v2_CopyTemplate", "Templates V2")
    given["paths"][ONE + ":copy"] = {"post": new}


def add_tag(given: Node) -> None:
    """Bring an operation under a tag of its own."""
    given["paths"][ONE + ":copy"] = {"post": operation("Copies_CopyTemplate", "Copies")}


def add_enum_value(given: Node) -> None:
    """Let a card be huge."""
    named(given)["CardHeight"]["enum"].append("HUGE")


def rename_schema(given: Node) -> None:
    """Call coordinates a position."""
    found = named(given)
    found["Position"] = found.pop("Coordinates")
    where = found["LocationMessageField"]["properties"]["location_message"]
    where["properties"]["coordinates"] = ref("Position")


def add_message_kind(given: Node) -> None:
    """Let a translation be a hologram, in an alternative that does not require its key."""
    found = named(given)
    inner = obj(["url"], url=STRING) | {"description": "A hologram."}
    found["HologramMessageField"] = obj(hologram_message=inner)
    found["v2MessageTypes"]["oneOf"].append(ref("HologramMessageField"))


def remove_field(given: Node) -> None:
    """Drop the description of a template."""
    del named(given)["v2Template"]["properties"]["description"]


def older_openapi(given: Node) -> None:
    """Write the same in OpenAPI 3.0."""
    given["openapi"] = "3.0.3"
    spell_null(given)


def spell_null(node: Any) -> None:
    """Write types that include null as 3.0 does, at any depth."""
    if isinstance(node, list):
        for item in node:
            spell_null(item)
    elif isinstance(node, dict):
        kinds = node.get("type")
        if isinstance(kinds, list):
            node["type"] = next(kind for kind in kinds if kind != "null")
            node["nullable"] = True
        for value in node.values():
            spell_null(value)


def write_inline(given: Node) -> None:
    """Write the coordinates where they are used, under their old name as a title."""
    found = named(given)
    inline = found.pop("Coordinates") | {"title": "Coordinates"}
    where = found["LocationMessageField"]["properties"]["location_message"]
    where["properties"]["coordinates"] = inline


def add_parameter(given: Node) -> None:
    """Let the list be filtered."""
    listing = given["paths"][TEMPLATES]["get"]
    listing.setdefault("parameters", []).append(parameter("channel", schema=enum("SMS", "RCS")))


def repair_itself(given: Node) -> None:
    """Let the document require the key that an overlay has to add so far."""
    named(given)["TextMessageField"]["required"] = ["text_message"]


def lose_repaired_schema(given: Node) -> None:
    """Drop an alternative that an overlay repairs."""
    found = named(given)
    del found["ContactInfoMessageField"]
    found["v2MessageTypes"]["oneOf"] = [
        part for part in found["v2MessageTypes"]["oneOf"] if "ContactInfo" not in part["$ref"]
    ]


SHAPES: dict[str, Callable[[Node], None]] = {
    "added operation": add_operation,
    "new tag": add_tag,
    "new enum value": add_enum_value,
    "renamed schema": rename_schema,
    "new message kind": add_message_kind,
    "removed field": remove_field,
    "OpenAPI 3.0": older_openapi,
    "inline instead of component": write_inline,
    "added parameter": add_parameter,
    "repaired by itself": repair_itself,
    "lost a repaired schema": lose_repaired_schema,
}
