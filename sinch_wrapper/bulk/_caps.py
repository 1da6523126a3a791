"""What stops a job before it begins: a preview that goes beyond what its caller allows; pure."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import Final

from sinch_wrapper import _validate
from sinch_wrapper._validate import counted
from sinch_wrapper.bulk._preview import Preview
from sinch_wrapper.bulk._prices import Prices
from sinch_wrapper.errors import BulkArgumentError, BulkError

_MOST_CHANNELS: Final = 5


@dataclass(frozen=True, slots=True)
class Caps:
    """What the caller allows, and asks for; None for no limit. *prices* is a path until it is read.

    *approve* decides about a job by its preview.
    """

    prices: Prices | Path | None = None
    max_parts: int | None = None
    max_cost: Decimal | None = None
    approve: Callable[[Preview], bool] | None = None

    @property
    def need_preview(self) -> bool:
        """Whether anything here depends on what the recipients are."""
        return (self.max_parts, self.max_cost, self.approve) != (None, None, None)

    @property
    def table(self) -> Prices | None:
        """The prices, once they were read."""
        return self.prices if isinstance(self.prices, Prices) else None

    def check(self) -> None:
        """Raise BulkArgumentError for a limit that nothing can be compared with."""
        if self.max_cost is not None and self.prices is None:
            raise BulkArgumentError("max_cost= needs prices=")

    def refusals(self, preview: Preview) -> Iterator[str]:
        """Why the job of *preview* goes beyond what is allowed."""
        if self.max_parts is not None:
            yield from _parts(preview, self.max_parts)
        if self.max_cost is not None:
            yield from _cost(preview, self.max_cost)

    def refuse(self, preview: Preview) -> None:
        """Raise BulkError when the job of *preview* must not begin."""
        if found := list(self.refusals(preview)):
            raise BulkError(f"{preview.source}: {'; '.join(found)}, nothing was sent")
        if self.approve is not None and not self.approve(preview):
            raise BulkError(f"{preview.source}: not approved, nothing was sent")


def _parts(preview: Preview, most: int) -> Iterator[str]:
    if preview.sms_unknown:
        yield (
            f"max_parts= cannot be kept: the parts of an SMS are not known ({preview.sms_unknown})"
        )
    over = [group for group in preview.sms if group.parts > most]
    if over:
        many = sum(group.recipients + group.fallbacks for group in over)
        line = next((f" (line {group.line})" for group in over if group.line), "")
        highest = max(group.parts for group in over)
        yield (
            f"{many} SMS of more than {counted(most, 'part')}, up to "
            f"{highest}{line}: shorten the text, or raise max_parts="
        )


def _cost(preview: Preview, most: Decimal) -> Iterator[str]:
    missing = [each for each in preview.destinations or () if each.price is None]
    without = preview.channels.get("", 0)
    if missing or without:
        names = dict.fromkeys(each.channel or "contact ids" for each in missing)
        listed = ", ".join(list(names)[:_MOST_CHANNELS])
        yield (
            f"max_cost= cannot be kept: {counted(preview.unpriced, 'message')} without a price "
            f"({listed}): add their prefixes to prices="
        )
    cost = preview.most_cost
    if cost is not None and cost > most:
        yield f"it costs up to {cost}, more than max_cost= {most}"


def cap(option: str, value: object) -> Decimal:
    """Check an amount of money; raises BulkArgumentError."""
    if isinstance(value, Decimal) and value.is_finite() and value >= 0:
        return value
    return Decimal(str(_validate.number(option, value, error=BulkArgumentError)))
