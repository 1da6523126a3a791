"""Put a newer document into openapi/ and record where it came from."""

from __future__ import annotations

import argparse
import datetime
import hashlib
import re
import sys
from pathlib import Path

import httpx

sys.path.insert(0, str(Path(__file__).parent))

from codegen.document import Refused, load
from codegen.normalise import normalise
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
    except httpx.HTTPError as error:
        raise Refused(place, f"cannot be fetched ({error})", "check the address") from error
    if len(response.content) > _LARGEST:
        raise Refused(place, f"is larger than {_LARGEST} bytes", "check the address")
    return response.content


def _replace(source: Source, content: bytes, origin: str | None) -> None:
    """Write the document and its record, unless no client can be made from it."""
    before = source.path.read_bytes()
    table = source.path.parent / "sources.toml"
    record = table.read_text(encoding="utf-8")
    digest = hashlib.sha256(content).hexdigest()
    source.path.write_bytes(content)
    table.write_text(_recorded(record, source.name, digest, origin), encoding="utf-8")
    try:
        load(source.path)
        renewed = _find(source.path.parent, source.name)
        normalise(renewed.repaired())
    except Refused:
        source.path.write_bytes(before)
        table.write_text(record, encoding="utf-8")
        raise


def _recorded(record: str, name: str, digest: str, origin: str | None) -> str:
    """The text of sources.toml with one section's record renewed; comments stay."""
    today = datetime.datetime.now(tz=datetime.UTC).date().isoformat()
    values = {"sha256": f'"{digest}"', "date": today}
    if origin is not None:
        values["origin"] = f'"{Path(origin).name if "://" not in origin else origin}"'
    head, section, rest = re.split(rf"(?m)^(\[{name}\]\n)", record, maxsplit=1)
    body, *others = re.split(r"(?m)^(?=\[)", rest, maxsplit=1)
    for key, value in values.items():
        body = re.sub(rf"(?m)^{key} = .*$", f"{key} = {value}", body)
    return "".join([head, section, body, *others])


if __name__ == "__main__":
    sys.exit(main())
