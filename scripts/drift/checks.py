"""The two checks: generated code against the documents, and the documents against newer ones."""

from __future__ import annotations

import datetime
import io
import json
import os
import shutil
import subprocess
import tarfile
import tempfile
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from fetching.download import Downloader
from fetching.record import Arrival, find, known_etag, write
from regenerate import compare as differing

from codegen.document import Node, Refused
from codegen.reading import load
from codegen.refusals import left_out
from codegen.render import SHARED, render
from codegen.sources import Source, sources
from codegen.surface import compared, surface
from drift.change import Change
from drift.compare import compare
from drift.impact import Impact, anchors, through_overlays, words
from drift.report import DocumentReport, Finding, Report


@dataclass(frozen=True, slots=True)
class Folders:
    """The folders of the documents, the generated packages and the hand-written package."""

    documents: Path
    generated: Path
    wrapper: Path


def check_generated(folders: Folders, only: Iterable[str] = ()) -> Report:
    """Regenerate into a temporary folder, and compare the files and the documents behind them.

    Raises: Refused when sources.toml is missing or invalid.
    """
    found = _chosen(folders.documents, only)
    reports = [_settled(source, lambda one: _generated(one, folders)) for source in found]
    if not only:
        reports += _strays(folders.generated, {SHARED, *(source.package for source in found)})
    return Report("generated", tuple(reports))


def check_upstream(folders: Folders, places: Mapping[str, str], downloader: Downloader) -> Report:
    """Fetch documents into a temporary folder and compare them with the committed ones.

    Args:
        folders: the committed documents and code.
        places: address or file of each document, by name; empty for the url in sources.toml.
        downloader: fetches the documents.

    Raises: Refused when sources.toml is missing or invalid.
    """

    def check(source: Source) -> DocumentReport:
        return _upstream(source, folders, places[source.name], downloader)

    found = _chosen(folders.documents, places)
    return Report("upstream", tuple(_settled(source, check) for source in found))


def check_since(folders: Folders, revision: str) -> Report:
    """Compare the documents of a revision of this repository with the present ones.

    Raises: Refused when git does not know the revision.
    """
    with tempfile.TemporaryDirectory() as name:
        then = Folders(Path(name) / "openapi", Path(name) / "generated", folders.wrapper)
        extract(revision, folders.documents.parent, Path(name))
        before = {source.name for source in sources(then.documents)}
        now = sources(folders.documents)
        places = {one.name: str(one.path) for one in now if one.name in before}
        report = check_upstream(then, places, Downloader())
    new = [DocumentReport(one.name, notes=("is new",)) for one in now if one.name not in before]
    return replace(report, check=f"since {revision}", documents=(*report.documents, *new))


def extract(revision: str, repository: Path, target: Path) -> None:
    """Write the documents and packages of a revision into a folder.

    Raises: Refused when git does not have them.
    """
    if revision.startswith("-"):
        raise Refused(revision, "is not the name of a revision", "name a tag")
    command = ["git", "archive", "--format=tar", revision, "openapi", "generated"]
    kept = {name: os.environ[name] for name in ("PATH", "SYSTEMROOT") if name in os.environ}
    done = subprocess.run(command, cwd=repository, capture_output=True, check=False, env=kept)
    if done.returncode:
        said = done.stderr.decode(errors="replace").splitlines()
        raise Refused(
            revision, f"cannot be read ({said[0] if said else 'git failed'})", "name a tag"
        )
    with tarfile.open(fileobj=io.BytesIO(done.stdout)) as archive:
        archive.extractall(target, filter="data")


def _chosen(documents: Path, names: Iterable[str]) -> list[Source]:
    return [find(documents, name) for name in names] or sources(documents)


def _settled(source: Source, check: Callable[[Source], DocumentReport]) -> DocumentReport:
    try:
        return replace(check(source), file=source.path.name)
    except Refused as refused:
        return DocumentReport(source.name, source.path.name, problem=str(refused))


def _generated(source: Source, folders: Folders) -> DocumentReport:
    document, notes = source.overlaid()
    present = folders.generated / source.package
    with tempfile.TemporaryDirectory() as name:
        fresh = render(document, source.package, source.path.name, Path(name))
        differences = tuple(_named(line, source.package) for line in differing(fresh, present))
        change = compared(
            surface(folders.generated, source.package), surface(Path(name), source.package)
        )
    report = DocumentReport(
        source.name, differences=differences, surface=change, notes=tuple(map(str, notes))
    )
    shipped = _shipped(present)
    if shipped is None:
        return report
    pair = shipped, document
    return _with(report, source, folders.wrapper, pair, compare(*pair))


def _shipped(package: Path) -> Node | None:
    """The document that the package was made from."""
    try:
        found = json.loads((package / "openapi.json").read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None
    return found if isinstance(found, dict) else None


def _upstream(
    source: Source, folders: Folders, place: str, downloader: Downloader
) -> DocumentReport:
    place = place or source.url
    if not place:
        raise Refused(
            "sources.toml", f"has no url for {source.name}", "use --from NAME=FILE_OR_URL"
        )
    fetched = downloader.get(place, etag=known_etag(source, place), page=source.page)
    if fetched.content is None:
        return DocumentReport(source.name)
    with tempfile.TemporaryDirectory() as name:
        copy = Path(name) / "openapi"
        shutil.copytree(folders.documents, copy)
        arrival = Arrival(fetched.content, fetched.place, fetched.etag)
        write(copy, source.name, arrival, datetime.datetime.now(tz=datetime.UTC).date())
        renewed = find(copy, source.name)
        pair = source.read(), load(renewed.path)
        changes = _with_overlays(compare(*pair), source, renewed)
        report = _with(DocumentReport(source.name), source, folders.wrapper, pair, changes)
        return _rendered(report, renewed, folders, Path(name))


def _with_overlays(changes: list[Change], source: Source, renewed: Source) -> list[Change]:
    """The changes as users of the generated code see them, if the overlays can be applied."""
    try:
        ours = compare(source.repaired(), renewed.repaired())
        return through_overlays(changes, ours, anchors(source))
    except Refused:
        return changes


def _rendered(
    report: DocumentReport, renewed: Source, folders: Folders, folder: Path
) -> DocumentReport:
    """Add how a newer document changes the generated code, or why it cannot become code."""
    try:
        document, notes = renewed.overlaid()
        render(document, renewed.package, renewed.path.name, folder, tidy=False)
    except Refused as refused:
        return replace(report, problem=f"no client can be made from it: {refused}")
    change = compared(surface(folders.generated, renewed.package), surface(folder, renewed.package))
    more = (*map(str, notes), *left_out(document))
    return replace(report, surface=change, notes=(*report.notes, *more))


def _with(
    report: DocumentReport,
    source: Source,
    wrapper: Path,
    pair: tuple[Node, Node],
    changes: list[Change],
) -> DocumentReport:
    """Add the changes, each with what it affects."""
    if not changes:
        return report
    impact = Impact(*pair, anchors(source), words(wrapper))
    findings = tuple(Finding(change, impact.of(change)) for change in changes)
    return replace(report, findings=findings)


def _strays(generated: Path, packages: set[str]) -> list[DocumentReport]:
    """Entries of the folder that belong to no document."""
    entries = generated.iterdir() if generated.is_dir() else ()
    names = {entry.name for entry in entries if not entry.name.startswith((".", "__"))}
    lines = tuple(f"left over: {name}" for name in sorted(names - packages))
    return [DocumentReport("generated", differences=lines)] if lines else []


def _named(line: str, package: str) -> str:
    what, name = line.split(": ", 1)
    return f"{what}: {package}/{name}"
