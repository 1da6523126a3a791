"""Build the documentation as a site with search, llms.txt, and one page of Markdown.

uv run --group docs python scripts/build_docs.py [--out site]
"""

from __future__ import annotations

import argparse
import json
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))

from docsite.assistants import llms_full, llms_txt
from docsite.guides import Section, guide_pages, sections, title_of
from docsite.reference import Pages, reference_pages

ROOT = Path(__file__).parents[1]
_CONFIG = """\
[project]
site_name = "sinch-wrapper"
site_description = "SMS, WhatsApp and RCS through Sinch from Python"
docs_dir = "pages"
site_dir = "site"
nav = {nav}

[project.theme]
# Fonts of the system: no page fetches anything from elsewhere.
font = false
features = ["navigation.tabs", "navigation.top", "content.code.copy", "search.highlight"]
palette = [
    {{ media = "(prefers-color-scheme: light)", scheme = "default" }},
    {{ media = "(prefers-color-scheme: dark)", scheme = "slate" }},
]

[project.plugins.search]

[project.plugins.mkdocstrings.handlers.python]
paths = {paths}

[project.plugins.mkdocstrings.handlers.python.options]
docstring_style = "google"
filters = ["!^_", "!_detailed$"]
members_order = "source"
docstring_options = {{ warnings = false }}
merge_init_into_class = true
separate_signature = true
show_root_heading = false
show_signature_annotations = true
show_source = false
"""


def config(pages: Pages, parts: list[Section]) -> str:
    """The configuration of the builder, with all pages in the navigation."""
    nav = [
        f"{{ {json.dumps(title)} = [{', '.join(_entry(path, pages) for path in paths)}] }}"
        for title, paths in parts
    ]
    paths = [str(ROOT), str(ROOT / "generated")]
    return _CONFIG.format(nav=f"[{', '.join(nav)}]", paths=json.dumps(paths))


def _entry(path: str, pages: Pages) -> str:
    title = "Overview" if path == "index.md" else title_of(pages[path])
    return f"{{ {json.dumps(title)} = {json.dumps(path)} }}"


def build(out: Path) -> int:
    """Build the site into the folder *out*; returns the exit code of the builder."""
    pages = guide_pages(ROOT) | reference_pages()
    parts = sections(pages)
    files = pages | {"llms.txt": llms_txt(pages, parts), "llms-full.txt": llms_full(pages, parts)}
    with tempfile.TemporaryDirectory() as folder:
        for name, text in files.items():
            file = Path(folder, "pages", name)
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text(text, encoding="utf-8")
        shutil.copytree(ROOT / "docs" / "images", Path(folder, "pages", "docs", "images"))
        Path(folder, "zensical.toml").write_text(config(pages, parts), encoding="utf-8")
        command = [sys.executable, "-m", "zensical", "build", "--strict"]
        code = subprocess.run(command, cwd=folder, check=False).returncode
        if code == 0:
            shutil.rmtree(out, ignore_errors=True)
            shutil.copytree(Path(folder, "site"), out)
    return code


def main() -> int:
    """Build, and say where."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--out", type=Path, default=ROOT / "site", help="the folder of the site")
    out = parser.parse_args().out
    code = build(out)
    if code == 0:
        print(f"{out / 'index.html'}")
    return code


if __name__ == "__main__":
    sys.exit(main())
