"""Release notes: what is new in them, and what ends."""

from __future__ import annotations

import datetime
from collections.abc import Iterator
from pathlib import Path

import check_drift
import fetch_specs
import pytest
from drift import notes
from drift.change import Kind

from codegen.document import Refused
from tests.helpers.codegen import document, write_documents
from tests.helpers.web_pages import Pages, serving

PAGE = b"""# Release notes

## 2030-05-17

- Batch API: the `v1beta` endpoints are no longer accessible.

## 16 May 2030

The Conversation API has a new channel.

## May 1, 2030

Voice: something else. It is deprecated.

## 2030-04-01

Templates: older news.
"""
FEED = b"""<?xml version="1.0"?>
<rss version="2.0"><channel><title>News</title>
<item><title>Batch</title><pubDate>Fri, 17 May 2030 10:00:00 GMT</pubDate>
<description>&lt;p&gt;v1beta reaches its end of life&lt;/p&gt;</description></item>
<item><title>Undated</title><description>nothing</description></item>
<item><title>Voice</title><pubDate>Thu, 16 May 2030 10:00:00 GMT</pubDate></item>
</channel></rss>
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder of documents whose notes were read on a day."""
    write_documents(tmp_path / "openapi", things=document())
    return tmp_path / "openapi"


@pytest.fixture
def server() -> Iterator[tuple[str, Pages]]:
    """A server with release notes."""
    with serving() as running:
        yield running


def point_to(folder: Path, *urls: str) -> None:
    """Let the notes be read from these addresses; the first of April is known."""
    record = notes.Record(urls, datetime.date(2030, 4, 1), "")
    (folder / "notes.toml").write_bytes(notes.written(record))
    assert record == notes.read(folder)


def test_new_entries_of_our_apis_are_reported_ends_first(
    folder: Path, server: tuple[str, Pages], capsys: pytest.CaptureFixture[str]
) -> None:
    """An end breaks, news is additive, and what is about others or known is left out."""
    server[1]["/notes.md"] = PAGE
    point_to(folder, f"{server[0]}/gone", f"{server[0]}/notes.md")
    assert 2 == check_drift.main(["--notes", f"--documents={folder}"])
    said = capsys.readouterr().out.splitlines()
    days = [line.split()[2] for line in said if line.startswith(("  breaking", "  additive"))]
    assert ["2030-05-17", "2030-05-16"] == days
    assert any("v1beta" in line and "no longer accessible" in line for line in said)
    assert not any("Voice" in line or "older news" in line for line in said)


def test_recorded_notes_are_not_reported_again(
    folder: Path, server: tuple[str, Pages], capsys: pytest.CaptureFixture[str]
) -> None:
    """The newest day and the hash are kept; a new entry of the same page is found by its day."""
    server[1]["/notes.md"] = PAGE
    point_to(folder, f"{server[0]}/notes.md")
    options = [f"--documents={folder}"]
    assert 0 == fetch_specs.main(["--notes", *options])
    assert "recorded notes.toml: 2030-05-17\n" == capsys.readouterr().out
    assert 0 == check_drift.main(["--notes", *options])
    server[1]["/notes.md"] = PAGE.replace(
        b"## 2030-05-17", b"## 2030-06-01\n\nBatch: more.\n\n## 2030-05-17"
    )
    assert 1 == check_drift.main(["--notes", *options])
    assert "2030-06-01" in capsys.readouterr().out


def test_feed_is_read(tmp_path: Path) -> None:
    """RSS, with the text out of its markup."""
    path = tmp_path / "feed.xml"
    path.write_bytes(FEED)
    first, second = notes.entries(path.read_bytes(), "feed")
    assert "Batch v1beta reaches its end of life" == first.text
    assert (Kind.BREAKING, Kind.NEUTRAL) == (first.kind, second.kind)


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"# Nothing with a day",
        b"# 2030-13-45\n\ntext",
        b"<html>",
        b'<?xml version="1.0"?><!DOCTYPE a [<!ENTITY b "c">]><rss>&b;</rss>',
    ],
)
def test_what_is_no_notes_is_refused(content: bytes) -> None:
    """Another page, and XML with entities of its own."""
    with pytest.raises(Refused):
        notes.entries(content, "a")


def test_notes_that_cannot_be_read_are_3(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Nobody is told that there is nothing new."""
    point_to(folder, str(folder / "missing.md"))
    assert 3 == check_drift.main(["--notes", f"--documents={folder}"])
    assert "release notes: could not tell" in capsys.readouterr().out


def test_own_record_is_valid() -> None:
    """The committed record names the addresses and a day."""
    record = notes.read(Path(__file__).parents[2] / "openapi")
    assert all(url.startswith("https://") for url in record.urls)
    assert record.newest >= datetime.date(2026, 10, 3)
