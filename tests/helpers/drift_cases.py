"""Documents that differ from one another in one thing each."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from drift.change import Direction, Kind

from codegen.document import Node
from tests.helpers.codegen import (
    STRING,
    THINGS,
    content,
    document,
    enum,
    listed,
    obj,
    operation,
    parameter,
    ref,
)

NUMBER: Node = {"type": "number"}
SCHEMAS = "#/components/schemas"
PATH = "#/paths/" + THINGS.replace("/", "~1")
ONE = PATH + "~1{thing_id}"


def base() -> Node:
    """The document that everything is compared with."""
    components = {
        "Thing": obj(
            ["id"],
            id=STRING,
            kind=enum("ROUND", "FLAT"),
            size=NUMBER,
            owner=ref("Owner"),
            look=ref("Look"),
        ),
        "Owner": obj(name=STRING),
        "Look": {"oneOf": [ref("Plain"), ref("Painted")]},
        "Plain": obj(["plain"], plain=obj(text=STRING)),
        "Painted": obj(["painted"], painted=obj(colour=STRING)),
        "Draft": obj(
            ["name"],
            name=STRING,
            note=STRING,
            kind=enum("ROUND", "FLAT"),
            size=NUMBER,
            parts={**listed(STRING), "maxItems": 10},
            owner=ref("Owner"),
            look=ref("Look"),
        ),
        "ThingEvent": obj(thing_id=STRING, state=enum("NEW", "OLD")),
    }
    colour = parameter("colour", schema=enum("RED", "BLUE"))
    names = parameter("names", schema=listed(STRING))
    page = obj(things=listed(ref("Thing")), next_page_token=STRING)
    paths = {
        THINGS: {
            "get": operation("Things_ListThings", colour, names, response=page),
            "post": operation("Things_MakeThing", body=ref("Draft"), response=ref("Thing")),
        },
        THINGS + "/{thing_id}": {
            "get": operation(
                "Things_GetThing", parameter("thing_id", "path"), response=ref("Thing")
            ),
        },
    }
    result = document(components, paths)
    result["servers"] = [{"url": "https://eu.example.test"}]
    result["security"] = [{"basic": []}]
    result["components"]["securitySchemes"] = {
        "basic": {"type": "http", "scheme": "basic"},
        "bearer": {"type": "http", "scheme": "bearer"},
    }
    # Through JSON, because the parts above are shared between places.
    found: Node = json.loads(json.dumps(result))
    return found


@dataclass(frozen=True)
class Case:
    """A change, and how it is to be reported."""

    name: str
    change: Callable[[Node], Any]
    kind: Kind
    direction: Direction = Direction.NONE
    pointer: str = ""
    text: str = ""

    def revision(self) -> Node:
        """The document after the change."""
        result = base()
        self.change(result)
        return result


def schema(given: Node, name: str) -> Node:
    """A component schema."""
    found: Node = given["components"]["schemas"][name]
    return found


def field(given: Node, name: str, key: str) -> Node:
    """A property of a component schema."""
    found: Node = schema(given, name)["properties"][key]
    return found


def get(given: Node) -> Node:
    """The operation that lists things."""
    found: Node = given["paths"][THINGS]["get"]
    return found


def rename(given: Node) -> None:
    """Call the owner a person."""
    found = given["components"]["schemas"]
    found["Person"] = found.pop("Owner")
    for name in ("Thing", "Draft"):
        found[name]["properties"]["owner"] = ref("Person")


def write_inline(given: Node) -> None:
    """Write the owner where it is used."""
    field(given, "Thing", "owner").clear()
    field(given, "Thing", "owner").update(obj(name=STRING))


def move(given: Node) -> None:
    """Give the operations of a path another one."""
    given["paths"]["/v2/things/{thing_id}"] = given["paths"].pop(THINGS + "/{thing_id}")


def rename_parameter(given: Node) -> None:
    """Call a path parameter otherwise."""
    item = given["paths"].pop(THINGS + "/{thing_id}")
    item["get"]["parameters"][1]["name"] = "key"
    given["paths"][THINGS + "/{key}"] = item


def modernise(given: Node) -> None:
    """Write the same in OpenAPI 3.1."""
    given["openapi"] = "3.1.0"


REQUEST, RESPONSE, BOTH = Direction.REQUEST, Direction.RESPONSE, Direction.BOTH
NEUTRAL, ADDITIVE, BREAKING = Kind.NEUTRAL, Kind.ADDITIVE, Kind.BREAKING
DRAFT, THING, OWNER = (f"{SCHEMAS}/{name}/properties" for name in ("Draft", "Thing", "Owner"))
BASIC = {"type": "http", "scheme": "basic"}

# The kind of the whole, and the place of the worst change.
CASES = [
    Case("nothing", lambda _: None, NEUTRAL),
    Case(
        "type narrowed in a request",
        lambda d: field(d, "Draft", "size").update(type="integer"),
        BREAKING,
        REQUEST,
        f"{DRAFT}/size/type",
    ),
    Case(
        "type narrowed in a response",
        lambda d: field(d, "Thing", "size").update(type="integer"),
        ADDITIVE,
        RESPONSE,
        f"{THING}/size/type",
    ),
    Case(
        "enum value removed from a request",
        lambda d: field(d, "Draft", "kind")["enum"].pop(),
        BREAKING,
        REQUEST,
        f"{DRAFT}/kind/enum",
    ),
    Case(
        "enum value added to a response",
        lambda d: field(d, "Thing", "kind")["enum"].append("X"),
        ADDITIVE,
        RESPONSE,
        f"{THING}/kind/enum",
    ),
    Case(
        "field made required",
        lambda d: schema(d, "Draft")["required"].append("note"),
        BREAKING,
        REQUEST,
        f"{SCHEMAS}/Draft/required",
    ),
    Case(
        "maxItems lowered",
        lambda d: field(d, "Draft", "parts").update(maxItems=5),
        BREAKING,
        REQUEST,
        f"{DRAFT}/parts/maxItems",
    ),
    Case(
        "format became a moment",
        lambda d: field(d, "Thing", "id").update(format="date-time"),
        BREAKING,
        RESPONSE,
        f"{THING}/id/format",
    ),
    Case(
        "null in a response",
        lambda d: field(d, "Thing", "id").update(nullable=True),
        BREAKING,
        RESPONSE,
    ),
    Case(
        "field added to a request",
        lambda d: schema(d, "Draft")["properties"].update(x=STRING),
        ADDITIVE,
        REQUEST,
        f"{DRAFT}/x",
    ),
    Case(
        "field removed from a request",
        lambda d: schema(d, "Draft")["properties"].pop("note"),
        BREAKING,
        REQUEST,
        f"{DRAFT}/note",
    ),
    Case(
        "field added to a response",
        lambda d: schema(d, "Thing")["properties"].update(x=STRING),
        ADDITIVE,
        RESPONSE,
        f"{THING}/x",
    ),
    Case(
        "field removed from a response",
        lambda d: schema(d, "Thing")["properties"].pop("size"),
        BREAKING,
        RESPONSE,
        f"{THING}/size",
    ),
    Case(
        "field removed both ways",
        lambda d: schema(d, "Owner")["properties"].pop("name"),
        BREAKING,
        BOTH,
        f"{OWNER}/name",
    ),
    Case(
        "operation removed",
        lambda d: d["paths"][THINGS].pop("post"),
        BREAKING,
        BOTH,
        f"{PATH}/post",
    ),
    Case("operation moved", move, BREAKING, BOTH),
    Case(
        "operationId renamed",
        lambda d: get(d).update(operationId="Things_FindThings"),
        BREAKING,
        BOTH,
        f"{PATH}/get/operationId",
    ),
    Case(
        "tag changed", lambda d: get(d).update(tags=["Items"]), BREAKING, BOTH, f"{PATH}/get/tags"
    ),
    Case(
        "required parameter added",
        lambda d: get(d)["parameters"].append(parameter("q", required=True)),
        BREAKING,
        REQUEST,
        f"{PATH}/get/parameters/3",
    ),
    Case(
        "parameter removed",
        lambda d: get(d)["parameters"].pop(),
        BREAKING,
        REQUEST,
        f"{PATH}/get/parameters/2",
    ),
    Case(
        "parameter made required",
        lambda d: get(d)["parameters"][1].update(required=True),
        BREAKING,
        REQUEST,
        f"{PATH}/get/parameters/1/required",
    ),
    Case("path parameter renamed", rename_parameter, BREAKING, REQUEST),
    Case("security changed", lambda d: d.update(security=[{"bearer": []}]), BREAKING, REQUEST),
    Case(
        "server changed",
        lambda d: d["servers"][0].update(url="https://us.example.test"),
        BREAKING,
        REQUEST,
    ),
    Case(
        "description only", lambda d: field(d, "Thing", "id").update(description="Its id."), NEUTRAL
    ),
    Case("schema renamed", rename, NEUTRAL),
    Case("schema written inline", write_inline, NEUTRAL),
    Case("OpenAPI 3.1", modernise, NEUTRAL),
    Case(
        "alternative added",
        lambda d: schema(d, "Look")["oneOf"].append(ref("Owner")),
        ADDITIVE,
        BOTH,
        f"{SCHEMAS}/Look/oneOf/2",
    ),
    Case(
        "alternative removed",
        lambda d: schema(d, "Look")["oneOf"].pop(),
        BREAKING,
        BOTH,
        f"{SCHEMAS}/Look/oneOf/1",
    ),
    Case(
        "callback field removed",
        lambda d: schema(d, "ThingEvent")["properties"].pop("state"),
        BREAKING,
        RESPONSE,
        f"{SCHEMAS}/ThingEvent/properties/state",
    ),
    Case(
        "operation added",
        lambda d: d["paths"][THINGS].update(put=operation("Things_Put")),
        ADDITIVE,
        BOTH,
        f"{PATH}/put",
    ),
    Case(
        "enum value added to a request",
        lambda d: field(d, "Draft", "kind")["enum"].append("X"),
        ADDITIVE,
        REQUEST,
        f"{DRAFT}/kind/enum",
    ),
    Case(
        "parameter added",
        lambda d: get(d)["parameters"].append(parameter("q")),
        ADDITIVE,
        REQUEST,
        f"{PATH}/get/parameters/3",
    ),
    Case(
        "type changed",
        lambda d: field(d, "Draft", "size").update(type="string"),
        BREAKING,
        REQUEST,
        f"{DRAFT}/size/type",
    ),
    Case(
        "enum value removed from a response",
        lambda d: field(d, "Thing", "kind")["enum"].pop(),
        ADDITIVE,
        RESPONSE,
        f"{THING}/kind/enum",
    ),
    Case(
        "field no longer required",
        lambda d: schema(d, "Draft").update(required=[]),
        ADDITIVE,
        REQUEST,
        f"{SCHEMAS}/Draft/required",
    ),
    Case(
        "maxItems raised",
        lambda d: field(d, "Draft", "parts").update(maxItems=20),
        ADDITIVE,
        REQUEST,
        f"{DRAFT}/parts/maxItems",
    ),
    Case(
        "pattern added",
        lambda d: field(d, "Draft", "name").update(pattern="^a"),
        BREAKING,
        REQUEST,
        f"{DRAFT}/name/pattern",
    ),
    Case(
        "path removed",
        lambda d: d["paths"].pop(THINGS + "/{thing_id}"),
        BREAKING,
        BOTH,
        f"{ONE}/get",
    ),
    Case(
        "path added",
        lambda d: d["paths"].update({"/new": {"get": operation("New_Get")}}),
        ADDITIVE,
        BOTH,
        "#/paths/~1new/get",
    ),
    Case(
        "operation deprecated",
        lambda d: get(d).update(deprecated=True),
        ADDITIVE,
        BOTH,
        f"{PATH}/get/deprecated",
    ),
    Case(
        "parameter joined by commas",
        lambda d: get(d)["parameters"][2].update(explode=False),
        BREAKING,
        REQUEST,
        f"{PATH}/get/parameters/2/explode",
    ),
    Case(
        "body made required",
        lambda d: d["paths"][THINGS]["post"]["requestBody"].update(required=True),
        BREAKING,
        REQUEST,
        f"{PATH}/post/requestBody/required",
    ),
    Case(
        "response added",
        lambda d: get(d)["responses"].update({"404": content(obj())}),
        ADDITIVE,
        RESPONSE,
        f"{PATH}/get/responses/404",
    ),
    Case(
        "authentication added",
        lambda d: d["security"].append({"bearer": []}),
        ADDITIVE,
        REQUEST,
    ),
    Case(
        "server added",
        lambda d: d["servers"].append({"url": "https://us.example.test"}),
        ADDITIVE,
        REQUEST,
        "#/servers/1",
    ),
    Case("summary only", lambda d: get(d).update(summary="List."), NEUTRAL),
    Case("version only", lambda d: d["info"].update(version="1.1"), NEUTRAL),
    Case("alternatives in another order", lambda d: schema(d, "Look")["oneOf"].reverse(), NEUTRAL),
    Case(
        "callback field added",
        lambda d: schema(d, "ThingEvent")["properties"].update(x=STRING),
        ADDITIVE,
        RESPONSE,
        f"{SCHEMAS}/ThingEvent/properties/x",
    ),
    Case(
        "callback removed",
        lambda d: d["components"]["schemas"].pop("ThingEvent"),
        BREAKING,
        RESPONSE,
        f"{SCHEMAS}/ThingEvent",
    ),
]
