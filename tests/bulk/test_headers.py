"""Tables that are not quite tables: what errors say about them, and what they never say."""

from pathlib import Path

import pytest

from sinch_wrapper import BulkError, text
from tests.helpers.bulk import FakeBatchApi, MakeBulk, make_bulk

__all__ = ["make_bulk"]

PHONE = "+46700000001"


@pytest.mark.parametrize(
    "content",
    [f"{PHONE},Ada Lovelace\n", f"{PHONE}\n", "0046 70-000 00 01;Ada Lovelace\n"],
    ids=["table", "one column", "semicolons"],
)
@pytest.mark.parametrize("words", ["Hi", "Hi ${name}"])
def test_a_missing_header_is_told_without_the_data(
    make_bulk: MakeBulk, tmp_path: Path, content: str, words: str
) -> None:
    """Neither number nor name of the recipient in its place are in the error."""
    path = tmp_path / "all.csv"
    path.write_text(content, encoding="utf-8")
    with pytest.raises(BulkError, match="is the header missing") as caught:
        make_bulk(FakeBatchApi()).go(path, message=text(words))
    assert ("46" in str(caught.value), "Ada" in str(caught.value)) == (False, False)


@pytest.mark.parametrize(
    ("thing", "words"),
    [
        ({1: "a"}, "an object with string keys"),
        ({PHONE: "Ada"}, "line 1: missing columns 'name'; the first line looks like data"),
    ],
    ids=["not a string", "number"],
)
def test_fields_that_are_not_names_are_refused(
    make_bulk: MakeBulk, thing: object, words: str
) -> None:
    """An object with odd fields is a row that cannot be sent."""
    with pytest.raises(BulkError, match=words) as caught:
        make_bulk(FakeBatchApi()).go([thing])
    assert PHONE not in str(caught.value)


def test_rows_of_another_length_are_counted_well(make_bulk: MakeBulk, tmp_path: Path) -> None:
    """One cell is not called cells."""
    path = tmp_path / "all.csv"
    path.write_text(f"phone,name\n{PHONE}\n", encoding="utf-8")
    with pytest.raises(BulkError, match="line 2: 1 cell instead of 2"):
        make_bulk(FakeBatchApi()).go(path)
