"""A real browser for pages, and the accessibility checker axe-core.

Without them the tests are skipped, and say what is missing; with SINCH_WRAPPER_BROWSER, which names
a browser or is "playwright" for the one that Playwright installs, they fail instead.
"""

import os
import shutil
import subprocess
import tarfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NoReturn

import pytest

VARIABLE = "SINCH_WRAPPER_BROWSER"
NAMES = ("chromium", "chromium-browser", "google-chrome", "chrome")
AXE = "axe-core@4.14.1"


def _missing(what: str) -> NoReturn:
    if VARIABLE in os.environ:
        pytest.fail(what)
    pytest.skip(what)


def _executable() -> str | None:
    """The browser that is named, or is there; None for that of Playwright."""
    named = os.environ.get(VARIABLE, "")
    if named == "playwright":
        return None
    found = shutil.which(named) if named else next(filter(None, map(shutil.which, NAMES)), None)
    if found is None:
        _missing(f"no browser: install the package chromium, or name one in {VARIABLE}")
    return found


@pytest.fixture(scope="session")
def browser() -> Iterator[Any]:
    """A headless Chromium."""
    try:
        from playwright.sync_api import sync_playwright
    except ImportError:
        _missing("no playwright: uv run --group browser pytest -m slow tests/browser")
    executable = _executable()
    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=executable, args=["--no-sandbox"])
        yield chromium
        chromium.close()


@pytest.fixture(scope="session")
def axe(tmp_path_factory: pytest.TempPathFactory) -> str:
    """The script of axe-core, from npm."""
    folder, npm = tmp_path_factory.mktemp("axe"), shutil.which("npm")
    if npm is None:
        _missing("no npm, which brings axe-core")
    command = [npm, "pack", "--silent", "--pack-destination", str(folder), AXE]
    done = subprocess.run(command, capture_output=True, timeout=90, check=False, cwd=folder)
    packed = next(iter(folder.glob("*.tgz")), None)
    if done.returncode or packed is None:
        _missing("npm cannot bring axe-core")
    with tarfile.open(packed) as archive:
        file = archive.extractfile("package/axe.min.js")
        assert file is not None
        return file.read().decode()


def serious(page: Any, axe: str) -> list[str]:
    """The findings of axe in *page* that are serious or critical."""
    page.evaluate(axe)
    found = page.evaluate("axe.run(document, {resultTypes: ['violations']})")
    return [
        f"{each['id']}: {node['html'][:120]}"
        for each in found["violations"]
        if each["impact"] in {"serious", "critical"}
        for node in each["nodes"][:3]
    ]


def opened(browser: Any, path: Path, **options: Any) -> tuple[Any, list[str]]:
    """A new page at *path*, and what it asked for or complained about since."""
    # axe is put into the page, which its policy forbids to everybody else.
    context = browser.new_context(
        offline=True, bypass_csp=options.pop("bypass_csp", False), **options
    )
    page, noise = context.new_page(), list[str]()
    page.on("console", lambda message: noise.append(message.text))
    page.on("pageerror", lambda error: noise.append(str(error)))
    page.on("request", lambda request: noise.append(request.url))
    page.goto(path.as_uri())
    noise.remove(path.as_uri())
    return page, noise
