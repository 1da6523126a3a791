"""No number, text or name shows in what tools print of a job that fails: every variable of ours."""

import contextlib
import gzip
import json
import sqlite3
import traceback
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from sinch_wrapper import BulkError, Recipient, text
from sinch_wrapper.bulk import Columns, JournalFollower
from tests.helpers.bulk import FakeBatchApi, MakeBulk, make_bulk, receipt
from tests.helpers.planted import PHONE, TEXT, leaks, printed

__all__ = ["make_bulk"]

MESSAGE = text(f"{TEXT} ${{name}}")
ROW = {"phone": PHONE, "name": TEXT}
RIGHT: list[object] = [(Recipient.sms(PHONE), {"name": TEXT})]


def raising() -> Iterator[dict[str, str]]:
    """Recipients whose source breaks in the middle."""
    yield ROW
    raise ValueError("the source broke")


CASES: dict[str, dict[str, Any]] = {
    "app": {"app_id": 5},
    "message": {"message": [TEXT]},
    "empty message": {"message": {}},
    "message of sets": {"message": {"text_message": {"text": {TEXT}}}},
    "no recipients": {"recipients": {PHONE: TEXT}},
    "a suffix": {"recipients": f"{TEXT}.pdf"},
    "row": {"recipients": [ROW, 5]},
    "row without name": {"recipients": [ROW, {"phone": PHONE}]},
    "row with half a character": {"recipients": [ROW, ROW | {"name": TEXT + "\ud800"}]},
    "pair": {"recipients": [(Recipient.sms(PHONE), {"name": 5})]},
    "object": {"recipients": [{"recipient": {"identified_by": PHONE}, "parameters": ROW}]},
    "duplicates": {"recipients": [ROW, ROW], "on_duplicate": "stop"},
    "source breaks": {"recipients": raising},
    "option": {"recipients": [ROW], "chunk_size": "x"},
    "unknown option": {"recipients": [ROW], "unknown": TEXT},
    "metadata": {"recipients": [ROW], "message_metadata": {"a": {PHONE}}},
    "job": {"recipients": [ROW], "job": 5},
    "folder": {"recipients": [ROW], "job": Path("/")},
}


def failure(make_bulk: MakeBulk, **change: Any) -> BaseException:
    """How sending ends."""
    given = {"message": MESSAGE, "recipients": RIGHT} | change
    if callable(given["recipients"]):
        given["recipients"] = given["recipients"]()
    with pytest.raises(Exception) as caught:  # noqa: PT011 (of any kind)
        make_bulk(FakeBatchApi()).go(**given)
    return caught.value


@pytest.mark.parametrize("name", CASES)
def test_job_that_does_not_begin_shows_nothing(make_bulk: MakeBulk, name: str) -> None:
    """Whatever is wrong with the arguments, neither message nor recipients show."""
    assert [] == leaks(printed(failure(make_bulk, **CASES[name])))


FILES: dict[str, bytes] = {
    "short.csv": f"phone,name\n{PHONE},{TEXT},x\n".encode(),
    "quote.csv": f'phone,name\n{PHONE},"{TEXT}\n'.encode(),
    "latin.csv": f"phone,name\n{PHONE},{TEXT}é\n".encode("latin-1"),
    "columns.csv": f"phone,nom\n{PHONE},{TEXT}\n".encode(),
    "half.jsonl": json.dumps(ROW).encode()[:-2],
    "utf16.jsonl": json.dumps(ROW).encode("utf-16")[:-1],
    "deep.jsonl": b'{"name": "' + TEXT.encode() + b'", "x": ' + b"[" * 99_999,
    "wrong.jsonl": json.dumps([PHONE, TEXT]).encode(),
    "cut.jsonl.gz": gzip.compress(json.dumps(ROW).encode() * 9, mtime=0)[:-9],
    "none.jsonl.gz": json.dumps(ROW).encode(),
    "none.parquet": json.dumps(ROW).encode(),
}


