"""What the accepted messages of a job cost by a table of prices, as a part of its page; pure."""

from collections.abc import Mapping
from decimal import Decimal
from typing import Final

from sinch_wrapper.bulk._markup import Content, Markup, element
from sinch_wrapper.bulk._measuring import Measure
from sinch_wrapper.bulk._page_sections import section, table
from sinch_wrapper.bulk._preview import Destination, destinations_of
from sinch_wrapper.bulk._prices import Prices
from sinch_wrapper.bulk._results import RecipientResult
from sinch_wrapper.bulk._states import RecipientState

_NOT_ACCEPTED: Final = frozenset(
    {
        RecipientState.PENDING,
        RecipientState.UNKNOWN,
        RecipientState.REJECTED,
        RecipientState.CANCELLED,
    }
)
_MOST_ROWS: Final = 50


class CostCounter:
    """Counts the messages that were accepted, for the channel that is tried first."""

    def __init__(self, request: Mapping[str, object], prices: Prices | None) -> None:
        self._measure = None if prices is None else Measure(request, prices)

    def add(self, result: RecipientResult, item: Mapping[str, object]) -> None:
        """Count one recipient, if its message was accepted."""
        if self._measure is not None and "recipient" in item and result.state not in _NOT_ACCEPTED:
            self._measure.count(result.line, item)

    def section(self) -> Markup | None:
        """The part of the page; None without prices."""
        if self._measure is None:
            return None
        found = [
            each
            for each in destinations_of(self._measure, self._measure.counts)
            if not each.is_fallback
        ]
        priced = sum((each.cost for each in found), Decimal())
        missing = sum(each.recipients for each in found if each.price is None)
        without = f" {missing:,} recipients have no price in it." if missing else ""
        words = (
            f"{priced:,} by the table of prices, for what was accepted on the channel that is "
            f"tried first; an SMS counts once for each part. This is not an invoice.{without}"
        )
        head = ("Channel", "Prefix", "Recipients", "Messages", "Price", "Cost")
        rows = list(map(_row, found[:_MOST_ROWS]))
        return section("Cost", element("p", words), table(head, rows, "Cost"))


def _row(each: Destination) -> tuple[Content, ...]:
    price = "-" if each.price is None else f"{each.price}"
    cost = "-" if each.price is None else f"{each.cost:,}"
    name = element("th", each.channel or "contact", scope="row")
    return name, each.prefix or "-", f"{each.recipients:,}", f"{each.messages:,}", price, cost
