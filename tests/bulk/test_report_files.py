"""Reports as files: a page in which nothing from outside is markup, and a table that joins."""

import csv
import json
import re
from collections import Counter
from html.parser import HTMLParser
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from sinch_wrapper.bulk import Report, SendWindow
from sinch_wrapper.bulk._destinations import Address, masked_key, masked_words
from sinch_wrapper.bulk._markup import data, element
from sinch_wrapper.bulk._page_recipients import ListedRecipients
from sinch_wrapper.bulk._results import RecipientResult
from sinch_wrapper.bulk._states import RecipientState
from sinch_wrapper.errors import BulkArgumentError, BulkError
from tests.helpers.reports import HOSTILE, reported, sent_job, write_input

pytestmark = pytest.mark.once

COUNT = 300
STATES = frozenset({"failed", "rejected", "unknown", "invalid"})


@pytest.fixture(scope="module")
def report(tmp_path_factory: pytest.TempPathFactory) -> Report:
    """A job with every kind of end, whose reasons are hostile."""
    return reported(tmp_path_factory.mktemp("report"), COUNT, names=HOSTILE[:2], chunk_size=50)


@pytest.fixture(scope="module")
def page(report: Report, tmp_path_factory: pytest.TempPathFactory) -> str:
    """Its page."""
    target = tmp_path_factory.mktemp("page") / "report.html"
    return report.write_html(target).read_text(encoding="utf-8")


class Elements(HTMLParser):
    """The elements of a page, with the text in them."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.found: list[tuple[str, dict[str, str | None]]] = []
        self.texts: list[str] = []
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Keep an element."""
        self.found.append((tag, dict(attrs)))

    def handle_data(self, data: str) -> None:
        """Keep a text."""
        self.texts.append(data)


def test_page_needs_nothing_from_elsewhere(page: str) -> None:
    """No element loads or leads anywhere, and the policy of the page forbids it too."""
    found = Elements(page).found
    leading = {"src", "href", "action", "data", "srcset", "poster", "style"}
    assert [each for each in found if leading & each[1].keys()] == []
    assert not {"link", "iframe", "img", "object", "base", "form", "a"} & {tag for tag, _ in found}
    assert re.findall(r"https?://[^\s\"']+|url\(|@import", page) == []
    (policy,) = [a["content"] for t, a in found if a.get("http-equiv") == "Content-Security-Policy"]
    assert policy is not None
    assert policy.startswith("default-src 'none'; style-src 'sha256-")
    assert "unsafe" not in policy


def test_nothing_from_outside_is_markup(page: str, report: Report) -> None:
    """Hostile reasons and words are shown as they are; no element and no handler comes of them."""
    elements = Elements(page)
    assert Counter({"script": 2}) == Counter(t for t, _ in elements.found if t in {"script", "img"})
    handlers = [a for _, a in elements.found for name in a if name.startswith("on")]
    assert handlers == []
    assert set(report.reasons) >= set(HOSTILE[:7])
    text = " ".join(elements.texts)
    assert [each for each in HOSTILE[:7] if each not in text and each not in report.reasons] == []
    assert not [sign for sign in "\u202e\u2028\x00\x1b" if sign in page]


def test_page_has_the_counts_and_sections(page: str, report: Report) -> None:
    """Every state, channel, country and the slowest request are there."""
    text = " ".join(Elements(page).texts)
    for state, many in report.by_state.items():
        assert f"{state} {many:,} " in text
    for words in ("Delivery over time", "By channel", "By country", "Slowest requests", "Doubts"):
        assert words in text
    assert {"+46", "+49", "+33", "+44", "+1"} == set(report.breakdown().countries)


def test_rows_hold_everybody_who_got_nothing(page: str, report: Report) -> None:
    """The data of the page names each with its line; numbers are masked, in words too."""
    (text,) = re.findall(r'<script type="application/json" id="rows">(.*?)</script>', page)
    rows = json.loads(text)
    lines = rows["columns"]["Line"]["cells"]
    wanted = {each.line for each in report.recipients(*STATES)}
    assert (len(wanted), wanted) == (len(lines), set(lines))
    shown = re.sub(r'"Line":\{[^}]*\}', "", text)
    assert re.findall(r"\d{7,}", shown) == []
    assert any(re.fullmatch(r"\+46…\d\d", each) for each in rows["columns"]["To"]["cells"])


def test_numbers_are_shown_when_asked_for(report: Report, tmp_path: Path) -> None:
    """With numbers=True they are whole, and the page says so."""
    text = report.write_html(tmp_path / "all.html", numbers=True).read_text(encoding="utf-8")
    assert re.search(r"\+46700000\d\d\d", text)
    assert "Phone numbers are shown in full." in text


