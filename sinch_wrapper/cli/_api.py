"""Commands that call the APIs: token, send, api."""

# ruff: noqa: FBT001, PLR0913, PLR0917 (click passes each option as an argument)

import difflib
import json
import re
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Any

import click

from sinch_wrapper.cli._options import as_json, client, connection_options, read_json
from sinch_wrapper.sandbox._documents import (
    PACKAGES,
    OperationSpec,
    all_operations,
    document,
)

if TYPE_CHECKING:
    from sinch_wrapper import Sinch


@click.command()
@connection_options
@click.option("--show", is_flag=True, help="Print the token itself: it is a secret.")
@as_json
def token(region: str | None, sandbox: str | None, show: bool, as_json: bool) -> None:
    """Fetch an access token, to see that the credentials work."""
    with client(region, sandbox) as sinch:
        fetched = sinch.fetch_token()
    lasts = round(fetched.expires_in)
    if as_json:
        secret = {"access_token": fetched.value} if show else {}
        click.echo(json.dumps({"expires_in": lasts} | secret))
    elif show:
        click.echo(fetched.value)
    else:
        click.echo(f"The credentials work: the token is good for {lasts / 60:.0f} minutes.")


@click.command()
@connection_options
@click.option("--app", required=True, help="The id of the app that sends.")
@click.option("--to", "identity", required=True, help="The number or other identity.")
@click.option("--channel", default="SMS", show_default=True, help="The channel of --to.")
@click.option("--text", "words", required=True, help="The text of the message.")
@as_json
def send(
    region: str | None,
    sandbox: str | None,
    app: str,
    identity: str,
    channel: str,
    words: str,
    as_json: bool,
) -> None:
    """Send one text message."""
    from sinch_wrapper import Recipient, text

    try:
        recipient, message = Recipient.on(channel, identity), text(words)
    except ValueError as error:
        raise click.UsageError(f"{error}.") from error
    with client(region, sandbox) as sinch:
        sent = sinch.send(app_id=app, to=recipient, message=message)
    if as_json:
        click.echo(json.dumps(sent.to_dict(), default=str))
    else:
        click.echo(f"Accepted as message {sent.message_id}.")


@click.command()
@connection_options
@click.argument("operation_id")
@click.option(
    "--param", "pairs", multiple=True, metavar="NAME=VALUE", help="A path or query parameter."
)
@click.option("--body", metavar="JSON", help="The body: JSON, @file or @- for stdin.")
def api(
    region: str | None,
    sandbox: str | None,
    operation_id: str,
    pairs: tuple[str, ...],
    body: str | None,
) -> None:
    """Call any operation by its id and print the answer as JSON.

    OPERATION_ID is that of the API documents, such as App_ListApps or Batch_GetBatchStatus.
    """
    spec = find_operation(operation_id)
    given = arguments(spec, pairs)
    if spec.body is not None:
        if body is None:
            message = f"{spec.id} needs --body."
            raise click.UsageError(message)
        given["body"] = _object(body)
    elif body is not None:
        message = f"{spec.id} takes no --body."
        raise click.UsageError(message)
    with client(region, sandbox) as sinch:
        answer = _call(method_of(sinch, spec), given)
    click.echo(json.dumps(answer, indent=2, ensure_ascii=False))


def _object(text: str) -> dict[str, object]:
    body = read_json(text, "--body")
    if not isinstance(body, dict):
        message = "--body must be a JSON object."
        raise click.UsageError(message)
    return body


def _call(method: Callable[..., Any], given: dict[str, object]) -> object:
    try:
        response = method(**given)
    except ValueError as error:
        raise click.UsageError(f"{error}.") from error
    return json.loads(response.content) if response.content else {}


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
