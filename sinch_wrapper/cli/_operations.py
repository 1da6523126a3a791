"""The operations of the documents: finding them, their parameters, and their pages of help."""

import difflib
import json
import re
import shlex
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, Any, Final

import click

from sinch_wrapper.cli._schemas import Field, example, fields, merged, type_name
from sinch_wrapper.cli._terminal import say_json, say_wrapped

if TYPE_CHECKING:
    from sinch_wrapper.sandbox import OperationSpec

_CAPITAL: Final = re.compile(r"(?<=[a-z0-9])(?=[A-Z])")
_BOOLEANS: Final = {"true": True, "false": False}
# Objects in objects that a page of help goes down to.
_DEPTH: Final = 2


def snake(name: str) -> str:
    """*name* in snake case, as the generated code spells it."""
    return _CAPITAL.sub("_", name.replace(" ", "_")).lower()


def find_operation(operation_id: str) -> "OperationSpec":
    """The operation with this id, in any case.

    Raises: click.UsageError that suggests similar ids.
    """
    from sinch_wrapper.sandbox import all_operations

    known = {spec.id: spec for spec in all_operations()}
    by_folded = {each.casefold(): each for each in known}
    if (exact := by_folded.get(operation_id.casefold())) is not None:
        return known[exact]
    tails = {each.rpartition("_")[2].casefold(): each for each in known}
    close = difflib.get_close_matches(operation_id.casefold(), [*by_folded, *tails], n=5)
    ids = dict.fromkeys(by_folded.get(each) or tails[each] for each in close)
    hint = f" Did you mean {', '.join(list(ids)[:3])}?" if ids else ""
    raise click.UsageError(f"There is no operation {operation_id!r}.{hint}")


def show_operations(word: str, *, as_json: bool) -> None:
    """Print the operations with *word* in their id, path or summary, one per line."""
    from sinch_wrapper.sandbox import all_operations

    found = [each for each in all_operations() if word.casefold() in _searched(each)]
    if as_json:
        facts = ("id", "api", "method", "path", "summary")
        say_json([{name: getattr(each, name) for name in facts} for each in found])
        return
    if not found:
        raise click.ClickException(f"no operation has {word!r} in its id, path or summary")
    width = max(len(each.id) for each in found)
    for each in found:
        say_wrapped(f"{each.id:{width}}  {each.method:6}  {each.summary}")


def _searched(spec: "OperationSpec") -> str:
    return f"{spec.id} {spec.tag} {spec.path} {spec.summary}".casefold()


def lists(spec: "OperationSpec") -> bool:
    """Whether *spec* lists something: the items are the only list of its response."""
    if spec.response is None:
        return False
    found = merged(spec, spec.response)
    if found.get("type") == "array":
        return True
    pages = "page_token" in {*_parameters(spec), *_body_names(spec)}
    values = [merged(spec, each).get("type") for each in found.get("properties", {}).values()]
    return values.count("array") == 1 and (pages or "_List" in spec.id)


def _body_names(spec: "OperationSpec") -> set[str]:
    return {*merged(spec, spec.body).get("properties", {})} if spec.body else set()


# What a person gives


def _parameters(spec: "OperationSpec") -> dict[str, dict[str, Any]]:
    """The parameters of *spec* by their names, as the document and as Python spell them."""
    return {
        spelling: each
        for each in spec.parameters
        for spelling in (each["name"], snake(each["name"]))
        if each["name"] != "project_id"
    }


def arguments(spec: "OperationSpec", pairs: Iterable[str]) -> dict[str, object]:
    """The keyword arguments that `name=value` *pairs* mean; raises click.UsageError."""
    known = _parameters(spec)
    given: dict[str, object] = {}
    for pair in pairs:
        name, equals, text = pair.partition("=")
        if not equals:
            raise click.UsageError(f"--param {name}: expected NAME=VALUE.")
        if name not in known:
            names = ", ".join(dict.fromkeys(each["name"] for each in known.values())) or "none"
            raise click.UsageError(f"{spec.id} has no parameter {name!r}; it has {names}.")
        if snake(name) in given:
            raise click.UsageError(f"--param {name} is given twice.")
        given[snake(name)] = typed(f"--param {name}", text, known[name]["schema"])
    needed = {snake(each["name"]) for each in known.values() if each.get("required")}
    if missing := sorted(needed - given.keys()):
        options = ", ".join(f"--param {each}=VALUE" for each in missing)
        raise click.UsageError(f"{spec.id} needs {options}.")
    return given


def typed(option: str, text: str, schema: dict[str, Any]) -> object:
    """What *text* means for a value of *schema*; raises click.UsageError that names *option*."""
    try:
        match schema.get("type"):
            case "integer":
                return int(text)
            case "boolean":
                return _BOOLEANS[text.lower()]
            case "array":
                return [each for each in text.split(",") if each]
    except (ValueError, KeyError):
        raise click.UsageError(f"{option} must be of type {schema['type']}.") from None
    return _time(option, text) if schema.get("format") == "date-time" else text


def _time(option: str, text: str) -> object:
    from datetime import UTC, datetime

    try:
        found = datetime.fromisoformat(text)
    except ValueError:
        message = f"{option} must be a time such as 2026-01-31T12:00:00Z."
        raise click.UsageError(message) from None
    return found if found.tzinfo else found.replace(tzinfo=UTC)


# Pages of help


def parameter_fields(spec: "OperationSpec") -> Iterator[Field]:
    """The parameters of *spec*, without the project, which the account has."""
    for each in spec.parameters:
        if each["name"] != "project_id":
            words = " ".join(str(each.get("description", "")).split())
            kind = type_name(spec, each["schema"])
            yield Field(each["name"], kind, bool(each.get("required")), words)


def describe(spec: "OperationSpec", formatter: click.HelpFormatter) -> None:
    """Write what *spec* does, and what it takes."""
    formatter.write_paragraph()
    with formatter.indentation():
        formatter.write_text(" ".join(f"{spec.summary}. {spec.description}".split()))
        formatter.write_paragraph()
        formatter.write_text(f"{spec.method} {spec.path}")
    _write_fields(formatter, "Parameters, each as --param NAME=VALUE", parameter_fields(spec))
    if spec.body is not None:
        title = "Fields of --body, an object of JSON"
        _write_fields(formatter, title, fields(spec, spec.body, _DEPTH))


def _write_fields(formatter: click.HelpFormatter, title: str, found: Iterator[Field]) -> None:
    rows: dict[str, str] = {}
    for each in found:
        need = ", required" if each.required else ""
        rows.setdefault(each.name, f"{each.type}{need}. {each.description}".rstrip())
    if rows:
        with formatter.section(title):
            formatter.write_dl([*rows.items()])


def example_of(spec: "OperationSpec") -> str:
    """A command line that calls *spec*."""
    words = ["sinch-wrapper", "api", spec.id]
    for each in spec.parameters:
        if each.get("required") and each["name"] != "project_id":
            value = example(spec, each["schema"], each["name"])
            words += ["--param", f"{each['name']}={value}"]
    if spec.body is not None:
        words += ["--body", json.dumps(example(spec, spec.body))]
    return shlex.join(words)
