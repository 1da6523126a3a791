"""From a source into requests: every row checked, duplicates found, cut and packed."""

import hashlib
from collections.abc import Callable
from itertools import islice
from typing import Final, Protocol

from sinch_wrapper.bulk._journal.blobs import pack, pack_places
from sinch_wrapper.bulk._journal.journal import Journal
from sinch_wrapper.bulk._plan import Plan
from sinch_wrapper.bulk._preparing.dedupe import drop_repeated
from sinch_wrapper.bulk._preparing.seen import SeenIdentities
from sinch_wrapper.bulk._recipients.blocks import Block
from sinch_wrapper.bulk._recipients.builders import opened_rows
from sinch_wrapper.bulk._recipients.cutting import cut
from sinch_wrapper.bulk._recipients.entries import Entry, InvalidError, Skip
from sinch_wrapper.bulk._recipients.sources import Source
from sinch_wrapper.bulk._results.errors import BulkInterruptedError
from sinch_wrapper.bulk._words import counted
from sinch_wrapper.errors import BulkError

__all__ = ["Loader", "Sink"]

_SHOWN: Final = 5
_CONTACT: Final = b'{"recipient":{"contact_id":'


class Sink(Protocol):
    """Where requests go."""

    def add(self, count: int, items: bytes, places: bytes) -> None:
        """Take a request, packed."""

    def skip(self, skips: list[Skip]) -> None:
        """Take rows that are not sent."""


class Loader:
    """Reads a source once, as a plan says; afterwards it knows the counts and a digest."""

    def __init__(self, plan: Plan, source: Source, sink: Sink, stopped: Callable[[], bool]) -> None:
        self._plan = plan
        self._source = source
        self._sink = sink
        self._stopped = stopped
        self._hash = hashlib.sha256()
        self._skips: list[Skip] = []
        self._seen = SeenIdentities() if plan.rules.on_duplicate != "send" else None
        self.total = 0
        self.invalid = 0
        self.duplicates = 0
        self._first_invalid: list[Skip] = []
        self._first_repeated: list[Skip] = []
        self.by_contact = False
        self.unused: frozenset[str] = frozenset()

    def run(self) -> None:
        """Read it all.

        Raises: BulkError for what cannot be read, BulkInterruptedError when it is stopped.
        """
        build, rows = opened_rows(self._plan, self._source)
        rules = self._plan.rules
        waiting: list[Entry] = []
        while some := list(islice(rows, rules.chunk_size - len(waiting))):
            if self._stopped():
                raise BulkInterruptedError(
                    f"{self._source.name}: stopped while reading, nothing was sent: "
                    "start the job again with the same recipients"
                )
            block = None if waiting else build.block(some)
            if block is not None and len(block.content) <= rules.chunk_bytes:
                self._take(block)
                continue
            for line, value in some:
                try:
                    waiting.append(build(line, value))
                except InvalidError as error:
                    self._refuse(Skip(line, error.key, error.reason, error.column))
            if len(waiting) == rules.chunk_size:
                self._cut(waiting)
                waiting = []
        self._cut(waiting)
        self._sink.skip(self._skips)
        self.unused = frozenset(build.unused)

    def drop_duplicates(self, journal: Journal) -> None:
        """Take repeated recipients out of *journal*, into which all was read."""
        if self._seen is not None:
            for skip in drop_repeated(journal, self._plan.kind, self._seen.repeated()):
                self.duplicates += 1
                if len(self._first_repeated) < _SHOWN:
                    self._first_repeated.append(skip)

    def close(self) -> None:
        """Remove temporary files."""
        if self._seen is not None:
            self._seen.close()

    def digest(self) -> str:
        """SHA-256 of all requests, for sources that have no digest of their own."""
        return self._hash.hexdigest()

    def refuse_if_needed(self) -> None:
        """Raise BulkError when the rules stop the job for what was found."""
        rules, found, choices = self._plan.rules, [], []
        first: list[Skip] = []
        if rules.on_invalid == "stop" and self.invalid:
            found.append(f"{counted(self.invalid, 'row')} cannot be sent")
            choices.append('on_invalid="skip" (--on-invalid skip)')
            first += self._first_invalid
        if rules.on_duplicate == "stop" and self.duplicates:
            verb = "repeats" if self.duplicates == 1 else "repeat"
            found.append(f"{counted(self.duplicates, 'row')} {verb} a recipient")
            choices.append('on_duplicate="skip" (--on-duplicate skip)')
            first += self._first_repeated
        if found:
            places = "; ".join(map(_place, first[:_SHOWN]))
            raise BulkError(
                f"{self._source.name}: {' and '.join(found)}, nothing was sent ({places}): "
                f"correct the input, or leave such rows out with {' and '.join(choices)}"
            )

    def _refuse(self, skip: Skip) -> None:
        self._skips.append(skip)
        self.invalid += 1
        if len(self._first_invalid) < _SHOWN:
            self._first_invalid.append(skip)
        if len(self._skips) >= self._plan.rules.chunk_size:
            self._sink.skip(self._skips)
            self._skips = []

    def _cut(self, entries: list[Entry]) -> None:
        is_messages = self._plan.kind.is_messages
        blocks, skips = cut(entries, self._plan.rules.chunk_bytes, is_messages=is_messages)
        for skip in skips:
            self._refuse(skip)
        for block in blocks:
            self._take(block)

    def _take(self, block: Block) -> None:
        if self._seen is not None:
            self._seen.add(block.identities)
        if self._source.path is None:
            self._hash.update(block.content)
        self.by_contact = self.by_contact or _CONTACT in block.content
        self.total += len(block.lines)
        self._sink.add(len(block.lines), pack(block.content), pack_places(block.lines, block.keys))


def _place(skip: Skip) -> str:
    column = f", {skip.column}" if skip.column else ""
    return f"line {skip.line}{column}: {skip.reason}"
