"""The charts of a report as SVG: shares of a whole, and the course of time; pure.

Colours are classes, so that the page chooses them by theme. Each chart has a title and words for
those who do not see it; the numbers stand in a table beside it.
"""

from collections.abc import Mapping, Sequence
from typing import Final

from sinch_wrapper.bulk._breakdown import TimelinePoint
from sinch_wrapper.bulk._markup import Markup, element, together

WIDTH: Final = 960
_HEIGHT: Final = 300
_LEFT, _RIGHT, _TOP, _BOTTOM = 64, 16, 16, 36
_LINES: Final = 4
_TIMES: Final = 5
_STEPS: Final = (1, 2, 3, 4, 5, 6, 8, 10, 15, 20, 25)
_CURVES: Final = ("accepted", "delivered", "failed")
_DAY: Final = 86400


def shares(counts: Mapping[str, int], title: str, height: int = 28) -> Markup:
    """A bar of parts, each as wide as its share; *counts* maps classes of colour to numbers."""
    total, at, parts = sum(counts.values()) or 1, 0.0, []
    for tone, many in counts.items():
        width = WIDTH * many / total
        if many:
            parts.append(
                element("rect", x=f"{at:.2f}", y=0, width=f"{width:.2f}", height=height,
                        class_=f"fill-{tone}")
            )  # fmt: skip
        at += width
    return element(
        "svg",
        element("title", title),
        *parts,
        viewBox=f"0 0 {WIDTH} {height}",
        preserveAspectRatio="none",
        role="img",
        aria_label=title,
        class_="shares",
    )


def timeline(points: Sequence[TimelinePoint]) -> Markup:
    """Curves of what was accepted, delivered and failed, added up over time."""
    top = _round_up(max(max(p.accepted, p.delivered, p.failed) for p in points))
    first, last = points[0], points[-1]
    title = (
        f"Until {last.at:%Y-%m-%d %H:%M:%S} UTC: {last.accepted:,} accepted, "
        f"{last.delivered:,} delivered, {last.failed:,} failed"
    )
    curves = [_curve(points, name, top) for name in _CURVES]
    return element(
        "svg",
        element("title", title),
        _grid(top),
        _times(first, last),
        *curves,
        viewBox=f"0 0 {WIDTH} {_HEIGHT}",
        role="img",
        aria_label=title,
        class_="timeline",
    )


def _round_up(value: int) -> int:
    """The next number that reads well in four parts."""
    size: int = 10 ** max(len(str(value)) - 2, 0)
    for step in _STEPS:
        if step * size * _LINES >= value:
            break
    return step * size * _LINES


def _x(share: float) -> float:
    return _LEFT + (WIDTH - _LEFT - _RIGHT) * share


def _y(share: float) -> float:
    return _TOP + (_HEIGHT - _TOP - _BOTTOM) * (1 - share)


def _curve(points: Sequence[TimelinePoint], name: str, top: int) -> Markup:
    begin = points[0].at.timestamp()
    span = points[-1].at.timestamp() - begin or 1
    path, before = f"M{_x(0):.1f} {_y(0):.1f}", _y(0)
    for point in points:
        x, y = _x((point.at.timestamp() - begin) / span), _y(getattr(point, name) / top)
        # Steps: between two points nothing is known.
        path += f"L{x:.1f} {before:.1f}V{y:.1f}"
        before = y
    return element("path", d=path, class_=f"curve curve-{name}")


def _grid(top: int) -> Markup:
    parts: list[Markup] = []
    for number in range(_LINES + 1):
        y = f"{_y(number / _LINES):.1f}"
        parts += (
            element("line", x1=_LEFT, x2=WIDTH - _RIGHT, y1=y, y2=y, class_="grid"),
            element("text", f"{top * number // _LINES:,}", x=_LEFT - 8, y=y, dy="0.32em",
                    text_anchor="end"),
        )  # fmt: skip
    return together(*parts)


def _times(first: TimelinePoint, last: TimelinePoint) -> Markup:
    span = last.at - first.at
    seconds = span.total_seconds()
    form = "%d %b %H:%M" if seconds > _DAY / 2 else "%H:%M" if seconds > _DAY / 24 else "%H:%M:%S"
    many = _TIMES if seconds >= _TIMES else 2
    texts = []
    for number in range(many):
        share = number / (many - 1)
        anchor = "start" if not number else "middle" if number < many - 1 else "end"
        texts.append(
            element("text", f"{first.at + span * share:{form}}", x=f"{_x(share):.1f}",
                    y=_HEIGHT - 10, text_anchor=anchor)
        )  # fmt: skip
    return together(*texts)
