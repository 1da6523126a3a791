"""Put a newer document into openapi/ and record where it came from."""

from __future__ import annotations

import argparse
import datetime
import hashlib
import sys
import tempfile
from pathlib import Path

import httpx
import tomlkit
import tomlkit.items

sys.path.insert(0, str(Path(__file__).parent))

from codegen.document import Refused
from codegen.render import render
from codegen.sources import Source, sources

_ROOT = Path(__file__).parent.parent
_LARGEST = 20_000_000


def main(arguments: list[str] | None = None) -> int:
    """
    Fetch one document, check that a client can be made from it, and record it.

    Returns: 0 when recorded, 1 when it cannot be fetched or is refused; then nothing is changed.
    """
    parser = argparse.ArgumentParser(prog="fetch_specs.py", description=__doc__)
    parser.add_argument("name", help="section of openapi/sources.toml")
    group = parser.add_mutually_exclusive_group()
    group.add_argument("--from", dest="place", metavar="FILE_OR_URL", help="default: url there")
    group.add_argument("--record", action="store_true", help="record the file as it is now")
    parser.add_argument("--documents", type=Path, default=_ROOT / "openapi", metavar="FOLDER")
    options = parser.parse_args(arguments)
    try:
        source = _find(options.documents, options.name)
        place = str(source.path) if options.record else options.place or source.url
        _replace(source, _content(place), origin=None if options.record else place)
    except Refused as refused:
        print(f"fetch_specs: {refused}", file=sys.stderr)
        return 1
    print(f"recorded {source.path.name}; next: python scripts/regenerate.py")
    return 0


def _find(folder: Path, name: str) -> Source:
    found = {source.name: source for source in sources(folder)}
    if name not in found:
        raise Refused(f"sources.toml has no section {name}", f"it has {', '.join(found)}")
    return found[name]


def _content(place: str | None) -> bytes:
    if not place:
        raise Refused("sources.toml", "has no url for this document", "give --from FILE_OR_URL")
    if not place.startswith(("http://", "https://")):
        try:
            return Path(place).read_bytes()
        except OSError as error:
            raise Refused(place, f"cannot be read ({error.strerror})", "check the path") from error
    try:
        response = httpx.get(place, follow_redirects=True, timeout=60).raise_for_status()
    except (httpx.HTTPError, httpx.InvalidURL) as error:
        reason = str(error).splitlines()[0] if str(error) else type(error).__name__
        raise Refused(place, f"cannot be fetched ({reason})", "check the address") from error
    if len(response.content) > _LARGEST:
        raise Refused(place, f"is larger than {_LARGEST} bytes", "check the address")
    return response.content


def _replace(source: Source, content: bytes, origin: str | None) -> None:
    """Write the document and its record, unless no client can be made from it."""
    table = source.path.parent / "sources.toml"
    before = {path: path.read_bytes() if path.exists() else None for path in (source.path, table)}
    try:
        source.path.write_bytes(content)
        record = table.read_text(encoding="utf-8")
        digest = hashlib.sha256(content).hexdigest()
        table.write_text(_recorded(record, source.name, digest, origin), encoding="utf-8")
        renewed = _find(source.path.parent, source.name)
        with tempfile.TemporaryDirectory() as folder:
            render(renewed.repaired(), renewed.package, renewed.path.name, Path(folder))
    except BaseException:
        for path, old in before.items():
            if old is None:
                path.unlink(missing_ok=True)
            else:
                path.write_bytes(old)
        raise


def _recorded(record: str, name: str, digest: str, origin: str | None) -> str:
    """The text of sources.toml with one section's record renewed; comments stay."""
    document = tomlkit.parse(record)
    section = document[name]
    assert isinstance(section, tomlkit.items.Table)  # noqa: S101 - read as such before
    section["sha256"] = digest
    section["date"] = datetime.datetime.now(tz=datetime.UTC).date()
    if origin is not None:
        section["origin"] = origin if "://" in origin else Path(origin).name
    return tomlkit.dumps(document)


if __name__ == "__main__":
    sys.exit(main())