def test_breakdown_adds_up(report: Report) -> None:
    """Channels and countries count each recipient of a request once; the curves end at the sums."""
    found = report.breakdown()
    for groups in (found.channels, found.countries):
        assert report.total == sum(sum(states.values()) for states in groups.values())
    last = found.timeline[-1]
    failed = report.by_state[RecipientState.FAILED]
    assert report.accepted == last.accepted
    assert (report.delivered, failed) == (last.delivered, last.failed)
    assert all(a.at <= b.at and a.accepted <= b.accepted for a, b in pairwise(found.timeline))
    assert [*found.slowest] == sorted(found.slowest, key=lambda each: -each.seconds)


def rows_of(path: Path) -> list[dict[str, str]]:
    """The rows of a CSV file."""
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def test_table_has_everybody_with_masked_numbers(report: Report, tmp_path: Path) -> None:
    """Without the input: line, key, masked address and outcome of every recipient."""
    rows = rows_of(report.write_csv(tmp_path / "out.csv"))
    assert Counter(row["sinch_state"] for row in rows) == Counter(
        {str(state): many for state, many in report.by_state.items()}
    )
    shown = " ".join(f"{row['to']} {row['sinch_detail']}" for row in rows)
    assert re.findall(r"\d{7,}", shown) == []
    assert [*range(2, COUNT + 2)] == sorted(int(row["line"]) for row in rows)


def test_table_with_the_input_joins_each_row(report: Report, tmp_path: Path) -> None:
    """With the input: its rows as they are, in its order, each with the outcome of that line."""
    assert report.path is not None
    source = report.path.with_name("people.csv")
    rows = rows_of(report.write_csv(tmp_path / "out.csv", source=source))
    given = rows_of(source)
    assert given == [{name: row[name] for name in given[0]} for row in rows]
    known = {each.line: each.state for each in report.recipients()}
    assert [known[line] for line in range(2, COUNT + 2)] == [row["sinch_state"] for row in rows]


@pytest.mark.parametrize(
    ("encoding", "delimiter"), [("cp850", "|"), ("utf-16", ";"), ("utf-8-sig", ",")]
)
def test_input_is_read_as_the_job_read_it(tmp_path: Path, encoding: str, delimiter: str) -> None:
    """An encoding or a delimiter that the job was told is kept for the report."""
    rows = [["customer", "phone", "name"], ["C1", "+46700000001", "Åsa"]]
    source = tmp_path / "people.csv"
    lines = [delimiter.join(row) for row in rows]
    source.write_text("\n".join([*lines, ""]), encoding=encoding)
    job = sent_job(tmp_path, source, "ok", encoding=encoding, delimiter=delimiter)
    (row,) = rows_of(Report(job).write_csv(tmp_path / "out.csv", source=source))
    assert ("Åsa", "accepted") == (row["name"], row["sinch_state"])


def test_input_is_joined_when_requests_are_sorted_by_time_zone(tmp_path: Path) -> None:
    """Windows sort recipients by their zone; the table has the order of the input all the same."""
    source = write_input(tmp_path / "people.csv", 200)
    window = SendWindow("00:00-23:59", default_timezone="UTC")
    job = sent_job(tmp_path, source, *["ok"] * 9, window=window, chunk_size=10)
    rows = rows_of(Report(job).write_csv(tmp_path / "out.csv", source=source))
    assert [f"C{number}" for number in range(200)] == [row["customer"] for row in rows]


@pytest.mark.parametrize("change", ["other", "changed", "missing"])
def test_another_input_is_refused(report: Report, tmp_path: Path, change: str) -> None:
    """A file that is not the one that the job was made of joins nothing; no report is left."""
    assert report.path is not None
    other = tmp_path / "people.csv"
    if change != "missing":
        write_input(other, COUNT if change == "changed" else 5, ("Zoe",))
    with pytest.raises(BulkError, match=r"^people.csv: (not the file|cannot be read)"):
        report.write_csv(tmp_path / "out.csv", source=other)
    assert not [each for each in tmp_path.iterdir() if each != other]


@pytest.mark.parametrize("write", [Report.write_html, Report.write_csv])
def test_only_reports_are_replaced(report: Report, tmp_path: Path, write: Any) -> None:
    """A second report takes the place of the first; any other file stays as it is."""
    target = tmp_path / "report"
    for _ in range(2):
        assert write(report, target) == target
    assert target.stat().st_mode & 0o077 == 0
    target.write_text("customer,phone\nC1,+46700000001\n", encoding="utf-8")
    with pytest.raises(BulkError, match="exists, and is not such a report"):
        write(report, target)
    assert target.read_text(encoding="utf-8").startswith("customer")
    with pytest.raises(BulkError, match="cannot be written"):
        write(report, tmp_path / "nowhere" / "report")
    assert [target] == [*tmp_path.iterdir()]


