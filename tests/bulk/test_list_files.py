"""Lists as programs write them: every encoding, separator, compression and pipe; damaged ones."""

import gzip
import io
import os
import random
import threading
import zipfile
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import IO

import pytest

from sinch_wrapper import BulkError
from sinch_wrapper.bulk._sources import Source, Table, source_of
from tests.helpers.spreadsheets import excel_file

ROWS = [["+46700000001", "Åsa"], ["+46700000002", 'Bo "B", Öst']]
HEADER = ["phone", "name"]


def read(source: Source) -> tuple[list[str], list[tuple[int, list[object]]]]:
    """The header and the rows of a table."""
    table = source.open()
    assert isinstance(table, Table)
    return table.header, [(line, list(cells)) for line, cells in table.rows]


def written(mark: str = ",", end: str = "\r\n") -> str:
    """The table as text."""
    lines = [HEADER, *([f'"{cell.replace(chr(34), chr(34) * 2)}"' for cell in row] for row in ROWS)]
    return "".join(mark.join(cells) + end for cells in lines)


@pytest.mark.parametrize("mark", [",", ";", "\t", "|"])
@pytest.mark.parametrize(
    "encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "utf-32"]
)
@pytest.mark.parametrize("name", ["a.csv", "a.CSV.gz", "a.tsv", "a.txt"])
def test_separator_and_encoding_are_found(
    tmp_path: Path, mark: str, encoding: str, name: str
) -> None:
    """What spreadsheets write is read as it is, and unusual forms are told."""
    path = tmp_path / name
    content = written(mark).encode(encoding)
    path.write_bytes(gzip.compress(content) if name.endswith("gz") else content)
    header, rows = read(source_of("recipients", path))
    assert (HEADER, ROWS) == (header, [cells for _, cells in rows])
    table = source_of("recipients", path).open()
    assert isinstance(table, Table)
    assert (mark != ",") == ("separated by" in table.how)
    assert ("16" in encoding or "32" in encoding) == ("encoding" in table.how)
    assert len(ROWS) == len(list(table.rows))


@pytest.mark.parametrize(
    ("content", "rows"),
    [
        ("sep=;\r\nphone;name\r\n+1;x\r\n", [(3, ["+1", "x"])]),
        ('"sep=\t"\nphone\tname\n+1\tx\n', [(3, ["+1", "x"])]),
        (
            "phone,name,,\n+1,x,,\n,,,\n\n+2,y,,\n",
            [(2, ["+1", "x", "", ""]), (5, ["+2", "y", "", ""])],
        ),
        ("phone;name, first\n+1;x\n+2;y, z\n", [(2, ["+1", "x"]), (3, ["+2", "y, z"])]),
        ('phone,"a;b"\n+1,x\n', [(2, ["+1", "x"])]),
        ("phone\n+1\n\n+2\n", [(2, ["+1"]), (4, ["+2"])]),
        ("phone,name\r+1,x\r+2,y\r", [(2, ["+1", "x"]), (3, ["+2", "y"])]),
        ('phone;name\n+1;"x\ny"\n+2;z\n', [(2, ["+1", "x\ny"]), (4, ["+2", "z"])]),
    ],
)
def test_what_spreadsheets_add_does_not_matter(
    tmp_path: Path, content: str, rows: list[tuple[int, list[str]]]
) -> None:
    """A line with the separator, empty columns, empty rows; lines stay those of the file."""
    path = tmp_path / "a.csv"
    path.write_text(content, encoding="utf-8", newline="")
    assert rows == read(source_of("recipients", path))[1]


def test_a_separator_that_may_be_two_is_asked_for(tmp_path: Path) -> None:
    """Nothing is guessed; the option decides."""
    path = tmp_path / "a.csv"
    path.write_text("phone;a,name\n+1;b,x\n", encoding="utf-8")
    with pytest.raises(BulkError, match="separated by commas or semicolons: say which"):
        source_of("recipients", path).open()
    assert ["phone", "a,name"] == read(source_of("recipients", path, None, ";"))[0]


def test_another_encoding_is_named_by_option(tmp_path: Path) -> None:
    """What is not UTF-8 is refused with the remedy, and read when it is said what it is."""
    path = tmp_path / "a.csv"
    path.write_bytes("phone;name\n+1;Bo\n+2;Björn €\n".encode("cp1252"))
    with pytest.raises(BulkError, match=r'line 3: not UTF-8: save it .*encoding="cp1252"'):
        read(source_of("recipients", path))
    assert [(2, ["+1", "Bo"]), (3, ["+2", "Björn €"])] == read(
        source_of("recipients", path, "cp1252")
    )[1]
    with pytest.raises(BulkError, match="not ascii"):
        read(source_of("recipients", path, "ascii"))


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16"])
@pytest.mark.parametrize("packed", [False, True])
def test_streams_say_themselves_what_they_are(encoding: str, packed: bool) -> None:  # noqa: FBT001 (a case)
    """CSV and JSON lines, compressed or not; they are read as often as needed."""
    for text in (written(";"), '\n{"phone": "+1"}\n{"phone": "+2"}\n'):
        content = text.encode(encoding)
        stream = io.BytesIO(gzip.compress(content) if packed else content)
        source = source_of("recipients", stream)
        first = source.digest()
        found = source.open()
        assert len(list(found.rows)) == 2
        assert isinstance(found, Table) == (";" in text)
        assert first == source.digest()
    with pytest.raises(TypeError, match="opened for bytes"):
        source_of("recipients", io.StringIO("phone\n"))


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="named pipes of POSIX")
def test_named_pipes_are_read_once(tmp_path: Path) -> None:
    """A pipe can be opened once only: its digest and its rows come from the same content."""
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    writer = threading.Thread(target=pipe.write_text, args=(written(),))
    writer.start()
    source = source_of("recipients", pipe)
    assert source.digest() == source.digest()
    assert ROWS == [cells for _, cells in read(source)[1]]
    writer.join()


