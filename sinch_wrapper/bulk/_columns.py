"""Which column of a table means what; pure."""

import re
from collections.abc import Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field
from typing import Final, cast

from sinch_wrapper import _validate
from sinch_wrapper.errors import BulkArgumentError, BulkError
from sinch_wrapper.messages import CHANNELS

# Six digits are a phone number rather than the name of a column.
_NUMBER: Final = re.compile(r"\d(?:[\s().-]?\d){5}")
_LIKELY: Final = re.compile("phone|mobile|cell|msisdn|number|^tel", re.IGNORECASE)
_PHONES: Final = ("phone", "phone_number", "msisdn", "number")
ABSENT: Final = -1


@dataclass(frozen=True, slots=True)
class Columns:
    """Which column of a table means what.

    *to* has pairs of column and channel, in the order in which the channels are tried; a column
    may serve several channels, `[("phone", "WHATSAPP"), ("phone", "SMS")]`. A mapping from columns
    to channels will do where none does. When it is empty, `phone` (or `phone_number`, `msisdn`,
    `number`) is for SMS; a column that is called like a channel is an address only when it is
    named here. *contact_id* is the column of contact ids, tried when a row has no identity.
    *parameters* maps placeholders to columns, where the names differ. *message_metadata* and
    *conversation_metadata* map keys to columns. *key* is the column of the caller's own key;
    without it the line number is the key. *timezone* is the column of IANA names of time zones,
    such as `Europe/Stockholm`, for a job with a window.

    Raises: BulkArgumentError for what is not a name of a column, or a mapping of names.
    """

    to: Mapping[str, str] | Sequence[tuple[str, str]] = ()
    contact_id: str = "contact_id"
    key: str | None = None
    parameters: Mapping[str, str] = field(default_factory=dict)
    message_metadata: Mapping[str, str] = field(default_factory=dict)
    conversation_metadata: Mapping[str, str] = field(default_factory=dict)
    timezone: str | None = None

    def __post_init__(self) -> None:
        object.__setattr__(self, "to", _pairs(self.to))
        for name in ("parameters", "message_metadata", "conversation_metadata"):
            _validate.string_mapping(name, getattr(self, name), error=BulkArgumentError)
        for name in ("contact_id", "key", "timezone"):
            value = getattr(self, name)
            if value is not None or name == "contact_id":
                _validate.string(name, value, error=BulkArgumentError)

    @property
    def pairs(self) -> tuple[tuple[str, str], ...]:
        """The pairs of *to*."""
        return cast("tuple[tuple[str, str], ...]", self.to)

    def as_json(self) -> dict[str, object]:
        """The JSON form, for the journal."""
        found: dict[str, object] = {name: getattr(self, name) for name in self.__slots__}
        found = {
            name: dict(value) if isinstance(value, Mapping) else value
            for name, value in found.items()
        }
        return found | {"to": [list(pair) for pair in self.pairs]}


def _pairs(to: object) -> tuple[tuple[str, str], ...]:
    wanted = "pairs of column and channel, or a mapping from columns to channels"
    pairs = list(to.items()) if isinstance(to, Mapping) else to
    if not isinstance(pairs, list | tuple):
        raise _validate.wrong_kind("to", wanted, to, BulkArgumentError)
    found: list[tuple[str, str]] = []
    for pair in pairs:
        if not isinstance(pair, list | tuple) or len(pair) != 2:  # noqa: PLR2004 (a pair)
            raise _validate.out_of_range("to", wanted, BulkArgumentError)
        column, channel = pair
        if not isinstance(column, str) or not isinstance(channel, str):
            raise _validate.out_of_range("to", f"{wanted}, all strings", BulkArgumentError)
        found.append((column, _validate.channel("to", channel, CHANNELS, error=BulkArgumentError)))
    if len(set(found)) < len(found):
        raise _validate.out_of_range("to", "pairs that differ", BulkArgumentError)
    return tuple(found)


