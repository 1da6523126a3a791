"""Take the pictures of the documentation from real runs: the demo, a job at work, a report.

uv run --group docs python scripts/screenshots.py [--out docs/images] [--browser chromium]
"""

from __future__ import annotations

import argparse
import itertools
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))

from find_browser import find_browser
from pictures.svg import svg
from pictures.terminal import Line, taken

from sinch_wrapper.sandbox import Server, Settings, parse_fault

ROOT = Path(__file__).parents[1]
DEMO = "sinch-wrapper demo"
PROGRESS = "sinch-wrapper bulk send spring.csv --text @spring.txt --yes"
_ROWS = 20_000
# Enough is shown when the bar is some way along.
_ENOUGH = 4_000


def _environment(**variables: str) -> dict[str, str]:
    clean = {name: each for name, each in os.environ.items() if not name.startswith("SINCH_")}
    folder = str(Path(sys.executable).parent)
    colours = {"TERM": "xterm-256color", "COLORTERM": "truecolor", "LANG": "C.UTF-8"}
    return clean | colours | {"PATH": f"{folder}{os.pathsep}{os.environ['PATH']}"} | variables


def demo(folder: Path) -> tuple[list[Line], Path]:
    """What the demo shows at its end, and the page about its job, which it writes to *folder*."""
    lines = taken(DEMO.split(), _environment(TMPDIR=str(folder)))
    return lines, next(folder.glob("*/report.html"))


def progress(folder: Path) -> list[Line]:
    """What a job of many recipients shows while it is sent."""
    rows = (f"+4670{number:07},Ada\n" for number in range(_ROWS))
    (folder / "spring.csv").write_text(f"phone,name\n{''.join(rows)}", encoding="utf-8")
    (folder / "spring.txt").write_text("Hi ${name}, our spring sale begins.", encoding="utf-8")
    (folder / "secret.txt").write_text(Settings().key_secret, encoding="utf-8")
    slow = parse_fault("Batch_SendBatch:slow=1")
    with Server(Settings(faults=(slow,), drain_rate=100.0)) as server, _inside(folder):
        environment = _environment(SINCH_WRAPPER_CONFIG_DIR=str(folder))
        found = server.settings
        login = ["sinch-wrapper", "login", "--plain", "--sandbox", server.url]
        login += ["--project", found.project_id, "--key-id", found.key_id, "--app", found.app_id]
        subprocess.run(
            [*login, "--key-secret", "@secret.txt"],
            env=environment,
            check=True,
            stdout=subprocess.DEVNULL,
        )
        return taken(PROGRESS.split(), environment, _is_under_way)


def _is_under_way(text: str) -> bool:
    words = text.replace(",", "").split()
    counts = [before for before, word in itertools.pairwise(words) if word == "of"]
    return any(each.isdigit() and int(each) >= _ENOUGH for each in counts) and "so far" in text


@contextmanager
def _inside(folder: Path) -> Iterator[None]:
    before = Path.cwd()
    os.chdir(folder)
    try:
        yield
    finally:
        os.chdir(before)


def photograph(page: Path, picture: Path, browser: str | None) -> None:
    """Write what a browser shows of *page*; *browser* is a path, None for Playwright's own."""
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=browser, args=["--no-sandbox"])
        view = chromium.new_page(viewport={"width": 1100, "height": 900})
        view.goto(page.as_uri())
        view.screenshot(path=picture)
        chromium.close()


def main() -> int:
    """Take the pictures, and say where they are."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--out", type=Path, default=ROOT / "docs" / "images")
    parser.add_argument("--browser", default=find_browser())
    options = parser.parse_args()
    out: Path = options.out.resolve()
    out.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as name:
        lines, report = demo(Path(name))
        pictures = {
            "demo.svg": svg("The demo at its end", DEMO, lines),
            "progress.svg": svg("A bulk job at work", PROGRESS, progress(Path(name))),
        }
        for file, picture in pictures.items():
            (out / file).write_text(picture, encoding="utf-8")
        photograph(report, out / "report.png", options.browser)
    for file in (*pictures, "report.png"):
        print(out / file)
    return 0


if __name__ == "__main__":
    sys.exit(main())
