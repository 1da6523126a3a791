"""Check that generated code matches the documents, or whether the documents changed upstream."""

from __future__ import annotations

import argparse
import datetime
import os
import sys
from dataclasses import replace
from pathlib import Path
from types import TracebackType
from typing import Never

from commands import ROOT, be_printable, reason, seconds
from drift import accepted, formats
from drift.checks import Folders, check_generated, check_since, check_upstream
from drift.notes import check as check_notes
from drift.report import COULD_NOT_TELL, Report
from fetching.download import Downloader, Limits

from codegen.document import Refused
from codegen.sources import sources

_EXITS = "exit codes: 0 no drift, 1 additive, 2 breaking, 3 could not tell or wrong usage"


class _Parser(argparse.ArgumentParser):
    """Ends with 3 on wrong usage, because 2 means a breaking change."""

    def error(self, message: str) -> Never:
        self.print_usage(sys.stderr)
        self.exit(COULD_NOT_TELL, f"{self.prog}: {message}\n")


def main(arguments: list[str] | None = None) -> int:
    """Compare generated code with the documents, or the documents with newer ones.

    The first needs no network. The second, with --upstream or --from, reads the addresses in
    sources.toml or the given places; --since reads an earlier revision of this repository.

    Returns: 0 without drift, 1 when all of it is additive, 2 when something breaks, 3 when a
    document could not be compared.
    """
    parser = _parser()
    options = parser.parse_args(arguments)
    try:
        report = _report(options, parser)
        today = datetime.datetime.now(tz=datetime.UTC).date()
        report = accepted.settle(report, accepted.read(options.documents), today)
        if options.known:
            earlier = accepted.known(options.known.read_text(encoding="utf-8"))
            found = accepted.fingerprints(report)
            new = tuple(line for mark, line in found.items() if mark not in earlier)
            report = replace(report, new=new)
        _write(report, options)
    except Refused as refused:
        print(f"check_drift: {refused}", file=sys.stderr)
        return COULD_NOT_TELL
    except OSError as error:
        print(f"check_drift: {reason(error)}", file=sys.stderr)
        return COULD_NOT_TELL
    return report.exit_code


def _parser() -> _Parser:
    parser = _Parser(prog="check_drift.py", description=__doc__, epilog=_EXITS)
    add = parser.add_argument
    text = "compare with the documents at the addresses in sources.toml"
    add("--upstream", action="store_true", help=text)
    add(
        "--from",
        dest="places",
        action="append",
        default=[],
        metavar="NAME=FILE_OR_URL",
        help="compare the document NAME with this one; repeatable",
    )
    add("--since", metavar="REVISION", help="compare the documents of a tag with the present ones")
    text = "also report what the release notes have new; at PLACE, or as openapi/notes.toml says"
    add("--notes", nargs="?", const="", metavar="PLACE", help=text)
    text = "say what is new since the report in FILE, which may have any form"
    add("--known", type=Path, metavar="FILE", help=text)
    _add_forms(parser)
    add("--timeout", type=seconds, default=Limits().seconds, metavar="SECONDS")
    add("--documents", type=Path, default=ROOT / "openapi", metavar="FOLDER")
    add("--generated", type=Path, default=ROOT / "generated", metavar="FOLDER")
    add("--wrapper", type=Path, default=ROOT / "sinch_wrapper", metavar="FOLDER")
    return parser


def _add_forms(parser: _Parser) -> None:
    for name, what in (
        ("json", "JSON"),
        ("markdown", "Markdown"),
        ("github", "annotations"),
        ("changelog", "a section for the changelog"),
    ):
        text = f"write {what} to FILE (default: standard output)"
        parser.add_argument(f"--{name}", nargs="?", const="-", metavar="FILE", help=text)


def _report(options: argparse.Namespace, parser: _Parser) -> Report:
    folders = Folders(options.documents, options.generated, options.wrapper)
    pairs = [one.partition("=") for one in options.places]
    given = {name: place for name, _, place in pairs if name and place}
    if len(given) != len(options.places):
        parser.error("--from needs NAME=FILE_OR_URL, at most once per document")
    if options.since and (options.upstream or given):
        parser.error("--since compares what is here; leave out --upstream and --from")
    limits = Limits(seconds=options.timeout, idle=min(options.timeout, Limits().idle))
    downloader = Downloader(limits)
    if options.since:
        report = check_since(folders, options.since)
    elif options.upstream or given:
        names = [one.name for one in sources(folders.documents)] if options.upstream else []
        places = dict.fromkeys(names, "") | given
        report = check_upstream(folders, places, downloader)
    elif options.notes is None:
        report = check_generated(folders)
    else:
        report = Report("release notes", ())
    if options.notes is not None:
        notes = check_notes(folders.documents, options.notes, downloader)
        report = replace(report, documents=(*report.documents, notes))
    return report


def _write(report: Report, options: argparse.Namespace) -> None:
    """Write the requested forms; text when none of them goes to standard output."""
    wanted = (
        (options.json, formats.as_json),
        (options.markdown, formats.markdown),
        (options.github, formats.github),
        (options.changelog, formats.changelog),
    )
    for target, shown in wanted:
        if target == "-":
            print(shown(report), end="")
        elif target:
            Path(target).write_text(shown(report), encoding="utf-8")
    if all(target != "-" for target, _ in wanted):
        print(formats.text(report), end="")


def _crashed(
    kind: type[BaseException], error: BaseException, traceback: TracebackType | None
) -> None:
    # Python would end with 1, which here means additive drift.
    sys.__excepthook__(kind, error, traceback)
    sys.stderr.flush()
    os._exit(COULD_NOT_TELL)


if __name__ == "__main__":
    be_printable()
    sys.excepthook = _crashed
    sys.exit(main())