@pytest.mark.parametrize("name", FILES)
def test_list_that_cannot_be_read_shows_nothing(
    make_bulk: MakeBulk, tmp_path: Path, name: str
) -> None:
    """Nor do lines and cells, of any kind of file."""
    path = tmp_path / name
    path.write_bytes(FILES[name])
    assert [] == leaks(printed(failure(make_bulk, recipients=path)))


def test_damaged_parquet_shows_nothing(make_bulk: MakeBulk, tmp_path: Path) -> None:
    """A Parquet file whose pages are damaged is one line, without a cell."""
    pyarrow, parquet = pytest.importorskip("pyarrow"), pytest.importorskip("pyarrow.parquet")
    path = tmp_path / "list.parquet"
    columns = {"phone": [f"+4670000{n:04}" for n in range(9000)], "name": [TEXT] * 9000}
    parquet.write_table(pyarrow.table(columns), path, compression="gzip")
    content = bytearray(path.read_bytes())
    content[40:4000] = b"\xff" * 3960
    path.write_bytes(content)
    error = failure(make_bulk, recipients=path)
    assert "cannot be read after row 0" in str(error)
    assert [] == leaks(printed(error))


@pytest.mark.parametrize("damage", ["bodies", "table", "cut"])
def test_damaged_journal_shows_nothing(make_bulk: MakeBulk, tmp_path: Path, damage: str) -> None:
    """Nor does a journal, when it cannot be read again."""
    job, face = tmp_path / "job.db", make_bulk(FakeBatchApi())
    rows = [ROW | {"phone": f"{PHONE}{n}"} for n in range(6)]
    face.go(message=MESSAGE, recipients=rows, job=job, deadline=0)
    if damage == "cut":
        job.write_bytes(job.read_bytes()[:5000])
    else:
        connection = sqlite3.connect(job)
        statement = {
            "bodies": "UPDATE chunks SET state = 'x' || state",
            "table": "ALTER TABLE chunks RENAME TO gone",
        }[damage]
        connection.execute(statement)
        connection.commit()
        connection.close()
    with pytest.raises(Exception) as caught:  # noqa: PT011 (of any kind)
        face.resume(job)
    assert [] == leaks(printed(caught.value))


@pytest.mark.parametrize("use", ["refresh", "recipients", "batches", "take", "check"])
def test_report_and_follower_of_a_damaged_journal_show_nothing(
    make_bulk: MakeBulk, tmp_path: Path, use: str
) -> None:
    """Nor do what reads a journal, and what writes callbacks into it."""
    job, face = tmp_path / "job.db", make_bulk(FakeBatchApi())
    face.go(message=MESSAGE, recipients=[ROW], job=job, columns=Columns(key="phone"))
    report, follower = face.report(job), JournalFollower(job)
    event = receipt("FAILED", {"sinch_wrapper_chunk": f"{report.job}-0", "name": TEXT}, PHONE)
    follower.take([event])
    with contextlib.closing(sqlite3.connect(job, isolation_level=None)) as connection:
        connection.execute("ALTER TABLE chunks RENAME TO gone")
        connection.execute("PRAGMA application_id = 5")
    if use in {"take", "check"}:
        follower.close()
    uses: dict[str, Callable[[], object]] = {
        "refresh": report.refresh,
        "recipients": lambda: list(report.recipients()),
        "batches": lambda: list(report.batches()),
        "take": lambda: follower.take([event]),
        "check": follower.check,
    }
    with pytest.raises(BulkError) as caught:
        uses[use]()
    assert [] == leaks(printed(caught.value))
    assert not any(
        frame.f_locals
        for frame, _ in traceback.walk_tb(caught.value.__traceback__)
        if frame.f_globals["__name__"].startswith("sinch_wrapper.bulk")
    )


@pytest.mark.parametrize("what", ["progress", "stop"])
def test_function_of_the_caller_that_fails_shows_nothing(make_bulk: MakeBulk, what: str) -> None:
    """An error of the caller's own passes as it is; our functions show nothing around it."""

    def fail(*_: object) -> bool:
        raise KeyError("mine")

    class Stop:
        is_set = fail

    error = failure(
        make_bulk,
        recipients=[ROW],
        **({"progress": fail} if what == "progress" else {"stop": Stop()}),
    )
    assert [] == leaks(printed(error))
