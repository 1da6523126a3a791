"""Files and rows: everything readable is read as it is, everything else is named with its line."""

import gzip
import io
import itertools
import json
import re
from collections.abc import Callable, Sequence
from contextlib import nullcontext
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sinch_wrapper import BulkError, text
from sinch_wrapper.bulk import Columns
from sinch_wrapper.bulk._csv import read_text_table
from sinch_wrapper.bulk._duplicates import SeenIdentities
from sinch_wrapper.bulk._list_files import ListFile, text_lines
from sinch_wrapper.bulk._sources import source_of
from tests.helpers.bulk import FakeBatchApi, MakeBulk, make_bulk, rows

__all__ = ["make_bulk"]

HEADER = "key,phone,name\n"
GOOD = HEADER + 'a,+46700000001,Åsa\nb,+46700000002,"Bo, the\nsecond"\n\nc,0046700000003,Cy\n'


def _write_csv(folder: Path) -> Path:
    path = folder / "all.csv"
    path.write_text(GOOD, encoding="utf-8-sig", newline="")
    return path


def _records() -> list[dict[str, str]]:
    names = ("Åsa", "Bo, the\nsecond", "Cy")
    phones = ("+46700000001", "+46700000002", "0046700000003")
    return [
        {"key": key, "phone": phone, "name": name}
        for key, phone, name in zip("abc", phones, names, strict=True)
    ]


def _write_lines(folder: Path) -> Path:
    path = folder / "all.jsonl"
    path.write_text("\n\n".join(map(json.dumps, _records())), encoding="utf-8")
    return path


def _write_gzip(folder: Path) -> Path:
    path = folder / "all.ndjson.gz"
    path.write_bytes(gzip.compress(_write_lines(folder).read_bytes()))
    return path


def _write_parquet(folder: Path) -> Path:
    pyarrow = pytest.importorskip("pyarrow")
    parquet = pytest.importorskip("pyarrow.parquet")
    path = folder / "all.parquet"
    parquet.write_table(pyarrow.Table.from_pylist(_records()), path)
    return path


@pytest.mark.parametrize("write", [_write_csv, _write_lines, _write_gzip, _write_parquet])
def test_every_format_gives_the_same(
    make_bulk: MakeBulk, tmp_path: Path, write: Callable[[Path], Path]
) -> None:
    """Numbers get their canonical form, quoted line breaks stay, blank lines do not count."""
    api = FakeBatchApi()
    report = make_bulk(api).go(write(tmp_path), columns=Columns(key="key"), chunk_size=10)
    sent = api.sent[0]["recipient_and_params"]
    identities = [row["recipient"]["identified_by"]["channel_identities"] for row in sent]
    expected = ["+46700000001", "+46700000002", "+46700000003"]
    assert expected == [each[0]["identity"] for each in identities]
    assert [row["name"] for row in _records()] == [row["parameters"]["name"] for row in sent]
    assert ["a", "b", "c"] == [each.key for each in report.recipients()]


def test_lines_are_those_of_the_file(make_bulk: MakeBulk, tmp_path: Path) -> None:
    """A quoted line break and a blank line do not shift the lines that follow."""
    report = make_bulk(FakeBatchApi()).go(_write_csv(tmp_path))
    assert [2, 3, 6] == [each.line for each in report.recipients()]


