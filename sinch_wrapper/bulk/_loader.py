"""The one reader of a source: its rows become requests, and what is wrong is counted."""

import hashlib
import os
from collections.abc import Callable, Iterable, Mapping, Sequence
from collections.abc import Set as AbstractSet
from typing import Any, Final, Protocol, TypeAlias

from sinch_wrapper._validate import counted
from sinch_wrapper.bulk._cells import InvalidError
from sinch_wrapper.bulk._columns import layout
from sinch_wrapper.bulk._duplicates import SeenIdentities, drop_repeated
from sinch_wrapper.bulk._job_spec import JobSpec, row_rules
from sinch_wrapper.bulk._journal import Journal
from sinch_wrapper.bulk._report import BulkInterruptedError
from sinch_wrapper.bulk._row_blocks import Rows, SingleRows
from sinch_wrapper.bulk._rows import ItemBuilder, RowEntry, Skip
from sinch_wrapper.bulk._rows_fast import Block, TableRows, cut
from sinch_wrapper.bulk._rows_objects import ObjectBuilder
from sinch_wrapper.bulk._sources import Source, Table
from sinch_wrapper.bulk._states import JobStage
from sinch_wrapper.errors import BulkError

Notify: TypeAlias = Callable[[JobStage, int], None]
"""Hears of a stage, and how many rows were read by then."""

# Rows that an error names.
_SHOWN: Final = 5


def unheard(_stage: JobStage, _rows: int) -> None:
    """Hear of the reading of rows, and do nothing."""


class Builder(Protocol):
    """Makes what the requests hold out of rows."""

    @property
    def unused(self) -> AbstractSet[str]:
        """Parameters that no placeholder uses."""
        ...

    @property
    def understood(self) -> str:
        """Which column means what, as far as is known; empty for recipients without columns."""
        ...

    def __call__(self, line: int, value: object, /) -> RowEntry:
        """Build the entry of one row; raises InvalidError."""
        ...

    def block(self, lines: Sequence[int], values: Sequence[Any], /) -> Block | None:
        """Build all rows at once; None when one of them must be built by itself."""
        ...


def opened_rows(spec: JobSpec, source: Source) -> tuple[Builder, Rows[object]]:
    """Open *source*: what builds entries of its rows, and the rows.

    Raises: BulkError when it cannot be read or lacks a column.
    """
    opened = source.open()
    if not spec.kind.is_messages:
        if not isinstance(opened, Table):
            return ItemBuilder(spec.kind.name), opened.rows
        names = opened.header
        rows = ((line, dict(zip(names, cells, strict=False))) for line, cells in opened.rows)
        return ItemBuilder(spec.kind.name), SingleRows(rows)
    rules = row_rules(spec)
    if isinstance(opened, Table):
        at = layout(spec.columns_read, opened.header, spec.needed, source.name)
        if fault := rules.mistaken(opened.header):
            raise BulkError(f"{source.name}: {fault}")
        return TableRows(at, rules, opened.how), opened.rows
    return ObjectBuilder(spec.columns_read, spec.needed, rules, source.name), opened.rows


class Sink(Protocol):
    """Takes what a Loader has read."""

    def add(self, block: Block) -> None:
        """Take a request."""

    def skip(self, skips: list[Skip]) -> None:
        """Take rows that are left out."""

    def drop(self, item: Mapping[str, object], line: int) -> None:
        """Take back a recipient that add() has brought: it is a repeated one."""


