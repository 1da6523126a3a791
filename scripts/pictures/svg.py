"""Lines of a terminal as an SVG that needs no font, script or file of others."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from html import unescape
from typing import Final
from xml.sax.saxutils import escape

from pictures.terminal import COLUMNS, Line, Run

_WIDTH: Final = 8.4
_HEIGHT: Final = 19
_MARGIN: Final = 16
# Readable on the dark ground of the picture (4.5 : 1 and more).
_COLOURS: Final = {
    "default": "#d8dee4",
    "black": "#8b949e",
    "brightblack": "#8b949e",
    "red": "#ff8f86",
    "green": "#7ee08a",
    "brown": "#e6c15c",
    "blue": "#7db7ff",
    "magenta": "#e0a6f5",
    "cyan": "#76d9e6",
    "white": "#f0f3f6",
}
_HEAD: Final = (
    '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width:.0f} {height}" role="img" '
    'font-family="ui-monospace, SFMono-Regular, Menlo, Consolas, monospace" font-size="14">\n'
    "<title>{title}</title>\n"
    '<rect width="100%" height="100%" rx="8" fill="#161b22"/>\n'
)
_TEXT: Final = re.compile(r'<text x="[^"]*" y="([^"]*)"[^>]*>([^<]*)</text>')


def svg(title: str, command: str, lines: Sequence[Line]) -> str:
    """The picture of a terminal in which *command* was typed and shows *lines*."""
    shown = [[Run("$ ", "brightblack"), Run(command, "white", bold=True)], *lines]
    width, height = COLUMNS * _WIDTH + 2 * _MARGIN, len(shown) * _HEIGHT + 2 * _MARGIN
    head = _HEAD.format(width=width, height=height, title=escape(title))
    rows = (each for row, line in enumerate(shown) for each in _row(row, line))
    return head + "".join(rows) + "</svg>\n"


def _row(row: int, line: Line) -> Iterator[str]:
    column = 0
    for run in line:
        if run.text.strip():
            x, y = _MARGIN + column * _WIDTH, _MARGIN + (row + 1) * _HEIGHT - 5
            colour = _COLOURS.get(run.colour) or f"#{run.colour}"
            weight = ' font-weight="bold"' if run.bold else ""
            # Whatever the font, each character has its column.
            length = f'textLength="{len(run.text) * _WIDTH:.1f}" lengthAdjust="spacingAndGlyphs"'
            yield (
                f'<text x="{x:.1f}" y="{y}" fill="{colour}"{weight} {length} '
                f'xml:space="preserve">{escape(run.text)}</text>\n'
            )
        column += len(run.text)


def lines_in(picture: str) -> list[str]:
    """The text of a picture, line by line."""
    rows: dict[str, str] = {}
    for y, text in _TEXT.findall(picture):
        rows[y] = rows.get(y, "") + unescape(text)
    return list(rows.values())


def shape(line: str) -> str:
    """What stays of a *line* from run to run: no figures, ids, bars and folders."""
    line = re.sub(r"/\S+", "PATH", line)
    line = re.sub(r"\b[0-9A-HJKMNP-TV-Z]{26}\b", "ID", line)
    line = re.sub(r"\d[\d.,]*(?: ?(?:s|min|h|d)\b)?", "0", line)
    line = re.sub(r"[━╸╺─-]+", "-", line)
    return " ".join(line.split())
