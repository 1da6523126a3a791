"""Reports as files: written whole or not at all, and never over anything but a report."""

import os
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import IO

from sinch_wrapper import _validate
from sinch_wrapper.bulk._journal import Job
from sinch_wrapper.bulk._prices import prices_of, read_prices
from sinch_wrapper.bulk._report_csv import is_report, write_csv
from sinch_wrapper.bulk._report_page import is_page, page_of
from sinch_wrapper.bulk._report_values import ReportCounts
from sinch_wrapper.errors import BulkArgumentError, BulkError

# Bytes from the beginning of a file, by which a report is recognised.
_HEAD = 1 << 16


def write_html(
    report: ReportCounts, job: Job, path: object, prices: object, *, numbers: object
) -> Path:
    """Write the page of *report*."""
    target = _target(path, numbers)
    table = None if prices is None else prices_of("prices", prices)
    if isinstance(table, Path):
        table = read_prices(table)
    text = page_of(report, job, datetime.now(UTC), table, numbers=bool(numbers))
    with _replaced(target, is_page) as file:
        file.write(text)
    return target


def write_csv_file(job: Job, path: object, source: object, *, numbers: object) -> Path:
    """Write the recipients of *job*, with the columns of *source* or without."""
    target = _target(path, numbers)
    if source is not None:
        source = _validate.path("source", source, error=BulkArgumentError)
    with _replaced(target, lambda head: is_report(head.partition("\n")[0])) as file:
        write_csv(job, file, source, numbers=bool(numbers))
    return target


def _target(path: object, numbers: object) -> Path:
    _validate.boolean("numbers", numbers, error=BulkArgumentError)
    return _validate.path("path", path, error=BulkArgumentError).absolute()


@contextmanager
def _replaced(target: Path, is_ours: Callable[[str], bool]) -> Iterator[IO[str]]:
    """A file beside *target*, which only its owner reads, and which replaces it in the end."""
    try:
        _refuse_others(target, is_ours)
        handle, name = tempfile.mkstemp(prefix=f".{target.name}.", dir=target.parent, text=True)
        try:
            with os.fdopen(handle, "w", encoding="utf-8", newline="") as file:
                yield file
            Path(name).replace(target)
        except BaseException:
            Path(name).unlink(missing_ok=True)
            raise
    except OSError as error:
        words = error.strerror or type(error).__name__
        raise BulkError(f"{target.name}: cannot be written: {words}") from error


def _refuse_others(target: Path, is_ours: Callable[[str], bool]) -> None:
    if not target.exists():
        return
    with target.open("rb") as file:
        head = file.read(_HEAD).decode(errors="replace")
    if head and not is_ours(head):
        raise BulkError(f"{target.name}: exists, and is not such a report: choose another name")
