"""The commands that check credentials and send one message: token, send."""

# ruff: noqa: FBT001 (click passes each option as an argument)

from typing import TYPE_CHECKING, Any

import click

from sinch_wrapper import _validate
from sinch_wrapper._numbers import PHONE_CHANNELS
from sinch_wrapper.cli._completion import complete_channel
from sinch_wrapper.cli._examples import examples
from sinch_wrapper.cli._inputs import message_of, text_of
from sinch_wrapper.cli._options import (
    app_option,
    as_json,
    client,
    connection_options,
    library_errors,
)
from sinch_wrapper.cli._terminal import say, say_json

if TYPE_CHECKING:
    from sinch_wrapper import Recipient

_EXAMPLES = examples(
    "token",
    "token --show",
)
_SEND_EXAMPLES = examples(
    'send --app APP --to +46700000001 --text "Your table is ready"',
    "send --app APP --to +46700000001 --text Hi --channel WHATSAPP --fallback RCS --fallback SMS",
    "send --app APP --to 123456 --text Hi --channel TELEGRAM --fallback SMS=+46700000001",
    "send --app APP --to +46700000001 --message @message.json",
)


@click.command(epilog=_EXAMPLES)
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


@click.command(short_help="Send one message to one recipient.", epilog=_SEND_EXAMPLES)
@connection_options
@app_option
@click.option(
    "--to",
    "identity",
    required=True,
    help="Phone number, or identity on the channel; or @FILE, or @- for stdin, which no list of "
    "processes shows.  stands for @ at its beginning.",
)
@click.option(
    "--channel",
    default="SMS",
    show_default=True,
    shell_complete=complete_channel,
    help="Channel of --to.",
)
@click.option(
    "--fallback",
    "fallbacks",
    multiple=True,
    shell_complete=complete_channel,
    metavar="CHANNEL[=IDENTITY]",
    help="Channel to try next, for the same phone number or another IDENTITY, which may be @FILE. "
    "Repeatable, in order.",
)
@click.option("--text", "words", help="Text of the message; or @FILE, or @-, as with --to.")
@click.option("--message", metavar="JSON", help="Any message: JSON, @FILE, or @- for stdin.")
@as_json
def send(
    region: str | None,
    sandbox: str | None,
    as_json: bool,
    **given: Any,  # noqa: ANN401 (the options above, as click passes them)
) -> None:
    """Send one message to one recipient, on one channel or the first that reaches them."""
    content = message_of(given["words"], given["message"])
    address = text_of(given["identity"], "--to").strip()
    recipient = recipient_of(given["channel"], address, given["fallbacks"])
    with client(region, sandbox) as sinch:
        sent = sinch.send(app_id=given["app"], to=recipient, message=content)
    if as_json:
        say_json(sent.to_dict())
    else:
        say(f"Accepted as message {sent.message_id}.")


def recipient_of(channel: str, address: str, fallbacks: tuple[str, ...]) -> "Recipient":
    """The recipient at *address* on *channel*, then on each of the *fallbacks*."""
    from sinch_wrapper import Recipient
    from sinch_wrapper.messages import CHANNELS

    with library_errors():
        Recipient.on(channel, address)
    found = [(channel.strip().upper(), address)]
    for text in fallbacks:
        name, equals, identity = text.partition("=")
        with library_errors(identity="--fallback", channel="--fallback"):
            name = _validate.channel("channel", name, CHANNELS)
            if not equals and not {found[0][0], name} <= PHONE_CHANNELS:
                # An id of digits would be somebody's number.
                raise click.UsageError(f"--fallback {name}: give an identity, as {name}=IDENTITY.")
            given = text_of(identity, "--fallback").strip() if equals else address
            Recipient.on(name, given)
        if (name, given) in found:
            raise click.UsageError(f"--fallback {name} is where it was sent before.")
        found.append((name, given))
    return Recipient.identities(found)
