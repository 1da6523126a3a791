"""Download newer documents into openapi/ and record where they came from."""

from __future__ import annotations

import argparse
import datetime
import sys
from pathlib import Path
from typing import TYPE_CHECKING

sys.path.insert(0, str(Path(__file__).parent))

from commands import ROOT, be_printable, place, reason, seconds
from drift import notes
from fetching.download import Downloader, Fetched, Limits
from fetching.record import Arrival, find, is_intact, known_etag, put, replace, strike

from codegen.document import Refused
from codegen.sources import Source, sources

if TYPE_CHECKING:
    from collections.abc import Callable

_USUAL = Limits()


def main(arguments: list[str] | None = None) -> int:
    """Fetch the named documents or all, check that clients can be made from them, and record them.

    Each document is handled alone: one that is refused stays as it was, the others are put in
    place. What remains to be done is reported on standard error: overlay actions that have become
    idle, and names in the inventory that the new document lacks.

    Returns: 0 when all are recorded or unchanged, 1 when one cannot be fetched or is refused.
    """
    parser = _parser()
    options = parser.parse_args(arguments)
    if options.place and len(options.names) != 1:
        parser.error("--from needs the NAME of exactly one document")
    try:
        chosen = [find(options.documents, name) for name in options.names]
        chosen = chosen or sources(options.documents)
    except Refused as refused:
        print(f"fetch_specs: {refused}", file=sys.stderr)
        return 1
    if options.notes:
        return _code_of(lambda: _read_notes(options))
    if options.strike:
        return _code_of(lambda: _strike(chosen))
    recorded = [_renew(source, options) for source in chosen]
    if "recorded" in recorded:
        print("next: uv run python scripts/regenerate.py")
    return 1 if "refused" in recorded else 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="fetch_specs.py", description=__doc__)
    parser.add_argument(
        "names", nargs="*", metavar="NAME", help="sections of sources.toml (default: all)"
    )
    group = parser.add_mutually_exclusive_group()
    group.add_argument(
        "--from",
        dest="place",
        type=place,
        metavar="FILE_OR_URL",
        help="fetch from here instead of the url in sources.toml",
    )
    group.add_argument(
        "--notes",
        action="store_true",
        help="record the newest day of the release notes as dealt with",
    )
    group.add_argument(
        "--strike",
        action="store_true",
        help="remove from the inventory the names that the present file no longer has",
    )
    group.add_argument(
        "--record", action="store_true", help="record the present file after an edit by hand"
    )
    parser.add_argument("--timeout", type=seconds, default=_USUAL.seconds, metavar="SECONDS")
    parser.add_argument("--documents", type=Path, default=ROOT / "openapi", metavar="FOLDER")
    return parser


def _code_of(work: Callable[[], None]) -> int:
    """The exit code of *work*, whose failures are reported."""
    try:
        work()
    except Refused as refused:
        print(f"fetch_specs: {refused}", file=sys.stderr)
        return 1
    except OSError as error:
        print(f"fetch_specs: {reason(error)}", file=sys.stderr)
        return 1
    return 0


def _read_notes(options: argparse.Namespace) -> None:
    record, _ = notes.fetched(options.documents, "", _downloader(options))
    put(options.documents / notes.FILE, notes.written(record))
    print(f"recorded {notes.FILE}: {record.newest}")


def _downloader(options: argparse.Namespace) -> Downloader:
    return Downloader(Limits(seconds=options.timeout, idle=min(options.timeout, _USUAL.idle)))


def _strike(chosen: list[Source]) -> None:
    for source in chosen:
        for name in strike(source):
            print(f"struck {source.path.name}: {name}")


def _renew(source: Source, options: argparse.Namespace) -> str:
    """Fetch and record one document: recorded, unchanged or refused."""
    came = ""
    try:
        fetched = _fetch(source, options)
        if not options.record:
            came = f" (from {fetched.place}; {source.path.name} is unchanged)"
        if fetched.content is None or (not options.record and _is_known(source, fetched.content)):
            print(f"unchanged {source.path.name}")
            return "unchanged"
        origin = None if options.record else _origin(fetched.place)
        arrival = Arrival(fetched.content, origin, fetched.etag)
        notes = replace(source, arrival, datetime.datetime.now(tz=datetime.UTC).date())
    except Refused as refused:
        print(f"fetch_specs: {refused}{came}", file=sys.stderr)
        return "refused"
    except OSError as error:
        print(f"fetch_specs: {reason(error)}", file=sys.stderr)
        return "refused"
    for note in notes:
        print(f"fetch_specs: {note}", file=sys.stderr)
    print(f"recorded {source.path.name}")
    return "recorded"


def _fetch(source: Source, options: argparse.Namespace) -> Fetched:
    place = str(source.path) if options.record else options.place or source.url
    if not place:
        problem = f"has no url for {source.name}"
        raise Refused("sources.toml", problem, "use --from FILE_OR_URL")
    return _downloader(options).get(place, etag=known_etag(source, place), page=source.page)


def _is_known(source: Source, content: bytes) -> bool:
    return is_intact(source) and source.path.read_bytes() == content


def _origin(place: str) -> str:
    return place if "://" in place else Path(place).name


if __name__ == "__main__":
    be_printable()
    sys.exit(main())
