"""Put a document in place with its record in sources.toml, after trying both in a copy."""

from __future__ import annotations

import datetime
import hashlib
import os
import shutil
import tempfile
from dataclasses import dataclass
from pathlib import Path

import tomlkit
import tomlkit.items

from codegen.document import Refused
from codegen.reading import load
from codegen.render import render
from codegen.sources import Source, sources
from fetching import inventory
from fetching.download import public

_TABLE = "sources.toml"


@dataclass(frozen=True, slots=True)
class Arrival:
    """A document that will replace the one of a source."""

    content: bytes
    origin: str | None
    """Address or file name; None for an edit by hand, which keeps the recorded origin."""
    etag: str = ""


def find(folder: Path, name: str) -> Source:
    """The source of this name.

    Raises: Refused when sources.toml has no such section.
    """
    found = {source.name: source for source in sources(folder)}
    if name not in found:
        raise Refused(_TABLE, f"has no section {name}", f"it has {', '.join(found)}")
    return found[name]


def replace(source: Source, arrival: Arrival, today: datetime.date) -> list[str]:
    """Put a document in place and record it, unless no client can be made from it.

    Everything is tried in a copy of the folder; then each file is replaced in one step, so that
    nobody reads half of one.

    Returns: what to look at: overlay actions that have become idle, names that have gone.
    Raises: Refused, and nothing has changed; OSError when a file cannot be written.
    """
    folder = source.path.parent
    with tempfile.TemporaryDirectory() as name:
        copy = Path(name) / "openapi"
        shutil.copytree(folder, copy)
        write(copy, source.name, arrival, today)
        renewed = find(copy, source.name)
        document, notes = renewed.overlaid()
        render(document, renewed.package, renewed.path.name, Path(name))
        lost = _inventory(copy, source.name, renewed)
        # The record last: until it is written, regenerate.py refuses the document, and the next
        # fetch repairs that.
        for file in (source.path.name, inventory.FILE, _TABLE):
            if (copy / file).exists():
                put(folder / file, (copy / file).read_bytes())
    return [*map(str, notes), *lost]


def write(folder: Path, name: str, arrival: Arrival, today: datetime.date) -> None:
    """Write a document and its record into a folder, without trying it.

    Raises: Refused when the document is not a mapping.
    """
    source = find(folder, name)
    source.path.write_bytes(arrival.content)
    info = load(source.path).get("info")
    table = folder / _TABLE
    document = tomlkit.parse(table.read_text(encoding="utf-8"))
    section = document[name]
    assert isinstance(section, tomlkit.items.Table)  # noqa: S101 - read as such before
    section["sha256"] = hashlib.sha256(arrival.content).hexdigest()
    section["date"] = today
    section["version"] = str(info.get("version", "")) if isinstance(info, dict) else ""
    section["etag"] = arrival.etag
    if arrival.origin is not None:
        section["origin"] = arrival.origin
        section.pop("transcribed_from", None)
    table.write_text(tomlkit.dumps(document), encoding="utf-8", newline="\n")


def strike(source: Source) -> list[str]:
    """Remove from the inventory the names that the committed document no longer has.

    Returns: these names.
    Raises: Refused when there is no inventory, or the document is not the recorded one.
    """
    path = source.path.parent / inventory.FILE
    table = inventory.read(path)
    if table is None:
        raise Refused(inventory.FILE, "does not exist", "restore it")
    document = source.read()
    _, missing = inventory.renewed(table, source.name, document)
    put(path, inventory.written(inventory.struck(table, source.name, document)))
    return missing


def _inventory(folder: Path, name: str, source: Source) -> list[str]:
    """Add the names of a document to the inventory, if there is one, and report those it lacks."""
    table = inventory.read(folder / inventory.FILE)
    if table is None:
        return []
    grown, missing = inventory.renewed(table, name, source.read())
    (folder / inventory.FILE).write_bytes(inventory.written(grown))
    return inventory.warnings(missing, source.path.name)


def put(path: Path, content: bytes) -> None:
    """Replace a file in one step: at any moment, and after a crash, it is the old or the new one.

    A crash can leave one hidden file beside it, which the next call overwrites.

    Raises: OSError; the old file is then unchanged.
    """
    new = path.with_name(f".{path.name}.new")
    try:
        with new.open("wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        new.replace(path)
    finally:
        new.unlink(missing_ok=True)


def is_intact(source: Source) -> bool:
    """Whether the file is the recorded one."""
    try:
        content = source.path.read_bytes()
    except OSError:
        return False
    return hashlib.sha256(content).hexdigest() == source.sha256


def known_etag(source: Source, place: str) -> str:
    """The ETag of the committed file, if it came from this place."""
    return source.etag if source.origin == public(place) and is_intact(source) else ""
