"""When Redocly cannot be run: the check goes on in Python, says so once, and does not wait."""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from drift import compare
from drift.backends import Compared, comparer
from drift.npm import PACKAGE, Patience

from codegen.document import Node, Refused
from tests.helpers.codegen import STRING
from tests.helpers.drift_cases import base, schema

pytestmark = pytest.mark.skipif(os.name == "nt", reason="the stand-ins are shell scripts")

Stand = Callable[..., Path]
SOON = Patience(fetching=20, comparing=20)
AT_ONCE = Patience(fetching=0.2, comparing=0.2)


@pytest.fixture
def stand_in(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Stand:
    """Put an npx on the PATH, and a redocly where it says; both write down that they were run."""
    folder = tmp_path / "bin"
    folder.mkdir()
    monkeypatch.setenv("PATH", f"{folder}{os.pathsep}{os.environ['PATH']}")

    def put(npx: str = f"echo {folder}", redocly: str = "") -> Path:
        for name, shell in (("npx", npx), ("redocly", redocly)):
            if shell:
                script = f"#!/bin/sh\necho {name} >> {tmp_path / 'calls'}\n{shell}\n"
                (folder / name).write_text(script, encoding="utf-8")
                (folder / name).chmod(0o755)
        return tmp_path / "calls"

    return put


def newer() -> Node:
    """The document with one more field."""
    revision = base()
    schema(revision, "Thing")["properties"]["x"] = STRING
    return revision


def compared(backend: str = "auto", patience: Patience = SOON) -> list[Compared]:
    """Two comparisons in one run, as of two documents."""
    run = comparer(backend, network=True, patience=patience)
    return [run(base(), newer()), run(base(), newer())]


# With a slow process behind it that holds its output open.
HANG = "sleep 60 & sleep 60"
NPX = {
    "no registry": ("echo npm error code ENOTFOUND >&2; exit 1", "(npm error code ENOTFOUND)"),
    "no word": ("exit 7", "cannot be run (exit code 7)"),
    "rubbish": ("echo a lot; echo of talk", "cannot be had"),
    "no text": (r"printf '\377\376\000'", "cannot be had"),
    "nothing": ("true", "cannot be had"),
    "no package": ("echo /nowhere", "cannot be had"),
}
REDOCLY = {
    "too old a node": ("echo 'SyntaxError: ?' >&2; exit 1", "cannot be run (SyntaxError: ?)"),
    "nothing": ("true", "gave no report"),
    "a page": ("echo '<html>'", "gave no report"),
    "no text": (r"printf '\377\376\000'", "gave no report"),
    "a list": ("echo '[]'", "gave no report"),
    "another form": ("""echo '{"changes": [{"kind": 1}]}'""", "gave a report of another form"),
    "numbers": ("""echo '{"changes": [1, 2]}'""", "gave a report of another form"),
    "nobody": ("""echo '{"changes": 5}'""", "gave a report of another form"),
}


def check(found: list[Compared], why: str) -> None:
    """Both comparisons are in Python, and the first one says why."""
    assert [one.backend for one in found] == ["python", "python"]
    assert [one.changes for one in found] == [compare.compare(base(), newer())] * 2
    assert found[0].note.startswith(f"compared in Python, for redocly {PACKAGE} ")
    assert why in found[0].note
    assert "\n" not in found[0].note
    assert found[1].note == ""


@pytest.mark.parametrize("kind", NPX)
def test_python_compares_when_npm_gives_no_redocly(stand_in: Stand, kind: str) -> None:
    """One line says why, and the next document does not try again."""
    shell, why = NPX[kind]
    calls = stand_in(shell)
    check(compared(), why)
    assert calls.read_text(encoding="utf-8") == "npx\n"


@pytest.mark.parametrize("kind", REDOCLY)
def test_python_compares_when_redocly_gives_no_report(stand_in: Stand, kind: str) -> None:
    """Whatever the program prints instead, the documents are compared."""
    shell, why = REDOCLY[kind]
    calls = stand_in(redocly=shell)
    check(compared(), why)
    assert calls.read_text(encoding="utf-8") == "npx\nredocly\n"


@pytest.mark.parametrize("who", ["npx", "redocly"])
def test_program_that_hangs_is_ended_with_all_it_started(stand_in: Stand, who: str) -> None:
    """The check waits as long as it is patient, not as long as anybody holds the output open."""
    calls = stand_in(HANG) if who == "npx" else stand_in(redocly=HANG)
    patience = AT_ONCE if who == "npx" else Patience(fetching=20, comparing=0.2)
    start = time.monotonic()
    check(compared(patience=patience), "does not answer within 0.2 seconds")
    assert time.monotonic() - start < 30
    assert calls.read_text(encoding="utf-8").splitlines()[-1] == who


def test_report_of_redocly_is_taken(stand_in: Stand) -> None:
    """A program that answers is the one that compares, every document."""
    calls = stand_in(redocly="""echo '{"changes": []}'""")
    assert [(one.backend, one.note) for one in compared()] == [("redocly", "")] * 2
    assert calls.read_text(encoding="utf-8") == "npx\nredocly\nredocly\n"


@pytest.mark.parametrize(("npx", "redocly"), [("exit 1", ""), ("", "echo no")])
def test_failure_is_told_to_who_asked_for_redocly(stand_in: Stand, npx: str, redocly: str) -> None:
    """Nothing is done in its stead, and the remedy is named."""
    if npx:
        stand_in(npx)
    else:
        stand_in(redocly=redocly)
    with pytest.raises(Refused, match="use --backend python"):
        compared("redocly")


@pytest.mark.parametrize(("backend", "network"), [("auto", False), ("python", True)])
def test_nothing_is_run_that_was_not_asked_for(
    stand_in: Stand, backend: str, *, network: bool
) -> None:
    """Without leave to use the network, and with the other comparer, npx is left alone."""
    calls = stand_in("exit 1")
    found = comparer(backend, network=network)(base(), newer())
    assert (found.backend, found.note, calls.exists()) == ("python", "", False)
