"""The pictures of the documentation: small, on their own, and of what the command shows today."""

from __future__ import annotations

import re
import tempfile
from importlib.util import find_spec
from pathlib import Path

import pytest
import screenshots
from pictures.svg import lines_in, shape, svg
from pictures.terminal import Line, Run

from sinch_wrapper.bulk import Progress
from sinch_wrapper.cli._bulk_progress import counts, details
from sinch_wrapper.cli._demo_data import DemoResult, expected
from sinch_wrapper.cli._demo_views import TerminalView

ROOT = Path(__file__).parents[2]
IMAGES = ROOT / "docs" / "images"
SHOWN = {
    "README.md": "docs/images/demo.svg",
    "docs/bulk.md": "images/progress.svg",
    "docs/reports.md": "images/report.png",
}


def shapes(picture: str) -> list[str]:
    """The lines of a picture of the documentation, as they are in every run."""
    return [shape(line) for line in lines_in((IMAGES / picture).read_text(encoding="utf-8"))]


def test_every_picture_is_shown_with_words() -> None:
    """Each picture is on a page, with a sentence for those who do not see it."""
    for page, image in SHOWN.items():
        text = (ROOT / page).read_text(encoding="utf-8")
        assert [image] == re.findall(r"!\[[^\]]{40,}\]\(([^)]+)\)", text)
    assert {Path(each).name for each in SHOWN.values()} == {each.name for each in IMAGES.iterdir()}


def test_pictures_are_small_and_fetch_nothing() -> None:
    """A picture has at most 300 KB; an SVG has no script, and no address but its own kind."""
    for image in IMAGES.iterdir():
        assert image.stat().st_size < 300_000
        if image.suffix == ".svg":
            text = image.read_text(encoding="utf-8")
            fetched = re.findall(r"(?:href|src|url|@import|<script)\b", text)
            assert ([], 1) == (fetched, text.count("http://www.w3.org"))
    assert (IMAGES / "report.png").read_bytes().startswith(b"\x89PNG")


def test_the_demo_ends_as_in_its_picture(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The table and what stands below it have the words and the order of the picture."""
    monkeypatch.setenv("COLUMNS", "80")
    view = TerminalView()
    view.result(DemoResult(expected(), "DELIVERED", 1990, 3, 7.3, "/folder/report.html"))
    lines = [shape(line) for line in capsys.readouterr().out.splitlines() if line.strip()]
    # Not how the lines are broken, which depends on the number of digits.
    assert " ".join(shapes("demo.svg")).endswith(" ".join(lines))


def test_a_job_shows_itself_as_in_its_picture() -> None:
    """The bar and the line below it say the same things in the same order."""
    step = Progress(20_000, 7_000, 0, 0, 13_000, 4.0, elapsed=4.0, rate=2007.0, to_deliver=1020.0)
    bar, below = shapes("progress.svg")[1:]
    assert f"{step.stage} - {shape(counts(step))}" == bar
    assert shape(", ".join(details(step))) == below


def test_a_picture_keeps_every_character() -> None:
    """Colours, blanks and signs of markup do not change the text."""
    lines: list[Line] = [
        [Run("a  <b> & ", "green"), Run("  c", "ff0000", bold=True)],
        [],
        [Run("d")],
    ]
    picture = svg("A & B", "command <x>", lines)
    assert ["$ command <x>", "a  <b> &   c", "d"] == lines_in(picture)
    assert 'fill="#ff0000" font-weight="bold"' in picture


@pytest.mark.slow
@pytest.mark.skipif(find_spec("pyte") is None, reason="needs the group docs")
def test_pictures_taken_again_have_the_same_shape() -> None:
    """The demo and a job at work look as in the pictures, but for figures and ids."""
    # The folders of pytest have names so long that lines break elsewhere.
    with tempfile.TemporaryDirectory() as folder:
        lines, report = screenshots.demo(Path(folder))
        assert report.is_file()
        again = {
            "demo.svg": svg("", screenshots.DEMO, lines),
            "progress.svg": svg("", screenshots.PROGRESS, screenshots.progress(Path(folder))),
        }
    for name, picture in again.items():
        assert shapes(name) == [shape(line) for line in lines_in(picture)]
