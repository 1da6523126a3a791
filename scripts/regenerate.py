"""Write generated/ from openapi/, or check that it matches openapi/."""

from __future__ import annotations

import argparse
import filecmp
import shutil
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))

from commands import ROOT, be_printable, reason

from codegen.document import Refused
from codegen.overlay import Note
from codegen.refusals import left_out
from codegen.render import SHARED, render, render_shared
from codegen.sources import sources
from codegen.surface import SurfaceChange, compared, lines, surface


@dataclass(frozen=True, slots=True)
class Written:
    """The packages that were written, what changed in them, and the idle overlay actions."""

    packages: list[Path]
    change: SurfaceChange
    notes: list[Note]
    left_out: list[str]
    """What documents have and generated code has not, in words."""


def main(arguments: list[str] | None = None) -> int:
    """Regenerate and say what changed, or with --check compare.

    An overlay action that had nothing to repair is reported on standard error.

    Returns: 0 when done or equal; 1 when a document is refused, and with --check when the trees
    differ or an overlay action is idle.
    """
    parser = argparse.ArgumentParser(prog="regenerate.py", description=__doc__)
    parser.add_argument(
        "--check", action="store_true", help="compare only; exit with 1 if different"
    )
    parser.add_argument("--documents", type=Path, default=ROOT / "openapi", metavar="FOLDER")
    parser.add_argument("--output", type=Path, default=ROOT / "generated", metavar="FOLDER")
    options = parser.parse_args(arguments)
    try:
        if options.check:
            return _check(options.documents, options.output)
        written = regenerate(options.documents, options.output)
    except Refused as refused:
        print(f"regenerate: {refused}", file=sys.stderr)
        return 1
    except OSError as error:
        print(f"regenerate: {reason(error)}", file=sys.stderr)
        return 1
    _report(written.notes)
    done = [f"wrote {path.name}" for path in written.packages]
    for line in [*done, *written.left_out, *lines(written.change)]:
        print(line)
    return 0


def regenerate(documents: Path, output: Path) -> Written:
    """Write a package for every document of a folder, and remove all other files.

    All documents are read and rendered before the output is touched: a refused document leaves it
    unchanged.
    """
    found = sources(documents)
    _check_output(output, {SHARED, *(source.package for source in found)})
    output.mkdir(parents=True, exist_ok=True)
    before, notes, missing = surface(output), list[Note](), list[str]()
    with tempfile.TemporaryDirectory() as name:
        staging = Path(name)
        for source in found:
            document, more = source.overlaid()
            notes += more
            missing += [f"{source.path.name}{line}" for line in left_out(document)]
            render(document, source.package, source.path.name, staging)
        render_shared(staging)
        for entry in output.iterdir():
            _remove(entry)
        shutil.move(staging / SHARED, output)
        paths = [Path(shutil.move(staging / source.package, output)) for source in found]
    return Written(paths, compared(before, surface(output)), notes, missing)


def _report(notes: list[Note]) -> None:
    for note in notes:
        print(f"regenerate: {note}", file=sys.stderr)


def _check_output(output: Path, packages: set[str]) -> None:
    """Refuse a folder without generated packages, because its files would be deleted."""
    names = {entry.name for entry in output.iterdir()} if output.is_dir() else set()
    if names and not names & packages:
        raise Refused(
            str(output), "is not empty and has no generated package", "choose another folder"
        )


def _remove(entry: Path) -> None:
    if entry.is_dir() and not entry.is_symlink():
        shutil.rmtree(entry)
    else:
        entry.unlink()


def _check(documents: Path, output: Path) -> int:
    with tempfile.TemporaryDirectory() as name:
        fresh = Path(name) / "generated"
        notes = regenerate(documents, fresh).notes
        differences = compare(fresh, output)
    for line in differences:
        print(line)
    _report(notes)
    if differences:
        plural = "s" if len(differences) > 1 else ""
        advice = "run uv run python scripts/regenerate.py"
        print(f"{len(differences)} difference{plural}; {advice}", file=sys.stderr)
    return 1 if differences or notes else 0


def compare(fresh: Path, present: Path) -> list[str]:
    """List the files that are missing, left over or different, sorted by path."""
    expected, found = _files(fresh), _files(present)
    lines = dict.fromkeys(expected - found, "missing")
    lines |= dict.fromkeys(found - expected, "left over")
    for name in expected & found:
        if not filecmp.cmp(fresh / name, present / name, shallow=False):
            lines[name] = "different"
    return [f"{lines[name]}: {name}" for name in sorted(lines)]


def _files(folder: Path) -> set[str]:
    """Relative paths of all files, without the caches of other tools."""
    paths = [path.relative_to(folder) for path in folder.rglob("*") if path.is_file()]
    return {
        path.as_posix()
        for path in paths
        if not any(part == "__pycache__" or part.startswith(".") for part in path.parts)
    }


if __name__ == "__main__":
    be_printable()
    sys.exit(main())
