"""Options that say how a list is read, for all commands that take one."""

from collections.abc import Mapping
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any

import click

from sinch_wrapper.cli._inputs import stdin_bytes
from sinch_wrapper.cli._options import CommandT, library_errors, options, pair_list, pairs

if TYPE_CHECKING:
    from sinch_wrapper.bulk import Columns

_LIST = (
    click.argument("source", metavar="FILE", type=click.Path(path_type=Path)),
    click.option("--key", help="Column holding your own record id.  [default: the line number]"),
    click.option(
        "--to",
        multiple=True,
        metavar="COLUMN=CHANNEL",
        help="Where to send, in order of preference; a column may be named again, with another "
        "channel. Repeatable.  [default: phone=SMS]",
    ),
    click.option(
        "--parameter",
        multiple=True,
        metavar="NAME=COLUMN",
        help="Map placeholder NAME to COLUMN when they differ. Repeatable.",
    ),
    click.option(
        "--metadata",
        multiple=True,
        metavar="KEY=COLUMN",
        help="Put COLUMN in the metadata of each message as KEY. Repeatable.",
    ),
    click.option(
        "--default",
        "defaults",
        multiple=True,
        metavar="NAME=TEXT",
        help="Text for placeholder NAME where a row has none. Repeatable.",
    ),
    click.option(
        "--numbers",
        type=click.Choice(["e164", "msisdn", "as-given"]),
        default="e164",
        show_default=True,
        help="What digits without + are: refused, or numbers with a country code (msisdn). "
        "as-given checks no number, for short codes.",
    ),
    click.option(
        "--default-country",
        metavar="CC",
        help="Country in which numbers without a country code are dialled, such as SE.",
    ),
    click.option("--delimiter", help="Character between columns; tab for a tab.  [default: found]"),
    click.option(
        "--encoding", help="Encoding of FILE, such as cp1252.  [default: found; UTF-8 or UTF-16]"
    ),
    click.option(
        "--on-duplicate",
        type=click.Choice(["stop", "skip", "send"]),
        default="skip",
        show_default=True,
        help="What to do when two rows name the same recipient.",
    ),
    click.option(
        "--chunk-size",
        type=click.IntRange(1, 1000),
        default=1000,
        show_default=True,
        help="Recipients per request.",
    ),
)
_DIRECT = ("on_duplicate", "chunk_size", "numbers", "default_country", "delimiter", "encoding")

invalid_option = click.option(
    "--on-invalid",
    type=click.Choice(["stop", "skip"]),
    default="stop",
    show_default=True,
    help="What to do when a row cannot be sent.",
)


def list_options(command: CommandT) -> CommandT:
    """Add FILE, and the options that say how it is read, to *command*."""
    return options(_LIST)(command)


def recipients_of(source: Path) -> Path | IO[bytes]:
    """What FILE stands for: `-` is stdin. Raises: click.UsageError when that is closed."""
    return stdin_bytes("FILE") if str(source) == "-" else source


def journal_beside(source: Path) -> Path:
    """The journal of a job for FILE; raises click.UsageError when no file can lie beside it."""
    if not source.name:
        raise click.UsageError("FILE must be a file.")
    if str(source) == "-" or (source.exists() and not source.is_file()):
        raise click.UsageError("FILE is not a regular file: name a journal with --job.")
    return source.with_name(f"{source.name}.db")


def list_arguments(given: Mapping[str, Any]) -> dict[str, Any]:
    """The values of `list_options` but FILE, as the library takes them."""
    found = {name: given[name] for name in _DIRECT} | {"columns": _columns(given)}
    return found | {"defaults": pairs("--default", "NAME=TEXT", given["defaults"])}


def _columns(given: Mapping[str, Any]) -> "Columns":
    from sinch_wrapper.bulk import Columns

    with library_errors():
        return Columns(
            to=pair_list("--to", "COLUMN=CHANNEL", given["to"]),
            key=given["key"],
            parameters=pairs("--parameter", "NAME=COLUMN", given["parameter"]),
            message_metadata=pairs("--metadata", "KEY=COLUMN", given["metadata"]),
            timezone=given.get("timezone"),
        )