@pytest.mark.parametrize(
    ("name", "content", "words"),
    [
        ("a.csv", HEADER.encode() + b"a,1,Bj\xf6rn\n", "a.csv, line 2: not UTF-8"),
        (
            "a.csv",
            HEADER.encode() + b'a,1,x\nb,2,"open\n',
            "a.csv, line 3: invalid CSV: unclosed quote",
        ),
        ("a.csv", b"", "empty file"),
        ("a.csv", b"phone,nom\n1,x\n", "missing columns 'name'; found 'phone', 'nom'"),
        ("a.csv", b"mobile,name\n1,x\n", "no column identifies the recipients"),
        ("a.csv", b"phone,name,name\n+46700000001,x,y\n", "duplicate column names 'name': rename"),
        ("a.csv", b"phone,name\n1,x,y\n", "line 2: 3 cells instead of 2"),
        (
            "a.csv",
            b"phone,name\n+46700000001,\n",
            "line 2, name: is empty, and the message needs it",
        ),
        ("a.csv", b"phone,name\n ,x\n", "line 2, phone: is empty: there is no recipient"),
        ("a.jsonl", b'{"phone": "1", "name": "x"}\n{"phone":', "a.jsonl, line 2: not JSON"),
        ("a.jsonl", b'{"phone": "1", "name": "\xf6"}', "line 1: not UTF-8"),
        (
            "a.jsonl",
            b'{"phone": 46700000001, "name": "x"}',
            "line 1, phone: has no + before a country code: write + before it",
        ),
        (
            "a.jsonl",
            b'{"phone": "+46700000001", "name": 7}',
            "line 1, name: must be a string; quote",
        ),
        ("a.jsonl", b'{"phone": "1"}', "line 1: missing columns 'name'"),
        ("a.jsonl", b"[1]", "line 1: must be an object, not list"),
        ("a.jsonl.gz", b"not gzip", "not a gzip file, or truncated"),
        ("a.parquet", b"not parquet", "not a Parquet file"),
        ("a.xls", b"", "recipients= must be a file whose name ends in .csv"),
    ],
)
def test_what_is_wrong_is_named_with_its_line(
    make_bulk: MakeBulk, tmp_path: Path, name: str, content: bytes, words: str
) -> None:
    """Nothing is sent, and the error says where to look."""
    api, path = FakeBatchApi(), tmp_path / name
    path.write_bytes(content)
    with pytest.raises(BulkError) as caught:
        make_bulk(api).go(path)
    assert words in str(caught.value)
    assert [] == api.sent


@pytest.mark.parametrize(
    ("thing", "words"),
    [
        ({"recipient": {"contact_id": ""}}, "line 1, recipient: must be"),
        ({"recipient": {"identified_by": {"channel_identities": [{"channel": "SMS"}]}}}, "must be"),
        (
            {"recipient": {"identified_by": {"channel_identities": [
                {"channel": "RCS", "identity": "+1"}, {"channel": "SMS", "identity": " "},
            ]}}, "parameters": {"name": "x"}},
            "line 1, recipient: must be",
        ),
        ({"recipient": {"contact_id": "c"}, "parameters": {}}, "parameters.name"),
        ({"recipient": {"contact_id": "c"}, "parameters": []}, "parameters"),
        ({"recipient": {"contact_id": "c"}, "extra": 1}, "extra: is not a valid recipient field"),
        ({"recipient": {"contact_id": "c"}, "parameters": {"name": "x"}, "key": 5}, "line 1, key"),
        (("one",), "must be a pair"),
        (
            {"recipient": {"contact_id": "c"}, "parameters": {"name": "x"},
             "message_metadata": {"_batch_id": "x"}},
            "reserved key '_batch_id'",
        ),
        (
            {"recipient": {"contact_id": "c"}, "parameters": {"name": "x"},
             "message_metadata": {"long": "x" * 1000}},
            "characters too long",
        ),
        (
            {"recipient": {"contact_id": "c"}, "parameters": {"name": "\ud800"}},
            "holds a value that JSON cannot express",
        ),
    ],
)  # fmt: skip
def test_objects_are_checked(make_bulk: MakeBulk, thing: object, words: str) -> None:
    """Each fault of an object is named."""
    api = FakeBatchApi()
    with pytest.raises(BulkError) as caught:
        make_bulk(api).go([thing])
    assert words in str(caught.value)
    assert [] == api.sent


