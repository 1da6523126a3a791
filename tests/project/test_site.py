"""The site of the documentation: complete, linked, searchable, and at home offline."""

from __future__ import annotations

import importlib
import re
import subprocess
import sys
from html.parser import HTMLParser
from importlib.util import find_spec
from pathlib import Path
from urllib.parse import unquote, urljoin, urlsplit

import pytest
from docsite.assistants import llms_full, llms_txt
from docsite.guides import guide_pages, sections
from docsite.reference import APIS, MODULES, Pages, members, operations, reference_pages, resources

from tests.helpers.browser import browser_page, served

ROOT = Path(__file__).parents[2]
slow = [
    pytest.mark.slow,
    pytest.mark.skipif(find_spec("zensical") is None, reason="needs the group docs"),
]


@pytest.fixture(scope="module")
def pages() -> Pages:
    """The pages before they are built."""
    return guide_pages(ROOT) | reference_pages()


def test_every_page_is_in_the_navigation_once(pages: Pages) -> None:
    """No page is out of reach, and none has two places."""
    placed = [path for _, paths in sections(pages) for path in paths]
    assert sorted(pages) == sorted(placed)


def test_assistants_get_every_page_and_every_operation(pages: Pages) -> None:
    """llms.txt has a line for each page, the one page every operation and public name."""
    parts = sections(pages)
    lines = llms_txt(pages, parts).count("\n- [")
    full = llms_full(pages, parts)
    names = {each for module in MODULES for each in members(module)}
    calls = [
        name
        for package in APIS.values()
        for _, kind in resources(package)
        for name, _ in operations(kind)
    ]
    assert len(pages) + 1 == lines
    assert (59, []) == (len(calls), [each for each in {*calls, *names} if f"`{each}" not in full])


def test_the_reference_has_every_model(pages: Pages) -> None:
    """A model of an API has a heading, and a field a row."""
    for api, package in APIS.items():
        page = pages[f"reference/{api}/models.md"]
        models = importlib.import_module(f"{package}.models")
        assert [] == [name for name in models.__all__ if f"## {name}\n" not in page]
    assert "| `message_id` | `str` | Id of the" in pages["reference/conversation/models.md"]


def test_the_reference_has_every_command(pages: Pages) -> None:
    """The help of a command of a group is on the page."""
    page = pages["reference/command.md"]
    assert "## sinch-wrapper bulk send\n" in page
    assert "## sinch-wrapper callbacks verify\n" in page


class Page(HTMLParser):
    """The ids, links and files of a built page."""

    def __init__(self, path: Path) -> None:
        super().__init__()
        self.ids: set[str] = set()
        self.links: list[str] = []
        self.fetched: list[str] = []
        self.feed(path.read_text(encoding="utf-8"))

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Note what a tag names."""
        values = dict(attrs)
        self.ids.add(values.get("id") or values.get("name") or "")
        if tag == "a" and values.get("href"):
            self.links.append(values["href"] or "")
        if tag in {"img", "script", "link", "iframe"}:
            self.fetched.append(values.get("src") or values.get("href") or "")


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The site, built by its command."""
    out = tmp_path_factory.mktemp("docs") / "site"
    command = [sys.executable, str(ROOT / "scripts" / "build_docs.py"), "--out", str(out)]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=110)
    assert 0 == done.returncode, done.stdout + done.stderr
    return out


class TestBuilt:
    """What the builder made of it."""

    pytestmark = slow

    def test_every_name_has_its_place(self, site: Path) -> None:
        """A public name or an operation is an anchor of the reference."""
        ids = {each for file in site.glob("reference/**/*.html") for each in Page(file).ids}
        names = [f"{module}.{each}" for module in MODULES for each in members(module)]
        names += [
            f"{kind.__module__}.{kind.__name__}.{name}"
            for package in APIS.values()
            for _, kind in resources(package)
            for name, _ in operations(kind)
        ]
        assert [] == [each for each in names if each not in ids]

    def test_links_lead_somewhere(self, site: Path) -> None:
        """A link within the site finds its page and its heading."""
        built = {file.relative_to(site).as_posix(): Page(file) for file in site.rglob("*.html")}
        broken = [
            (name, link)
            for name, page in built.items()
            if name != "404.html"
            for link in page.links
            for to in [urlsplit(urljoin(f"http://site/{name}", link))]
            if to.netloc == "site"
            for file in [unquote(to.path).lstrip("/")]
            for target in [f"{file}index.html" if file.endswith("/") or not file else file]
            if not (site / target).exists()
            or (to.fragment and unquote(to.fragment) not in built[target].ids)
        ]
        assert [] == broken

    def test_pages_fetch_nothing_from_elsewhere(self, site: Path) -> None:
        """No script, style, image or font has an address of its own."""
        found = {each for file in site.rglob("*.html") for each in Page(file).fetched}
        assert [] == [each for each in found if re.match(r"(https?:)?//", each)]

    def test_search_finds(self, site: Path) -> None:
        """Typing into the search shows guides, operations and names, and asks no other server."""
        wanted = {
            "outcome unknown": "When the outcome is unknown",
            "Contact_MergeContact": "merge_contact",
            "RateLimiter": "RateLimiter",
        }
        with served(site) as url, browser_page() as (page, beyond):
            page.goto(url)
            page.keyboard.press("/")
            for words, title in wanted.items():
                page.locator("dialog[open] input").fill(words, timeout=20_000)
                page.get_by_role("option", name=title).first.wait_for(timeout=20_000)
            assert [] == beyond
