"""What is printed: a table in Markdown, and the targets with a verdict each."""

from dataclasses import dataclass, field

__all__ = ["Report", "Target"]


@dataclass(frozen=True, slots=True)
class Target:
    """A number to reach: at most, or with *at_least* at least, *bound*."""

    text: str
    value: float
    bound: float
    at_least: bool = False

    def __str__(self) -> str:
        is_met = self.value >= self.bound if self.at_least else self.value <= self.bound
        sign = ">=" if self.at_least else "<="
        verdict = "reached" if is_met else "NOT reached"
        return f"| {self.text} | {sign} {self.bound:g} | {self.value:.3g} | {verdict} |"


@dataclass(slots=True)
class Report:
    """A table under a title, row by row, and the targets that its numbers decide."""

    title: str
    columns: tuple[str, ...]
    rows: list[tuple[str, ...]] = field(default_factory=list)
    targets: list[Target] = field(default_factory=list)

    def __str__(self) -> str:
        lines = [f"## {self.title}", "", *_table(self.columns, self.rows)]
        if self.targets:
            head = ("target", "bound", "measured", "verdict")
            lines += ["", *_table(head, []), *map(str, self.targets)]
        return "\n".join(lines)


def _table(columns: tuple[str, ...], rows: list[tuple[str, ...]]) -> list[str]:
    rule = ["---", *["---:"] * (len(columns) - 1)]
    return [f"| {' | '.join(cells)} |" for cells in (columns, rule, *rows)]
