"""What PyPI shows: the README with links that work there, and the addresses of the project.

Both need the address of the repository, which no file of the project knows. A release is built
by GitHub, whose environment has it; anywhere else the links stay relative, and there are no
addresses but that of the API's documentation.
"""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from pathlib import Path

from hatchling.metadata.plugin.interface import MetadataHookInterface

API = "https://developers.sinch.com/docs/conversation/api-reference/conversation"


def repository(environment: Mapping[str, str]) -> tuple[str, str]:
    """The address of the repository and the tag that is built; both empty outside of GitHub."""
    server, name = environment.get("GITHUB_SERVER_URL"), environment.get("GITHUB_REPOSITORY")
    if not server or not name:
        return "", ""
    return f"{server}/{name}", environment.get("GITHUB_REF_NAME") or "main"


def absolute(text: str, address: str, tag: str) -> str:
    """The README with links to files of the repository at *tag*; as it is without an address."""
    if not address:
        return text
    # A page about a picture is not the picture.
    text = re.sub(r"(!\[[^\]]*\]\()(?!https?:)", rf"\g<1>{address}/raw/{tag}/", text)
    return re.sub(r"\]\((?!https?:|#)", f"]({address}/blob/{tag}/", text)


def addresses(address: str, tag: str) -> dict[str, str]:
    """The links beside the description on PyPI."""
    if not address:
        return {"API": API}
    files = f"{address}/blob/{tag}"
    return {
        "Documentation": f"{files}/docs/getting-started.md",
        "Changelog": f"{files}/CHANGELOG.md",
        "Issues": f"{address}/issues",
        "Repository": address,
        "API": API,
    }


class PyPI(MetadataHookInterface):
    """The hook of hatchling, by `[tool.hatch.metadata.hooks.custom]`."""

    def update(self, metadata: dict[str, object]) -> None:
        """Write readme and urls."""
        found = repository(os.environ)
        text = Path(self.root, "README.md").read_text(encoding="utf-8")
        metadata["readme"] = {"content-type": "text/markdown", "text": absolute(text, *found)}
        metadata["urls"] = addresses(*found)
