"""The operations by id: from the command line to a method of the client and its arguments."""

import difflib
import re
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Any

import click

from sinch_wrapper.sandbox.documents import (
    PACKAGES,
    OperationSpec,
    all_operations,
    document,
)

if TYPE_CHECKING:
    from sinch_wrapper import Sinch

__all__ = ["arguments", "document_versions", "find_operation", "method_of"]

_CAPITAL = re.compile(r"(?<=[a-z0-9])(?=[A-Z])")
_BOOLEANS = {"true": True, "false": False}


def document_versions() -> list[tuple[str, str]]:
    """Return the name and version of each API document."""
    return [(f"{api.capitalize()} API", document(api)["info"]["version"]) for api in PACKAGES]


def find_operation(operation_id: str) -> OperationSpec:
    """Return the operation; raises click.UsageError that suggests similar ids."""
    known = {spec.id: spec for spec in all_operations()}
    by_folded = {each.casefold(): each for each in known}
    if (exact := by_folded.get(operation_id.casefold())) is not None:
        return known[exact]
    tails = {each.rpartition("_")[2].casefold(): each for each in known}
    close = difflib.get_close_matches(operation_id.casefold(), [*by_folded, *tails], n=5)
    ids = dict.fromkeys(by_folded.get(each) or tails[each] for each in close)
    hint = f" Did you mean {', '.join(list(ids)[:3])}?" if ids else ""
    message = f"There is no operation {operation_id!r}.{hint}"
    raise click.UsageError(message)


def method_of(sinch: "Sinch", spec: OperationSpec) -> Callable[..., Any]:
    """Return the method of *sinch* for *spec* that returns the raw answer too."""
    api = "templates" if spec.api == "template" else spec.api
    resource = getattr(getattr(sinch, api), snake(spec.tag))
    method: Callable[..., Any] = getattr(resource, snake(spec.id.rpartition("_")[2]) + "_detailed")
    return method


def arguments(spec: OperationSpec, pairs: Iterable[str]) -> dict[str, object]:
    """Return the keyword arguments for `name=value` *pairs*; raises click.UsageError."""
    known = {
        spelling: each
        for each in spec.parameters
        for spelling in (each["name"], snake(each["name"]))
        if each["name"] != "project_id"
    }
    given: dict[str, object] = {}
    for pair in pairs:
        name, equals, text = pair.partition("=")
        if not equals:
            message = f"--param {name}: write NAME=VALUE."
            raise click.UsageError(message)
        if name not in known:
            message = f"{spec.id} has no parameter {name!r}; it has {_listed(known)}."
            raise click.UsageError(message)
        given[snake(name)] = _typed(name, text, known[name]["schema"])
    needed = {snake(each["name"]) for each in known.values() if each.get("required")}
    if missing := sorted(needed - given.keys()):
        message = f"{spec.id} needs {', '.join(f'--param {each}=VALUE' for each in missing)}."
        raise click.UsageError(message)
    return given


def snake(name: str) -> str:
    """Return *name* in snake case, as the generated code spells it."""
    return _CAPITAL.sub("_", name.replace(" ", "_")).lower()


def _listed(known: dict[str, Any]) -> str:
    return ", ".join(dict.fromkeys(each["name"] for each in known.values())) or "none"


def _typed(name: str, text: str, schema: dict[str, Any]) -> object:
    try:
        match schema.get("type"):
            case "integer":
                return int(text)
            case "boolean":
                return _BOOLEANS[text.lower()]
            case "array":
                return [each for each in text.split(",") if each]
    except (ValueError, KeyError):
        message = f"--param {name} must be of type {schema['type']}."
        raise click.UsageError(message) from None
    return _moment(name, text) if schema.get("format") == "date-time" else text


def _moment(name: str, text: str) -> object:
    from datetime import UTC, datetime

    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        message = f"--param {name} must be a time such as 2026-01-31T12:00:00Z."
        raise click.UsageError(message) from None
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)
