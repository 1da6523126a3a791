"""The figures of the comparison in README.md, as the tables of benchmarks/README.md have them."""

import re
from typing import Final

__all__ = ["with_figures"]

# The row, the table it is from, what it shows of us and of `sinch`, and where each figure stands.
_ROWS: Final = (
    (
        "CPU of one send, 1 thread; 32 threads",
        "send",
        ("{:,.0f} us; {:,.0f} us", "{:,.0f} us; {:,.0f} us"),
        (
            (r"wrapper, httpx \| 1 \| (\d+) ", r"wrapper, httpx \| 32 \| (\d+) "),
            (r"sinch \| 1 \| (\d+) ", r"sinch \| 32 \| (\d+) "),
        ),
    ),
    (
        "calls/s in 32 tasks, with aiohttp",
        "tasks",
        ("{:,.0f}", "no async"),
        ((r"wrapper, aiohttp \| (\d+) ",), ()),
    ),
    (
        "of a quota of 800/s, used by 32 threads",
        "steady",
        ("{:.0f} %", "{:.0f} %"),
        ((r"wrapper, httpx \| \d+ \| ([\d.]+) ",), (r"sinch \| \d+ \| ([\d.]+) ",)),
    ),
    (
        "CPU to import the client, over bare Python",
        "imports",
        ("{:,.0f} ms", "{:,.0f} ms"),
        ((r"base: from sinch_wrapper .*? \| (\d+) ",), (r"sinch: from .*? \| (\d+) ",)),
    ),
)


def with_figures(page: str, measured: str) -> str:
    """*page* with the figures of *measured* in each row of its comparison."""
    for label, table, texts, places in _ROWS:
        cells = [
            text.format(*(_figure(measured, table, place) for place in side))
            for text, side in zip(texts, places, strict=True)
        ]
        row = f"| {label} | {' | '.join(cells)} |"
        page, many = re.subn(rf"^\| {re.escape(label)} \|.*$", row, page, flags=re.MULTILINE)
        if many != 1:
            raise ValueError(f"README.md has no row {label!r}")
    return page


def _figure(measured: str, table: str, place: str) -> float:
    rows = measured.partition(f"### `{table}`")[2].partition("\n### ")[0]
    found = re.search(rf"^\| {place}", rows, re.MULTILINE)
    if found is None:
        raise ValueError(f"benchmarks/README.md has no row {place!r} in {table}")
    return float(found[1])
