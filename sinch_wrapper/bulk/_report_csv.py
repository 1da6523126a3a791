"""The recipients of a job as CSV: each with its outcome, after the columns of its input."""

import csv
import heapq
import re
from collections.abc import Iterable, Iterator, Sequence
from operator import attrgetter
from pathlib import Path
from typing import IO, Final

from sinch_wrapper._json import encode
from sinch_wrapper.bulk._breakdown import addressed
from sinch_wrapper.bulk._damage import sound
from sinch_wrapper.bulk._destinations import Address, masked_key, masked_words
from sinch_wrapper.bulk._journal import Job, text_fact
from sinch_wrapper.bulk._results import RecipientResult, left_out_by_line, recipients_of
from sinch_wrapper.bulk._schema import unpack_places
from sinch_wrapper.bulk._sources import Source, Table, source_of
from sinch_wrapper.errors import BulkError

_WHO: Final = ("line", "key", "to")
_OUTCOME: Final = (
    *("sinch_state", "sinch_reason", "sinch_detail", "sinch_column"),
    *("sinch_batch_id", "sinch_message_id"),
)
# What a spreadsheet takes for a formula. A number with its sign is none.
_FORMULA: Final = re.compile(r"[=@\t\r\n]|[+-](?![\d\s().-]*$)")

Pair = tuple[RecipientResult, Address]


def is_report(first_line: str) -> bool:
    """Whether the first line of a file is that of a report, which a later one may replace."""
    return first_line.strip().removesuffix("\r").endswith(",".join(_OUTCOME))


def write_csv(job: Job, file: IO[str], source: Path | None, *, numbers: bool) -> None:
    """Write every recipient of *job* into *file*, with the columns of *source* or without.

    Raises: BulkError, also for another file than the one the job was made of.
    """
    writer = csv.writer(file, lineterminator="\n")
    if source is None:
        writer.writerow((*_WHO, *_OUTCOME))
        writer.writerows(_plain_rows(addressed(job), numbers=numbers))
        return
    table = _opened(job, source)
    header, rows = _columns(table)
    writer.writerow((*header, *_OUTCOME))
    outcomes = _by_line(job)
    for line, cells in rows:
        found = next(outcomes, None)
        if found is None or found.line != line:
            raise BulkError(f"{source.name}: line {line} is not in the journal of the job")
        writer.writerow((*cells, *_outcome(found, numbers=True)))


def _plain_rows(pairs: Iterable[Pair], *, numbers: bool) -> Iterator[Sequence[object]]:
    for result, address in pairs:
        key = result.key if numbers else masked_key(result.key, address)
        to = _harmless(address.identity) if numbers else address.masked
        yield (result.line, _harmless(key), to, *_outcome(result, numbers=numbers))


def _outcome(result: RecipientResult, *, numbers: bool) -> Sequence[str]:
    texts = (result.reason, result.detail)
    reason, detail = texts if numbers else map(masked_words, texts)
    cells = (result.state, reason, detail, result.column, result.batch_id, result.message_id)
    return [_harmless(str(cell)) for cell in cells]


def _harmless(cell: str) -> str:
    """*cell* so that no spreadsheet runs it."""
    return f"'{cell}" if _FORMULA.match(cell) else cell


def _opened(job: Job, path: Path) -> Source:
    """The input of *job*; raises BulkError for another file, or the same one after a change."""
    how = (text_fact(job.facts, name) or None for name in ("encoding", "delimiter"))
    source = source_of("source", path, *how)
    if source.digest() != text_fact(job.facts, "digest"):
        made_of = text_fact(job.facts, "source") or "other recipients"
        raise BulkError(
            f"{path.name}: not the file, or not as it was, that the job was made of ({made_of}): "
            "leave it out, and join by the column line or key"
        )
    return source


def _columns(source: Source) -> tuple[Sequence[str], Iterator[tuple[int, Sequence[object]]]]:
    """The header of *source*, and its rows; objects have one column with their JSON."""
    opened = source.open()
    if isinstance(opened, Table):
        wide = len(opened.header)
        return opened.header, (
            (line, [*cells, *[""] * (wide - len(cells))]) for line, cells in opened.rows
        )
    return ("input",), ((line, (encode(value).decode(),)) for line, value in opened.rows)


def _by_line(job: Job) -> Iterator[RecipientResult]:
    """Every recipient in the order of the input.

    Requests are in that order, but for windows, which sort them by time zone: each zone is one run.
    """
    runs = [_recipients(job, run) for run in _runs(job)]
    return heapq.merge(*runs, left_out_by_line(job), key=attrgetter("line"))


def _runs(job: Job) -> list[list[int]]:
    """The requests of *job* in as many runs as needed, so that lines only grow in each."""
    runs: dict[int, list[int]] = {}
    for chunk in job.journal.each():
        with job.journal.read() as connection, sound(job.journal.name, chunk.id):
            lines, _ = unpack_places(job.journal.body(connection, chunk.id)[1])
        if not lines:
            continue
        end = max((each for each in runs if each < lines[0]), default=None)
        run = [] if end is None else runs.pop(end)
        run.append(chunk.id)
        runs[lines[-1]] = run
    return [*runs.values()]


def _recipients(job: Job, run: Iterable[int]) -> Iterator[RecipientResult]:
    for number in run:
        with job.journal.read() as connection:
            chunk = job.journal.chunk(connection, number)
        if chunk is not None:
            yield from recipients_of(job, chunk)
