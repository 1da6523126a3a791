"""The rules of oasdiff as pairs of ours: for each kind of change that our documents can meet.

A row is the rules it stands for (names of oasdiff, without their ending Id), the place of the
change, what is there before and after, and our verdict. The level of the peer is ERR, WARN or
INFO; where our verdict differs from it, the last column says why.
"""

from __future__ import annotations

from typing import Any, NamedTuple

from codegen.document import Node
from tests.helpers.codegen import STRING, enum, listed, obj, parameter

INTEGER: Node = {"type": "integer"}
NUMBER: Node = {"type": "number"}
ANYTHING: Node = {}
A, B = obj(a=STRING), obj(b=STRING)


class Rule(NamedTuple):
    """One row."""

    names: str
    level: str
    place: str
    old: Any
    new: Any
    verdict: str
    why: str = ""


OPEN = "enums and unions of generated code are open"
CLASS = "the constructor of the class loses an argument, or the class a field"
NAMED = "generated code is named after it"
POLICY = "a promise of the API's owner, not a part of the contract"
CAREFUL = "the client may not be able to authenticate"
UNKNOWN = "generated code cannot express it, and the generator refuses it"


def text(**more: object) -> Node:
    """A string schema."""
    return STRING | more


def number(**more: object) -> Node:
    """A number schema."""
    return NUMBER | more


def several(**more: object) -> Node:
    """A list schema."""
    return listed(STRING) | more


def rule(*cells: Any) -> Rule:
    """A row, in as many lines as it needs."""
    return Rule(*cells)


def both(name: str, *given: Any) -> list[Rule]:
    """The rows for a body and for a property of a request, whose rules differ in a word."""
    return [rule(f"RequestBody{name} RequestProperty{name}", given[0], "request", *given[1:])]