@dataclass(frozen=True, slots=True)
class Layout:
    """The positions of the columns in one table: pairs of position and meaning.

    The position of a parameter is ABSENT when no column has it, because there is a default for it.
    """

    to: tuple[tuple[int, str], ...]
    contact_id: int | None
    key: int | None
    parameters: tuple[tuple[int, str], ...]
    message_metadata: tuple[tuple[int, str], ...]
    conversation_metadata: tuple[tuple[int, str], ...]
    header: tuple[str, ...]

    def __str__(self) -> str:
        """What was understood: `phone -> WHATSAPP, SMS; key customer_id; parameters name`."""
        channels: dict[str, list[str]] = {}
        for at, channel in self.to:
            channels.setdefault(self.header[at], []).append(channel)
        found = [f"{name} -> {', '.join(to)}" for name, to in channels.items()]
        if self.contact_id is not None:
            found.append(f"{self.header[self.contact_id]} -> contact")
        if self.key is not None:
            found.append(f"key {self.header[self.key]}")
        for what, pairs in (("parameters", self.parameters), ("metadata", self._metadata())):
            if pairs:
                found.append(f"{what} {', '.join(self._named(at, name) for at, name in pairs)}")
        return "; ".join(found)

    def _metadata(self) -> tuple[tuple[int, str], ...]:
        return *self.message_metadata, *self.conversation_metadata

    def _named(self, at: int, name: str) -> str:
        if at == ABSENT:
            return f"{name} (default)"
        return name if self.header[at] == name else f"{name}={self.header[at]}"


def layout(
    columns: Columns,
    header: Sequence[str],
    needed: frozenset[str],
    place: str,
    optional: AbstractSet[str] = frozenset(),
) -> Layout:
    """Find the columns in *header*, which is that of *place*.

    Of the parameters that are *needed*, the *optional* ones may be missing.
    Raises: BulkError that names every column that is missing or duplicate.
    """
    position = {name: at for at, name in reversed(list(enumerate(header))) if name}
    named = columns.pairs or _guessed(header, place)
    parameters = {name: columns.parameters.get(name, name) for name in sorted(needed)}
    must = {column for name, column in parameters.items() if name not in optional}
    _check(columns, [column for column, _ in named], must, header, place)
    return Layout(
        tuple((position[name], channel) for name, channel in named),
        position.get(columns.contact_id),
        None if columns.key is None else position[columns.key],
        tuple((position.get(column, ABSENT), name) for name, column in parameters.items()),
        tuple((position[column], name) for name, column in columns.message_metadata.items()),
        tuple((position[column], name) for name, column in columns.conversation_metadata.items()),
        tuple(header),
    )


def _check(
    columns: Columns, named: list[str], must: set[str], header: Sequence[str], place: str
) -> None:
    """Raise BulkError when a column is missing or duplicate; columns without use may be so."""
    wanted = {*named, *must, *columns.message_metadata.values()}
    wanted |= {*columns.conversation_metadata.values()}
    wanted |= {columns.key} if columns.key is not None else set()
    if missing := sorted(wanted - set(header)):
        raise BulkError(
            f"{place}: missing columns {_listed(missing)}; {_shown(header)}: "
            "add them, or map others with columns="
        )
    if not named and columns.contact_id not in header:
        raise BulkError(
            f"{place}: no column identifies the recipients; {_shown(header)}: "
            f"map one, such as {_example(header)}"
        )
    if twice := sorted(name for name in wanted | {columns.contact_id} if header.count(name) > 1):
        raise BulkError(f"{place}: duplicate column names {_listed(twice)}: rename one of each")


def _guessed(header: Sequence[str], place: str) -> tuple[tuple[str, str], ...]:
    found = [name for name in header if name.lower() in _PHONES]
    if len(set(found)) > 1:
        raise BulkError(
            f"{place}: several columns may hold the numbers, {_listed(found)}: "
            f"choose with {_example(found)}"
        )
    return tuple((name, "SMS") for name in dict.fromkeys(found))


def _example(header: Sequence[str]) -> str:
    """How to name the column of the addresses, with one that is likely to be it."""
    # A column that is called like a channel may say whether somebody wants it.
    likely = [name for name in header if _LIKELY.search(name)]
    likely += [name for name in header if name.upper() in CHANNELS]
    name = likely[0] if likely else "mobile"
    channel = name.upper() if name.upper() in CHANNELS else "SMS"
    return f'Columns(to=[("{name}", "{channel}")])'


def _shown(header: Sequence[str]) -> str:
    """The columns that exist; nothing of a line of data in place of their names."""
    if any(map(_NUMBER.search, header)):
        return "the first line looks like data, not column names: is the header missing?"
    if len(header) == 1 and any(mark in header[0] for mark in ";\t|"):
        return f"found one column {_listed(header)}; the file must be comma-separated"
    return f"found {_listed([name for name in header if name])}"


def _listed(names: Sequence[str]) -> str:
    return ", ".join(repr(name) for name in names[:20]) or "none"
