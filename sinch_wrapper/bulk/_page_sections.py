"""The parts of a report's page: totals, course, groups, reasons, doubts, slow requests; pure."""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from typing import Final

from sinch_wrapper._validate import counted
from sinch_wrapper.bulk._breakdown import Breakdown
from sinch_wrapper.bulk._charts import shares, timeline
from sinch_wrapper.bulk._markup import Content, Markup, element, together
from sinch_wrapper.bulk._report_values import Batch, ReportCounts
from sinch_wrapper.bulk._states import RecipientState

_TONES: Final = {
    RecipientState.READ: "best",
    RecipientState.DELIVERED: "good",
    RecipientState.ACCEPTED: "way",
    RecipientState.QUEUED: "way",
    RecipientState.SWITCHING: "way",
    RecipientState.PENDING: "idle",
    RecipientState.UNKNOWN: "doubt",
    RecipientState.FAILED: "bad",
    RecipientState.REJECTED: "bad",
    RecipientState.INVALID: "bad",
}
_ORDER: Final = ("best", "good", "way", "idle", "doubt", "bad", "out")
# Rows of tables that name requests, countries and reasons.
_MOST_ROWS: Final = 25


def section(title: str, *content: Content, kind: str = "") -> Markup:
    """A part of the page under a heading."""
    return element("section", element("h2", title), *content, **({"class_": kind} if kind else {}))


def totals(report: ReportCounts) -> Markup:
    """Tiles, a bar and a table of all states."""
    states = report.by_state
    everybody = sum(states.values())
    bad = states.get(RecipientState.FAILED, 0) + report.rejected
    left_out = everybody - report.total
    tiles = [
        _tile("Recipients", everybody, f"{left_out:,} left out", "way"),
        _tile("Accepted by the API", report.accepted, _share(report.accepted, report.total), "way"),
        _tile("Delivered", report.delivered, _share(report.delivered, report.total), "good"),
        _tile("Failed or rejected", bad, _share(bad, report.total), "bad"),
        _tile("Outcome unknown", report.unknown, _share(report.unknown, report.total), "doubt"),
    ]
    rows = [
        (element("th", _swatch(_tone(state)), str(state), scope="row"), f"{many:,}",
         _share(many, everybody))
        for state, many in _by_tone(states)
    ]  # fmt: skip
    words = ", ".join(f"{many:,} {state}" for state, many in _by_tone(states))
    return section(
        "Totals",
        element("dl", *tiles, class_="tiles"),
        shares(_toned(states), f"Recipients by state: {words or 'none'}"),
        table(("State", "Recipients", "Share"), rows, "Recipients by state"),
    )


def _tile(title: str, value: int, words: str, tone: str) -> Markup:
    number = element("dd", f"{value:,}", element("span", words))
    return element("div", element("dt", title), number, class_=f"tile-{tone}")


def _share(part: int, whole: int) -> str:
    if not whole:
        return "-"
    share = 100 * part / whole
    # What is not all does not round to all, and what is not none not to none.
    if part not in {0, whole}:
        share = min(max(share, 0.1), 99.9)
    return f"{share:.1f} %"


def _tone(state: str) -> str:
    return _TONES.get(RecipientState(state), "out")


def _by_tone(states: Mapping[RecipientState, int]) -> list[tuple[RecipientState, int]]:
    return sorted(states.items(), key=lambda pair: (_ORDER.index(_tone(pair[0])), -pair[1]))


def _toned(states: Mapping[RecipientState, int]) -> dict[str, int]:
    found: Counter[str] = Counter()
    for state, many in states.items():
        found[_tone(state)] += many
    return {tone: found[tone] for tone in _ORDER if found[tone]}


def _swatch(tone: str) -> Markup:
    rect = element("rect", width=12, height=12, class_=f"fill-{tone}")
    return element("svg", rect, viewBox="0 0 12 12", class_="swatch", aria_hidden="true")


def course(found: Breakdown) -> Markup | None:
    """Curves of what was accepted, delivered and failed."""
    points = found.timeline
    if len(points) < 2:  # noqa: PLR2004 (a curve has two points)
        return None
    keys = [
        element("li", element("svg", element("path", d="M0 6H32", class_=f"curve curve-{name}"),
                              viewBox="0 0 32 12", aria_hidden="true"), name)
        for name in ("accepted", "delivered", "failed")
    ]  # fmt: skip
    caption = "Added up, in UTC. Receipts count from when they were written down."
    return section(
        "Delivery over time",
        element("ul", *keys, class_="keys"),
        element("figure", timeline(points), element("figcaption", caption)),
    )


def groups(
    title: str, name: str, words: str, found: Mapping[str, Mapping[RecipientState, int]]
) -> Markup | None:
    """A table of groups of recipients, each with its shares."""
    if not found:
        return None
    rows = [_group(group, states) for group, states in [*found.items()][:_MOST_ROWS]]
    head = (name, "Recipients", "Delivered", "Failed", "Shares")
    return section(
        title,
        element("p", words, class_="quiet"),
        table(head, rows, title),
        _more(len(found)),
    )


