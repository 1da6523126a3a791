"""What is printed: a table in Markdown, and the targets with a verdict each; or both as JSON."""

import re
from dataclasses import asdict, dataclass, field

__all__ = ["Report", "Target", "with_tables"]


@dataclass(frozen=True, slots=True)
class Target:
    """A number to reach: at most, or with *at_least* at least, *bound*."""

    text: str
    value: float
    bound: float
    at_least: bool = False

    @property
    def is_met(self) -> bool:
        """Whether it is reached."""
        return self.value >= self.bound if self.at_least else self.value <= self.bound

    def __str__(self) -> str:
        sign = ">=" if self.at_least else "<="
        verdict = "reached" if self.is_met else "NOT reached"
        return f"| {self.text} | {sign} {self.bound:g} | {self.value:.3g} | {verdict} |"


@dataclass(slots=True)
class Report:
    """A table under a title, row by row, and the targets that its numbers decide."""

    title: str
    columns: tuple[str, ...]
    rows: list[tuple[str, ...]] = field(default_factory=list)
    targets: list[Target] = field(default_factory=list)

    def __str__(self) -> str:
        return f"## {self.title}\n\n{self.tables()}"

    def tables(self) -> str:
        """The table, and that of the targets."""
        lines = _table(self.columns, self.rows)
        if self.targets:
            head = ("target", "bound", "measured", "verdict")
            lines += ["", *_table(head, []), *map(str, self.targets)]
        return "\n".join(lines)

    def as_json(self) -> dict[str, object]:
        """The same for programs: a mapping for each row and each target."""
        rows = [dict(zip(self.columns, row, strict=True)) for row in self.rows]
        targets = [asdict(each) | {"is_met": each.is_met} for each in self.targets]
        return {"title": self.title, "rows": rows, "targets": targets}


def _table(columns: tuple[str, ...], rows: list[tuple[str, ...]]) -> list[str]:
    rule = ["---", *["---:"] * (len(columns) - 1)]
    return [f"| {' | '.join(cells)} |" for cells in (columns, rule, *rows)]


def with_tables(text: str, name: str, report: Report) -> str:
    """The *text* of a page in whose section *name* the tables are those of *report*.

    Raises: ValueError when it has no such section with a table.
    """
    section = re.search(rf"^### `{re.escape(name)}`.*?(?=^### |\Z)", text, re.MULTILINE | re.DOTALL)
    tables = re.compile(r"^\|.*^\|[^\n]*\n", re.MULTILINE | re.DOTALL)
    if section is None or not tables.search(section[0]):
        raise ValueError(f"the page has no section `{name}` with a table")
    filled = tables.sub(lambda _: f"{report.tables()}\n", section[0], count=1)
    return text[: section.start()] + filled + text[section.end() :]
