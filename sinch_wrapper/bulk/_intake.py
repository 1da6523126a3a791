"""The reading of recipients into a journal, with what is counted and arranged on the way."""

from collections import deque
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Final

from sinch_wrapper._validate import counted
from sinch_wrapper.bulk._arrangement import Arrangement
from sinch_wrapper.bulk._caps import Caps
from sinch_wrapper.bulk._chunks import NewChunk
from sinch_wrapper.bulk._dispatch_mode import forced_warning
from sinch_wrapper.bulk._exclusions import leave_out_now
from sinch_wrapper.bulk._job_spec import JobSpec
from sinch_wrapper.bulk._journal import Job, Journal
from sinch_wrapper.bulk._loader import Loader, Notify, Sink, unheard
from sinch_wrapper.bulk._measuring import Measure
from sinch_wrapper.bulk._pieces import cut_first
from sinch_wrapper.bulk._preview import Preview, entries_in, preview_of
from sinch_wrapper.bulk._queue import MessageLimits
from sinch_wrapper.bulk._rows import Skip
from sinch_wrapper.bulk._rows_fast import Block
from sinch_wrapper.bulk._schema import pack, pack_places
from sinch_wrapper.bulk._sources import Source
from sinch_wrapper.parameters import lookalikes

# Requests that are written in one transaction.
_TOGETHER: Final = 32
# Duplicates that are more than a slip.
_MANY: Final = 10


@dataclass(frozen=True, slots=True)
class Intake:
    """What a job is read from, and how: *source*, as *spec* says, at *now* (Unix seconds).

    Once *stopped* returns True, reading ends. A new job keeps to *caps*. *limits* are those of its
    app, and *notify* hears of the stages.
    """

    spec: JobSpec
    source: Source
    now: float
    stopped: Callable[[], bool]
    caps: Caps = field(default_factory=Caps)
    limits: MessageLimits = field(default_factory=MessageLimits)
    notify: Notify = unheard


class _JournalSink:
    """Writes requests into the journal, several in one transaction."""

    def __init__(self, journal: Journal, *, in_pieces: bool) -> None:
        self._journal = journal
        # Until the first requests are written.
        self._in_pieces = in_pieces
        self._chunks: list[NewChunk] = []
        self._skips: list[Skip] = []
        self._next = 0

    def add(self, block: Block) -> None:
        """Write a request, a little later."""
        packed = pack(block.content), pack_places(block.lines, block.keys)
        self._chunks.append(NewChunk(self._next, len(block.lines), *packed))
        self._next += 1
        if len(self._chunks) >= _TOGETHER:
            self.flush()

    def skip(self, skips: list[Skip]) -> None:
        """Write rows that are left out, a little later."""
        self._skips += skips

    def drop(self, item: Mapping[str, object], line: int) -> None:
        """Do nothing: the recipient has left the journal."""

    def flush(self) -> None:
        """Write what add() and skip() have left to write."""
        if self._in_pieces:
            self._in_pieces = False
            self._chunks = cut_first(self._chunks)
            self._next = len(self._chunks)
        with self._journal.write() as connection:
            self._journal.add(connection, self._chunks)
            self._journal.skip(connection, self._skips)
        self._chunks, self._skips = [], []


class _AllSinks:
    """Hands all to several *sinks*; with none of them it keeps nothing."""

    def __init__(self, sinks: Sequence[Sink] = ()) -> None:
        self._sinks = sinks

    def add(self, block: Block) -> None:
        """Hand on a request."""
        for sink in self._sinks:
            sink.add(block)

    def skip(self, skips: list[Skip]) -> None:
        """Hand on rows that are left out."""
        for sink in self._sinks:
            sink.skip(skips)

    def drop(self, item: Mapping[str, object], line: int) -> None:
        """Hand on a repeated recipient."""
        for sink in self._sinks:
            sink.drop(item, line)


def digest_again(intake: Intake, size: int, most: int) -> str:
    """The digest of what *intake* reads now, cut at *size* recipients and *most* bytes."""
    rules = replace(intake.spec.rules, chunk_size=size, chunk_bytes=most)
    spec = replace(intake.spec, rules=rules)
    loader = Loader(spec, intake.source, _AllSinks(), intake.stopped)
    try:
        loader.run()
    finally:
        loader.close()
    return loader.digest()


class Reading:
    """One reading of *intake* into *journal*; its preview exists when it *is_measured*."""

    def __init__(self, journal: Journal, intake: Intake, *, is_measured: bool) -> None:
        self._journal = journal
        self._intake = intake
        self._spec = spec = intake.spec
        self._arrangement = Arrangement(journal, spec, intake.now)
        self._measure = Measure(spec.request, intake.caps.table) if is_measured else None
        is_divided = spec.campaign.window is not None
        is_cut = spec.kind.doubt == "look_up" and not is_divided
        self._written = _JournalSink(journal, in_pieces=is_cut)
        sinks = (self._written,) if self._measure is None else (self._written, self._measure)
        self.loader = Loader(spec, intake.source, _AllSinks(sinks), intake.stopped, intake.notify)

    def run(self) -> None:
        """Read it all; raises BulkError for what cannot be read, or when it is stopped."""
        with self._journal.write() as connection:
            self._journal.empty(connection)
            self._journal.note(connection, state="loading")
        try:
            self.loader.run()
            self._written.flush()
            self.loader.drop_duplicates(self._journal)
            self.loader.leave_out(self._arrangement.divide())
        finally:
            self.loader.close()

    def arrange(self) -> dict[str, object]:
        """Lay out the requests that were read; returns the facts about it."""
        return self._arrangement.finish()

    def preview(self) -> Preview | None:
        """What the job would do, without those whom it excludes now; None when not measured."""
        measure, spec, journal = self._measure, self._spec, self._journal
        if measure is None:
            return None
        job = Job(journal, "", spec.kind, "", spec.request, journal.facts())
        gone = leave_out_now(journal, job)
        if spec.campaign.window is None:
            for item, line in gone:
                measure.drop(item, line)
        else:
            # Those for whom the window never opens have left the journal after they were counted.
            deque(gone, maxlen=0)
            measure = Measure(spec.request, measure.prices)
            for item, line, _ in entries_in(journal):
                measure.count(line, item)
        names, limits = (self._intake.source.name, self.loader.understood), self._intake.limits
        found = preview_of(*names, journal, spec.request, measure, limits, self.warnings())
        return replace(found, **self._arrangement.times(limits.drain))

    def warnings(self) -> list[str]:
        """What a person should know about the recipients before the job begins."""
        spec, loader = self._spec, self.loader
        found = list(spec.damage)
        if loader.unused:
            names = ", ".join(repr(name) for name in sorted(loader.unused)[:20])
            found.append(f"parameters that no placeholder uses: {names}")
        likely = [each for each in lookalikes(spec.request.get("message")) if each.is_likely]
        if likely:
            names = ", ".join(each.written for each in likely[:20])
            found.append(f"sent as it is, because it is not a placeholder: {names}")
        if loader.duplicates >= _MANY and loader.duplicates * 2 > loader.total:
            found.append(
                f"{loader.duplicates} of {counted(loader.total, 'row')} repeat a recipient: check "
                "that the right column was taken for the address"
            )
        if loader.by_contact and (forced := forced_warning(spec.request)):
            found.append(forced)
        return found
