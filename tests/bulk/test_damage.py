"""Damaged journals and stores: one clear error for each, and nothing is sent twice.

SINCH_WRAPPER_DAMAGE is how many damaged copies are tried of each file.
"""

import contextlib
import os
import random
import sqlite3
import threading
import zlib
from collections.abc import Callable, Iterator
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from sinch_wrapper import BulkError, CallbackError
from sinch_wrapper.bulk import Report
from sinch_wrapper.callbacks import EventStore, read_event
from sinch_wrapper.cli import main
from tests.helpers.bulk import (
    APP,
    MESSAGE,
    BulkFace,
    FakeBatchApi,
    MakeBulk,
    make_bulk,
    receipt,
    rows,
)
from tests.helpers.core import SyncFlavour

__all__ = ["make_bulk"]

EVIDENCE = '{"elder": 0, "witness": 4, "listed": 3, "waited": 600.0, "lag": 1.0, "lags": 2}'
COPIES = int(os.environ.get("SINCH_WRAPPER_DAMAGE", "100"))
PAGE = 4096
Harm = Callable[[bytearray, random.Random], None]


def flip(content: bytearray, chance: random.Random) -> None:
    """Flip one bit."""
    content[chance.randrange(len(content))] ^= 1 << chance.randrange(8)


def flip_many(content: bytearray, chance: random.Random) -> None:
    """Flip some bits near each other."""
    at = chance.randrange(len(content))
    for _ in range(chance.randrange(2, 30)):
        content[min(len(content) - 1, at + chance.randrange(200))] ^= 1 << chance.randrange(8)


def cut(content: bytearray, chance: random.Random) -> None:
    """Cut the end off."""
    del content[chance.randrange(len(content)) :]


