"""The pages that people wrote, where links between them work in the site as in the repository."""

from __future__ import annotations

import ast
import re
from pathlib import Path
from typing import Final

from docsite.reference import APIS, MODULES, Pages

# In this order; a page of docs/ that is not named here comes after the guides.
_START: Final = ("index", "docs/getting-started", "examples/index", "docs/command")
_GUIDES: Final = (
    *(
        "channels",
        "operations",
        "bulk",
        "campaigns",
        "reports",
        "scheduling",
        "outbox",
        "contacts",
        "callbacks",
    ),
    *("errors", "limits", "tokens", "network", "logging", "scaling", "models", "testing"),
)
_COMING: Final = ("coming-from-sinch", "coming-from-the-sms-api")
_PROJECT: Final = (
    *("docs/reliability", "docs/security", "docs/spec-updates", "docs/decisions"),
    *("CHANGELOG", "CONTRIBUTING", "SECURITY", "openapi/index", "benchmarks/index"),
)
Section = tuple[str, list[str]]
"""The title of a part of the site, and the paths of its pages."""


def guide_pages(root: Path) -> Pages:
    """README, docs, examples and the rest, by the path that each has in the site."""
    found = [root / "README.md", *root.glob("docs/*.md"), *root.glob("[!.]*/README.md")]
    found += [root / f"{name}.md" for name in ("CHANGELOG", "CONTRIBUTING", "SECURITY")]
    pages = {_path(root, file): _linked(file.read_text(encoding="utf-8")) for file in found}
    for file in sorted(root.glob("examples/*.py")):
        pages[f"examples/{file.stem}.md"] = _program(file)
    return pages


def _path(root: Path, file: Path) -> str:
    return file.relative_to(root).as_posix().replace("README.md", "index.md")


def _linked(text: str) -> str:
    """Links as the site has them: an index for a README, a page for a program."""
    text = re.sub(r"\]\(((?!https?:)[^)]*?)README\.md", r"](\1index.md", text)
    return re.sub(r"\]\((?!https?:)([\w/.-]+)\.py\)", r"](\1.md)", text)


def _program(file: Path) -> str:
    code = file.read_text(encoding="utf-8").rstrip()
    title = file.stem.replace("_", " ").capitalize()
    for word in ("Excel", "RCS", "WhatsApp", "FastAPI", "Django"):
        title = re.sub(rf"\b{word}\b", word, title, flags=re.IGNORECASE)
    summary = (ast.get_docstring(ast.parse(code)) or "").partition("\n")[0]
    return f"# {title}\n\n{summary}\n\n```python\n{code}\n```\n"


def title_of(text: str) -> str:
    """The first heading of a page."""
    found = re.search(r"^# (.+)$", text, re.MULTILINE)
    return found[1].replace("`", "") if found else ""


def sections(pages: Pages) -> list[Section]:
    """The parts of the site: every page is in one of them."""
    guides = [f"docs/{name}" for name in _GUIDES]
    coming = [f"docs/{name}" for name in _COMING]
    named = {*_START, *guides, *coming, *_PROJECT}
    stems = sorted(path.removesuffix(".md") for path in pages)
    later = [name for name in stems if name.startswith("docs/") and name not in named]
    parts: list[Section] = [
        ("Begin", list(_START)),
        ("Guides", [*guides, *later]),
        ("Coming from", coming),
        ("Examples", [name for name in stems if re.match(r"examples/(?!index)", name)]),
        ("Reference", [*(f"reference/{name}" for name in MODULES), "reference/command"]),
        *((f"Operations: {api}", _under(stems, f"reference/{api}/")) for api in APIS),
        ("Project", list(_PROJECT)),
    ]
    return [
        (title, [f"{name}.md" for name in names if f"{name}.md" in pages]) for title, names in parts
    ]


def _under(stems: list[str], folder: str) -> list[str]:
    return [name for name in stems if name.startswith(folder)]
