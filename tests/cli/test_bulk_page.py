"""From an Excel file to a report: each command of docs/bulk.md prints what the page says."""

import re
import shlex
from pathlib import Path

import pytest

from tests.helpers.sandbox import Api, RunCli
from tests.helpers.spreadsheets import excel_file

APP = "01J0SANDB0X0APP00000000000"
PAGE = Path(__file__).parents[2] / "docs" / "bulk.md"
# A command at a terminal ends with its question, which test_bulk_check.py answers.
_QUESTION = re.compile(r"\[y/N\]: *$")


def section(title: str) -> str:
    """The part of the page below the heading *title*."""
    return PAGE.read_text(encoding="utf-8").partition(f"\n## {title}\n")[2].partition("\n## ")[0]


def table(text: str) -> list[list[str]]:
    """The first table of *text*, its header included."""
    rows = [line.strip("|").split("|") for line in text.splitlines() if line.startswith("|")]
    return [[cell.strip() for cell in row] for row in rows if set(row[0]) != {"-"}]


def sessions(text: str) -> list[tuple[str, str]]:
    """Each command of *text* with what it prints."""
    blocks = re.findall(r"^```text\n(.*?)^```$", text, re.MULTILINE | re.DOTALL)
    found = []
    for block in blocks:
        for each in re.split(r"^\$ ", block, flags=re.MULTILINE)[1:]:
            command, _, printed = each.partition("\n")
            found.append((command, printed))
    return found


def test_excel_file_becomes_a_report(
    run_cli: RunCli, api: Api, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Every command of the section, one after the other, with the files that the page shows."""
    pytest.importorskip("python_calamine")
    text = section("From an Excel file to a report")
    monkeypatch.chdir(tmp_path)
    excel_file(Path("spring.xlsx"), table(text))
    offer = re.search(r"`offer.txt` is the message, `(.*?)`", text)
    prices = re.search(r"^```text\n(prefix,price\n.*?)^```$", text, re.MULTILINE | re.DOTALL)
    assert offer is not None
    assert prices is not None
    Path("offer.txt").write_text(offer[1], encoding="utf-8")
    Path("prices.csv").write_text(prices[1], encoding="utf-8")
    found = sessions(text)
    assert 6 == len(found)
    for command, printed in found:
        name, *words = shlex.split(
            command.replace("01J0SANDB0X0APP00000000000", api.settings.app_id)
        )
        if not _QUESTION.search(printed):
            _, out, err = run_cli(*words, api=api)
            assert ("sinch-wrapper", printed) == (name, out + err), command
