"""Many rows at once become what each of them becomes by itself, or are left to that."""

import json
import subprocess
import sys
from collections.abc import Mapping, Sequence
from itertools import accumulate
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sinch_wrapper._json import Encoded, encode, encode_portably, encode_text
from sinch_wrapper.bulk import Columns
from sinch_wrapper.bulk._calls import BATCH_OPERATIONS
from sinch_wrapper.bulk._cells import InvalidError, RowRules
from sinch_wrapper.bulk._columns import layout
from sinch_wrapper.bulk._job_spec import JobSpec
from sinch_wrapper.bulk._loader import Loader
from sinch_wrapper.bulk._metadata import MetadataLimits
from sinch_wrapper.bulk._options import CuttingRules
from sinch_wrapper.bulk._rows import Skip
from sinch_wrapper.bulk._rows_fast import Block, TableRows, cut
from sinch_wrapper.bulk._schema import pack, pack_places, unpack_places
from sinch_wrapper.bulk._sources import source_of

HEADER = ("key", "wa", "sms", "name", "seg%s", "tone", "contact_id")
STRINGS = st.text(st.characters(exclude_categories=["Cs"]), max_size=8)
CELLS = st.one_of(
    STRINGS.map(lambda text: f"x{text}"),
    STRINGS,
    st.sampled_from(["", " ", "+1", "%s", "+46700000001", "+46 70 000 00 01", "N/A", "4.67E+10"]),
)
ODD = st.one_of(CELLS, st.none(), st.integers(), st.binary(), st.just("\ud800"))
COLUMNS = [
    Columns(to={"sms": "SMS"}, parameters={"name": "name"}),
    Columns(to={"wa": "WHATSAPP", "sms": "sms"}, key="key", parameters={"name": "name"}),
    Columns(to={"wa": "W%s"}, parameters={'na"%d': "name"}, message_metadata={"s%": "seg%s"}),
    Columns(
        to={"sms": "SMS"},
        key="key",
        parameters={"name": "name"},
        message_metadata={"segment": "seg%s", "tone": "tone"},
        conversation_metadata={"tone": "tone"},
    ),
    Columns(message_metadata={"_batch_id": "tone"}, to={"sms": "SMS"}, parameters={"name": "name"}),
]
RULES = RowRules(MetadataLimits(30, 40))


def _rows(columns: Columns) -> TableRows:
    needed = frozenset(columns.parameters)
    return TableRows(layout(columns, HEADER, needed, "a.csv"), RULES)


def _one_by_one(rows: TableRows, table: Sequence[tuple[int, object]]) -> Block | None:
    """The block that the rows make by themselves; None when one of them cannot be sent."""
    try:
        entries = [rows(line, cells) for line, cells in table]
    except InvalidError:
        return None
    blocks, skips = cut(entries, 10**9, is_messages=True)
    return None if skips else blocks[0]


def _comparable(block: Block) -> tuple[object, ...]:
    return (
        list(block.lines),
        list(block.keys),
        list(block.identities),
        json.loads(block.content),
    )


def _cells_of(block: Block) -> list[tuple[object, ...]]:
    """What the cells beside a block say of each row: its identities and parameters."""
    assert block.cells is not None
    to, parameters = block.cells
    return [
        (
            [{"channel": channel, "identity": cells[row]} for channel, cells in to if cells[row]],
            {name: values[row] for name, values in parameters},
        )
        for row in range(len(block.lines))
    ]


def _sent_of(block: Block) -> list[tuple[object, ...]]:
    """The same of what is sent."""
    return [
        (
            item["recipient"].get("identified_by", {}).get("channel_identities", []),
            item.get("parameters", {}),
        )
        for item in json.loads(block.content)
    ]


@pytest.mark.parametrize("columns", COLUMNS)
@pytest.mark.parametrize("cells", [CELLS, ODD], ids=["strings", "anything"])
def test_blocks_equal_their_rows(columns: Columns, cells: st.SearchStrategy[Any]) -> None:
    """Whatever is in the cells: the same recipients, keys, duplicates and marks, or no block."""
    rows = _rows(columns)

    @given(table=st.lists(st.tuples(*[cells] * len(HEADER)), min_size=1, max_size=6))
    def check(table: list[tuple[Any, ...]]) -> None:
        numbered = list(enumerate(table, 2))
        block = rows.block(*zip(*numbered, strict=True))
        if block is None:
            return
        one_by_one = _one_by_one(rows, numbered)
        assert one_by_one is not None
        assert _comparable(one_by_one) == _comparable(block)
        assert _sent_of(block) == _cells_of(block)

    check()


def _usual(number: int) -> tuple[str, ...]:
    wa, sms = f"+467000000{number:02}", f"+467100000{number:02}"
    return (f"k{number}", wa, sms, "Åsa", "a", "b", f"C{number}")


