"""The recipients that a report's page lists one by one, as a table and as data; pure."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Final

from sinch_wrapper.bulk._destinations import Address, masked_key, masked_words
from sinch_wrapper.bulk._markup import Markup, element, visible, written_size
from sinch_wrapper.bulk._page_sections import table
from sinch_wrapper.bulk._results import RecipientResult
from sinch_wrapper.bulk._states import RecipientState

LISTED: Final = (
    RecipientState.FAILED,
    RecipientState.REJECTED,
    RecipientState.UNKNOWN,
    RecipientState.INVALID,
)
"""The states whose recipients are listed one by one."""

TITLES: Final = ("Line", "Key", "To", "State", "Reason", "Column", "Details")
# Bytes of all rows together: a page stays below five million.
_MOST: Final = 4_400_000
# Of a cell; the server's own words may be long.
_LONGEST: Final = 300
# Commas of a row.
_ROW: Final = 7
_STATE: Final = 3
_WORDED: Final = (_STATE, 4, 5, 6)


@dataclass(slots=True)
class ListedRecipients:
    """Rows until they fill a page; *left_out* counts those that would not fit."""

    numbers: bool
    rows: list[tuple[int | str, ...]] = field(default_factory=list, repr=False)
    left_out: int = 0
    _room: int = _MOST
    _words: set[str] = field(default_factory=set, repr=False)

    def add(self, result: RecipientResult, address: Address) -> None:
        """List one recipient, if its state is one of those that are listed."""
        if result.state not in LISTED:
            return
        row = self._row(result, address)
        new = {str(row[place]) for place in _WORDED} - self._words
        places = len(_WORDED) * len(str(len(self._words)))
        size = _ROW + places + sum(map(written_size, (*row[:_STATE], *new)))
        if size > self._room:
            self.left_out += 1
            return
        self._room -= size
        self._words |= new
        self.rows.append(row)

    def _row(self, result: RecipientResult, address: Address) -> tuple[int | str, ...]:
        key, to, reason, detail = result.key, address.identity, result.reason, result.detail
        if not self.numbers:
            key, to = masked_key(key, address), address.masked
            reason, detail = masked_words(reason), masked_words(detail)
        cells = (key, to, str(result.state), reason, result.column, detail)
        return (result.line, *(visible(cell[:_LONGEST]) for cell in cells))

    def data(self) -> dict[str, object]:
        """The rows by column; texts that repeat are places in a list of words."""
        words = {word: place for place, word in enumerate(sorted(self._words))}
        columns = {}
        for place, title in enumerate(TITLES):
            cells = [row[place] for row in self.rows]
            worded = place in _WORDED
            columns[title] = {
                "worded": worded,
                "cells": [words[str(cell)] for cell in cells] if worded else cells,
            }
        return {"columns": columns, "words": [*words], "state": TITLES[_STATE]}

    def states(self) -> Iterable[tuple[int, str]]:
        """The states that occur, each with its place in the list of words."""
        words = {word: place for place, word in enumerate(sorted(self._words))}
        found = {str(row[_STATE]) for row in self.rows}
        return [(words[state], state) for state in map(str, LISTED) if state in found]


# Rows without a script.
_FIRST_ROWS: Final = 50
_LIST: Final = "Recipients that failed, were rejected, are unknown or invalid"


def recipients(listed: ListedRecipients) -> Markup | None:
    """The table of the listed recipients, which the script fills, sorts and searches."""
    if not listed.rows:
        return None
    first, many = listed.rows[:_FIRST_ROWS], len(listed.rows)
    rest = f"{listed.left_out:,} more do not fit on a page" if listed.left_out else ""
    words = f"{many:,} recipients, with the line of the input. " + (
        f"{rest}: bulk report --csv lists all." if rest else "bulk report --csv lists everybody."
    )
    without = f"Rows 1 to {len(first)} of {many:,}; a browser with JavaScript shows all."
    return element(
        "section",
        element("h2", _LIST),
        element("p", words, class_="quiet"),
        element("noscript", element("p", without, class_="quiet")),
        _controls(listed),
        table(TITLES, first, _LIST, "body"),
        id="recipients",
        class_="long",
    )


def _controls(listed: ListedRecipients) -> Markup:
    options = [element("option", "all", value="")]
    options += [element("option", name, value=place) for place, name in listed.states()]
    return element(
        "div",
        element("div", element("label", "Search", for_="search"),
                element("input", id="search", type="search", autocomplete="off")),
        element("div", element("label", "State", for_="states"),
                element("select", *options, id="states")),
        element("button", "Back", id="back", type="button"),
        element("button", "Next", id="on", type="button"),
        element("span", "", id="said", role="status"),
        class_="controls",
    )  # fmt: skip
