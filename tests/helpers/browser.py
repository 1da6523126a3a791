"""A headless Chromium for pages that people look at, and the accessibility checker axe-core.

Without them tests are skipped, and say what is missing; with SINCH_WRAPPER_BROWSER, which names a
browser or is "playwright" for the one that Playwright installs, they fail instead.
"""

from __future__ import annotations

import functools
import os
import shutil
import subprocess
import tarfile
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn

import pytest
from find_browser import find_browser

if TYPE_CHECKING:
    from playwright.sync_api import Page

VARIABLE = "SINCH_WRAPPER_BROWSER"
AXE = "axe-core@4.14.1"


class _Quiet(SimpleHTTPRequestHandler):
    def log_message(self, *_arguments: object) -> None:
        pass


@contextmanager
def served(folder: Path) -> Iterator[str]:
    """Serve the files of a folder on loopback; gives the URL, with a slash at its end."""
    handler = functools.partial(_Quiet, directory=str(folder))
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}/"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def _missing(what: str) -> NoReturn:
    if VARIABLE in os.environ:
        pytest.fail(what)
    pytest.skip(what)


def _executable() -> str | None:
    """The browser that is named, or is there; None for that of Playwright."""
    named = os.environ.get(VARIABLE, "")
    if named == "playwright":
        return None
    found = shutil.which(named) if named else find_browser()
    if found is None:
        _missing(f"no browser: install the package chromium, or name one in {VARIABLE}")
    return found


@contextmanager
def launched() -> Iterator[Any]:
    """A headless Chromium."""
    try:
        from playwright.sync_api import sync_playwright
    except ImportError:
        _missing("no playwright: uv run --group docs pytest -m slow")
    executable = _executable()
    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=executable, args=["--no-sandbox"])
        yield chromium
        chromium.close()


@contextmanager
def browser_page(width: int = 1400, height: int = 1000) -> Iterator[tuple[Page, list[str]]]:
    """A page of a new browser, and the addresses beyond loopback that it asks for."""
    beyond: list[str] = []

    def note(url: str) -> None:
        if not url.startswith(("http://127.0.0.1:", "file:", "data:", "blob:")):
            beyond.append(url)

    with launched() as browser:
        page = browser.new_page(viewport={"width": width, "height": height})
        page.on("request", lambda request: note(request.url))
        yield page, beyond


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    """A headless Chromium for one file, whose event loop would stand in the way of other tests."""
    with launched() as chromium:
        yield chromium


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
