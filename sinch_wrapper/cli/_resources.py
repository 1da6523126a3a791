"""The groups for daily things, apps, webhooks, contacts and conversations: one table over `api`.

What each command takes is read from the document of its operation, when it runs.
"""

import sys
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from itertools import islice
from typing import TYPE_CHECKING, Any, Final

import click

from sinch_wrapper.cli._api import items, response_of
from sinch_wrapper.cli._curl import is_secret
from sinch_wrapper.cli._examples import examples
from sinch_wrapper.cli._inputs import read_json, text_of
from sinch_wrapper.cli._operations import find_operation, snake, typed
from sinch_wrapper.cli._options import (
    app_of_profile,
    as_json,
    client,
    connection_options,
    given_or_missing,
    yes_option,
)
from sinch_wrapper.cli._schemas import merged, type_name
from sinch_wrapper.cli._terminal import say, say_json, say_wrapped

if TYPE_CHECKING:
    from sinch_wrapper.sandbox import OperationSpec

# Rows of which the widths of a table are measured.
_MEASURED: Final = 100
_SHORT: Final = {"app_id": "app", "contact_id": "contact"}


@dataclass(frozen=True, slots=True)
class _Resource:
    """One kind of thing: the *tag* of its operations, its *noun*, and what a table shows of it.

    *listing* and *creating* are arguments of examples.
    """

    tag: str
    noun: str
    columns: tuple[str, ...]
    listing: str
    creating: str

    @property
    def group(self) -> str:
        """The name of its group."""
        return f"{self.noun}s"

    def operation(self, verb: str) -> str:
        """The id of the operation that *verb* stands for."""
        many = "s" if verb == "list" else ""
        return f"{self.tag}_{verb.title()}{self.noun.title()}{many}"


_RESOURCES: Final = (
    _Resource(
        "App",
        "app",
        ("id", "display_name", "processing_mode"),
        "",
        " --display-name Shop --channel-credentials @credentials.json",
    ),
    _Resource(
        "Webhooks",
        "webhook",
        ("id", "target_type", "target"),
        " --app APP",
        " --app APP "
        "--target https://example.com/callbacks --target-type HTTP "
        "--triggers MESSAGE_INBOUND,MESSAGE_DELIVERY --secret @secret.txt",
    ),
    _Resource(
        "Contact",
        "contact",
        ("id", "language", "display_name"),
        " --limit 20",
        " --language EN --display-name Ada \\\n"
        '      --channel-identities \'[{"channel": "SMS", "identity": "+46700000001"}]\'',
    ),
    _Resource(
        "Conversation",
        "conversation",
        ("id", "active", "active_channel", "contact_id"),
        " --app APP --only-active true",
        " --app APP --contact CONTACT_ID",
    ),
)
_LIMIT: Final = click.option(
    "--limit", type=click.IntRange(1), help="End after this many.  [default: all]"
)
_BODY: Final = click.option(
    "--body", metavar="JSON", help="All fields in one: JSON, @FILE, or @- for stdin."
)


class _OperationCommand(click.Command):
    """A command whose options are the parameters and the fields of an operation."""

    operation_id: str

    @cached_property
    def spec(self) -> "OperationSpec":
        """The operation."""
        return find_operation(self.operation_id)

    @cached_property
    def _from_document(self) -> list[click.Parameter]:
        found: list[click.Parameter] = []
        for each in self.spec.parameters:
            name, words = each["name"], each.get("description", "")
            if self.spec.path.endswith(f"{{{name}}}"):
                found.append(click.Argument([snake(name)]))
            elif name not in {"project_id", "page_token"}:
                required = bool(each.get("required"))
                found.append(self._option(name, each["schema"], words, required=required))
        if self.spec.body is not None:
            body = merged(self.spec, self.spec.body)
            for name, schema in body.get("properties", {}).items():
                whole = merged(self.spec, schema)
                if not whole.get("readOnly"):
                    need = name in body.get("required", ())
                    words = whole.get("description", "")
                    found.append(self._option(name, schema, words, required=False, needed=need))
        return found

    def _option(
        self,
        name: str,
        schema: Mapping[str, Any],
        words: str,
        *,
        required: bool,
        needed: bool = False,
    ) -> click.Option:
        kind = type_name(self.spec, schema)
        metavar = kind.upper() if kind.isalpha() else "JSON" if "object" in kind else "TEXT"
        hint = f" One of {kind.removeprefix('list of ')}." if ", " in kind else ""
        hint += " Needed, here or in --body." if needed else ""
        if is_secret(name):
            hint += " @FILE or @- for stdin, so that nobody sees it."
        return click.Option(
            [option_of(name), snake(name)],
            required=required,
            default=app_of_profile if required and name == "app_id" else None,
            callback=given_or_missing if required else None,
            metavar=metavar,
            help=" ".join(f"{words}{hint}".split()),
        )

    def get_params(self, ctx: click.Context) -> list[click.Parameter]:
        """The parameters of the operation, then those of all commands."""
        return [*self._from_document, *super().get_params(ctx)]

    def call_of(self, given: Mapping[str, Any]) -> dict[str, object]:
        """The keyword arguments of the operation that *given* options mean.

        Raises: click.UsageError.
        """
        call: dict[str, object] = {}
        for each in self.spec.parameters:
            if (text := given.get(name := snake(each["name"]))) is not None:
                call[name] = typed(option_of(each["name"]), text, each["schema"])
        if self.spec.body is not None:
            call["body"] = self._body(given)
        return call

    def _body(self, given: Mapping[str, Any]) -> dict[str, object]:
        whole = read_json(given["body"], "--body") if given["body"] is not None else {}
        if not isinstance(whole, dict):
            raise click.UsageError("--body must be a JSON object.")
        schema = merged(self.spec, self.spec.body or {})
        for name, part in schema.get("properties", {}).items():
            if (text := given.get(snake(name))) is not None:
                if name in whole:
                    raise click.UsageError(f"{option_of(name)} is in --body as well.")
                whole[name] = self._value(name, text, merged(self.spec, part))
        if "app_id" in schema.get("required", ()) and (app := app_of_profile()):
            whole.setdefault("app_id", app)
        if missing := [each for each in schema.get("required", ()) if each not in whole]:
            options = ", ".join(map(option_of, dict.fromkeys(missing)))
            raise click.UsageError(f"give {options}, or --body.")
        return whole

    def _value(self, name: str, text: str, schema: dict[str, Any]) -> object:
        option = option_of(name)
        if is_secret(name) and not text.startswith("@"):
            raise click.UsageError(f"{option}: give a secret as @FILE, or as @- for stdin.")
        if schema.get("type") in {"array", "object"}:
            inner = merged(self.spec, schema.get("items", {}))
            if schema["type"] == "object" or inner.get("type") == "object" or text[0] in "[@":
                return read_json(text, option)
        return typed(option, text_of(text, option), schema)