def test_skip_leaves_out_and_reports(make_bulk: MakeBulk) -> None:
    """Bad rows and duplicates are left out, and are in the report with line and reason."""
    api = FakeBatchApi()
    things: list[Any] = [*rows(3), {"phone": "+46700000001", "name": ""}, *rows(2), None]
    report = make_bulk(api).go(things, on_invalid="skip")
    assert (3, 2, 2) == (report.accepted, report.invalid, report.duplicates)
    left_out = {
        each.line: (each.state, each.reason) for each in report.recipients() if not each.batch_id
    }
    assert ("duplicate", "the same recipient as on line 1") == left_out[5]
    assert ("invalid", "is empty, and the message needs it") == left_out[4]
    assert set(api.accepted.values()) == {1}
    positions = [row["message_metadata"]["sinch_wrapper_index"] for body in api.sent
                 for row in body["recipient_and_params"]]  # fmt: skip
    assert sorted(positions) == ["0", "0", "1"]


@pytest.mark.parametrize(("choice", "count"), [("send", 4), ("skip", 2)])
def test_duplicates_are_sent_only_on_demand(make_bulk: MakeBulk, choice: str, count: int) -> None:
    """Sending to somebody again must be asked for."""
    api = FakeBatchApi()
    make_bulk(api).go([*rows(2), *rows(2)], on_duplicate=choice)
    assert count == api.accepted.total()


def test_duplicates_can_stop_a_job(make_bulk: MakeBulk) -> None:
    """With "stop" a duplicate sends nothing."""
    with pytest.raises(BulkError, match=r"1 row repeats a recipient, nothing was sent.*line 3"):
        make_bulk(FakeBatchApi()).go([*rows(2), rows(1)[0]], on_duplicate="stop")


def test_columns_map_channels_parameters_and_metadata(make_bulk: MakeBulk, tmp_path: Path) -> None:
    """Several channels in order of preference, names that differ, metadata by column."""
    path = tmp_path / "all.csv"
    path.write_text(
        "wa,mobile,first,seg\n+46700000001,+46700000002,Ada,x\n,+46700000003,Bo,\n",
        encoding="utf-8",
    )
    columns = Columns(
        to={"wa": "WHATSAPP", "mobile": "SMS"},
        parameters={"name": "first"},
        message_metadata={"segment": "seg"},
    )
    api = FakeBatchApi()
    make_bulk(api).go(path, columns=columns)
    first, second = api.sent[0]["recipient_and_params"]
    channels = [
        each["channel"] for each in first["recipient"]["identified_by"]["channel_identities"]
    ]
    assert (["WHATSAPP", "SMS"], {"name": "Ada"}) == (channels, first["parameters"])
    assert {"segment": "x", "sinch_wrapper_index": "0"} == first["message_metadata"]
    assert {"sinch_wrapper_index": "1"} == second["message_metadata"]


def test_unused_parameters_are_warned_about(make_bulk: MakeBulk) -> None:
    """A parameter that no placeholder uses is sent, and noted."""
    thing = {"recipient": {"contact_id": "c"}, "parameters": {"name": "x", "nmae": "y"}}
    report = make_bulk(FakeBatchApi()).go([thing])
    assert any("'nmae'" in warning for warning in report.warnings)


