"""Which column of a table means what; pure."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

from sinch_wrapper import _validate
from sinch_wrapper.errors import BulkArgumentError, BulkError
from sinch_wrapper.messages import CHANNELS

# Six digits are a phone number rather than the name of a column.
_NUMBER: Final = re.compile(r"\d(?:[\s().-]?\d){5}")
_PHONES: Final = ("phone", "phone_number", "msisdn", "number")


@dataclass(frozen=True, slots=True)
class Columns:
    """Which column of a table means what.

    *to* maps columns to channels, in the order in which the channels are tried; when it is empty
    the columns named like a channel count, else `phone` as SMS. *contact_id* is the column of
    contact ids, tried when a row has no identity. *parameters* maps placeholders to columns,
    where the names differ. *message_metadata* and *conversation_metadata* map keys to columns.
    *key* is the column of the caller's own key; without it the line number is the key.

    Raises: BulkArgumentError for what is not a name of a column, or a mapping of names.
    """

    to: Mapping[str, str] = field(default_factory=dict)
    contact_id: str = "contact_id"
    key: str | None = None
    parameters: Mapping[str, str] = field(default_factory=dict)
    message_metadata: Mapping[str, str] = field(default_factory=dict)
    conversation_metadata: Mapping[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        for name in ("to", "parameters", "message_metadata", "conversation_metadata"):
            _validate.string_mapping(name, getattr(self, name), error=BulkArgumentError)
        for name in ("contact_id", "key"):
            value = getattr(self, name)
            if value is not None or name == "contact_id":
                _validate.string(name, value, error=BulkArgumentError)

    def as_json(self) -> dict[str, object]:
        """The JSON form, for the journal."""
        return {
            name: dict(value) if isinstance(value, Mapping) else value
            for name in self.__slots__
            for value in (getattr(self, name),)
        }


@dataclass(frozen=True, slots=True)
class Layout:
    """The positions of the columns in one table: pairs of position and meaning."""

    to: tuple[tuple[int, str], ...]
    contact_id: int | None
    key: int | None
    parameters: tuple[tuple[int, str], ...]
    message_metadata: tuple[tuple[int, str], ...]
    conversation_metadata: tuple[tuple[int, str], ...]
    header: tuple[str, ...]


def layout(columns: Columns, header: Sequence[str], needed: frozenset[str], place: str) -> Layout:
    """Find the columns in *header*, which is that of *place*.

    Raises: BulkError that names every column that is missing or duplicate.
    """
    if twice := sorted({name for name in header if header.count(name) > 1}):
        raise BulkError(f"{place}: duplicate column names {_listed(twice)}: rename one of each")
    position = {name: at for at, name in enumerate(header)}
    named = dict(columns.to) or _guessed(header)
    parameters = {name: columns.parameters.get(name, name) for name in sorted(needed)}
    wanted = [*named, *parameters.values(), *columns.message_metadata.values()]
    wanted += columns.conversation_metadata.values()
    wanted += [columns.key] if columns.key is not None else []
    if missing := sorted({name for name in wanted if name not in position}):
        raise BulkError(
            f"{place}: missing columns {_listed(missing)}; {_shown(header)}: "
            "add them, or map others with columns= (--to, --key, --parameter, --metadata)"
        )
    if not named and columns.contact_id not in position:
        raise BulkError(
            f"{place}: no column identifies the recipients; {_shown(header)}: "
            'map one, such as Columns(to={"mobile": "SMS"}) (--to mobile=SMS)'
        )
    return Layout(
        tuple((position[name], channel.upper()) for name, channel in named.items()),
        position.get(columns.contact_id),
        None if columns.key is None else position[columns.key],
        tuple((position[column], name) for name, column in parameters.items()),
        tuple((position[column], name) for name, column in columns.message_metadata.items()),
        tuple((position[column], name) for name, column in columns.conversation_metadata.items()),
        tuple(header),
    )


def _guessed(header: Sequence[str]) -> dict[str, str]:
    known = {name: name.upper() for name in header if name.upper() in CHANNELS}
    if known:
        return known
    return {name: "SMS" for name in header if name.lower() in _PHONES}


def _shown(header: Sequence[str]) -> str:
    """The columns that exist; nothing of a line of data in place of their names."""
    if any(map(_NUMBER.search, header)):
        return "the first line looks like data, not column names: is the header missing?"
    if len(header) == 1 and any(mark in header[0] for mark in ";\t|"):
        return f"found one column {_listed(header)}; the file must be comma-separated"
    return f"found {_listed(header)}"


def _listed(names: Sequence[str]) -> str:
    return ", ".join(repr(name) for name in names[:20]) or "none"
