"""How the requests of a job are laid out before the first one leaves.

By the time zones of their recipients when there is a window, with an end after the pilot, and with
single recipients at both ends.
"""

from collections import Counter
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import TypedDict

from sinch_wrapper.bulk._job_spec import JobSpec
from sinch_wrapper.bulk._journal import Journal
from sinch_wrapper.bulk._pieces import LAST, as_fact, cut_after, hold_back
from sinch_wrapper.bulk._rows import Skip
from sinch_wrapper.bulk._windows import Zones, last_departure, next_opening
from sinch_wrapper.bulk._zone_groups import (
    RecipientZones,
    ZoneGroup,
    ZoneGrouping,
    group_of,
    last_zones,
    with_held,
    with_split,
)


class PreviewTimes(TypedDict, total=False):
    """What a window changes in a preview."""

    last_at: datetime
    to_accept: float
    to_deliver: float


class Arrangement:
    """Lays out the requests that were read into *journal* for the job *spec*.

    *moment* is Unix seconds.
    """

    def __init__(self, journal: Journal, spec: JobSpec, moment: float) -> None:
        self._journal = journal
        self._spec = spec
        self._moment = moment
        self._groups: list[ZoneGroup] = []

    def divide(self) -> Iterator[Skip]:
        """Divide the recipients by zones; returns those for whom the window never opens."""
        window, rules = self._spec.campaign.window, self._spec.rules
        if window is None:
            return
        zones = RecipientZones(window, self._moment, self._spec.columns.timezone or "")
        grouping = ZoneGrouping(self._journal, zones, rules.chunk_size, rules.chunk_bytes)
        yield from grouping.run()
        opens = {
            each: next_opening(window, each, self._moment) or self._moment
            for each in grouping.counts
        }
        self._groups = grouping.number(opens, in_pieces=self._spec.kind.doubt == "look_up")

    def finish(self) -> dict[str, object]:
        """Cut the pilot and the pieces; returns the facts about it all."""
        facts = self._spec.campaign.as_facts()
        if self._spec.campaign.pilot:
            end, is_divided = cut_after(self._journal, self._spec.campaign.pilot)
            facts["pilot_end"] = end
            if is_divided:
                self._groups = with_split(self._groups, end)
        if self._spec.kind.doubt == "look_up":
            zones = last_zones(self._journal, self._groups, LAST) if self._groups else []
            pieces = hold_back(self._journal)
            facts |= as_fact(pieces)
            if zones and as_fact(pieces):
                self._groups = with_held(self._groups, pieces.held, zones)
        return {**facts, "zones": [each.as_json() for each in self._groups]}

    def times(self, drain: float) -> PreviewTimes:
        """When the last message goes out, if there is a window; *drain* go out per second."""
        window, people = self._spec.campaign.window, Counter[Zones]()
        if window is None:
            return {}
        for chunk in self._journal.each():
            people[group_of(self._groups, chunk.id)] += chunk.count
        if not people:
            return {}
        ends = last_departure(window, people, self._moment, drain)
        if ends is None:
            return {}
        left = ends - self._moment
        return {"last_at": datetime.fromtimestamp(ends, UTC), "to_accept": left, "to_deliver": left}
