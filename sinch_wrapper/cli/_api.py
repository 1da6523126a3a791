"""Commands that call the APIs: token, send, api."""

# ruff: noqa: FBT001, PLR0913, PLR0917 (click passes each option as an argument)

import difflib
import json
import re
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Any

import click

from sinch_wrapper.cli._completion import complete_channel, complete_operation
from sinch_wrapper.cli._inputs import message_of, read_json, text_of
from sinch_wrapper.cli._options import (
    app_option,
    as_json,
    client,
    connection_options,
    library_errors,
)
from sinch_wrapper.cli._terminal import say, say_json

if TYPE_CHECKING:
    from sinch_wrapper import Sinch
    from sinch_wrapper.sandbox import OperationSpec

_CAPITAL = re.compile(r"(?<=[a-z0-9])(?=[A-Z])")
_BOOLEANS = {"true": True, "false": False}


@click.command()
@connection_options
@click.option("--show", is_flag=True, help="Print the token itself, which is a secret.")
@as_json
def token(region: str | None, sandbox: str | None, show: bool, as_json: bool) -> None:
    """Fetch an access token to check that the credentials work."""
    with client(region, sandbox, only_reads=True) as sinch:
        fetched = sinch.fetch_token()
    lasts = round(fetched.expires_in)
    if as_json:
        secret = {"access_token": fetched.value} if show else {}
        say_json({"expires_in": lasts} | secret)
    elif show:
        say(fetched.value)
    else:
        say(f"The credentials work: the token is valid for {lasts / 60:.0f} minutes.")


@click.command()
@connection_options
@app_option
@click.option(
    "--to",
    "identity",
    required=True,
    help="Phone number, or identity on the channel; or @FILE, or @- for stdin, which no list of "
    "processes shows. @@ stands for @ at its beginning.",
)
@click.option(
    "--channel",
    default="SMS",
    show_default=True,
    shell_complete=complete_channel,
    help="Channel of --to.",
)
@click.option("--text", "words", help="Text of the message; or @FILE, or @-, as with --to.")
@click.option("--message", metavar="JSON", help="Any message: JSON, @FILE, or @- for stdin.")
@as_json
def send(
    region: str | None,
    sandbox: str | None,
    app: str,
    identity: str,
    channel: str,
    words: str | None,
    message: str | None,
    as_json: bool,
) -> None:
    """Send one message to one recipient."""
    from sinch_wrapper import Recipient

    content, address = message_of(words, message), text_of(identity, "--to").strip()
    with library_errors():
        recipient = Recipient.on(channel, address)
    with client(region, sandbox) as sinch:
        sent = sinch.send(app_id=app, to=recipient, message=content)
    if as_json:
        say_json(sent.to_dict())
    else:
        say(f"Accepted as message {sent.message_id}.")


@click.command()
@connection_options
@click.argument("operation_id", shell_complete=complete_operation)
@click.option(
    "--param",
    "pairs",
    multiple=True,
    metavar="NAME=VALUE",
    help="Path or query parameter. Repeatable.",
)
@click.option("--body", metavar="JSON", help="Request body: JSON, @file, or @- for stdin.")
def api(
    region: str | None,
    sandbox: str | None,
    operation_id: str,
    pairs: tuple[str, ...],
    body: str | None,
) -> None:
    """Call any operation by its id and print the response as JSON.

    OPERATION_ID is that of the API documents, such as App_ListApps or Batch_GetBatchStatus.
    """
    spec = find_operation(operation_id)
    given = arguments(spec, pairs)
    if spec.body is not None:
        if body is None:
            raise click.UsageError(f"{spec.id} needs --body.")
        given["body"] = _object(body)
    elif body is not None:
        raise click.UsageError(f"{spec.id} takes no --body.")
    only_reads = spec.method == "GET"
    with client(region, sandbox, only_reads=only_reads) as sinch:
        response = method_of(sinch, spec)(**given)
    found = json.loads(response.content) if response.content else {}
    say_json(found, indent=2)


def _object(text: str) -> dict[str, object]:
    body = read_json(text, "--body")
    if not isinstance(body, dict):
        raise click.UsageError("--body must be a JSON object.")
    return body


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


def method_of(sinch: "Sinch", spec: "OperationSpec") -> Callable[..., Any]:
    """The method of *sinch* that calls *spec* and returns the raw response as well."""
    api = "templates" if spec.api == "template" else spec.api
    resource = getattr(getattr(sinch, api), snake(spec.tag))
    method: Callable[..., Any] = getattr(resource, snake(spec.id.rpartition("_")[2]) + "_detailed")
    return method


def arguments(spec: "OperationSpec", pairs: Iterable[str]) -> dict[str, object]:
    """The keyword arguments that `name=value` *pairs* mean; raises click.UsageError."""
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
            raise click.UsageError(f"--param {name}: expected NAME=VALUE.")
        if name not in known:
            names = ", ".join(dict.fromkeys(each["name"] for each in known.values())) or "none"
            raise click.UsageError(f"{spec.id} has no parameter {name!r}; it has {names}.")
        if snake(name) in given:
            raise click.UsageError(f"--param {name} is given twice.")
        given[snake(name)] = _typed(name, text, known[name]["schema"])
    needed = {snake(each["name"]) for each in known.values() if each.get("required")}
    if missing := sorted(needed - given.keys()):
        options = ", ".join(f"--param {each}=VALUE" for each in missing)
        raise click.UsageError(f"{spec.id} needs {options}.")
    return given


def snake(name: str) -> str:
    """*name* in snake case, as the generated code spells it."""
    return _CAPITAL.sub("_", name.replace(" ", "_")).lower()


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
        raise click.UsageError(f"--param {name} must be of type {schema['type']}.") from None
    return _time(name, text) if schema.get("format") == "date-time" else text


def _time(name: str, text: str) -> object:
    from datetime import UTC, datetime

    try:
        found = datetime.fromisoformat(text)
    except ValueError:
        message = f"--param {name} must be a time such as 2026-01-31T12:00:00Z."
        raise click.UsageError(message) from None
    return found if found.tzinfo else found.replace(tzinfo=UTC)
