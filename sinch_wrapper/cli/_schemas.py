"""What a document says about a value: its fields, their types, an example; pure."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, TypeAlias

if TYPE_CHECKING:
    from sinch_wrapper.sandbox import OperationSpec

Schema: TypeAlias = Mapping[str, Any]

_CHOICES: Final = 40
# Values that people recognise, by the name of the field.
_EXAMPLES: Final[Mapping[str, object]] = {
    "app_id": "01J0SANDB0X0APP00000000000",
    "contact_id": "01EKA07N79THJ20WSN6AS30TMW",
    "channel": "SMS",
    "identity": "+46700000001",
    "text": "Hi",
    "message": {"text_message": {"text": "Hi"}},
    "app_message": {"text_message": {"text": "Hi"}},
    "accept_time": "2026-01-31T12:00:00Z",
    "display_name": "My app",
    "target": "https://example.com/callbacks",
    "language": "EN",
}
_LITERALS: Final[Mapping[str, object]] = {
    "integer": 1, "number": 1, "boolean": True, "object": {}, "array": [],
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Field:
    """One field of an object: its *name*, a path with dots, and what the document says of it."""

    name: str
    type: str
    required: bool
    description: str


def merged(spec: "OperationSpec", schema: Schema) -> dict[str, Any]:
    """*schema* without references, with the fields of all that it consists of."""
    found = dict(spec.resolved(dict(schema)))
    parts = [merged(spec, each) for each in found.pop("allOf", ())]
    for part in parts:
        found["properties"] = {**part.get("properties", {}), **found.get("properties", {})}
        found["required"] = [*part.get("required", []), *found.get("required", [])]
        found["oneOf"] = [*part.get("oneOf", []), *found.get("oneOf", [])]
        found = part | found
    if found.get("properties"):
        found.setdefault("type", "object")
    return found


def alternatives(schema: Schema) -> list[Schema]:
    """The schemas of which a value has one."""
    return [*schema.get("oneOf", ()), *schema.get("anyOf", ())]


def fields(spec: "OperationSpec", schema: Schema, depth: int, path: str = "") -> Iterator[Field]:
    """The fields that can be sent in an object of *schema*, and in the objects in it."""
    whole = merged(spec, schema)
    for name, part in whole.get("properties", {}).items():
        value = merged(spec, part)
        if value.get("readOnly"):
            continue
        required = name in whole.get("required", ())
        words = " ".join(str(value.get("description", "")).split())
        yield Field(f"{path}{name}", type_name(spec, value), required, words)
        inner = value["items"] if value.get("type") == "array" else value
        if depth > 1:
            yield from fields(spec, inner, depth - 1, f"{path}{name}.")
    for each in alternatives(whole):
        yield from fields(spec, each, depth, path)


def type_name(spec: "OperationSpec", schema: Schema) -> str:
    """The type of a value in words, such as `list of strings` or `SMS, RCS, ...`."""
    found = merged(spec, schema)
    for each in (found, *(merged(spec, other) for other in alternatives(found))):
        if choices := each.get("enum"):
            more = ", ..." if len(choices) > _CHOICES else ""
            return ", ".join(map(str, choices[:_CHOICES])) + more
    kind = found.get("type", "any")
    kinds = [each for each in kind if each != "null"] if isinstance(kind, list) else [kind]
    if kinds == ["array"]:
        inner = type_name(spec, found["items"])
        return f"list of {inner}{'s' if inner in {'object', 'string', 'integer'} else ''}"
    named = {"date-time": "time", "uri": "URL", "date": "date"}.get(found.get("format", ""))
    if named is None and kinds == ["any"] and alternatives(found):
        return type_name(spec, alternatives(found)[0])
    return named or " or ".join(map(str, kinds))


def example(spec: "OperationSpec", schema: Schema, name: str = "") -> object:
    """A small value of *schema*: what is required, else the first field."""
    found = merged(spec, schema)
    if name in _EXAMPLES:
        return _EXAMPLES[name]
    if found.get("properties") or alternatives(found):
        return _example_object(spec, found, name)
    if choices := found.get("enum"):
        return choices[0]
    if found.get("type") == "array":
        return [example(spec, found["items"], name.removesuffix("s"))]
    kind = found.get("type", "string")
    return _LITERALS.get(kind if isinstance(kind, str) else kind[0], "...")


def _example_object(spec: "OperationSpec", found: dict[str, Any], name: str) -> object:
    properties = found.get("properties", {})
    required = [each for each in found.get("required", ()) if each in properties]
    value = {each: example(spec, properties[each], each) for each in dict.fromkeys(required)}
    if others := alternatives(found):
        other = example(spec, others[0], name)
        return value | other if isinstance(other, dict) else other
    if not value and properties:
        first = next(each for each in properties if not properties[each].get("readOnly"))
        value = {first: example(spec, properties[first], first)}
    return value
