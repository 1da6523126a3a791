"""The release notes of the API's owner: what is new in them that concerns this package.

The end of an operation never stands in a document. `openapi/notes.toml` has the addresses, and the
newest day and the hash of what was read last; `fetch_specs.py --notes` renews them.
"""

from __future__ import annotations

import datetime
import hashlib
import re
import tomllib
from collections.abc import Iterator
from dataclasses import dataclass
from email.utils import parsedate_to_datetime
from pathlib import Path
from xml.etree import ElementTree

from fetching.download import Downloader

from codegen.document import Refused, visible
from drift.change import Change, Direction, Kind
from drift.impact import Touched
from drift.report import DocumentReport, Finding

FILE = "notes.toml"
_OURS = re.compile(r"conversation|\bbatch|template|\bv1(?:alpha|beta)\b", re.IGNORECASE)
_ENDS = re.compile(
    r"end[- ]of[- ](?:life|sale|support)|sunset|deprecat|no longer|retire|discontinu|decommission",
    re.IGNORECASE,
)
_MONTHS = ["jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"]
_DAY = re.compile(
    r"(?P<y>\d{4})-(?P<m>\d\d)-(?P<d>\d\d)"
    r"|(?P<D>\d{1,2})(?:st|nd|rd|th)? (?P<M>[A-Z][a-z]{2})[a-z]* (?P<Y>\d{4})"
    r"|(?P<M2>[A-Z][a-z]{2})[a-z]* (?P<D2>\d{1,2})(?:st|nd|rd|th)?,? (?P<Y2>\d{4})"
)
_SHOWN = 200
_HEAD = (
    "# The release notes that check_drift.py --notes reads; "
    "fetch_specs.py --notes renews the rest.\n"
)


@dataclass(frozen=True, slots=True)
class Entry:
    """One entry of release notes."""

    day: datetime.date
    text: str

    @property
    def kind(self) -> Kind:
        """Breaking for an end, additive for news of an API of ours, neutral for the rest."""
        if not _OURS.search(self.text):
            return Kind.NEUTRAL
        return Kind.BREAKING if _ENDS.search(self.text) else Kind.ADDITIVE


@dataclass(frozen=True, slots=True)
class Record:
    """What was read last."""

    urls: tuple[str, ...]
    newest: datetime.date
    sha256: str


def read(folder: Path) -> Record:
    """The record of a folder of documents.

    Raises: Refused when it is missing or invalid.
    """
    try:
        table = tomllib.loads((folder / FILE).read_text(encoding="utf-8"))
        urls = tuple(map(str, table["urls"]))
        return Record(urls, datetime.date.fromisoformat(str(table["newest"])), table["sha256"])
    except (OSError, KeyError, TypeError, ValueError) as error:
        raise Refused(FILE, f"cannot be read ({error})", "restore it") from error


def entries(content: bytes, place: str) -> list[Entry]:
    """The entries of a feed or of a page in Markdown, the newest first.

    Raises: Refused when nothing in it has a day.
    """
    text = content.decode(errors="replace")
    found = [*(_items(text, place) if text.lstrip().startswith("<") else _sections(text))]
    if not found:
        raise Refused(place, "has no entry with a day", "check the address")
    return sorted(found, key=lambda one: (one.day, one.text), reverse=True)


def _items(text: str, place: str) -> Iterator[Entry]:
    # Entities are defined there, and each can stand for millions of characters.
    if "<!DOCTYPE" in text or "<!ENTITY" in text:
        raise Refused(place, "defines a document type", "check the address")
    try:
        tree = ElementTree.fromstring(text)  # noqa: S314 - see above
    except ElementTree.ParseError as error:
        raise Refused(place, f"is not a feed ({error})", "check the address") from error
    for item in tree.iter("item"):
        try:
            day = parsedate_to_datetime(item.findtext("pubDate") or "").date()
        except ValueError:
            continue
        words = (item.findtext(key) or "" for key in ("title", "description"))
        yield Entry(day, " ".join(re.sub(r"<[^>]*>", " ", " ".join(words)).split()))


def _sections(text: str) -> Iterator[Entry]:
    """Text below a line with a day, until the next one."""
    day, words = None, list[str]()
    for line in [*text.splitlines(), "# 0001-01-01"]:
        found = _day(line) if line.lstrip().startswith(("#", "-", "*", "|")) else None
        if found:
            if day and words:
                yield Entry(day, " ".join(" ".join(words).split()))
            day, words = found, []
        words.append(line.strip("#*-| "))


def _day(line: str) -> datetime.date | None:
    match = _DAY.search(line)
    if not match:
        return None
    part = {key: value for key, value in match.groupdict().items() if value}
    name = (part.get("M") or part.get("M2") or "").lower()
    try:
        month = int(part["m"]) if "m" in part else _MONTHS.index(name) + 1
        year, day = (part.get(f"{k}2") or part.get(k) or part.get(k.lower()) for k in ("Y", "D"))
        return datetime.date(int(year or 0), month, int(day or 0))
    except ValueError:
        return None


def fetched(folder: Path, place: str, downloader: Downloader) -> tuple[Record, list[Entry]]:
    """The notes at a place, or at the first address of the record that has some.

    Raises: Refused when none has.
    """
    record = read(folder)
    problem = Refused(FILE, "has no address", "add one to urls")
    for url in [place] if place else record.urls:
        try:
            content = downloader.get(url, feed=True).content or b""
            found = entries(content, url)
        except Refused as refused:
            problem = refused
            continue
        digest = hashlib.sha256(content).hexdigest()
        return Record(record.urls, max(record.newest, found[0].day), digest), found
    raise problem


def check(folder: Path, place: str, downloader: Downloader) -> DocumentReport:
    """Report the entries since the recorded day that name an API of ours, ends first."""
    known = read(folder)
    try:
        now, found = fetched(folder, place, downloader)
    except Refused as refused:
        return DocumentReport("release notes", problem=str(refused))
    if now.sha256 == known.sha256:
        return DocumentReport("release notes")
    new = [one for one in found if one.day > known.newest and one.kind]
    changes = [
        Change(str(one.day), one.kind, Direction.NONE, visible(one.text[:_SHOWN])) for one in new
    ]
    changes.sort(key=lambda one: (-one.kind, one.pointer))
    notes = ("when it is dealt with: fetch_specs.py --notes",) if changes else ()
    findings = tuple(Finding(change, Touched()) for change in changes)
    return DocumentReport("release notes", findings=findings, notes=notes)


def written(record: Record) -> bytes:
    """The content of the file for a record."""
    urls = "".join(f'    "{url}",\n' for url in record.urls)
    return (
        f'{_HEAD}urls = [\n{urls}]\nnewest = {record.newest}\nsha256 = "{record.sha256}"\n'
    ).encode()