RULES = [
    # Requests: what is valid becomes less or more.
    rule("NewOptionalRequestProperty", "INFO", "body", A, obj(a=STRING, b=STRING), "additive"),
    rule(
        "NewRequiredRequestProperty", "ERR", "body", A, obj(["b"], a=STRING, b=STRING), "breaking"
    ),
    rule(
        *("NewRequiredRequestPropertyWithDefault", "ERR", "body", A),
        *(obj(["b"], a=STRING, b=text(default="x")), "breaking"),
    ),
    rule("RequestPropertyRemoved", "WARN", "body", obj(a=STRING, b=STRING), A, "breaking"),
    rule("RequestPropertyBecameRequired", "ERR", "body", A, obj(["a"], a=STRING), "breaking"),
    rule(
        *("RequestPropertyBecameRequiredWithDefault", "ERR", "body", obj(a=text(default="x"))),
        *(obj(["a"], a=text(default="x")), "breaking"),
    ),
    rule("RequestPropertyBecameOptional", "INFO", "body", obj(["a"], a=STRING), A, "additive"),
    *both("BecameEnum", "ERR", STRING, enum("A"), "breaking"),
    *both("EnumValueAdded", "INFO", enum("A"), enum("A", "B"), "additive"),
    *both("EnumValueRemoved", "ERR", enum("A", "B"), enum("A"), "breaking"),
    *both("BecomeNotNullable", "ERR", text(nullable=True), STRING, "breaking"),
    *both("BecomeNullable", "INFO", STRING, text(nullable=True), "additive"),
    *both("ConstAdded", "ERR", STRING, text(const="A"), "breaking"),
    *both("ConstChanged", "ERR", text(const="A"), text(const="B"), "breaking"),
    *both("ConstRemoved", "INFO", text(const="A"), STRING, "additive"),
    *both("TypeChanged", "ERR", STRING, INTEGER, "breaking"),
    *both("TypeGeneralized", "INFO", INTEGER, NUMBER, "additive"),
    *both("TypeSpecialized ListOfTypesNarrowed", "ERR", NUMBER, INTEGER, "breaking"),
    *both("MaxDecreased", "ERR", number(maximum=9), number(maximum=8), "breaking"),
    *both("MaxIncreased", "INFO", number(maximum=8), number(maximum=9), "additive"),
    *both("MaxSet", "WARN", NUMBER, number(maximum=9), "breaking"),
    *both("MinIncreased", "ERR", number(minimum=1), number(minimum=2), "breaking"),
    *both("MinDecreased", "INFO", number(minimum=2), number(minimum=1), "additive"),
    *both(
        "ExclusiveMaxDecreased",
        *("ERR", number(exclusiveMaximum=9), number(exclusiveMaximum=8), "breaking"),
    ),
    *both(
        "ExclusiveMaxIncreased",
        *("INFO", number(exclusiveMaximum=8), number(exclusiveMaximum=9), "additive"),
    ),
    *both("ExclusiveMaxSet", "WARN", NUMBER, number(exclusiveMaximum=9), "breaking"),
    *both(
        "ExclusiveMinIncreased",
        *("ERR", number(exclusiveMinimum=1), number(exclusiveMinimum=2), "breaking"),
    ),
    *both(
        "ExclusiveMinDecreased",
        *("INFO", number(exclusiveMinimum=2), number(exclusiveMinimum=1), "additive"),
    ),
    *both("ExclusiveMinSet", "WARN", NUMBER, number(exclusiveMinimum=1), "breaking"),
    *both("MaxLengthDecreased", "ERR", text(maxLength=9), text(maxLength=8), "breaking"),
    *both("MaxLengthIncreased", "INFO", text(maxLength=8), text(maxLength=9), "additive"),
    *both("MaxLengthSet", "WARN", STRING, text(maxLength=9), "breaking"),
    *both("MinLengthIncreased", "ERR", text(minLength=1), text(minLength=2), "breaking"),
    *both("MinLengthDecreased", "INFO", text(minLength=2), text(minLength=1), "additive"),
    *both("MinItemsIncreased", "ERR", several(minItems=1), several(minItems=2), "breaking"),
    *both("MaxItemsDecreased", "ERR", several(maxItems=9), several(maxItems=8), "breaking"),
    *both("PatternAdded", "ERR", STRING, text(pattern="^a"), "breaking"),
    *both("PatternChanged", "WARN", text(pattern="^a"), text(pattern="^b"), "breaking"),
    *both("PatternRemoved", "INFO", text(pattern="^a"), STRING, "additive"),
    *both("DefaultValueAdded", "INFO", STRING, text(default="x"), "additive"),
    *both("DefaultValueChanged", "INFO", text(default="x"), text(default="y"), "additive"),
    *both("DefaultValueRemoved", "INFO", text(default="x"), STRING, "additive"),
    *both(
        "AllOfAdded", "ERR", {"allOf": [A, B]}, {"allOf": [A, B, obj(["c"], c=STRING)]}, "breaking"
    ),
    *both("AllOfRemoved", "WARN", {"allOf": [A, B]}, {"allOf": [A]}, "breaking"),
    *both("OneOfAdded", "INFO", {"oneOf": [A]}, {"oneOf": [A, B]}, "additive"),
    *both("OneOfRemoved", "ERR", {"oneOf": [A, B]}, {"oneOf": [A]}, "breaking"),
    *both("AnyOfAdded", "INFO", {"anyOf": [A]}, {"anyOf": [A, B]}, "additive"),
    *both("AnyOfRemoved", "ERR", {"anyOf": [A, B]}, {"anyOf": [A]}, "breaking"),
    *both("WrappedInOneOf", "ERR", A, {"oneOf": [A, B]}, "breaking"),
    *both("Deprecated", "INFO", STRING, text(deprecated=True), "additive"),
    *both("Reactivated", "INFO", text(deprecated=True), STRING, "additive"),
    *both("IfAdded", "ERR", A, A | {"if": B}, "breaking"),
    *both("IfRemoved", "INFO", A | {"if": B}, A, "breaking", UNKNOWN),
    *both("PatternPropertyAdded", "ERR", A, A | {"patternProperties": {"x": A}}, "breaking"),
    *both("PropertyNamesRemoved", "INFO", A | {"propertyNames": STRING}, A, "breaking", UNKNOWN),
    *both("DependentRequiredAdded", "ERR", A, A | {"dependentRequired": {"a": ["b"]}}, "breaking"),
    rule(
        *("RequestPropertyXExtensibleEnumValueRemoved", "ERR", "request"),
        *(text(**{"x-extensible-enum": ["A", "B"]}), text(**{"x-extensible-enum": ["A"]})),
        *("neutral", POLICY),
    ),
    # Parameters.
    rule("RequestParameterBecameEnum", "ERR", "query", STRING, enum("A"), "breaking"),
    rule("RequestParameterEnumValueAdded", "INFO", "query", enum("A"), enum("A", "B"), "additive"),
    rule("RequestParameterEnumValueRemoved", "ERR", "query", enum("A", "B"), enum("A"), "breaking"),
    rule("RequestParameterTypeChanged", "ERR", "query", STRING, INTEGER, "breaking"),
    rule("RequestParameterTypeGeneralized", "INFO", "query", INTEGER, NUMBER, "additive"),
    rule(
        "RequestParameterDefaultValueAdded", "ERR", "query", STRING, text(default="x"), "breaking"
    ),
    rule(
        *("RequestParameterDefaultValueChanged", "ERR", "query"),
        *(text(default="x"), text(default="y"), "breaking"),
    ),
    rule(
        "RequestParameterDefaultValueRemoved", "ERR", "query", text(default="x"), STRING, "breaking"
    ),
    rule("RequestParameterMaxLengthSet", "WARN", "query", STRING, text(maxLength=9), "breaking"),
    rule("RequestParameterPatternAdded", "ERR", "query", STRING, text(pattern="^a"), "breaking"),
    rule("RequestParameterPatternRemoved", "INFO", "query", text(pattern="^a"), STRING, "additive"),
    rule(
        "RequestParameterMaxItemsDecreased",
        "ERR",
        "query",
        several(maxItems=9),
        several(maxItems=8),
        "breaking",
    ),
    rule("NewOptionalRequestParameter", "INFO", "parameters", [], [parameter("q")], "additive"),
    rule(
        *("NewRequiredRequestParameter NewRequiredRequestDefaultParameterToExistingPath", "ERR"),
        *("parameters", [], [parameter("q", required=True)], "breaking"),
    ),
    rule("RequestParameterRemoved", "WARN", "parameters", [parameter("q")], [], "breaking"),
    rule(
        *("RequestParameterBecomeRequired", "ERR", "parameters", [parameter("q")]),
        *([parameter("q", required=True)], "breaking"),
    ),
    rule(
        *("RequestParameterBecomeOptional", "INFO", "parameters", [parameter("q", required=True)]),
        *([parameter("q")], "additive"),
    ),
    rule(
        *("RequestParameterDeprecated", "INFO", "parameters", [parameter("q")]),
        *([parameter("q", deprecated=True)], "additive"),
    ),
    rule(
        *("RequestParameterSunsetDeleted", "ERR", "parameters"),
        *([parameter("q", **{"x-sunset": "2030-01-01"})], [parameter("q")], "none", POLICY),
    ),
    # Responses: what is valid becomes more or less.
    rule("ResponseOptionalPropertyAdded", "INFO", "answer", A, obj(a=STRING, b=STRING), "additive"),
    rule(
        "ResponseRequiredPropertyAdded",
        "INFO",
        "answer",
        A,
        obj(["b"], a=STRING, b=STRING),
        "additive",
    ),
    rule(
        "ResponseOptionalPropertyRemoved", "WARN", "answer", obj(a=STRING, b=STRING), A, "breaking"
    ),
    rule(
        *("ResponseRequiredPropertyRemoved", "ERR", "answer"),
        *(obj(["b"], a=STRING, b=STRING), A, "breaking"),
    ),
    rule("ResponsePropertyBecameOptional", "ERR", "answer", obj(["a"], a=STRING), A, "breaking"),
    rule("ResponsePropertyBecameRequired", "INFO", "answer", A, obj(["a"], a=STRING), "additive"),
    rule(
        "ResponsePropertyBecameNullable", "ERR", "response", STRING, text(nullable=True), "breaking"
    ),
    rule("ResponsePropertyTypeChanged", "ERR", "response", STRING, INTEGER, "breaking"),
    rule("ResponseBodyTypeGeneralized", "ERR", "response", INTEGER, NUMBER, "breaking"),
    rule("ResponseBodyTypeSpecialized", "INFO", "response", NUMBER, INTEGER, "additive"),
    rule(
        "ResponsePropertyEnumValueAdded",
        "WARN",
        "response",
        enum("A"),
        enum("A", "B"),
        "additive",
        OPEN,
    ),
    rule(
        "ResponsePropertyEnumValueRemoved",
        "INFO",
        "response",
        enum("A", "B"),
        enum("A"),
        "additive",
    ),
    rule("ResponsePropertyConstAdded", "INFO", "response", STRING, text(const="A"), "additive"),
    rule(
        "ResponsePropertyConstChanged",
        "ERR",
        "response",
        text(const="A"),
        text(const="B"),
        "additive",
        OPEN,
    ),
    rule(
        "ResponsePropertyConstRemoved", "ERR", "response", text(const="A"), STRING, "additive", OPEN
    ),
    rule(
        "ResponsePropertyOneOfAdded",
        "ERR",
        "response",
        {"oneOf": [A]},
        {"oneOf": [A, B]},
        "additive",
        OPEN,
    ),
    rule(
        *("ResponsePropertyOneOfRemoved", "INFO", "response", {"oneOf": [A, B]}, {"oneOf": [A]}),
        *("breaking", CLASS),
    ),
    rule(
        "ResponsePropertyAllOfAdded",
        "INFO",
        "response",
        {"allOf": [A]},
        {"allOf": [A, B]},
        "additive",
    ),
    rule(
        *("ResponsePropertyAllOfRemoved", "INFO", "response", {"allOf": [A, B]}, {"allOf": [A]}),
        *("breaking", CLASS),
    ),
    rule(
        "ResponseBodyMinDecreased",
        "ERR",
        "response",
        number(minimum=2),
        number(minimum=1),
        "breaking",
    ),
    rule("ResponseBodyMaxLengthUnset", "ERR", "response", text(maxLength=9), STRING, "breaking"),
    rule(
        *("ResponseBodyExclusiveMaxIncreased", "ERR", "response"),
        *(number(exclusiveMaximum=8), number(exclusiveMaximum=9), "breaking"),
    ),
    rule(
        "ResponsePropertyPatternAdded", "INFO", "response", STRING, text(pattern="^a"), "additive"
    ),
    rule(
        *("ResponsePropertyPatternChanged", "INFO", "response"),
        *(text(pattern="^a"), text(pattern="^b"), "additive"),
    ),
    rule(
        "ResponsePropertyPatternRemoved", "INFO", "response", text(pattern="^a"), STRING, "additive"
    ),
    rule(
        "ResponsePropertyDefaultValueChanged",
        "INFO",
        "response",
        text(default="x"),
        text(default="y"),
        "additive",
    ),
    # What is read only or write only faces one way.
    rule(
        *("RequestRequiredPropertyBecameReadOnlyCheck", "INFO", "body", obj(["a"], a=STRING)),
        *(obj(["a"], a=text(readOnly=True)), "additive"),
    ),
    rule(
        *("RequestReadOnlyPropertyEnumValueRemoved", "INFO", "body"),
        *(obj(a=enum("A", "B") | {"readOnly": True}), obj(a=enum("A") | {"readOnly": True})),
        "additive",
    ),
    rule(
        *("RequestReadOnlyPropertyMaxLengthDecreased", "INFO", "body"),
        *(obj(a=text(readOnly=True, maxLength=9)), obj(a=text(readOnly=True, maxLength=8))),
        "additive",
    ),
    rule(
        *("RequestPropertyBecameRequired read only", "INFO", "body", obj(a=text(readOnly=True))),
        *(obj(["a"], a=text(readOnly=True)), "additive"),
    ),
    rule(
        *("ResponseWriteOnlyPropertyBecameOptional", "INFO", "answer"),
        *(obj(["a"], a=text(writeOnly=True)), obj(a=text(writeOnly=True)), "additive"),
    ),
    rule(
        *("ResponseOptionalWriteOnlyPropertyRemoved", "INFO", "answer"),
        *(obj(a=text(writeOnly=True), b=STRING), obj(b=STRING), "additive"),
    ),
    # Headers of responses.
    rule("ResponseHeaderAdded", "INFO", "headers", {}, {"X-A": {"schema": STRING}}, "additive"),
    rule(
        "OptionalResponseHeaderRemoved",
        "WARN",
        "headers",
        {"X-A": {"schema": STRING}},
        {},
        "breaking",
    ),
    rule(
        *("RequiredResponseHeaderRemoved", "ERR", "headers"),
        *({"X-A": {"schema": STRING, "required": True}}, {}, "breaking"),
    ),
    rule(
        *("ResponseHeaderBecameOptional", "ERR", "headers"),
        *({"X-A": {"schema": STRING, "required": True}}, {"x-a": {"schema": STRING}}, "breaking"),
    ),
    rule(
        *("ResponseHeaderTypeChanged", "ERR", "headers"),
        *({"X-A": {"schema": STRING}}, {"X-A": {"schema": INTEGER}}, "breaking"),
    ),
    rule(
        *("ResponseHeaderTypeSpecialized", "INFO", "headers"),
        *({"X-A": {"schema": NUMBER}}, {"X-A": {"schema": INTEGER}}, "additive"),
    ),
    rule(
        *("ResponseHeaderBecameNullable", "ERR", "headers"),
        *({"X-A": {"schema": STRING}}, {"X-A": {"schema": text(nullable=True)}}, "breaking"),
    ),
    # Statuses, media types and bodies.
    rule("ResponseSuccessStatusRemoved", "ERR", "statuses", ["200", "202"], ["200"], "breaking"),
    rule(
        "ResponseNonSuccessStatusRemoved", "INFO", "statuses", ["200", "404"], ["200"], "additive"
    ),
    rule("ResponseMediaTypeAdded", "INFO", "media", ["a/b"], ["a/b", "c/d"], "additive"),
    rule("ResponseMediaTypeRemoved", "ERR", "media", ["a/b", "c/d"], ["a/b"], "breaking"),
    rule("AddedRequiredRequestBody", "ERR", "required", None, True, "breaking"),
    rule("AddedOptionalRequestBody", "INFO", "required", None, False, "additive"),
    rule("RequestBodyRemoved", "ERR", "required", False, None, "breaking"),
    rule("RequestBodyBecameRequired", "ERR", "required", False, True, "breaking"),
    rule("RequestBodyBecameOptional", "INFO", "required", True, False, "additive"),
    # Operations and the document.
    rule("APIRemovedWithoutDeprecation", "ERR", "operation", {}, None, "breaking"),
    rule("EndpointAdded", "INFO", "operation", None, {}, "additive"),
    rule("EndpointDeprecated", "INFO", "operation", {}, {"deprecated": True}, "additive"),
    rule("EndpointReactivated", "INFO", "operation", {"deprecated": True}, {}, "additive"),
    rule("APISunsetDeleted", "ERR", "operation", {"x-sunset": "2030-01-01"}, {}, "none", POLICY),
    rule(
        "APIOperationIdRemoved", "INFO", "operation", {}, {"operationId": "B_b"}, "breaking", NAMED
    ),
    rule("APITagRemoved APITagAdded", "INFO", "operation", {}, {"tags": ["B"]}, "breaking", NAMED),
    rule(
        *("APISecurityAddedCheck APISecurityScopeAdded", "INFO", "operation"),
        *({"security": [{"o": []}]}, {"security": [{"o": ["a"]}]}, "breaking", CAREFUL),
    ),
    rule(
        *("APISecurityRemovedCheck", "INFO", "operation"),
        *({"security": [{"o": []}]}, {"security": [{"o": []}, {"p": []}]}, "additive"),
    ),
    rule("WebhookAdded", "INFO", "webhooks", {}, {"a": {}}, "additive"),
    rule("WebhookRemoved", "ERR", "webhooks", {"a": {}}, {}, "breaking"),
]
