"""What a message costs, by channel and the first digits of a number."""

import re
from collections.abc import Iterable, Mapping
from decimal import Decimal, InvalidOperation
from pathlib import Path
from typing import Final, TypeAlias

from sinch_wrapper import _validate
from sinch_wrapper.bulk._csv import read_text_table
from sinch_wrapper.bulk._list_files import ListFile
from sinch_wrapper.errors import BulkArgumentError, BulkError

Price: TypeAlias = Decimal | str | int | float
PriceTable: TypeAlias = str | Path | Mapping[str, Price] | Mapping[str, Mapping[str, Price]]
"""Path of a CSV file with the columns `prefix`, `price` and perhaps `channel`; or prices by prefix,
for SMS, or by channel and prefix."""

_PREFIX: Final = re.compile(r"(?:\+|00)?([1-9]\d{0,14})")
# The prefix of all numbers.
_ANY: Final = frozenset({"", "*"})
_DECIMALS: Final = re.compile(r"\d+(?:\.\d+)?")
# What may be a thousand as well is not read as a thousandth.
_COMMA: Final = re.compile(r"(?:0,\d+|\d+,(?:\d{1,2}|\d{4,}))")
_SMS: Final = "SMS"
_WANTED: Final = "a price such as 0.05"


class Prices:
    """Prices by channel and prefix; the longest prefix of a number decides."""

    def __init__(self, prices: Mapping[tuple[str, str], Decimal]) -> None:
        self._prices = prices
        self._lengths: dict[str, list[int]] = {}
        for channel, prefix in self._prices:
            found = {len(prefix), *self._lengths.get(channel, ())}
            self._lengths[channel] = sorted(found, reverse=True)

    def __len__(self) -> int:
        return len(self._prices)

    def __repr__(self) -> str:
        return f"Prices({len(self)})"

    def prefix(self, channel: str, identity: str) -> str | None:
        """The prefix that decides the price of a message to *identity*; None without a price."""
        digits = identity.removeprefix("+")
        for length in self._lengths.get(channel, ()):
            if (channel, digits[:length]) in self._prices:
                return digits[:length]
        return None

    def prefixes(self, channel: str, identities: Iterable[str]) -> list[str | None]:
        """The prefix of each of *identities*, which mostly begin alike."""
        # With a plus, and as long as the longest prefix.
        end = 1 + max(self._lengths.get(channel, ()), default=0)
        heads = [each[:end] for each in identities]
        known = {head: self.prefix(channel, head) for head in set(heads)}
        return list(map(known.__getitem__, heads))

    def price(self, channel: str, prefix: str) -> Decimal:
        """The price of one message, or of one part of an SMS."""
        return self._prices[channel, prefix]


def prices_of(option: str, value: object) -> Prices | Path:
    """Check the prices that *option* has; a file is read later, by read_prices().

    Raises: BulkArgumentError for what they cannot be.
    """
    if isinstance(value, str | Path):
        return _validate.path(option, value, error=BulkArgumentError)
    if not isinstance(value, Mapping):
        raise _validate.wrong_kind(option, "a path or a mapping", value, BulkArgumentError)
    is_by_channel = any(isinstance(each, Mapping) for each in value.values())
    tables = value if is_by_channel else {_SMS: value}
    rows = (
        (f"{option}=", channel, prefix, price)
        for channel, table in tables.items()
        for prefix, price in (table.items() if isinstance(table, Mapping) else [(None, None)])
    )
    return _checked(rows, BulkArgumentError)


def read_prices(path: Path) -> Prices:
    """Read a CSV file of prices; raises BulkError with the line."""
    header, rows, _ = read_text_table(ListFile(path))
    names = [name.lower() for name in header]
    if not {"prefix", "price"} <= set(names) or len(set(names)) < len(names):
        raise BulkError(
            f"{path.name}: a list of prices has the columns prefix and price, and perhaps channel"
        )
    lines = ((line, dict(zip(names, cells, strict=False))) for line, cells in rows)
    found = _checked(
        (
            (
                f"{path.name}, line {line}:",
                row.get("channel") or _SMS,
                row.get("prefix"),
                row.get("price"),
            )
            for line, row in lines
        ),
        BulkError,
    )
    if not found:
        raise BulkError(f"{path.name}: no prices in the file")
    return found


def _checked(
    rows: Iterable[tuple[str, object, object, object]], failure: type[BulkError]
) -> Prices:
    """The prices in *rows*, each with its place for the error; raises *failure*."""
    found: dict[tuple[str, str], Decimal] = {}
    for place, channel, prefix, price in rows:
        try:
            key, amount = (_channel(channel), _prefix(prefix)), _amount(price)
        except ValueError as error:
            raise failure(f"{place} {error}") from None
        if found.setdefault(key, amount) is not amount:
            raise failure(f"{place} must have one price for each prefix")
    return Prices(found)


def _channel(channel: object) -> str:
    if not isinstance(channel, str) or not channel.strip():
        raise ValueError("must have names of channels, such as SMS")
    return channel.strip().upper()


def _prefix(prefix: object) -> str:
    """The digits of *prefix*, none for all numbers."""
    text = prefix.strip() if isinstance(prefix, str) else "?"
    match = _PREFIX.fullmatch(text)
    if match is None and text not in _ANY:
        raise ValueError("must have prefixes of numbers, such as 46, or * for all")
    return match[1] if match else ""


def _amount(price: object) -> Decimal:
    if isinstance(price, str):
        text = price.strip()
        if not _DECIMALS.fullmatch(text) and not _COMMA.fullmatch(text):
            raise ValueError(f"must have {_WANTED}")
        return Decimal(text.replace(",", "."))
    if isinstance(price, bool) or not isinstance(price, Decimal | int | float):
        raise ValueError(f"must have {_WANTED}")  # noqa: TRY004 (one kind of error for the caller)
    try:
        found = Decimal(str(price))
    except InvalidOperation:
        raise ValueError(f"must have {_WANTED}") from None
    if not found.is_finite() or found < 0:
        raise ValueError(f"must have {_WANTED}")
    return found
