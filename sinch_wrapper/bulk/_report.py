"""What became of a job: counts, its batches, and every recipient as a stream."""

import json
import weakref
from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from sinch_wrapper._forget import forgetting_methods
from sinch_wrapper._validate import counted
from sinch_wrapper.bulk._chunks import Chunk
from sinch_wrapper.bulk._damage import sound
from sinch_wrapper.bulk._evidence import Evidence
from sinch_wrapper.bulk._job_url import JobAddress, JobURL, job_address
from sinch_wrapper.bulk._journal import Job, Journal, open_job
from sinch_wrapper.bulk._report_values import Batch, SentAgain
from sinch_wrapper.bulk._results import RecipientResult, count_recipients, read_error, stream
from sinch_wrapper.bulk._states import ChunkState, RecipientState, StopReason
from sinch_wrapper.errors import BulkError

if TYPE_CHECKING:
    from sinch_wrapper.bulk._breakdown import Breakdown


@forgetting_methods
@dataclass(slots=True, init=False)
class Report:
    """What became of a job.

    *accepted*, *rejected*, *unknown* and *pending* count recipients by their request and add up to
    *total*; *invalid*, *duplicates* and *suppressed* were never sent. *by_state* counts each
    recipient once, at the furthest it is known to be, callbacks included; *reasons* counts those
    that failed or were rejected, by reason. *sent_again* names each request that left again after
    its outcome was unknown, and *twice* counts the recipients of requests that became two batches.
    *understood* says which column was taken for what. *parent* names the job that this one
    retries, and *warnings* what a person should know. *damaged* counts
    the requests of the job that this one retries which could not be read. *stopped* says why a call
    ended before all had an outcome. The counts are those of the last `refresh()`; streams are
    always fresh.

    *path* is that of the file of its journal, None for one elsewhere; *name* is what the journal is
    called, empty in memory.

    Raises: BulkError when the journal at *path* cannot be read.
    """

    path: Path | None
    name: str
    stopped: StopReason
    job: str
    parent: str
    understood: str
    warnings: tuple[str, ...]
    by_state: Mapping[RecipientState, int]
    reasons: Mapping[str, int]
    accepted: int
    rejected: int
    unknown: int
    pending: int
    twice: int
    sent_again: tuple[SentAgain, ...]
    damaged: int
    _address: JobAddress | None = field(repr=False)
    _has_look_up: bool = field(repr=False)
    __weakref__: object = field(repr=False, compare=False)

    def __init__(self, path: str | Path | JobURL) -> None:
        # The same file even when the working directory changes later.
        self._address = address = job_address(path, "path").absolute()
        self.path = address if isinstance(address, Path) else None
        self.name = address.name
        self.stopped = StopReason.NONE
        self.refresh()

    @property
    def total(self) -> int:
        """Recipients that were sent, or still will be."""
        return self.accepted + self.rejected + self.unknown + self.pending

    @property
    def invalid(self) -> int:
        """Rows that cannot be sent."""
        return self.by_state.get(RecipientState.INVALID, 0)

    @property
    def duplicates(self) -> int:
        """Rows that repeat a recipient, and were left out."""
        return self.by_state.get(RecipientState.DUPLICATE, 0)

    @property
    def suppressed(self) -> int:
        """Recipients that must not be written to, and were left out."""
        return self.by_state.get(RecipientState.SUPPRESSED, 0)

    @property
    def delivered(self) -> int:
        """Recipients whose message was delivered, read or not."""
        return self.by_state.get(RecipientState.DELIVERED, 0) + self.read

    @property
    def read(self) -> int:
        """Recipients who have read the message."""
        return self.by_state.get(RecipientState.READ, 0)

    @property
    def failed(self) -> int:
        """Recipients whose message failed after it was accepted."""
        return self.by_state.get(RecipientState.FAILED, 0)

    @property
    def complete(self) -> bool:
        """Whether every request has an outcome; receipts may still come in."""
        return not self.pending and not self.unknown

    @property
    def resumable(self) -> bool:
        """Whether `resume()` can change anything: without a look-up what is unknown stays so."""
        return bool(self.pending or (self.unknown and self._has_look_up))

    def refresh(self) -> "Report":
        """Count again; returns itself.

        Raises: BulkError when the journal cannot be read.
        """
        with self._opened() as job:
            totals = job.journal.totals()
            counts, reasons = count_recipients(job)
            again, (requests, self.twice) = job.journal.sent_again(), job.journal.twice()
        facts, self._has_look_up = job.facts, job.kind.doubt != "keep"
        self.job, self.parent = job.id, str(facts.get("parent") or "")
        self.understood = str(facts.get("understood") or "")
        damaged = facts.get("damaged")
        self.damaged = damaged if isinstance(damaged, int) else 0
        known = facts.get("warnings")
        warnings = list(map(str, known)) if isinstance(known, list) else []
        if requests:
            twice = counted(self.twice, "recipient")
            warnings.append(f"{counted(requests, 'request')} to {twice} became two batches")
        self.warnings = tuple(warnings)
        with sound(self.name):
            self.sent_again = tuple(_sent_again(chunk, evidence) for chunk, evidence in again)
        self.by_state, self.reasons = counts, reasons
        people = Counter({state: many for state, (_, many) in totals.items()})
        self.accepted, self.rejected = people[ChunkState.ACCEPTED], people[ChunkState.REJECTED]
        self.unknown = people[ChunkState.UNKNOWN] + people[ChunkState.SENDING]
        self.pending = people[ChunkState.PLANNED]
        return self

    def recipients(self, *states: RecipientState | str) -> Iterator[RecipientResult]:
        """Every recipient, or those in *states*, in the order of the input; in constant memory.

        Rows that were left out come last.
        Raises: BulkError; ValueError for a state that does not exist.
        """
        wanted = frozenset(map(RecipientState, states)) or frozenset(RecipientState)
        with self._opened() as job:
            yield from stream(job, wanted)

    def batches(self) -> Iterator[Batch]:
        """The requests of the job, in order."""
        with self._opened() as job:
            for chunk in job.journal.each():
                yield Batch(
                    chunk.id,
                    chunk.state,
                    chunk.count,
                    chunk.batch_id or "",
                    chunk.send_after or "",
                    chunk.batch_status or "",
                    chunk.sent,
                    reason_of(chunk),
                )

    def breakdown(self) -> "Breakdown":
        """Channels, countries, the course of time and the slowest requests.

        It reads every recipient, in constant memory.
        Raises: BulkError.
        """
        from sinch_wrapper.bulk._breakdown import breakdown

        with self._opened() as job:
            return breakdown(job)

    def write_html(
        self,
        path: str | Path,
        *,
        numbers: bool = False,
        prices: "str | Path | Mapping[str, object] | None" = None,
    ) -> Path:
        """Write one page about the job to *path*, which opens without a network; returns it.

        Phone numbers are masked unless *numbers* is true. With *prices*, as preview() takes
        them, it has the cost of what was accepted. An older report is replaced, no other file.
        Raises: BulkError; BulkArgumentError for a wrong argument.
        """
        from sinch_wrapper.bulk._report_files import write_html

        with self._opened() as job:
            return write_html(self, job, path, prices, numbers=numbers)

    def write_csv(
        self, path: str | Path, *, source: str | Path | None = None, numbers: bool = False
    ) -> Path:
        """Write every recipient with its outcome to *path*, as CSV; returns it.

        With *source*, the file that the job was made of, its columns come first, as they are;
        without it line, key and address, whose phone numbers are masked unless *numbers* is true.
        An older report is replaced, no other file.
        Raises: BulkError, also for another *source*; BulkArgumentError for a wrong argument.
        """
        from sinch_wrapper.bulk._report_files import write_csv_file

        with self._opened() as job:
            return write_csv_file(job, path, source, numbers=numbers)

    @contextmanager
    def _opened(self) -> Iterator[Job]:
        journal = Journal(self._address, must_exist=True)
        try:
            yield open_job(journal)
        finally:
            journal.close()