@pytest.mark.parametrize("columns", COLUMNS[:4])
def test_usual_rows_are_taken_together(columns: Columns) -> None:
    """Nothing wrong in them means a block."""
    table = [(number, _usual(number)) for number in range(5)]
    block = _rows(columns).block(*zip(*table, strict=True))
    assert block is not None
    assert _comparable(block) == _comparable(_one_by_one(_rows(columns), table) or block)
    assert _sent_of(block) == _cells_of(block)


def test_contacts_are_taken_together() -> None:
    """A table of contact ids alone makes blocks too."""
    rows = TableRows(layout(Columns(), ["contact_id"], frozenset(), "a.csv"), RULES)
    block = rows.block([2, 3], [(" C1 ",), ("C2",)])
    assert block is not None
    assert ["\0C1", "\0C2"] == block.identities
    assert [{"contact_id": "C1"}, {"contact_id": "C2"}] == [
        row["recipient"] for row in json.loads(block.content)
    ]
    assert rows.block([2, 3], [("C1",), (7,)]) is None


@pytest.mark.parametrize(
    "cells",
    [_usual(1)[:6], (*_usual(1), "x"), ("", *_usual(1)[1:]), (*_usual(1)[:4], "a" * 30, "b", "c")],
    ids=["short", "long", "no key", "metadata too long"],
)
def test_a_row_that_is_wrong_leaves_the_block_open(cells: tuple[str, ...]) -> None:
    """Then each row is looked at by itself, so that the error names its line."""
    assert _rows(COLUMNS[3]).block([2, 3], [_usual(0), cells]) is None
    with pytest.raises(InvalidError):
        _rows(COLUMNS[3])(3, cells)


def test_rows_and_blocks_show_no_recipient() -> None:
    """Neither numbers nor keys nor parameters are in a repr."""
    rows = _rows(COLUMNS[3])
    shown = f"{rows(2, _usual(7))} {rows.block([2], [_usual(7)])} {Skip(2, 'k7', 'is bad')}"
    assert "RowEntry(line=2) Block(1 rows) Skip(line=2, reason='is bad', column='')" == shown


class _Sink:
    def __init__(self) -> None:
        self.counts: list[int] = []

    def add(self, block: Block) -> None:
        self.counts.append(len(block.lines))

    def skip(self, skips: list[Any]) -> None:
        pass

    def drop(self, item: Mapping[str, object], line: int) -> None:
        pass


@given(wrong=st.sets(st.integers(0, 39), max_size=8), size=st.integers(1, 12))
def test_requests_are_full_whatever_is_left_out(wrong: set[int], size: int) -> None:
    """All requests but the last have the chosen size, and together they hold every good row."""
    things = [
        {"phone": "" if number in wrong else f"+467000000{number:02}"} for number in range(40)
    ]
    plan = JobSpec(
        BATCH_OPERATIONS["messages"], {"message": {}}, rules=CuttingRules("skip", "send", size)
    )
    sink = _Sink()
    loader = Loader(plan, source_of("recipients", things), sink, lambda: False)
    loader.run()
    assert (40 - len(wrong), len(wrong)) == (loader.total, loader.invalid)
    assert loader.total == sum(sink.counts)
    assert all(count == size for count in sink.counts[:-1])


@given(text=st.text())
def test_strings_are_encoded_as_by_the_library(text: str) -> None:
    """The short way for one string gives the same as the long way."""
    assert json.dumps(text, ensure_ascii=False) == encode_text(text)


def test_what_is_encoded_passes_unchanged() -> None:
    """With orjson and without."""
    assert b"[1 ]" == encode(Encoded(b"[1 ]"))
    assert encode({"a": ["å", 1]}) == encode_portably({"a": ["å", 1]})
    code = (
        "import sys; sys.modules['orjson'] = None\n"
        "from sinch_wrapper._json import Encoded, encode; print(encode(Encoded(b'[1 ]')))"
    )
    result = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True
    )
    assert "b'[1 ]'\n" == result.stdout
    assert "1" not in repr(Encoded(b"[1 ]"))


@given(
    first=st.integers(1, 9),
    gaps=st.lists(st.integers(1, 2)),
    keys=st.sampled_from([None, "k"]),
)
def test_lines_and_keys_come_back_as_packed(first: int, gaps: list[int], keys: str | None) -> None:
    """With gaps between the lines or without, with keys or without."""
    lines = [*accumulate(gaps, initial=first)]
    wanted = lines, [keys and f"{keys}{line}" for line in lines]
    assert wanted == unpack_places(pack_places(*wanted))
    assert ([*range(first, first + 3)], [None] * 3) == unpack_places(
        pack_places(range(first, first + 3), [None] * 3)
    )


@pytest.mark.parametrize("damage", [[1, None, 10**9], [1, None], [1, ["k"], 2], [True, None, "1"]])
def test_damaged_places_are_refused(damage: list[object]) -> None:
    """They neither fill the memory nor give lines to nobody."""
    with pytest.raises((ValueError, TypeError, LookupError)):
        unpack_places(pack(encode(damage)))