class Loader:
    """Reads a source once, as *spec* says; afterwards it has the counts and a digest."""

    def __init__(
        self,
        spec: JobSpec,
        source: Source,
        sink: Sink,
        stopped: Callable[[], bool],
        notify: Notify = unheard,
    ) -> None:
        self._spec = spec
        self._source = source
        self._sink = sink
        self._stopped = stopped
        self._notify = notify
        self._process = os.getpid()
        self._hash = hashlib.sha256()
        self._skips: list[Skip] = []
        self._seen = SeenIdentities() if spec.rules.on_duplicate != "send" else None
        self.total = 0
        self.invalid = 0
        self.duplicates = 0
        self._first_invalid: list[Skip] = []
        self._first_repeated: list[Skip] = []
        self.by_contact = False
        self.unused: frozenset[str] = frozenset()
        self.understood = ""

    def run(self) -> None:
        """Read it all.

        Raises: BulkError for what cannot be read, BulkInterruptedError when it is stopped.
        """
        build, rows = opened_rows(self._spec, self._source)
        rules, left = self._spec.rules, self._spec.rules.limit
        waiting: list[RowEntry] = []
        while True:
            many = rules.chunk_size - len(waiting)
            lines, values = rows.take(many if left is None else min(many, left))
            if not lines:
                break
            left = None if left is None else left - len(lines)
            self._go_on()
            block = None if waiting else build.block(lines, values)
            if block is not None and len(block.content) <= rules.chunk_bytes:
                self._take(block)
                continue
            for line, value in zip(lines, values, strict=True):
                try:
                    waiting.append(build(line, value))
                except InvalidError as error:
                    self._refuse(Skip(line, error.key, error.reason, error.column))
            if len(waiting) == rules.chunk_size:
                self._cut(waiting)
                waiting = []
        self._cut(waiting)
        self._sink.skip(self._skips)
        self.unused, self.understood = frozenset(build.unused), build.understood

    def drop_duplicates(self, journal: Journal) -> None:
        """Take repeated recipients out of *journal*, into which all recipients were read."""
        self._tell(JobStage.CHECKING)
        if self._seen is not None:
            for skip, item in drop_repeated(journal, self._spec.kind, self._seen.repeated()):
                self.duplicates += 1
                self._sink.drop(item, skip.line)
                if len(self._first_repeated) < _SHOWN:
                    self._first_repeated.append(skip)

    def leave_out(self, skips: Iterable[Skip]) -> None:
        """Count rows that were found to be invalid after all were read."""
        for skip in skips:
            self.invalid += 1
            if len(self._first_invalid) < _SHOWN:
                self._first_invalid.append(skip)

    def close(self) -> None:
        """Remove temporary files."""
        if self._seen is not None:
            self._seen.close()

    def digest(self) -> str:
        """SHA-256 of all requests, for sources that have no digest of their own."""
        return self._hash.hexdigest()

    def refuse_if_needed(self) -> None:
        """Raise BulkError when the rules stop the job because of what was found."""
        if words := self.refusal(", nothing was sent"):
            raise BulkError(f"{self._source.name}: {words}")

    def refusal(self, outcome: str = "") -> str:
        """Why the rules stop the job, with its *outcome*; empty when they do not."""
        rules, found, choices = self._spec.rules, [], []
        first: list[Skip] = []
        if rules.on_invalid == "stop" and self.invalid:
            found.append(f"{counted(self.invalid, 'row')} cannot be sent")
            choices.append('on_invalid="skip"')
            first += self._first_invalid
        if rules.on_duplicate == "stop" and self.duplicates:
            verb = "repeats" if self.duplicates == 1 else "repeat"
            found.append(f"{counted(self.duplicates, 'row')} {verb} a recipient")
            choices.append('on_duplicate="skip"')
            first += self._first_repeated
        if not found:
            return ""
        places = "; ".join(map(_place, first[:_SHOWN]))
        return (
            f"{' and '.join(found)}{outcome} ({places}): "
            f"correct the input, or leave such rows out with {' and '.join(choices)}"
        )

    def _go_on(self) -> None:
        if self._stopped():
            raise BulkInterruptedError(
                f"{self._source.name}: stopped while reading, nothing was sent: "
                "start the job again with the same recipients"
            )
        self._tell(JobStage.READING)

    def _tell(self, stage: JobStage) -> None:
        self._notify(stage, self.total + self.invalid)
        # The journal belongs to the process that began to write it.
        if os.getpid() != self._process:
            raise BulkError("this process was forked from the one that runs the job: end it")

    def _refuse(self, skip: Skip) -> None:
        self._skips.append(skip)
        self.invalid += 1
        if len(self._first_invalid) < _SHOWN:
            self._first_invalid.append(skip)
        if len(self._skips) >= self._spec.rules.chunk_size:
            self._sink.skip(self._skips)
            self._skips = []

    def _cut(self, entries: list[RowEntry]) -> None:
        is_messages = self._spec.kind.is_messages
        blocks, skips = cut(entries, self._spec.rules.chunk_bytes, is_messages=is_messages)
        for skip in skips:
            self._refuse(skip)
        for block in blocks:
            self._take(block)

    def _take(self, block: Block) -> None:
        if self._seen is not None:
            self._seen.add(block.identities)
        if self._source.path is None:
            self._hash.update(block.content)
        self.by_contact = self.by_contact or block.has_contact
        self.total += len(block.lines)
        self._sink.add(block)


def _place(skip: Skip) -> str:
    column = f", {skip.column}" if skip.column else ""
    return f"line {skip.line}{column}: {skip.reason}"
