"""The page of a job: one HTML file that needs nothing else, and opens without a network."""

import base64
import hashlib
from datetime import datetime
from functools import cache
from importlib.resources import files
from typing import Final

from sinch_wrapper.bulk._breakdown import Breakdown, BreakdownCounter, with_items
from sinch_wrapper.bulk._damage import DamagedRequestError
from sinch_wrapper.bulk._destinations import address_of
from sinch_wrapper.bulk._journal import Job
from sinch_wrapper.bulk._markup import Markup, code, data, element
from sinch_wrapper.bulk._page_cost import CostCounter
from sinch_wrapper.bulk._page_recipients import ListedRecipients, recipients
from sinch_wrapper.bulk._page_sections import (
    course,
    doubts,
    groups,
    reasons,
    section,
    slowest,
    totals,
)
from sinch_wrapper.bulk._prices import Prices
from sinch_wrapper.bulk._report_values import ReportCounts

GENERATOR: Final = "sinch-wrapper bulk report"
"""What the page says in its head, by which a later report knows that it may replace it."""


@cache
def _asset(name: str) -> str:
    return files("sinch_wrapper.bulk").joinpath("_page_assets", name).read_text(encoding="utf-8")


def _digest(text: str) -> str:
    return base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()


def is_page(head: str) -> bool:
    """Whether a file with this beginning is such a page, which a later one may replace."""
    return element("meta", name="generator", content=GENERATOR).text in head


def page_of(
    report: ReportCounts, job: Job, now: datetime, prices: Prices | None, *, numbers: bool
) -> str:
    """The page of *report* about *job*, made *now*; with the *numbers* of recipients or masked."""
    counter, listed = BreakdownCounter(), ListedRecipients(numbers)
    cost, damage = CostCounter(job.request, prices), ""
    try:
        for result, item in with_items(job):
            address = address_of(item)
            counter.add(result, address)
            listed.add(result, address)
            cost.add(result, item)
    except DamagedRequestError as error:
        damage = str(error)
    body = element(
        "body",
        _header(report, now),
        _main(report, damage, counter.result(job), cost, listed),
        _footer(numbers=numbers),
        data("rows", listed.data()) if listed.rows else None,
        code("script", _asset("report.js")),
    )
    return f"<!doctype html>\n{element('html', _head(), body, lang='en').text}\n"


def _main(
    report: ReportCounts,
    damage: str,
    found: Breakdown,
    cost: CostCounter,
    listed: ListedRecipients,
) -> Markup:
    return element(
        "main",
        _notes(report, damage),
        totals(report),
        course(found),
        groups("By channel", "Channel", "The channel that is tried first.", found.channels),
        groups("By country", "Country code", "By the number of that channel.", found.countries),
        reasons(report.reasons),
        cost.section(),
        doubts(report),
        slowest(found),
        recipients(listed),
    )


def _head() -> Markup:
    style, script = _asset("report.css"), _asset("report.js")
    policy = (
        f"default-src 'none'; style-src 'sha256-{_digest(style)}'; "
        f"script-src 'sha256-{_digest(script)}'; base-uri 'none'; form-action 'none'"
    )
    return element(
        "head",
        element("meta", charset="utf-8"),
        element("meta", http_equiv="Content-Security-Policy", content=policy),
        element("meta", name="generator", content=GENERATOR),
        element("meta", name="viewport", content="width=device-width, initial-scale=1"),
        element("meta", name="referrer", content="no-referrer"),
        element("meta", name="robots", content="noindex"),
        element("title", "Bulk job report"),
        code("style", style),
    )


def _header(report: ReportCounts, now: datetime) -> Markup:
    name = f" in {report.name}" if report.name else ""
    retry = f" It retries job {report.parent}." if report.parent else ""
    return element(
        "header",
        element("h1", "Bulk job report"),
        element("p", f"Job {report.job}{name}, as of {now:%Y-%m-%d %H:%M:%S} UTC.{retry}",
                class_="quiet"),
    )  # fmt: skip


def _notes(report: ReportCounts, damage: str) -> Markup | None:
    notes = [*report.warnings, *([damage] if damage else [])]
    if report.stopped:
        notes.append(f"the job ended before every recipient had an outcome: {report.stopped}")
    if not notes:
        return None
    listed = element("ul", *(element("li", f"{note[:1].upper()}{note[1:]}.") for note in notes))
    return section("Please note", listed, kind="note")


def _footer(*, numbers: bool) -> Markup:
    shown = "Phone numbers are shown in full." if numbers else "Phone numbers are masked."
    return element(
        "footer",
        element(
            "p", f"{shown} This page needs no network and sends nothing; written by sinch-wrapper."
        ),
    )
