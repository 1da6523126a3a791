"""The commands that look before a job is sent: check, test."""

# ruff: noqa: FBT001 (click passes each option as an argument)

import dataclasses
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from sinch_wrapper._numbers import PHONE_CHANNELS
from sinch_wrapper.cli._bulk_options import limits_from, limits_options
from sinch_wrapper.cli._campaign_options import campaign_arguments, campaign_options
from sinch_wrapper.cli._examples import examples
from sinch_wrapper.cli._exit_codes import ExitCode, leave
from sinch_wrapper.cli._inputs import message_of, message_options, say_lookalikes
from sinch_wrapper.cli._list_options import (
    invalid_option,
    list_arguments,
    list_options,
    recipients_of,
)
from sinch_wrapper.cli._options import (
    app_option,
    as_json,
    client,
    connection_options,
    library_errors,
)
from sinch_wrapper.cli._preview_options import preview_arguments, preview_options
from sinch_wrapper.cli._terminal import say, say_json

if TYPE_CHECKING:
    from sinch_wrapper.bulk import Report

# How long a single message is waited for, in seconds.
_PATIENCE = 30.0


@click.command(
    short_help="Show what `bulk send` would do; nothing is sent.",
    epilog=examples(
        'bulk check spring.csv --text "Hi ${name}"',
        "bulk check spring.csv --text @spring.txt --prices prices.csv",
    ),
)
@message_options
@list_options
@invalid_option
@campaign_options
@preview_options
@click.option(
    "--examples",
    type=click.IntRange(0),
    default=3,
    show_default=True,
    help="How many messages to show.",
)
@click.option("--recipients", is_flag=True, help="Print one JSON line per recipient instead.")
@limits_options
@click.option("--app", help="Not needed: nothing is sent.")
@as_json
def check(
    source: Path,
    examples: int,
    recipients: bool,
    as_json: bool,
    **given: Any,  # noqa: ANN401 (the options above, as click passes them)
) -> None:
    """Show what `bulk send` would do with FILE; nothing is sent, and no credentials are needed.

    What is wrong with rows, the messages as their recipients see them, parts of SMS, cost, and
    times. Exit code 1 when `bulk send` would refuse the job.
    """
    from sinch_wrapper.bulk import preview
    from sinch_wrapper.cli._bulk_progress import progress_view
    from sinch_wrapper.cli._preview_views import message_json, show_preview, show_preview_json

    options = list_arguments(given) | campaign_arguments(given) | preview_arguments(given)
    options |= {"on_invalid": given["on_invalid"], "limits": limits_from(given)}
    message = message_of(given["words"], given["message"])
    say_lookalikes(message)
    with progress_view(silent=as_json or recipients) as progress, library_errors():
        found = preview(
            message=message, recipients=recipients_of(source), progress=progress, **options
        )
    if recipients:
        for each in found.messages():
            say_json(message_json(each))
    elif as_json:
        show_preview_json(found, examples)
    else:
        show_preview(found, examples)
        say("Nothing was sent.")
    leave(ExitCode.FAILED if found.refusals else ExitCode.OK)


@click.command(
    "test",
    short_help="Send one real message to a number of your own.",
    epilog=examples('bulk test spring.csv --app APP --text "Hi ${name}" --row 2 --to +46700000001'),
)
@app_option
@click.option(
    "--row",
    type=click.IntRange(1),
    required=True,
    help="The line whose message to send, as reports and spreadsheets number it: with a header, "
    "the first recipient is on line 2.",
)
@message_options
@list_options
@connection_options
@as_json
def send_test(
    source: Path,
    region: str | None,
    sandbox: str | None,
    as_json: bool,
    **given: Any,  # noqa: ANN401 (the options above, as click passes them)
) -> None:
    """Send one real message to a number of your own: what the recipient on line --row would get.

    Give your number as --to NUMBER, and columns as --to COLUMN=CHANNEL, as for `bulk send`.
    """
    from sinch_wrapper.bulk import preview

    number, columns = _number(given["to"])
    options = list_arguments({**given, "to": columns}) | {"on_duplicate": "send"}
    row, message = given["row"], message_of(given["words"], given["message"])
    say_lookalikes(message)
    with library_errors():
        options |= {"recipients": recipients_of(source), "on_invalid": "skip", "limit": row}
        found = preview(message=message, **options)
        person = _redirected(found.recipient(row), number)
    with client(region, sandbox) as sinch:
        report = sinch.bulk.send(
            app_id=given["app"],
            message=message,
            recipients=[person],
            send_again="never",
            deadline=_PATIENCE,
            numbers=given["numbers"],
            default_country=given["default_country"],
        )
    leave(_show_test(report, row, as_json=as_json))


def _number(given: tuple[str, ...]) -> tuple[str, tuple[str, ...]]:
    """The one number among the values of --to, and the others."""
    numbers = [each for each in given if "=" not in each]
    if len(numbers) != 1:
        raise click.UsageError("give one number as --to NUMBER, such as --to +46700000001.")
    return numbers[0], tuple(each for each in given if "=" in each)


def _redirected(person: Mapping[str, Any], number: str) -> dict[str, object]:
    """*person* with *number* on each channel that has phone numbers, and on no other."""
    identified = person["recipient"].get("identified_by") or {}
    found = [
        {**each, "identity": number}
        for each in identified.get("channel_identities") or ()
        if str(each["channel"]).upper() in PHONE_CHANNELS
    ]
    if not found:
        raise click.UsageError("that recipient has no channel with a phone number.")
    fields = {name: value for name, value in person.items() if value is not None}
    return {**fields, "recipient": {"identified_by": {"channel_identities": found}}}


def _show_test(report: "Report", row: int, *, as_json: bool) -> ExitCode:
    result = next(iter(report.recipients()))
    if as_json:
        say_json(dataclasses.asdict(result) | {"line": row})
    else:
        detail = f": {result.reason} {result.detail}".rstrip() if result.reason else ""
        say(f"The message of line {row} to your number: {result.state}{detail}")
    if report.unknown:
        return ExitCode.UNKNOWN
    return ExitCode.OK if report.accepted else ExitCode.FAILED