def clear(content: bytearray, chance: random.Random) -> None:
    """Fill a page with zeros."""
    at = chance.randrange(len(content) // PAGE) * PAGE
    content[at : at + PAGE] = bytes(PAGE)


def swap(content: bytearray, chance: random.Random) -> None:
    """Swap two pages, and so perhaps two tables."""
    first, second = (chance.randrange(len(content) // PAGE) * PAGE for _ in range(2))
    one, two = content[first : first + PAGE], content[second : second + PAGE]
    content[first : first + PAGE], content[second : second + PAGE] = two, one


HARMS: list[Harm] = [flip, flip, flip_many, cut, clear, swap]


def damaged(content: bytes, number: int) -> bytes:
    """A copy of *content*, damaged in its own way."""
    chance = random.Random(number)  # noqa: S311 (repeatable)
    copy = bytearray(content)
    chance.choice(HARMS)(copy, chance)
    return bytes(copy)


VALUES = [
    "''", "'x'", "'plänned'", "-1", "99999999999999", "1.5", "null", "x'00ff'", "'[1, 2'", "'{}'",
    "'[]'", "'\"\"'", "'1e999'", "cast(x'ff' as text)", "'" + "[" * 3000 + "'",
]  # fmt: skip


@cache
def packed_bomb() -> bytes:
    """300 MiB of zeros, packed."""
    packer = zlib.compressobj(9)
    return b"".join(packer.compress(bytes(1 << 20)) for _ in range(300)) + packer.flush()


def rewritten(path: Path, number: int) -> str:
    """Write a value of another kind into one row, or all rows, of one column."""
    chance = random.Random(number)  # noqa: S311 (repeatable)
    bomb = packed_bomb() if number % 50 == 0 else b"x"
    values = [*VALUES, f"x'{zlib.compress(chance.choice(VALUES).encode()).hex()}'"]
    with contextlib.closing(sqlite3.connect(path, isolation_level=None)) as connection:
        found = connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'").fetchall()
        table = chance.choice([name for (name,) in found if not name.startswith("sqlite_")])
        columns = [row[1] for row in connection.execute(f"PRAGMA table_info({table})")]
        column, value = chance.choice(columns), chance.choice(values)
        if bomb != b"x" and table == "bodies":
            column, value = "content", f"x'{bomb.hex()}'"
        where = chance.choice(["", f" WHERE rowid = (SELECT max(rowid) FROM {table})"])  # noqa: S608
        words = f"UPDATE {table} SET {column} = {value}{where}"  # noqa: S608 (of our own)
        if chance.random() < 0.1:
            words = f"DROP TABLE {table}"
        with contextlib.suppress(sqlite3.Error):
            connection.execute(words)
        return words


@pytest.fixture
def bulk_and_api() -> Iterator[tuple[BulkFace, FakeBatchApi]]:
    """A sender in threads that waits for nothing, and the API it sends to."""
    flavour, api = SyncFlavour(), FakeBatchApi()
    bulk = BulkFace(flavour, api).in_virtual_time()
    yield bulk, api
    flavour.close(bulk.client)


def half_sent(bulk: BulkFace, api: FakeBatchApi, path: Path) -> bytes:
    """A journal with requests in every state, rows left out, callbacks, and one sent again."""
    people: list[Any] = [*rows(60), {"phone": "", "name": "X"}, rows(1)[0]]
    api.script = ["ok", "ok", "lost", "400", "ok"]
    sent: list[int] = []
    bulk.send(
        app_id=APP, message=MESSAGE, recipients=people, job=path, chunk_size=4, concurrency=1,
        on_invalid="skip", settle=0.01, deadline=5.0, send_again="never",
        progress=lambda _: sent.append(1), stop=_After(api, 8),
    )  # fmt: skip
    with contextlib.closing(sqlite3.connect(path, isolation_level=None)) as connection:
        connection.execute("UPDATE chunks SET state = 'sending' WHERE id = 4")
        connection.execute("INSERT INTO resends VALUES (99, 2, ?)", (EVIDENCE,))
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    mark = api.sent[0]["message_metadata"] | {"sinch_wrapper_index": "0"}
    bulk.record([receipt("DELIVERED", mark), receipt("FAILED", mark | {"x": "1"}, "R")], path)
    return path.read_bytes()


class _After(threading.Event):
    """An event that is set once so many requests were sent."""

    def __init__(self, api: FakeBatchApi, many: int) -> None:
        super().__init__()
        self._api, self._many = api, many

    def is_set(self) -> bool:
        """Whether that is so."""
        return len(self._api.sent) >= self._many


def _try_all(bulk: BulkFace, path: Path) -> list[str]:
    """Use a damaged journal in every way; returns the lines of the errors."""
    lines = []
    for use in (
        lambda: Report(path),
        lambda: list(Report(path).recipients()),
        lambda: list(Report(path).batches()),
        lambda: bulk.status(path),
        lambda: bulk.record([receipt("READ", {"sinch_wrapper_chunk": "x-1"})], path),
        lambda: bulk.retry_failed(path, new_job=path.with_name("new.db"), reasons=["R"]),
        lambda: bulk.resume(path, settle=0.01),
        lambda: list(Report(path).recipients()),
    ):
        try:
            use()
        except BulkError as error:
            lines.append(str(error))
    return lines


def _is_clear(line: str) -> bool:
    return "\n" not in line and line.startswith("journal ") and "4670" not in line


@pytest.mark.timeout(3600 if COPIES > 1000 else 240)
@pytest.mark.slow
@pytest.mark.parametrize("how", ["bytes", "values"])
def test_every_damage_ends_in_one_clear_error(
    bulk_and_api: tuple[BulkFace, FakeBatchApi], tmp_path: Path, how: str,
    capsys: pytest.CaptureFixture[str],
) -> None:  # fmt: skip
    """Whatever is done to a journal, it gives what is in it, or a BulkError of one line."""
    bulk, api = bulk_and_api
    content = half_sent(bulk, api, tmp_path / "job.db")
    before = dict(api.batches)
    refused = 0
    for number in range(COPIES):
        folder = tmp_path / str(number)
        folder.mkdir()
        path = folder / "job.db"
        path.write_bytes(damaged(content, number) if how == "bytes" else content)
        words = "" if how == "bytes" else rewritten(path, number)
        api.script, api.sent, api.batches = [], [], dict(before)
        lines = _try_all(bulk, path)
        refused += bool(lines)
        assert [] == [line for line in lines if not _is_clear(line)], (number, words)
        if number % 10 == 0:
            code = main(["bulk", "report", str(path), "--recipients"])
            assert (code in {0, 1}, False) == (True, "Traceback" in capsys.readouterr().err)
        for each in folder.iterdir():
            each.unlink()
    assert refused > COPIES / 10


def test_one_damaged_request_does_not_block_the_others(make_bulk: MakeBulk, tmp_path: Path) -> None:
    """The others are sent and reported; the one that cannot be is rejected, and named."""
    api, job = FakeBatchApi(), tmp_path / "job.db"
    bulk = make_bulk(api)
    bulk.go(rows(10), job=job, deadline=0)
    with contextlib.closing(sqlite3.connect(job, isolation_level=None)) as connection:
        connection.execute("UPDATE bodies SET content = x'789c00', places = x'00' WHERE chunk = 2")
    report = bulk.resume(job)
    assert (8, 2, 0, {"DAMAGED": 2}) == (
        report.accepted, report.rejected, report.pending, report.reasons,
    )  # fmt: skip
    seen: list[int] = []
    with pytest.raises(BulkError, match=r"job\.db: request 2 is damaged.*all other requests"):
        seen.extend(each.line for each in report.recipients())
    assert [1, 2, 3, 4, 7, 8, 9, 10] == seen
    assert {1} == set(api.accepted.values())


@pytest.mark.slow
def test_a_packed_bomb_is_a_damaged_request(make_bulk: MakeBulk, tmp_path: Path) -> None:
    """What unpacks to more than a request may have is not unpacked."""
    api, job = FakeBatchApi(), tmp_path / "job.db"
    bulk = make_bulk(api)
    bulk.go(rows(4), job=job, deadline=0)
    bomb = packed_bomb()
    with contextlib.closing(sqlite3.connect(job, isolation_level=None)) as connection:
        connection.execute("UPDATE bodies SET content = ? WHERE chunk = 0", (bomb,))
    report = bulk.resume(job)
    assert (2, 2, 1) == (report.accepted, report.rejected, len(api.sent))


@pytest.mark.parametrize("column", ["content", "places"])
def test_a_damaged_request_keeps_no_other_from_being_retried(
    make_bulk: MakeBulk, tmp_path: Path, column: str
) -> None:
    """Those of the other requests get their message; the warning names the one that is damaged."""
    api, old = FakeBatchApi("ok", "400", "400", "400"), tmp_path / "old.db"
    bulk = make_bulk(api)
    bulk.go(rows(8), job=old, concurrency=1)
    reasons = list(Report(old).reasons)
    with contextlib.closing(sqlite3.connect(old, isolation_level=None)) as connection:
        connection.execute(f"UPDATE bodies SET {column} = x'00' WHERE chunk = 2")  # noqa: S608
    report = bulk.retry_failed(old, new_job=tmp_path / "new.db", reasons=reasons)
    assert (4, 4, 1) == (report.total, report.accepted, report.damaged)
    assert ["journal old.db: request 2 is damaged" in each for each in report.warnings] == [True]
    again = bulk.retry_failed(old, new_job=tmp_path / "new.db", reasons=reasons)
    assert report.warnings == again.warnings


@pytest.mark.timeout(3600 if COPIES > 1000 else 240)
@pytest.mark.slow
def test_every_damage_of_a_store_ends_in_one_clear_error(tmp_path: Path) -> None:
    """A store gives its callbacks, or a CallbackError of one line."""
    origin = tmp_path / "store.db"
    store = EventStore(origin)
    for number in range(40):
        store.add(read_event(b'{"app_id": "A%d", "message_delivery_report": {}}' % number))
    store.close()
    content, refused = origin.read_bytes(), 0
    for number in range(COPIES):
        path = tmp_path / f"{number}.db"
        path.write_bytes(damaged(content, number) if number % 2 else content)
        if not number % 2:
            rewritten(path, number)
        lines = _use_store(path)
        refused += bool(lines)
        assert [] == [x for x in lines if "\n" in x or not x.startswith("callback store")], number
        for each in tmp_path.glob(f"{number}.db*"):
            each.unlink()
    assert refused > COPIES / 10


def _use_store(path: Path) -> list[str]:
    lines = []
    for use in (
        lambda store: list(store.stored()),
        lambda store: store.waiting(1e12, 100),
        lambda store: store.dead(),
        lambda store: store.retry_dead(),
        lambda store: store.counts(),
        lambda store: store.prune(1e12),
    ):
        try:
            store = EventStore(path, must_exist=True)
            try:
                use(store)
            finally:
                store.close()
        except CallbackError as error:
            lines.append(str(error))
    return lines