def test_requests_stay_below_the_size(make_bulk: MakeBulk) -> None:
    """A request is cut by bytes too, and one recipient beyond the size is refused."""
    api = FakeBatchApi()
    report = make_bulk(api).go(rows(8), chunk_size=8, chunk_bytes=700)
    assert (8, True) == (report.accepted, len(api.sent) > 1)
    big = {"phone": "+46700000001", "name": "x" * 800}
    with pytest.raises(BulkError, match="too large for a request"):
        make_bulk(api).go([big], chunk_bytes=700)


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"message_metadata": {"_batch_id": "x"}}, "reserved key '_batch_id'"),
        ({"message_metadata": {"a": "x" * 1024}}, "too long"),
        ({"conversation_metadata": {"a": "x" * 2048}}, "too long"),
        ({"batch_metadata": {"sinch_wrapper_chunk": "x"}}, "reserved key"),
        ({"chunk_size": 1001}, "chunk_size= must be a whole number from 1 to 1000"),
        ({"on_invalid": "ignore"}, "on_invalid"),
        ({"concurrency": 0}, "concurrency= must be a whole number, 1 or more"),
        ({"settle": float("nan")}, "settle= must be a number of seconds"),
        ({"api": "v2"}, "api= must be"),
        ({"app_id": " "}, "app_id= must not be empty"),
        ({"ttl": 0.5}, "ttl= must be 1 second or more"),
        ({"ttl": float("nan")}, "ttl= must be 1 second or more"),
        ({"ttl": timedelta(milliseconds=1)}, "ttl= must be 1 second or more"),
        ({"ttl": ["10s"]}, "ttl= must be seconds, a timedelta"),
        ({"message": {}}, "message= must not be empty"),
        ({"message": text("Hi ${ }")}, "placeholder without a name"),
    ],
)
def test_options_are_checked(make_bulk: MakeBulk, options: dict[str, Any], words: str) -> None:
    """Options that the API would refuse are refused before anything is read."""
    api = FakeBatchApi()
    with pytest.raises(BulkError) as caught:
        make_bulk(api).go(rows(1), **options)
    assert words in str(caught.value)
    assert [] == api.sent


def test_an_app_that_is_not_a_string_is_a_mistake(make_bulk: MakeBulk) -> None:
    """A number for the id of an app is a TypeError that names it."""
    with pytest.raises(TypeError, match="app_id= must be a string, not int"):
        make_bulk(FakeBatchApi()).go(rows(1), app_id=3)


def test_one_object_is_not_a_list() -> None:
    """A single recipient where many are expected is a mistake."""
    with pytest.raises(TypeError, match="recipients= must be a path or an iterable, not dict"):
        source_of("recipients", {"phone": "1"})


@given(
    table=st.lists(
        st.lists(
            st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0")),
            min_size=2,
            max_size=2,
        ),
        max_size=20,
    )
)
def test_csv_rows_come_back_as_written(
    table: list[list[str]], tmp_path_factory: pytest.TempPathFactory
) -> None:
    """Whatever the csv module writes is read cell by cell."""
    import csv

    path = tmp_path_factory.mktemp("csv") / "all.csv"
    with path.open("w", encoding="utf-8", newline="") as file:
        csv.writer(file, lineterminator="\n", quoting=csv.QUOTE_ALL).writerows([["a", "b"], *table])
    header, found, _ = read_text_table(ListFile(path))
    filled = [cells for cells in table if any(map(str.strip, cells))]
    assert (["a", "b"], filled) == (header, [list(cells) for _, cells in found])


@given(
    table=st.lists(st.lists(st.text("ab ,;\t|\u2028\x0b", min_size=1), min_size=1, max_size=3)),
    end=st.sampled_from(["\n", "\r\n", "\r"]),
    mark=st.sampled_from(",;|"),
    is_ended=st.booleans(),
)
def test_tables_without_quotes_are_what_the_csv_module_reads(
    table: list[list[str]],
    end: str,
    mark: str,
    is_ended: bool,  # noqa: FBT001 (a case)
    tmp_path_factory: pytest.TempPathFactory,
) -> None:
    """Rows of any width, with any end of lines; a separator in a cell makes it two."""
    import csv

    path = tmp_path_factory.mktemp("csv") / "a.csv"
    lines = ["a", *(mark.join(row) for row in table)]
    path.write_text(end.join(lines) + end * is_ended, encoding="utf-8", newline="")
    header, found, _ = read_text_table(ListFile(path), delimiter=mark)
    wanted = [
        (at, row)
        for at, (row,) in enumerate((list(csv.reader([line], delimiter=mark)) for line in lines), 1)
        if any(map(str.strip, row))
    ]
    assert wanted == [(1, header), *((at, list(row)) for at, row in found)]


