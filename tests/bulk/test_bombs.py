"""Small files that unpack to huge lists are refused in one line, before they fill the memory."""

import gzip
import tracemalloc
import zlib
from collections.abc import Callable
from pathlib import Path

import pytest

from sinch_wrapper import BulkError
from sinch_wrapper.bulk._list_files import ListFile
from sinch_wrapper.bulk._schema import pack, unpack
from sinch_wrapper.bulk._sources import read_json_lines, source_of
from tests.helpers.bulk import FakeBatchApi, MakeBulk, make_bulk

__all__ = ["make_bulk"]

MIB = 1 << 20


def one_line(path: Path) -> None:
    """Write one line of 40 MiB."""
    with gzip.open(path, "wb", compresslevel=1) as file:
        for _ in range(40):
            file.write(b" " * MIB)


def many_lines(path: Path) -> None:
    """Write lines that are blank, 80 MiB in all."""
    with gzip.open(path, "wb", compresslevel=1) as file:
        for _ in range(80):
            file.write(b" " * (MIB - 1) + b"\n")


def alike(path: Path) -> None:
    """Write rows that are alike, 80 MiB in all."""
    with gzip.open(path, "wb") as file:
        row = b'{"phone": "", "name": "' + b"x" * (MIB - 26) + b'"}\n'
        for _ in range(80):
            file.write(row)


@pytest.mark.parametrize(
    ("write", "words"),
    [
        (one_line, "bomb.jsonl.gz, line 1: longer than 16 MiB"),
        (many_lines, "bomb.jsonl.gz: unpacks to more than 200 times its size"),
        pytest.param(
            alike, "bomb.jsonl.gz: unpacks to more than 200 times its size", marks=pytest.mark.slow
        ),
    ],
)
def test_compressed_bomb_is_one_line(
    tmp_path: Path, write: Callable[[Path], None], words: str
) -> None:
    """Neither a huge line nor a huge list of small ones is kept."""
    path = tmp_path / "bomb.jsonl.gz"
    write(path)
    tracemalloc.start()
    with pytest.raises(BulkError, match=words):
        for _ in read_json_lines(ListFile(path)):
            pass
    _, most = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert most < 60 * MIB


@pytest.mark.parametrize("name", ["long.jsonl", "long.csv"])
def test_huge_line_is_refused(make_bulk: MakeBulk, tmp_path: Path, name: str) -> None:
    """A line that cannot be a recipient is not read to its end, in any kind of file."""
    path = tmp_path / name
    path.write_bytes(b"phone,name\n" + b"x" * 17 * MIB + b"\n")
    with pytest.raises(BulkError, match=f"{name}, line [12]: (longer than|not JSON)") as caught:
        make_bulk(FakeBatchApi()).go(path)
    assert "\n" not in str(caught.value)


@pytest.mark.slow
def test_parquet_bomb_is_refused(tmp_path: Path) -> None:
    """A column that unpacks to more than a list can have is not read."""
    pyarrow, parquet = pytest.importorskip("pyarrow"), pytest.importorskip("pyarrow.parquet")
    path = tmp_path / "bomb.parquet"
    cells = ["x" * MIB] * 80
    parquet.write_table(
        pyarrow.table({"phone": cells}), path, compression="gzip", use_dictionary=False
    )
    with pytest.raises(BulkError, match="unpacks to more than 200 times its size"):
        source_of("recipients", path).open()


def test_list_that_compresses_well_is_read(tmp_path: Path) -> None:
    """Numbers that follow one another, all with one name, are a list."""
    path = tmp_path / "list.jsonl.gz"
    with gzip.open(path, "wb") as file:
        for number in range(20_000):
            file.write(b'{"phone": "+46%09d", "name": "Ada"}\n' % number)
    assert 20_000 == sum(1 for _ in read_json_lines(ListFile(path)))


@pytest.mark.slow
def test_request_in_a_journal_is_no_bomb() -> None:
    """A request in a journal that unpacks to far more than one can have is damage."""
    packer = zlib.compressobj()
    blob = b"".join([*(packer.compress(bytes(MIB)) for _ in range(400)), packer.flush()])
    with pytest.raises(zlib.error, match="too large"):
        unpack(blob)


@pytest.mark.parametrize("blob", [b"", b"x", pack(b"[]" * 99)[:-5]])
def test_request_that_is_cut_off_is_damage(blob: bytes) -> None:
    """Nor is half of a request taken for a whole one."""
    with pytest.raises(zlib.error):
        unpack(blob)
