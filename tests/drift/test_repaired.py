"""What a change of an official document means beneath the overlays."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path

import check_drift
import pytest
import regenerate
from drift.change import Change, Direction, Kind
from drift.impact import through_overlays

from codegen.document import Node
from tests.helpers.codegen import (
    STRING,
    THINGS,
    document,
    obj,
    operation,
    ref,
    write_documents,
    write_json,
)

Check = Callable[[Node, Node], tuple[int, list[tuple[str, str]]]]
THING = "#/components/schemas/Thing"


def change(pointer: str, kind: Kind = Kind.BREAKING) -> Change:
    """A change somewhere."""
    return Change(pointer, kind, Direction.REQUEST, "something")


@pytest.mark.parametrize(
    ("pointer", "ours", "targets", "kind"),
    [
        # The overlay targets the place, and with it nothing changed there.
        (f"{THING}/required", [], [THING], Kind.NEUTRAL),
        (f"{THING}/required", [], [f"{THING}/required"], Kind.NEUTRAL),
        # With the overlay something changed there, or next to it, all the same.
        (f"{THING}/required", [f"{THING}/required"], [THING], Kind.BREAKING),
        (f"{THING}/properties/a/nullable", [f"{THING}/properties/a/type"], [THING], Kind.BREAKING),
        # No overlay is about the place.
        (f"{THING}/required", [], [], Kind.BREAKING),
        (f"{THING}/required", [], ["#/components/schemas/Other"], Kind.BREAKING),
        (f"{THING}/required", [], ["#/components/schemas", "#/info"], Kind.BREAKING),
        ("#/paths/~1a/get", [], ["#/paths"], Kind.BREAKING),
    ],
)
def test_change_is_neutral_only_where_an_overlay_made_it_already(
    pointer: str, ours: list[str], targets: list[str], kind: Kind
) -> None:
    """A breaking change is played down for this one reason."""
    found = through_overlays([change(pointer)], [change(one) for one in ours], targets)
    assert [(one.pointer, one.kind) for one in found if one.pointer == pointer] == [(pointer, kind)]


def test_repair_that_is_lost_is_a_change() -> None:
    """What only shows with the overlays is reported, once, and said to be their doing."""
    found = through_overlays([], [change(THING), change("#/info", Kind.NEUTRAL)], [THING])
    assert [(one.pointer, one.kind, one.text) for one in found] == [
        (THING, Kind.BREAKING, "something (an overlay changed this before)")
    ]
    assert through_overlays([change(THING)], [change(THING)], [THING]) == [change(THING)]


@pytest.fixture
def check(tmp_path: Path) -> Check:
    """Compare two documents under an overlay that requires the name of a thing."""

    def run(old: Node, new: Node) -> tuple[int, list[tuple[str, str]]]:
        folder = write_documents(tmp_path / "openapi", things=old)
        action = {
            "target": "$.components.schemas.Thing",
            "description": "D.",
            "update": {"required": ["name"]},
        }
        overlay = {"overlay": "1.0.0", "actions": [action]}
        write_json(folder / "overlays" / "repair.yaml", overlay)
        regenerate.regenerate(folder, tmp_path / "generated")
        write_json(tmp_path / "newer.json", new)
        options = [f"--documents={folder}", f"--generated={tmp_path / 'generated'}"]
        options += [f"--wrapper={tmp_path}", f"--json={tmp_path / 'report.json'}"]
        code = check_drift.main([*options, f"--from=things={tmp_path / 'newer.json'}"])
        report = json.loads((tmp_path / "report.json").read_text(encoding="utf-8"))
        changes = report["documents"][0]["changes"]
        shutil.rmtree(folder)
        return code, [(one["kind"], one["text"]) for one in changes]

    return run


def body(schema: Node, name: str = "Thing") -> Node:
    """A document of one operation that sends a schema."""
    paths = {THINGS: {"post": operation("Things_MakeThing", body=ref(name))}}
    return document({name: schema}, paths)


def test_document_that_repairs_itself_breaks_nothing(
    check: Check,
) -> None:
    """The official document catches up with the overlay."""
    assert check(body(obj(name=STRING)), body(obj(["name"], name=STRING))) == (
        0,
        [("neutral", "name became required (an overlay makes this change already)")],
    )


def test_document_that_escapes_its_repair_is_reported(
    check: Check,
) -> None:
    """A renamed schema is no longer repaired, which only shows beneath the overlay."""
    code, changes = check(body(obj(name=STRING)), body(obj(name=STRING), "Item"))
    assert code == 2
    assert ("neutral", "schema Thing is now called Item") in changes
    assert (
        "additive",
        "name is no longer required (an overlay changed this before)",
    ) in changes
