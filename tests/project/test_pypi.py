"""What PyPI shows of the project."""

from __future__ import annotations

import re
from pathlib import Path

import pypi_metadata

ROOT = Path(__file__).parents[2]
README = (ROOT / "README.md").read_text(encoding="utf-8")
LINK = re.compile(r"\]\(([^)]+)\)")
GITHUB = {"GITHUB_SERVER_URL": "https://git.example", "GITHUB_REPOSITORY": "owner/name"}


def test_links_of_a_release_are_absolute() -> None:
    """Every link of the README has a scheme, and those to files name the tag."""
    found = pypi_metadata.repository({**GITHUB, "GITHUB_REF_NAME": "v1.2.3"})
    links = LINK.findall(pypi_metadata.absolute(README, *found))
    assert [] == [link for link in links if not link.startswith("https://")]
    assert "https://git.example/owner/name/blob/v1.2.3/docs/bulk.md" in links
    assert "https://git.example/owner/name/raw/v1.2.3/docs/images/demo.svg" in links
    assert found[0] == pypi_metadata.addresses(*found)["Repository"]


def test_no_address_is_invented() -> None:
    """Outside of GitHub the README stays as it is, and only the API's address is known."""
    found = pypi_metadata.repository({})
    assert README == pypi_metadata.absolute(README, *found)
    assert {"API": pypi_metadata.API} == pypi_metadata.addresses(*found)
