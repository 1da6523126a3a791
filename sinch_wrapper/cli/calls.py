"""Commands that call the APIs: token, send, api."""

# ruff: noqa: FBT001, PLR0913, PLR0917 (click passes each option as an argument)

import json
from collections.abc import Callable
from typing import Any

import click

from sinch_wrapper.cli.options import as_json, client, connection_options, read_json

__all__ = ["api", "send", "token"]


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
    from sinch_wrapper.cli.operations import arguments, find_operation, method_of

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
