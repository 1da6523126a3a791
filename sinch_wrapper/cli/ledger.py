"""Where each recipient stands, from the callbacks alone; pure."""

from collections import Counter, defaultdict
from collections.abc import Mapping
from dataclasses import dataclass

from sinch_wrapper.callbacks import Event, correlate, delivery_report

__all__ = ["Fate", "Ledger", "Summary"]

ROW = "row"

_PENDING = ""


@dataclass(frozen=True, slots=True)
class Fate:
    """What became of one recipient: a final status and, for failures, the reason."""

    status: str = _PENDING
    reason: str = ""


@dataclass(frozen=True, slots=True)
class Summary:
    """How many recipients ended how."""

    total: int
    delivered: int
    failed: Mapping[str, int]
    pending: int

    @property
    def adds_up(self) -> bool:
        """Whether delivered, failed and pending make the total."""
        return self.delivered + sum(self.failed.values()) + self.pending == self.total


class Ledger:
    """
    The recipients of several batches, each at its end or still pending.

    A receipt is matched by the row in its metadata, else by batch id and index. It may come
    twice, out of order, or before the answer that names its batch: then it waits for the batch.
    """

    def __init__(self, total: int) -> None:
        self._total = total
        self._fates: dict[int, Fate] = {}
        self._offsets: dict[str, int] = {}
        self._early: dict[str, list[tuple[int, Fate]]] = defaultdict(list)

    def adopt(self, batch_id: str, first_row: int) -> None:
        """Note that the recipients of *batch_id* are the rows from *first_row* on."""
        self._offsets[batch_id] = first_row
        for index, fate in self._early.pop(batch_id, []):
            self._settle(first_row + index, fate)

    def take(self, event: Event) -> None:
        """Note what *event* says about a recipient, if it says anything final."""
        report = delivery_report(event)
        if report is None or not report.is_final:
            return
        fate = Fate("FAILED", report.reason) if report.status == "FAILED" else Fate("DELIVERED")
        origin = correlate(event)
        row = origin.metadata.get(ROW)
        if isinstance(row, int):
            self._settle(row, fate)
        elif origin.batch_id is not None and origin.index is not None:
            if origin.batch_id in self._offsets:
                self._settle(self._offsets[origin.batch_id] + origin.index, fate)
            else:
                self._early[origin.batch_id].append((origin.index, fate))

    @property
    def settled(self) -> int:
        """How many recipients have reached their end."""
        return len(self._fates)

    def summary(self) -> Summary:
        """Count the recipients by their end."""
        counts = Counter(self._fates.values())
        delivered = counts.pop(Fate("DELIVERED"), 0)
        failed = {fate.reason: count for fate, count in sorted(counts.items(), key=str)}
        return Summary(self._total, delivered, failed, self._total - self.settled)

    def _settle(self, row: int, fate: Fate) -> None:
        if 0 <= row < self._total:
            self._fates.setdefault(row, fate)
