"""The documentation for assistants: llms.txt, and all of it as one page of Markdown."""

from __future__ import annotations

import importlib
import inspect
import re
from collections.abc import Iterator
from typing import Final

from docsite.guides import Section, title_of
from docsite.reference import APIS, MODULES, Pages, members, operations, resources

_INTRO: Final = (
    "# sinch-wrapper\n\n"
    "> The Python client for the Sinch Conversation, Batch and Template APIs: typed, sync and "
    "async; it sends again only on evidence. With bulk jobs, an outbox, a callback receiver and a "
    "sandbox that needs no account.\n"
)


def llms_txt(pages: Pages, parts: list[Section]) -> str:
    """The list of all pages, in the form of llmstxt.org."""
    lines = [_INTRO, "- [everything on one page](llms-full.txt)\n"]
    for part, paths in parts:
        lines.append(f"## {part}\n")
        lines += [
            f"- [{title_of(pages[path])}]({_address(path)}){_about(path, pages)}" for path in paths
        ]
        lines.append("")
    return "\n".join(lines)


def llms_full(pages: Pages, parts: list[Section]) -> str:
    """All guides and programs, and the signatures of all public names and operations."""
    wanted = {"Begin", "Guides", "Coming from", "Examples"}
    texts = [pages[path] for part, paths in parts if part in wanted for path in paths]
    return "\n\n".join([_INTRO, *texts, "# Every public name\n", *_names(), *_operations()])


def _address(path: str) -> str:
    if path == "index.md":
        return "./"
    return path.removesuffix("/index.md").removesuffix(".md") + "/"


def _about(path: str, pages: Pages) -> str:
    """The first sentence of a page."""
    text = re.sub(r"^```.*?^```$", "", pages[path], flags=re.MULTILINE | re.DOTALL)
    for paragraph in text.split("\n\n")[1:]:
        plain = re.sub(r"\*\*|\[([^]]+)\]\([^)]*\)", r"\1", " ".join(paragraph.split()))
        if re.match(r"`?\w.* ", plain):
            return f": {plain.split('. ')[0].rstrip('.:')}"
    return ""


def _names() -> Iterator[str]:
    for name in MODULES:
        module = importlib.import_module(name)
        lines = [f"## {name}\n", (inspect.getdoc(module) or "").partition("\n")[0], ""]
        lines += [_line(each, getattr(module, each)) for each in members(name)]
        yield "\n".join(lines)


def _line(name: str, value: object) -> str:
    summary = (inspect.getdoc(value) or "").partition("\n")[0]
    return f"- `{name}{_signature(value)}`: {summary}"


def _signature(value: object) -> str:
    try:
        return str(inspect.signature(value)) if callable(value) else ""
    except ValueError:
        return ""


def _operations() -> Iterator[str]:
    for api, package in APIS.items():
        for tag, resource in resources(package):
            lines = [f"## sinch.{api}.{tag}\n"]
            lines += [_line(name, getattr(resource, name)) for name, _ in operations(resource)]
            yield "\n".join(lines)
