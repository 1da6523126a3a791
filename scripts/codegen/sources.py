"""openapi/sources.toml: the documents, each with its record and its overlays.

`sources` gives the documents; a `Source` reads its own, checks it against the recorded sha256 and
applies its overlays.
"""

from __future__ import annotations

import hashlib
import tomllib
from dataclasses import dataclass, replace
from pathlib import Path

from codegen import overlay
from codegen.document import Node, Refused
from codegen.reading import load

_OPTIONAL = ("url", "origin", "version", "etag", "page")
_FETCH = "uv run python scripts/fetch_specs.py"


@dataclass(frozen=True, slots=True)
class Source:
    """One document of sources.toml."""

    name: str
    path: Path
    package: str
    sha256: str
    overlays: tuple[Path, ...]
    url: str = ""
    """The address of the newest document."""
    origin: str = ""
    """What the committed document is: an address, a file name, or a transcription."""
    version: str = ""
    """``info.version`` of the committed document."""
    etag: str = ""
    """The ETag of the committed document, when it came from ``url``."""
    page: str = ""
    """The documentation page with the link to the newest document."""

    def read(self) -> Node:
        """The document as committed.

        Raises: Refused when the file is not the one that sources.toml records.
        """
        try:
            found = hashlib.sha256(self.path.read_bytes()).hexdigest()
        except OSError as error:
            problem = f"cannot be read ({error.strerror})"
            raise Refused(
                f"openapi/{self.path.name}", problem, f"run {_FETCH} {self.name}"
            ) from error
        if found != self.sha256:
            raise Refused(
                f"openapi/{self.path.name}",
                f"has sha256 {found}, not the one in sources.toml",
                f"if the change is intended, run {_FETCH} {self.name} --record",
            )
        return load(self.path)

    def repaired(self) -> Node:
        """The document with its overlays applied, in the order of sources.toml."""
        return self.overlaid()[0]

    def overlaid(self) -> tuple[Node, list[overlay.Note]]:
        """The repaired document, and the actions that had nothing to repair."""
        document, notes = self.read(), list[overlay.Note]()
        for path in self.overlays:
            document, more = overlay.apply(document, load(path), f"overlays/{path.name}")
            notes += [replace(note, document=self.path.name) for note in more]
        return document, notes


def sources(folder: Path) -> list[Source]:
    """Read the sources.toml of a folder of documents.

    Raises: Refused when it is missing or invalid.
    """
    path = folder / "sources.toml"
    try:
        table = tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise Refused(path.name, f"cannot be read ({error.strerror})", "check the path") from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise Refused(path.name, f"is not TOML ({error})", "correct it") from error
    return [_source(folder, name, entry) for name, entry in table.items()]


def _source(folder: Path, name: str, entry: object) -> Source:
    if not isinstance(entry, dict):
        raise Refused("sources.toml", f"{name} is not a section", "correct it")
    overlays = entry.get("overlays")
    if not isinstance(overlays, list):
        raise Refused(f"sources.toml, [{name}]", "overlays is not a list", "correct it")
    for key in ("document", "package", "sha256"):
        if not isinstance(entry.get(key), str):
            raise Refused(f"sources.toml, [{name}]", f"{key} is not a string", "correct it")
    return Source(
        name=name,
        path=folder / entry["document"],
        package=entry["package"],
        sha256=entry["sha256"],
        overlays=tuple(folder / "overlays" / str(item) for item in overlays),
        **{key: str(entry.get(key, "")) for key in _OPTIONAL},
    )
