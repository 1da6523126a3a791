"""The commands about suppression lists: add, remove, load, check, doubtful."""

# ruff: noqa: FBT001 (click passes each option as an argument)

import json
from pathlib import Path

import click

from sinch_wrapper._validate import counted
from sinch_wrapper.cli._examples import examples
from sinch_wrapper.cli._exit_codes import ExitCode, acts, leave
from sinch_wrapper.cli._options import as_json, library_errors
from sinch_wrapper.cli._places import LIST, ListPlace
from sinch_wrapper.cli._terminal import say, say_json

_LIST = click.argument("path", metavar="LIST", type=LIST)
_NUMBERS = click.argument("numbers", nargs=-1, required=True, metavar="NUMBER...")


@click.group(
    short_help="Keep lists of those who must not be written to.",
    epilog=examples(
        "suppression add stop.db +46700000001",
        "suppression check stop.db +46700000001",
    ),
)
def suppression() -> None:
    """Keep lists of those who must not be written to, in files or in PostgreSQL.

    A receiver adds who opts out (callbacks serve --suppression LIST); bulk send --exclude LIST
    leaves them out.
    """


@suppression.command(
    short_help="Put numbers on a list.", epilog=examples("suppression add stop.db +46700000001")
)
@_LIST
@_NUMBERS
@as_json
def add(path: ListPlace, numbers: tuple[str, ...], as_json: bool) -> None:
    """Put international numbers on LIST, which is made when it does not exist."""
    from sinch_wrapper.bulk import SuppressionList

    acts()
    with library_errors(), SuppressionList(path) as found:
        many = found.add(numbers)
    _say_changed("added", many, as_json=as_json)


@suppression.command(epilog=examples("suppression remove stop.db +46700000001"))
@_LIST
@_NUMBERS
@as_json
def remove(path: ListPlace, numbers: tuple[str, ...], as_json: bool) -> None:
    """Take international numbers off LIST, whoever put them there."""
    from sinch_wrapper.bulk import SuppressionList

    acts()
    with library_errors(), SuppressionList(path, must_exist=True) as found:
        many = found.remove(numbers)
    _say_changed("removed", many, as_json=as_json)


@suppression.command(
    short_help="Put all numbers of a file on a list.",
    epilog=examples("suppression load stop.db opted-out.csv"),
)
@_LIST
@click.argument("source", metavar="FILE", type=click.Path(path_type=Path))
@as_json
def load(path: ListPlace, source: Path, as_json: bool) -> None:
    """Put all numbers of FILE on LIST: one per line, or a table with a column called phone."""
    from sinch_wrapper.bulk import SuppressionList

    acts()
    with library_errors(), SuppressionList(path) as found:
        many = found.load_file(source)
    _say_changed("loaded", many, as_json=as_json)


def _say_changed(what: str, many: int, *, as_json: bool) -> None:
    if as_json:
        say_json({what: many})
    else:
        say(f"{counted(many, 'number')} {what}")


@suppression.command(
    short_help="Say for each number whether it is on a list.",
    epilog=examples("suppression check stop.db +46700000001"),
)
@_LIST
@_NUMBERS
@as_json
def check(path: ListPlace, numbers: tuple[str, ...], as_json: bool) -> None:
    """Say for each number whether it is on LIST; exit code 1 when one is."""
    from sinch_wrapper.bulk import SuppressionList

    with library_errors(), SuppressionList(path, must_exist=True) as found:
        held = [found.holds(number) for number in numbers]
    if as_json:
        say_json(held)
    else:
        for number, is_held in zip(numbers, held, strict=True):
            say(f"{number} {'is on the list' if is_held else 'is not on the list'}")
    leave(ExitCode.FAILED if any(held) else ExitCode.OK)


@suppression.command(
    short_help="Show the messages that may be opt-outs, or decide.",
    epilog=examples(
        "suppression doubtful stop.db",
        "suppression doubtful stop.db --out 7",
    ),
)
@_LIST
@click.option("--out", type=click.IntRange(1), metavar="ID", help="It was meant as an opt-out.")
@click.option("--nothing", type=click.IntRange(1), metavar="ID", help="It was not.")
@as_json
def doubtful(path: ListPlace, out: int | None, nothing: int | None, as_json: bool) -> None:
    """Show the messages that may be meant as an opt-out, or decide about one.

    They are shown with their text and number: reading them is what they wait for.
    """
    from sinch_wrapper.bulk import SuppressionList

    with library_errors(), SuppressionList(path, must_exist=True) as found:
        for text_id, meaning in ((out, "out"), (nothing, "nothing")):
            if text_id is not None and not found.decide(text_id, meaning):  # type: ignore[arg-type]  # one of both
                raise click.UsageError(f"no message with the id {text_id} waits.")
        for each in found.doubtful() if out is nothing is None else ():
            facts = {"id": each.id, "from": each.addresses, "text": each.text}
            shown = json.dumps(each.text, ensure_ascii=False)
            say_json(facts) if as_json else say(f"{each.id} {' '.join(each.addresses)} {shown}")