@pytest.mark.parametrize("cell", ["=1+1", "@SUM(A1)", "+cmd|' /C calc'!A0", "-2+3", "\t=1"])
def test_table_holds_no_formulas(tmp_path: Path, cell: str) -> None:
    """What a server says is text to a spreadsheet, never a formula."""
    report = reported(tmp_path, 12, (cell,), chunk_size=3)
    rows = rows_of(report.write_csv(tmp_path / "out.csv"))
    cells = {row["sinch_reason"] for row in rows} | {row["sinch_detail"] for row in rows}
    assert [each for each in cells if each[:1] in {"=", "+", "-", "@", "\t"}] == []


@pytest.mark.parametrize(
    ("key", "shown"),
    [
        ("C1", "C1"), ("10000234", "10000234"), ("+46700000001", "+46…01"),
        ("0700000001", "+46…01"),
        ("46700000001", "+46…01"), ("070-000 00 01", "+46…01"), ("+4915112345", "<number>"),
        ("order 0700000001x", "order 0700000001x"), ("001", "001"),
    ],
)  # fmt: skip
def test_keys_that_are_numbers_are_masked(key: str, shown: str) -> None:
    """The caller's own key stays, unless it is the number of the recipient or looks like one."""
    assert shown == masked_key(key, Address("SMS", "+46700000001"))


def test_words_and_other_identities_are_masked() -> None:
    """No number in words, and of ids two signs at most."""
    assert masked_words("to +46 70-000 00 01 or 46700000001") == "to <number> or <number>"
    assert [Address("LINE", "U1234567").masked, Address("", "01ABC").masked] == ["…67", "…"]
    assert "4670" not in repr(Address("SMS", "+46700000001"))


def test_page_stays_below_its_size() -> None:
    """Rows beyond four million bytes are counted instead of listed."""
    listed = ListedRecipients(numbers=False)
    for line in range(70_000):
        result = RecipientResult(f"key-{line}", line, RecipientState.FAILED, f"R{line}" * 4)
        listed.add(result, Address("SMS", f"+4670{line:07d}"))
    assert listed.left_out > 0
    assert len(listed.rows) + listed.left_out == 70_000
    assert len(data("rows", listed.data()).text.encode()) < 4_700_000


def test_markup_escapes_content_and_attributes() -> None:
    """Whatever text is given, an element keeps its shape."""
    for text in HOSTILE:
        (found,) = Elements(element("p", text, title=text).text).found
        assert found[0] == "p"
        assert found[1].keys() == {"title"}
        assert "<" not in data("x", text).text.partition(">")[2].rpartition("</script>")[0]


@pytest.mark.parametrize("numbers", [None, 1, "yes"])
def test_wrong_arguments_write_nothing(report: Report, tmp_path: Path, numbers: Any) -> None:
    """An argument of another kind is named before a file is made."""
    for write in (report.write_html, report.write_csv):
        with pytest.raises((TypeError, BulkArgumentError), match="numbers="):
            write(tmp_path / "x", numbers=numbers)
        with pytest.raises((TypeError, BulkArgumentError), match="path="):
            write(5)  # type: ignore[arg-type]
    with pytest.raises((TypeError, BulkArgumentError), match="source="):
        report.write_csv(tmp_path / "x", source=5)  # type: ignore[arg-type]
    assert [*tmp_path.iterdir()] == []


def test_cost_is_that_of_the_accepted(report: Report, tmp_path: Path) -> None:
    """With a table of prices the page shows the cost of the accepted, and what has none."""
    prices = {"46": "0.50", "1": 1}
    text = report.write_html(tmp_path / "cost.html", prices=prices).read_text(encoding="utf-8")
    (words,) = [each for each in Elements(text).texts if "This is not an invoice" in each]
    cost = re.match(r"[\d.,]+", words)
    accepted = [*report.recipients("accepted", "delivered", "failed")]
    assert cost is not None
    assert 0 < float(cost[0].replace(",", "")) <= len(accepted)
    assert "recipients have no price in it" in words
    without = report.write_html(tmp_path / "none.html").read_text(encoding="utf-8")
    assert "This is not an invoice" not in without
    with pytest.raises(BulkError, match="columns prefix and price"):
        report.write_html(tmp_path / "x.html", prices=report.write_csv(tmp_path / "out.csv"))


def test_job_without_receipts_has_a_page(tmp_path: Path) -> None:
    """A job of one recipient that was only accepted needs no curve and no table of failures."""
    job = sent_job(tmp_path, write_input(tmp_path / "people.csv", 1), "ok")
    text = Report(job).write_html(tmp_path / "report.html").read_text(encoding="utf-8")
    assert "accepted" in text
    assert "<h2>Recipients that failed" not in text