def _group(group: str, states: Mapping[RecipientState, int]) -> tuple[Content, ...]:
    many = sum(states.values())
    good = sum(states.get(each, 0) for each in (RecipientState.DELIVERED, RecipientState.READ))
    bad = sum(states.get(each, 0) for each in (RecipientState.FAILED, RecipientState.REJECTED))
    words = ", ".join(f"{count:,} {state}" for state, count in _by_tone(states))
    return (
        element("th", group, scope="row"), f"{many:,}", _share(good, many), _share(bad, many),
        shares(_toned(states), f"{group}: {words}", 12),
    )  # fmt: skip


def _more(many: int) -> Markup | None:
    rest = many - _MOST_ROWS
    return element("p", f"And {rest:,} more.", class_="quiet") if rest > 0 else None


def reasons(reasons: Mapping[str, int]) -> Markup | None:
    """Why recipients failed or were rejected."""
    if not reasons:
        return None
    total = sum(reasons.values())
    ordered = sorted(reasons.items(), key=lambda pair: (-pair[1], pair[0]))
    rows = [
        (element("th", reason or "none given", scope="row"), f"{many:,}", _share(many, total),
         shares({"bad": many, "empty": total - many}, f"{many:,} of {total:,}", 12))
        for reason, many in ordered[:_MOST_ROWS]
    ]  # fmt: skip
    return section(
        "Why recipients failed or were rejected",
        table(("Reason", "Recipients", "Share", "Shares"), rows, "Reasons"),
        _more(len(reasons)),
    )


def doubts(report: ReportCounts) -> Markup | None:
    """Requests whose outcome is unknown, and those that left again."""
    unknown = list(_unknown(report.batches())) if report.unknown else []
    if not unknown and not report.sent_again:
        return None
    return section("Doubts", _unknown_table(unknown), _again_table(report))


def _unknown(batches: Iterable[Batch]) -> Iterator[Batch]:
    return (batch for batch in batches if batch.state in {"unknown", "sending"})


def _unknown_table(unknown: list[Batch]) -> Markup | None:
    if not unknown:
        return None
    people = counted(sum(batch.recipients for batch in unknown), "recipient")
    words = f"The outcome of {counted(len(unknown), 'request')} to {people} is not known."
    rows = [
        (f"{each.number}", f"{each.recipients:,}", f"{each.sent}", each.reason or "-")
        for each in unknown[:_MOST_ROWS]
    ]
    head = ("Request", "Recipients", "Times sent", "How it ended")
    return together(element("p", words), table(head, rows, "Unknown requests"), _more(len(unknown)))


def _again_table(report: ReportCounts) -> Markup | None:
    if not report.sent_again:
        return None
    rows = []
    for each in report.sent_again[:_MOST_ROWS]:
        known = each.evidence
        why = (
            "on a person's word"
            if known is None
            else (
                f"missing {known['waited']:.0f} s after it had left from a list of "
                f"{known['listed']:.0f} that holds request {known['elder']:.0f} from before and "
                f"{known['witness']:.0f} from after it"
            )
        )
        rows.append((f"{each.number}", f"{each.recipients:,}", why))
    words = f"Sent again: {counted(len(report.sent_again), 'request')}, each with its evidence."
    head = ("Request", "Recipients", "Evidence")
    return together(
        element("p", words), table(head, rows, "Sent again"), _more(len(report.sent_again))
    )


def slowest(found: Breakdown) -> Markup | None:
    """The requests that took longest."""
    if not found.slowest:
        return None
    rows = [
        (
            f"{each.number}",
            f"{each.seconds:,.2f}",
            f"{each.recipients:,}",
            f"{each.sent}",
            each.state,
        )
        for each in found.slowest
    ]
    words = "Seconds from when a request last left until its outcome was known."
    head = ("Request", "Seconds", "Recipients", "Times sent", "State")
    return section(
        "Slowest requests",
        element("p", words, class_="quiet"),
        table(head, rows, "Slowest requests"),
    )


_NUMBERS: Final = frozenset(
    {
        "Recipients",
        "Share",
        "Delivered",
        "Failed",
        "Request",
        "Times sent",
        "Seconds",
        "Line",
        "Messages",
        "Price",
        "Cost",
    }
)
_KINDS: Final = {
    "Shares": "wide",
    **dict.fromkeys(("Reason", "Details", "Evidence", "How it ended"), "words"),
    **dict.fromkeys(("Key", "To"), "plain"),
}


def table(
    head: Iterable[str], rows: Iterable[Iterable[Content]], name: str, identifier: str = ""
) -> Markup:
    """A table that can be scrolled sideways, with the keyboard too."""
    titles = list(head)
    kinds = ["number" if each in _NUMBERS else _KINDS.get(each, "") for each in titles]
    top = [
        element("th", each, scope="col", class_=kind)
        for each, kind in zip(titles, kinds, strict=True)
    ]
    lines = [
        element("tr", *(_cell(each, kind) for each, kind in zip(row, kinds, strict=True)))
        for row in rows
    ]
    inside = {"id": identifier} if identifier else {}
    body = element("tbody", *lines, **inside)
    found = element("table", element("thead", element("tr", *top)), body)
    return element("div", found, class_="scroll", tabindex=0, role="group", aria_label=name)


def _cell(content: Content, kind: str) -> Markup:
    if isinstance(content, Markup) and content.text.startswith("<th"):
        return content
    return element("td", content, class_=kind)
