"""The language of what people read: plain English, as a native engineer writes it."""

import ast
import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PATTERNS = {
    'write "is not a"': (
        r"(?<!here )\b(?:is|are|was|were) no (?!longer|more|less|need|matter|one|such)\w"
    ),
    'write "a string"': r"\ba text\b(?! (?:message|choice|file|of|that you))",
    'write "because"': r", for (?:it|its|they|their|he|there|nobody|everybody) ",
    'write "reported", "shown" or "raised"': r"\b(?:is|are|was|were|be) told\b",
    'write "per"': r"\bone a (?:line|call|row|day|recipient|request|batch|message)\b",
    'write "certainly", or nothing': r"\bsurely\b",
    'write "that exists"': r"\b(?:that|which) (?:is|are|was|were) there\b",
    'write "must" or "will"': r"\bshall\b",
    'write "is"': r"\blies? (?:in|at|on|below|above|between)\b",
    'say "response"': r"\b(?:a|the|its|each|every|whose|of) repl(?:y|ies)\b",
    "name the thing in words of the field": r"\b(?:courier|hub|lanes?|so many)\b",
}
PAGES = [
    *(ROOT / name for name in ("README.md", "CONTRIBUTING.md", "CHANGELOG.md", "SECURITY.md")),
    *ROOT.glob("docs/*.md"),
    ROOT / "openapi" / "README.md",
    ROOT / "benchmarks" / "README.md",
    ROOT / "examples" / "README.md",
]
CODE = [
    path
    for folder in ("sinch_wrapper", "scripts", "benchmarks", "examples")
    for path in (ROOT / folder).rglob("*.py")
]


@cache
def prose(path: Path) -> tuple[tuple[int, str], ...]:
    """What a file says to people, with its line: a whole page; of code, strings and comments."""
    return tuple(_prose(path))


def _prose(path: Path) -> Iterator[tuple[int, str]]:
    text = path.read_text(encoding="utf-8")
    if path.suffix == ".md":
        yield from enumerate(text.splitlines(), 1)
        return
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and " " in node.value:
            yield node.lineno, " ".join(node.value.split())
    for number, line in enumerate(text.splitlines(), 1):
        if (mark := line.find("# ")) >= 0:
            yield number, line[mark:]


@pytest.mark.parametrize("advice", PATTERNS)
def test_nothing_people_read_stumbles(advice: str) -> None:
    """Messages, help, docstrings, comments and pages are free of what stops a native reader."""
    pattern = re.compile(PATTERNS[advice], re.IGNORECASE)
    found = [
        f"{path.relative_to(ROOT)}:{line}: {text[max(0, match.start() - 40) : match.end() + 40]!r}"
        for path in [*CODE, *PAGES]
        for line, text in prose(path)
        if (match := pattern.search(text))
    ]
    assert [] == found, advice
