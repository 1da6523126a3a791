"""Putting a document in place together with its record, after trying both out elsewhere."""

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
from codegen.render import render
from codegen.sources import Source, load, sources
from fetching import names


def put(path: Path, content: bytes) -> None:
    """Write a file that is the old one or the new one at any moment, also after a crash.

    What a crash leaves behind is one hidden file beside it, which the next call writes over.

    Raises: OSError; then the old file is there.
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


_TABLE = "sources.toml"


@dataclass(frozen=True, slots=True)
class Arrival:
    """A document that is to replace the one of a source."""

    content: bytes
    origin: str | None
    """Address or file name; None for an edit by hand, which leaves the origin as it is."""
    etag: str = ""


def find(folder: Path, name: str) -> Source:
    """The source of a name.

    Raises: Refused when sources.toml has none.
    """
    found = {source.name: source for source in sources(folder)}
    if name not in found:
        raise Refused(_TABLE, f"has no section {name}", f"it has {', '.join(found)}")
    return found[name]


def replace(source: Source, arrival: Arrival, today: datetime.date) -> list[str]:
    """Put a document in place and record it, unless no client can be made from it.

    Everything is tried in a copy of the folder; the files themselves are replaced in one step
    each, so that nobody ever reads half of one.

    Returns: what to look at: overlay actions that the document leaves idle, names that it lacks.
    Raises: Refused; then nothing is changed. OSError when a file cannot be written.
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
        # The record last: until then regenerate.py refuses the document, and it is fetched again.
        for file in (source.path.name, names.FILE, _TABLE):
            if (copy / file).exists():
                put(folder / file, (copy / file).read_bytes())
    return [*map(str, notes), *lost]


def write(folder: Path, name: str, arrival: Arrival, today: datetime.date) -> None:
    """Write a document and its record into a folder, without trying it.

    Raises: Refused when it is not even a mapping.
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


def _inventory(folder: Path, name: str, source: Source) -> list[str]:
    """Add the names of a document to the inventory, if there is one, and tell those it lacks."""
    table = names.read(folder / names.FILE)
    if table is None:
        return []
    grown, missing = names.renewed(table, name, source.read())
    (folder / names.FILE).write_bytes(names.written(grown))
    return names.told(missing, source.path.name)


def is_intact(source: Source) -> bool:
    """Tell whether the file is the recorded one."""
    try:
        content = source.path.read_bytes()
    except OSError:
        return False
    return hashlib.sha256(content).hexdigest() == source.sha256


def known_etag(source: Source, place: str) -> str:
    """The ETag of the file at hand, if it is what came from that place."""
    return source.etag if source.origin == place and is_intact(source) else ""