def option_of(name: str) -> str:
    """The option for the parameter or field *name*; `app_id` is `--app`, as everywhere."""
    return f"--{_SHORT.get(name, snake(name).replace('_', '-'))}"


def group_of(resource: _Resource) -> click.Group:
    """The group of *resource*, with a command per verb."""
    words = f"{resource.noun.title()}s: list, get, create and delete them."
    epilog = examples(f"{resource.group} list{resource.listing}")
    group = click.Group(resource.group, help=words, epilog=epilog)
    for command in (
        _command(resource, "list", _list, resource.listing, _LIMIT),
        _command(resource, "get", _get, f" {resource.noun.upper()}_ID"),
        _command(resource, "create", _create, resource.creating, _BODY),
        _command(resource, "delete", _delete, f" {resource.noun.upper()}_ID", yes_option),
    ):
        group.add_command(command)
    return group


_HELP: Final = {
    "list": "List {noun}s, each on a line; with --json a line of JSON.",
    "get": "Show one {noun} as JSON.",
    "create": "Create a {noun}, and print its id; with --json all of it.",
    "delete": "Delete a {noun}, after a question.",
}


def _command(
    resource: _Resource,
    verb: str,
    run: Callable[["_OperationCommand", _Resource, Mapping[str, Any]], None],
    example: str,
    *more: Any,  # noqa: ANN401 (decorators)
) -> click.Command:
    def callback(**given: Any) -> None:  # noqa: ANN401 (the options, as click passes them)
        run(command, resource, given)

    for decorator in (as_json, connection_options, *more):
        callback = decorator(callback)
    words = _HELP[verb].format(noun=resource.noun).replace("a app", "an app")
    epilog = examples(f"{resource.group} {verb}{example}")
    command: _OperationCommand = click.command(
        verb, cls=_OperationCommand, help=words, epilog=epilog
    )(callback)
    command.operation_id = resource.operation(verb)
    return command


# What the commands do


def _list(command: _OperationCommand, resource: _Resource, given: Mapping[str, Any]) -> None:
    call = command.call_of(given)
    with client(given["region"], given["sandbox"], only_reads=True) as sinch:
        found = islice(items(sinch, command.spec, call), given["limit"])
        if given["as_json"]:
            for each in found:
                say_json(each)
        else:
            _show_table(found, resource)


def _show_table(found: Iterator[Any], resource: _Resource) -> None:
    def cells(each: Mapping[str, Any]) -> list[str]:
        return [str(each.get(name, "")) for name in resource.columns]

    rows = [[name.replace("_", " ").upper() for name in resource.columns]]
    rows += map(cells, islice(found, _MEASURED))
    if len(rows) == 1:
        say(f"No {resource.group}.", err=True)
        return
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    for row in (*rows, *map(cells, found)):
        line = (f"{cell:{width}}" for cell, width in zip(row, widths, strict=True))
        say_wrapped("  ".join(line).rstrip())


def _get(command: _OperationCommand, _resource: _Resource, given: Mapping[str, Any]) -> None:
    call = command.call_of(given)
    with client(given["region"], given["sandbox"], only_reads=True) as sinch:
        found = response_of(sinch, command.spec, call)
    say_json(found, indent=None if given["as_json"] else 2)


def _create(command: _OperationCommand, resource: _Resource, given: Mapping[str, Any]) -> None:
    call = command.call_of(given)
    with client(given["region"], given["sandbox"]) as sinch:
        found = response_of(sinch, command.spec, call)
    if given["as_json"]:
        say_json(found)
    else:
        made = found.get("id", "") if isinstance(found, dict) else ""
        say(f"Created {resource.noun} {made}.")


def _delete(command: _OperationCommand, resource: _Resource, given: Mapping[str, Any]) -> None:
    call, name = command.call_of(given), f"{resource.noun} {given[f'{resource.noun}_id']}"
    if not given["yes"]:
        if not sys.stdin or not sys.stdin.isatty():
            raise click.UsageError("nobody can be asked: give --yes to delete it.")
        if not click.confirm(f"Delete {name}? It cannot be undone", err=True):
            raise click.ClickException(f"{name} was not deleted")
    with client(given["region"], given["sandbox"]) as sinch:
        response_of(sinch, command.spec, call)
    if given["as_json"]:
        say_json({"deleted": given[f"{resource.noun}_id"]})
    else:
        say(f"Deleted {name}.")


GROUPS: Final = tuple(map(group_of, _RESOURCES))