@pytest.mark.parametrize("every", [1, 700, 10_000])
def test_quotes_here_and_there_change_neither_rows_nor_lines(tmp_path: Path, every: int) -> None:
    """Over many blocks of text, with line ends in some of the quoted cells."""
    path, wanted, texts, at = tmp_path / "a.csv", [], ["key,name\n"], 2
    for number in range(5000):
        is_quoted = number % every == every - 1
        name = f"Name,\r\n{number}" if is_quoted else f"Name of number {number}"
        texts.append(f'k{number},"{name}"\r\n' if is_quoted else f"k{number},{name}\n")
        wanted.append((at, [f"k{number}", name]))
        at += 1 + is_quoted
    path.write_text("".join(texts), encoding="utf-8", newline="")
    header, found, _ = read_text_table(ListFile(path))
    assert (["key", "name"], wanted) == (header, [(line, list(row)) for line, row in found])


@given(
    rows=st.lists(st.lists(st.sampled_from(["", " ", "x", "\r", "\n", "a\r\nb", '"']), max_size=3)),
    sizes=st.lists(st.integers(1, 4), min_size=1),
    is_broken=st.booleans(),
)
def test_rows_know_the_lines_on_which_they_begin(
    rows: list[list[str]],
    sizes: list[int],
    is_broken: bool,  # noqa: FBT001 (a case)
    tmp_path_factory: pytest.TempPathFactory,
) -> None:
    """However many are taken at once, whatever ends of lines their cells hold; errors too."""
    path = tmp_path_factory.mktemp("csv") / "a.csv"
    texts = [",".join('"{}"'.format(cell.replace('"', '""')) for cell in row) for row in rows]
    end = 'a,b\n"open' if is_broken else ""
    path.write_text(
        "".join(f"{text}\n" for text in ["a,b", *texts]) + end, encoding="utf-8", newline=""
    )
    begins = [2]
    for row in texts:
        begins.append(begins[-1] + 1 + len(re.findall("\r\n|\r|\n", row)))
    wanted = [(at, row) for at, row in zip(begins, rows, strict=False) if any(map(str.strip, row))]
    found, taken = list[tuple[int, Sequence[str]]](), read_text_table(ListFile(path))[1]
    with pytest.raises(BulkError, match=f"line {begins[-1] + 1}:") if is_broken else nullcontext():
        for size in itertools.cycle(sizes):
            lines, cells = taken.take(size)
            if not lines:
                break
            assert len(lines) <= size
            found += zip(lines, map(list, cells), strict=True)
    assert is_broken or wanted == found


@given(identities=st.lists(st.integers(0, 20).map(str)), most=st.integers(1, 10))
def test_exactly_the_repeated_identities_are_found(identities: list[str], most: int) -> None:
    """In memory or in temporary files: those that came twice, and no others."""
    seen = SeenIdentities(in_memory=most)
    for identity in identities:
        seen.add([identity])
    found = set().union(*seen.repeated())
    seen.close()
    twice = {identity for identity in identities if identities.count(identity) > 1}
    assert {hash(identity) for identity in twice} == found


@given(st.text('ab,"é\r\n\v\f\x1c\x85\u2028'), st.integers(1, 9))
def test_lines_in_blocks_are_the_lines_of_the_file(content: str, size: int) -> None:
    """Wherever a block ends, lines end at CR, LF and both, and nowhere else."""
    wanted = list(iter(io.StringIO(content, newline="").readline, ""))
    file = ListFile(Path(__file__))

    assert wanted == list(text_lines(file, io.StringIO(content, newline=""), size))


@pytest.mark.parametrize("lines", ["", "a\n", "a\rb\r\nc\n\r" * 9000])
def test_a_line_without_an_end_is_named(lines: str) -> None:
    """By its number, wherever it begins and whatever ends the lines before it."""
    text = io.StringIO(lines + "x" * (17 << 20), newline="")
    number = len(list(io.StringIO(lines, newline=""))) + 1
    with pytest.raises(BulkError, match=rf", line {number}: longer than 16 MiB"):
        list(text_lines(ListFile(Path(__file__)), text))
