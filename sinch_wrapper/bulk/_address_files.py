"""Files of people who must not be written to: one number per line, or a table of any kind."""

from collections.abc import Iterator, Mapping
from itertools import chain
from pathlib import Path
from typing import Final

from sinch_wrapper._numbers import digits_of
from sinch_wrapper.bulk._addresses import recipient_keys
from sinch_wrapper.bulk._sources import Table, opened, source_of
from sinch_wrapper.errors import BulkError

_COLUMNS: Final = ("phone", "phone_number", "msisdn", "number", "mobile", "to", "recipient")
_PLAIN: Final = ("", ".txt", ".lst", ".list")


def file_keys(path: Path) -> Iterator[str]:
    """The keys of all people in the file at *path*; blank lines are left out.

    A table has one column, or one that is called phone, number or the like; its first line may be
    a number, too. Raises: BulkError, also later, for what is not an international number.
    """
    for line, value in _values(path):
        keys = _keys_of_value(value)
        if not keys:
            raise BulkError(
                f"{path.name}: line {line} is not an international number, such as +46700000001: "
                "correct it; nothing leaves by a list that is read in part"
            )
        yield from keys


def _values(path: Path) -> Iterator[tuple[int, object]]:
    if path.suffix.lower() in _PLAIN:
        yield from _lines(path)
        return
    found = source_of("exclude", path).open()
    if not isinstance(found, Table):
        yield from ((line, value) for line, value in found.rows)
        return
    at = _column(path, found.header)
    first = [(1, found.header)] if digits_of(found.header[at]) else []
    yield from (
        (line, cells[at])
        for line, cells in chain(first, found.rows)
        if len(cells) > at and _is_filled(cells[at])
    )


def _is_filled(cell: object) -> bool:
    return bool(cell.strip()) if isinstance(cell, str) else cell is not None


def _lines(path: Path) -> Iterator[tuple[int, str]]:
    with opened(path), path.open(encoding="utf-8-sig") as file:
        for line, text in enumerate(file, 1):
            # The name of a column.
            is_name = line == 1 and text.strip().lower() in _COLUMNS
            if text.strip() and not is_name:
                yield line, text.strip()


def _column(path: Path, header: list[str]) -> int:
    if len(header) == 1:
        return 0
    names = [name.strip().lower() for name in header]
    found = [at for at, name in enumerate(names) if name in _COLUMNS]
    if len(found) == 1:
        return found[0]
    raise BulkError(
        f"{path.name}: {'more than one' if found else 'no'} column for numbers: give a file "
        "with one column, or with one that is called phone"
    )


def _keys_of_value(value: object) -> list[str]:
    if isinstance(value, str):
        digits = digits_of(value)
        return [digits] if digits else []
    if not isinstance(value, Mapping):
        return []
    if "recipient" in value or "identified_by" in value or "contact_id" in value:
        return list(recipient_keys(value.get("recipient", value)))
    named = [text for name, text in value.items() if str(name).lower() in _COLUMNS]
    return _keys_of_value(named[0]) if len(named) == 1 and isinstance(named[0], str) else []