def reason_of(chunk: Chunk) -> str:
    known = read_error(chunk.error if chunk.state is ChunkState.UNKNOWN else None)
    return str(known.get("line") or "")


def _sent_again(chunk: Chunk, evidence: str | None) -> SentAgain:
    known = None if evidence is None else asdict(Evidence(**json.loads(evidence)))
    return SentAgain(chunk.id, chunk.count, "word" if known is None else "evidence", known)


class MemoryReport(Report):
    """What became of a job whose journal is in memory, where it lives as long as this report."""

    __slots__ = ("_journal",)

    def __init__(self, journal: Journal) -> None:
        self.path = self._address = None
        self.name = ""
        self.stopped = StopReason.NONE
        self._journal = journal
        weakref.finalize(self, journal.close)
        self.refresh()

    @contextmanager
    def _opened(self) -> Iterator[Job]:
        yield open_job(self._journal)


class BulkInterruptedError(BulkError):
    """A job was stopped while its recipients were still being read, so nothing was sent.

    The same call starts it again from the beginning.
    """


def what_next(pending: int, *, is_refused: bool) -> str:
    """What to do about a job that stopped with *pending* recipients."""
    same = "the same in every request: correct it in a new job"
    if not pending:
        return same
    left = f"{counted(pending, 'recipient')} left to send"
    if is_refused:
        return f"{left}, with {same}, or, when it was not at fault, resume the job"
    return f"{left}: resume the job"


class BulkStoppedError(BulkError):
    """The API gave a response that every other request would get too, such as 401 or 403.

    Or it refused the first requests for what all have in common, such as the message: those are
    rejected. When the job is resumed all the same, the next ones are tried.

    Nothing is lost: *report* says what was accepted, and the job can be resumed. The error of the
    API is the cause of this error.
    """

    def __init__(self, line: str, report: Report | None = None) -> None:
        super().__init__(line)
        self.report = report

    def __reduce__(self) -> tuple[object, ...]:
        # A report reads a file, which another process may not have.
        return type(self), self.args
