"""docs/security.md: each row names tests that exist."""

import re

from tests.helpers.codegen import ROOT

PAGE = (ROOT / "docs" / "security.md").read_text(encoding="utf-8")
ROWS = [line for line in PAGE.splitlines() if re.match(r"\| (?!what holds)", line)]
TEST = re.compile(r"`(tests/[\w/]+\.py)(?:::(\w+))?`")


def test_every_row_names_a_test() -> None:
    """A promise without a test is none."""
    assert ROWS
    assert [] == [row for row in ROWS if not TEST.search(row.rsplit("|", 2)[1])]


def test_the_tests_exist() -> None:
    """Each file that is named exists, and has the function that is named."""
    missing = [
        f"{file}::{name}"
        for file, name in TEST.findall(PAGE)
        if not (ROOT / file).is_file()
        or f"def {name}" not in (ROOT / file).read_text(encoding="utf-8")
    ]
    assert [] == missing


def test_the_policy_says_how_to_report() -> None:
    """SECURITY.md stands where GitHub looks for it, leads to the private form, and to this page."""
    text = (ROOT / "SECURITY.md").read_text(encoding="utf-8")
    assert "private vulnerability reporting" in text
    assert "(docs/security.md)" in text
    assert "(SECURITY.md)" in (ROOT / "README.md").read_text(encoding="utf-8")