def test_repeated_keys_of_json_are_refused(tmp_path: Path) -> None:
    """Which of two values is meant nobody knows; colons in strings are no keys."""
    path = tmp_path / "a.jsonl"
    path.write_text(
        '{"phone": "+1", "at": "10:30:00"}\n{"phone": "+1", "phone": "+2"}\n', encoding="utf-8"
    )
    rows = iter(source_of("recipients", path).open().rows)
    assert {"phone": "+1", "at": "10:30:00"} == next(rows)[1]
    with pytest.raises(BulkError, match="line 2: a key comes twice"):
        next(rows)
    path.write_text('{"recipient": {"contact_id": "a", "contact_id": "b"}}\n', encoding="utf-8")
    with pytest.raises(BulkError, match="line 1: a key comes twice"):
        next(iter(source_of("recipients", path).open().rows))


def _parquet(path: Path) -> None:
    pyarrow = pytest.importorskip("pyarrow")
    parquet = pytest.importorskip("pyarrow.parquet")
    columns = {"phone": [f"+4670{n:07}" for n in range(3000)], "name": ["x" * 20] * 3000}
    parquet.write_table(pyarrow.table(columns), path, compression="snappy", use_dictionary=False)


def _excel(path: Path) -> None:
    pytest.importorskip("python_calamine")
    excel_file(path, [["phone", "name"], *[[f"+4670{n:07}", "Åsa"] for n in range(500)]])


def _packed(path: Path) -> None:
    path.write_bytes(gzip.compress(b"phone,name\n" + b"+46700000001,x\n" * 5000))


def _packed_lines(path: Path) -> None:
    path.write_bytes(gzip.compress(b'{"phone": "+46700000001"}\n' * 5000))


WRITERS = {
    "a.parquet": _parquet,
    "a.xlsx": _excel,
    "a.csv.gz": _packed,
    "a.jsonl.gz": _packed_lines,
}


@pytest.mark.parametrize("name", WRITERS)
def test_damage_is_one_error(tmp_path: Path, name: str) -> None:
    """Cut short or with wrong bytes: rows, or an error that names the file and quotes nothing."""
    path = tmp_path / name
    WRITERS[name](path)
    whole, dice = path.read_bytes(), random.Random(7)  # noqa: S311 (no secret)
    for _ in range(60):
        content = bytearray(whole)
        for _ in range(dice.randint(1, 8)):
            content[dice.randrange(len(content))] = dice.randrange(256)
        path.write_bytes(content[: dice.choice([len(whole), dice.randrange(len(whole))])])
        try:
            list(source_of("recipients", path).open().rows)
        except BulkError as error:
            # Damage of a file is not a mistake of the caller.
            if not str(error).startswith(name) or "+4670" in str(error) or "\n" in str(error):
                raise AssertionError(str(error)) from error


def test_sheets_are_read_as_they_are_shown(tmp_path: Path) -> None:
    """Whole numbers are digits, empty rows are left out, lines are those of the sheet."""
    pytest.importorskip("python_calamine")
    path = tmp_path / "a.XLSX"
    excel_file(
        path, [["phone", "points", ""], [46701234567, 120, ""], [], ["+46700000001", 1.5, ""]]
    )
    header, rows = read(source_of("recipients", path))
    assert ["phone", "points"] == header[:2]
    assert [(2, ["46701234567", "120"]), (4, ["+46700000001", 1.5])] == [
        (line, cells[:2]) for line, cells in rows
    ]


def _far_apart(path: Path) -> None:
    excel_file(path, [["phone"]], more='<row r="1048576"><c r="XFD1048576"><v>1</v></c></row>')


def _zip_bomb(path: Path) -> None:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("xl/worksheets/sheet1.xml", b" " * (80 << 20))


def _two_sheets(path: Path) -> None:
    excel_file(path, [["phone"], ["+1"]], [["phone"], ["+2"]])


@pytest.mark.parametrize(
    ("write", "words"),
    [
        (_far_apart, "16384 columns of 1048576 rows are too many"),
        (_zip_bomb, "unpacks to more than 200 times its size"),
        (_two_sheets, "2 sheets have rows"),
        (lambda path: excel_file(path, []), "empty file"),
        (lambda path: path.write_bytes(b"phone\n+1\n"), "not an Excel file, or damaged"),
    ],
)
def test_sheets_that_are_no_list_are_refused(
    tmp_path: Path, write: Callable[[Path], None], words: str
) -> None:
    """Before they fill the memory, and without a guess which sheet is meant."""
    pytest.importorskip("python_calamine")
    path = tmp_path / "a.xlsx"
    write(path)
    with pytest.raises(BulkError, match=words):
        source_of("recipients", path).open()


def test_a_stream_may_be_an_excel_file(tmp_path: Path) -> None:
    """Its first bytes say so."""
    pytest.importorskip("python_calamine")
    excel_file(tmp_path / "a.xlsx", [["phone"], ["+46700000001"]])
    stream: IO[bytes] = io.BytesIO((tmp_path / "a.xlsx").read_bytes())
    rows: Sequence[object] = read(source_of("recipients", stream))[1]
    assert [(2, ["+46700000001"])] == rows
