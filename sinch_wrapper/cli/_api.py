"""The command that calls any operation: api."""

# ruff: noqa: FBT001 (click passes each option as an argument)

import json
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from importlib import import_module
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import click

from sinch_wrapper.cli._completion import complete_operation
from sinch_wrapper.cli._curl import PROJECT, Recorded, Recorder, curl_line
from sinch_wrapper.cli._examples import examples, wrapped
from sinch_wrapper.cli._inputs import read_json
from sinch_wrapper.cli._operations import (
    arguments,
    describe,
    example_of,
    find_operation,
    lists,
    show_operations,
    snake,
)
from sinch_wrapper.cli._options import (
    as_json,
    client,
    connection_options,
    library_errors,
    whereabouts,
)
from sinch_wrapper.cli._terminal import say, say_json

if TYPE_CHECKING:
    from sinch_wrapper import Sinch
    from sinch_wrapper.sandbox import OperationSpec

_WORDS = "sinch_wrapper.api"
_EXAMPLES = examples(
    "api --list contact",
    "api Contact_ListContacts --help",
    "api Contact_ListContacts --param page_size=5",
    "api Contact_ListContacts --paginate",
    "api Contact_CreateContact --body @contact.json",
    "api App_ListApps --curl",
)


class _ApiCommand(click.Command):
    """The command api; the help of an operation is that of its document."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Keep the words: help is asked for before they are read."""
        ctx.meta[_WORDS] = list(args)
        return super().parse_args(ctx, args)

    def _operation(self, ctx: click.Context) -> "OperationSpec | None":
        found: dict[str, Any] = {}
        with suppress(click.UsageError):
            found, _, _ = self.make_parser(ctx).parse_args(list(ctx.meta.get(_WORDS, ())))
        name = found.get("operation_id")
        return find_operation(name) if isinstance(name, str) else None

    def collect_usage_pieces(self, ctx: click.Context) -> list[str]:
        """Name the operation that is described."""
        spec = self._operation(ctx)
        return super().collect_usage_pieces(ctx) if spec is None else [spec.id, "[OPTIONS]"]

    def format_help_text(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write what the command does, or the operation that is named."""
        spec = self._operation(ctx)
        if spec is None:
            super().format_help_text(ctx, formatter)
        else:
            describe(spec, formatter)

    def format_epilog(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write examples of the command, or one of the operation that is named."""
        spec = self._operation(ctx)
        if spec is None:
            super().format_epilog(ctx, formatter)
            return
        with formatter.section("Example"):
            formatter.write("".join(f"{line}\n" for line in wrapped(example_of(spec))))


@click.command(cls=_ApiCommand, short_help="Call any operation by its id.", epilog=_EXAMPLES)
@connection_options
@click.argument("operation_id", required=False, shell_complete=complete_operation)
@click.option(
    "--list",
    "word",
    is_flag=False,
    flag_value="",
    metavar="[WORD]",
    help="List the operations, or those with WORD in their id, path or summary.",
)
@click.option(
    "--param",
    "pairs",
    multiple=True,
    metavar="NAME=VALUE",
    help="Path or query parameter. Repeatable.",
)
@click.option("--body", metavar="JSON", help="Request body: JSON, @FILE, or @- for stdin.")
@click.option(
    "--paginate", is_flag=True, help="Get all pages of a list: one line of JSON per item."
)
@click.option(
    "--curl",
    is_flag=True,
    help="Print the line for curl that does it, and send nothing; secrets are variables.",
)
@as_json
def api(
    operation_id: str | None,
    word: str | None,
    region: str | None,
    sandbox: str | None,
    as_json: bool,
    **given: Any,  # noqa: ANN401 (the options above, as click passes them)
) -> None:
    """Call any operation by its id and print the response as JSON.

    --list shows the ids; OPERATION_ID --help shows the parameters and the body of one.
    """
    if word is not None:
        show_operations(word or operation_id or "", as_json=as_json)
        return
    if operation_id is None:
        raise click.UsageError("give an OPERATION_ID; sinch-wrapper api --list shows them.")
    spec = find_operation(operation_id)
    call = arguments(spec, given["pairs"]) | _body(spec, given["body"])
    if given["paginate"] and not lists(spec):
        raise click.UsageError(f"{spec.id} lists nothing: leave out --paginate.")
    if given["curl"]:
        show_curl(spec, call, region, sandbox)
        return
    with client(region, sandbox, only_reads=spec.method == "GET") as sinch:
        if given["paginate"]:
            for item in items(sinch, spec, call):
                say_json(item)
        else:
            say_json(response_of(sinch, spec, call), indent=None if as_json else 2)


def _body(spec: "OperationSpec", text: str | None) -> dict[str, object]:
    if spec.body is None:
        if text is not None:
            raise click.UsageError(f"{spec.id} takes no --body.")
        return {}
    if text is None:
        raise click.UsageError(f"{spec.id} needs --body.")
    body = read_json(text, "--body")
    if not isinstance(body, dict):
        raise click.UsageError("--body must be a JSON object.")
    return {"body": body}


def method_of(apis: object, spec: "OperationSpec", end: str = "_detailed") -> Callable[..., Any]:
    """The method of a client that calls *spec*; with this *end* it returns the raw response."""
    resource = getattr(getattr(apis, _name_of(spec)), snake(spec.tag))
    method: Callable[..., Any] = getattr(resource, snake(spec.id.rpartition("_")[2]) + end)
    return method


def _name_of(spec: "OperationSpec") -> str:
    return "templates" if spec.api == "template" else spec.api


def response_of(sinch: "Sinch", spec: "OperationSpec", call: Mapping[str, object]) -> object:
    """The response to *call*, as received."""
    response = method_of(sinch, spec)(**call)
    return json.loads(response.content) if response.content else {}


def items(sinch: "Sinch", spec: "OperationSpec", call: Mapping[str, object]) -> Iterator[object]:
    """The items of all pages of a list, as received."""
    from sinch_wrapper import paginate

    for item in paginate(method_of(sinch, spec, ""), **call):
        yield item.to_dict() if hasattr(item, "to_dict") else item


def show_curl(
    spec: "OperationSpec", call: Mapping[str, object], region: str | None, sandbox: str | None
) -> None:
    """Print the line for curl that sends *call*."""
    endpoints, project_id = whereabouts(region, sandbox)
    made = import_module(f"sinch_{spec.api}_api").Client(Recorder(), PROJECT)
    try:
        with library_errors():
            method_of(SimpleNamespace(**{_name_of(spec): made}), spec)(**call)
    except Recorded as recorded:
        line, variables = curl_line(recorded.operation, getattr(endpoints, spec.api), project_id)
        say(line)
    also = "".join(f" Set {each} as well." for each in variables[1:])
    say(
        f'Nothing was sent. Before: export SINCH_TOKEN="$(sinch-wrapper token --show)".{also}',
        err=True,
    )
