"""The drift check as a command: its exit codes, its reports, and what a change touches."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import check_drift
import pytest
import regenerate
from drift.accepted import fingerprint
from drift.impact import naming, words

from codegen.document import Node
from tests.helpers.codegen import (
    SCRIPTS,
    STRING,
    THINGS,
    document,
    enum,
    obj,
    operation,
    parameter,
    ref,
    tree,
    write_documents,
    write_json,
)
from tests.helpers.web_pages import Page, Pages, serving

Run = Callable[..., int]
THING = "#/components/schemas/Thing"
GET = "#/paths/" + THINGS.replace("/", "~1") + "/get"


def thing(**more: object) -> Node:
    """A document of one operation, whose model has a field or more."""
    listing = operation("Things_ListThings", parameter("colour"), response=ref("Thing"))
    return document({"Thing": obj(thing_name=STRING, **more)}, {THINGS: {"get": listing}})


OLD = thing()
ADDITIVE = thing(size={"type": "integer"})
BREAKING = document({"Thing": obj(thing_name=STRING)})
REWORDED = thing() | {"info": {"title": "Things", "version": "1.1"}}
REFUSED = thing(odd={"not": {}})


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Documents, the packages that become of them, and a wrapper; made once."""
    folder = tmp_path_factory.mktemp("made")
    write_documents(folder / "openapi", things=OLD, others=OLD)
    regenerate.regenerate(folder / "openapi", folder / "generated")
    (folder / "wrapper").mkdir()
    (folder / "wrapper" / "client.py").write_text(
        "class Client:\n    def all(self): return self.api.things.list_things()\n", encoding="utf-8"
    )
    return folder


@pytest.fixture
def folder(made: Path, tmp_path: Path) -> Path:
    """The same, to be changed."""
    shutil.copytree(made, tmp_path, dirs_exist_ok=True)
    return tmp_path


@pytest.fixture
def run(folder: Path) -> Run:
    """Run the command on these folders."""

    def run(*options: str) -> int:
        names = ("documents", "openapi"), ("generated", "generated"), ("wrapper", "wrapper")
        given = [f"--{name}={folder / place}" for name, place in names]
        return check_drift.main([*options, *given])

    return run


@pytest.fixture
def server() -> Iterator[tuple[str, Pages]]:
    """A web server on loopback and the pages it has."""
    with serving() as running:
        yield running


def newer(folder: Path, given: Node) -> str:
    """A file with a newer document, as an option."""
    write_json(folder / "newer.json", given)
    return f"--from=things={folder / 'newer.json'}"


def replace(folder: Path, given: Node) -> None:
    """Put a document in place, recorded."""
    shutil.rmtree(folder / "openapi")
    write_documents(folder / "openapi", things=given, others=OLD)


# Generated code against the documents


def test_no_drift_is_0(run: Run, folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Packages that are what the documents give are reported as such, and nothing is written."""
    before = tree(folder)
    assert run() == 0
    assert capsys.readouterr().out == "things: no change\nothers: no change\nverdict: none\n"
    assert before == tree(folder)


@pytest.mark.parametrize(
    ("given", "code", "line"),
    [
        (ADDITIVE, 1, f"  additive  response  {THING}/properties/size"),
        (BREAKING, 2, f"  breaking  both      {GET}"),
        (REWORDED, 1, "  neutral   document  #/info"),
        (REFUSED, 3, "  things.yaml#/components/schemas/Thing/properties/odd: uses not"),
    ],
)
def test_document_ahead_of_its_package_is_rated_by_what_changed(  # noqa: PLR0913, PLR0917 - fixtures
    run: Run, folder: Path, capsys: pytest.CaptureFixture[str], given: Node, code: int, line: str
) -> None:
    """The document inside the package shows what the difference means."""
    replace(folder, given)
    assert run() == code
    said = capsys.readouterr().out
    assert line in said
    assert "others: no change" in said


@pytest.mark.parametrize("name", ["client.py", "api/things/list_things.py"])
def test_edited_package_is_breaking(
    run: Run, folder: Path, capsys: pytest.CaptureFixture[str], name: str
) -> None:
    """A difference that no document accounts for cannot be harmless."""
    path = folder / "generated" / "things_api" / name
    path.write_text(path.read_text(encoding="utf-8") + "\n# Mine.\n", encoding="utf-8")
    assert run() == 2
    assert f"  different: things_api/{name}\n" in capsys.readouterr().out


def test_missing_package_is_additive(run: Run, folder: Path) -> None:
    """Regenerating adds it, and takes nothing away."""
    shutil.rmtree(folder / "generated" / "things_api")
    assert run() == 1


def test_package_of_no_document_is_breaking(
    run: Run, folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Regenerating would remove it."""
    (folder / "generated" / "old_api").mkdir()
    assert run() == 2
    assert "  left over: old_api\n" in capsys.readouterr().out


# Documents against upstream


@pytest.mark.parametrize(
    ("given", "code"), [(OLD, 0), (REWORDED, 0), (ADDITIVE, 1), (BREAKING, 2), (REFUSED, 3)]
)
def test_newer_document_is_rated_by_the_exit_code(
    run: Run, folder: Path, given: Node, code: int
) -> None:
    """0 none, 1 additive, 2 breaking, 3 could not tell; nothing is put in place."""
    option = newer(folder, given)
    before = tree(folder)
    assert run(option) == code
    assert before == tree(folder)


def test_breaking_wins_over_could_not_tell(run: Run, folder: Path) -> None:
    """What is known to break is not hidden by a document that cannot be had."""
    assert run(newer(folder, BREAKING), "--from=others=gone.yaml") == 2
    assert run(newer(folder, ADDITIVE), "--from=others=gone.yaml") == 3


def test_renamed_schema_breaks_only_its_name(
    run: Run, folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Nothing that is sent changes, but the class of that name goes: 2, and the report says why."""
    text = json.dumps(OLD).replace("Thing", "Item").replace("ListItems", "ListThings")
    renamed = json.loads(text.replace("Items", "Things"))
    assert run(newer(folder, renamed)) == 2
    said = capsys.readouterr().out
    assert "schema Thing is now called Item" in said
    assert "    removed  things_api: Thing\n" in said
    assert "breaking  " not in said


@pytest.mark.parametrize(
    "options",
    [
        ["--from=nobody=x.yaml"],
        ["--from=things=gone.yaml"],
        ["--from=things=http://127.0.0.1:1/x.yaml"],
        ["--upstream"],
        ["--documents=gone"],
        ["--json=gone/report.json"],
    ],
)
def test_what_cannot_be_done_is_3(
    folder: Path, capsys: pytest.CaptureFixture[str], options: list[str]
) -> None:
    """A missing name, file, server, address or folder is reported in one line."""
    given = [f"--documents={folder / 'openapi'}", f"--generated={folder / 'generated'}"]
    assert check_drift.main([*given, f"--wrapper={folder / 'wrapper'}", *options]) == 3
    said = capsys.readouterr()
    assert "Traceback" not in said.out + said.err
    assert said.out + said.err


@pytest.mark.parametrize(
    "options",
    [
        ["--nonsense"],
        ["--from=things"],
        ["--from=things="],
        ["--from=things=a.yaml", "--from=things=b.yaml"],
        ["--timeout=0"],
        ["--timeout=nan"],
    ],
)
def test_wrong_usage_is_3(run: Run, options: list[str]) -> None:
    """2 would say that something breaks."""
    with pytest.raises(SystemExit) as caught:
        run(*options)
    assert caught.value.code == 3


def test_crash_is_3(folder: Path) -> None:
    """1 would say that all drift is additive."""
    program = "import check_drift, sys; sys.excepthook = check_drift._crashed; 1 / 0"
    done = subprocess.run(
        [sys.executable, "-c", program], cwd=SCRIPTS, capture_output=True, text=True, check=False
    )
    assert done.returncode == 3
    assert "ZeroDivisionError" in done.stderr
    assert folder.is_dir()


def test_command_ends_with_its_code(folder: Path) -> None:
    """The command itself, too, ends with the code and needs no network."""
    replace(folder, ADDITIVE)
    names = ("documents", "openapi"), ("generated", "generated"), ("wrapper", "wrapper")
    options = [f"--{name}={folder / place}" for name, place in names]
    done = subprocess.run(
        [sys.executable, str(SCRIPTS / "check_drift.py"), *options],
        env=os.environ | {"HTTPS_PROXY": "http://127.0.0.1:1", "PATH": ""},
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, done.stderr) == (1, "")
    assert done.stdout.endswith("verdict: additive by contract and generated code\n")


def test_terminal_without_a_character_is_no_crash(folder: Path) -> None:
    """What cannot be shown is escaped: the exit code is that of the drift."""
    option = newer(folder, thing(größe={"type": "integer"}))
    names = ("documents", "openapi"), ("generated", "generated"), ("wrapper", "wrapper")
    options = [option, *(f"--{name}={folder / place}" for name, place in names)]
    done = subprocess.run(
        [sys.executable, str(SCRIPTS / "check_drift.py"), *options],
        env=os.environ | {"PYTHONIOENCODING": "ascii"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, done.stderr) == (1, "")
    assert r"property gr\xf6\xdfe was added" in done.stdout


def test_upstream_is_the_address_of_each_document(
    run: Run, folder: Path, server: tuple[str, Pages], capsys: pytest.CaptureFixture[str]
) -> None:
    """--upstream asks every address of sources.toml; an unchanged document transfers nothing."""
    url, pages = server
    table = folder / "openapi" / "sources.toml"
    text = table.read_text(encoding="utf-8")
    for name in ("things", "others"):
        text = text.replace(
            f'package = "{name}_api"\norigin = "transcription"',
            f'package = "{name}_api"\norigin = "{url}/{name}"\nurl = "{url}/{name}"\netag = "a"',
        )
    table.write_text(text, encoding="utf-8")
    pages["/things"] = Page(json.dumps(ADDITIVE).encode(), {"ETag": "b"})
    pages["/others"] = page = Page(json.dumps(OLD).encode(), {"ETag": "a"})
    assert run("--upstream") == 1
    said = capsys.readouterr().out
    assert "things: 1 additive\n" in said
    assert "others: no change\n" in said
    assert page.statuses == [304]


def test_page_in_place_of_a_document_is_3(
    run: Run, server: tuple[str, Pages], capsys: pytest.CaptureFixture[str]
) -> None:
    """Whatever fetching refuses is not taken for a document without operations."""
    url, pages = server
    pages["/things"] = b"<html>"
    assert run(f"--from=things={url}/things") == 3
    assert "is a web page, not a document" in capsys.readouterr().out


# Reports


def test_json_has_every_change_with_what_it_touches(
    run: Run, folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Programs get pointer, kind, direction, text and the names that a change touches."""
    assert run(newer(folder, ADDITIVE), "--json") == 1
    found = json.loads(capsys.readouterr().out)
    assert (found["check"], found["verdict"], found["exit_code"]) == ("upstream", "additive", 1)
    (only,) = found["documents"]
    assert (only["name"], only["kind"]) == ("things", "additive")
    assert only["changes"] == [
        {
            "pointer": f"{THING}/properties/size",
            "kind": "additive",
            "direction": "response",
            "text": "property size was added",
            "operations": ["Things_ListThings"],
            "models": ["Thing"],
            "functions": ["wrapper.client.Client.all"],
            "overlays": [],
            "fingerprint": fingerprint(
                "things", f"{THING}/properties/size", "property size was added"
            ),
        }
    ]
    assert only["generated"]["models"]["changed"] == ["things_api: Thing"]
    assert only["generated"]["operations"] == {"added": [], "removed": [], "changed": []}


HOSTILE = "a|b\n::error::x\n```\n@everyone <img src=x> [y](z) \x1b[31m"


def hostile() -> Node:
    """A newer document with a value that would be a table, a command, a mention and a colour."""
    given = thing(**{f"size{HOSTILE}": {"type": "integer"}})
    given["components"]["schemas"]["Thing"]["properties"]["thing_name"] = enum(HOSTILE)
    given["info"] = {"title": "T", "version": "2"}
    return given


def test_markdown_is_a_table_of_what_matters(
    run: Run, folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """The report for an issue has a row for each change, and no text of a document breaks it."""
    given = hostile()
    given["paths"][THINGS]["get"]["operationId"] = "Things|ListThings"
    assert run(newer(folder, given), "--markdown") in {2, 3}
    lines = capsys.readouterr().out.splitlines()
    rows = [line for line in lines if line.startswith("| ")]
    assert {line.replace("\\|", "").count("|") for line in rows} == {7}
    assert "Things&#124;ListThings" in "".join(rows)
    assert not [line for line in rows if "#/info" in line]
    assert not [line for line in rows if "<img" in line.split("`")[-1]]
    assert len([line for line in lines if line.startswith("```")]) in {0, 2}
    assert not [line for line in lines if line.startswith(("::", "@", "\x1b"))]


def test_text_of_a_document_stays_in_its_line(
    run: Run, folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Neither a terminal nor the log of a workflow takes a value for a command."""
    assert run(newer(folder, hostile())) == 1
    said = capsys.readouterr().out
    assert "\x1b" not in said
    assert not [line for line in said.splitlines() if line.lstrip().startswith("::")]


def test_annotations_are_workflow_commands(
    run: Run, folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Each change is one line that GitHub reads, with errors for what breaks."""
    removed = document({"Thing": obj(size={"type": "integer"})}, OLD["paths"])
    assert run(newer(folder, removed), "--github") == 2
    lines = capsys.readouterr().out.splitlines()
    place = f"{THING}/properties/thing_name: property thing_name was removed"
    assert f"::error file=openapi/things.yaml,title=breaking change of things::{place}" in lines
    lost = "things_api: Thing.thing_name is gone, was str"
    assert f"::error file=openapi/things.yaml,title=programs that use it break::{lost}" in lines
    assert [line.split(" ")[0] for line in lines] == ["::error", "::warning", "::error"]


def test_reports_go_to_files_beside_the_text(
    run: Run, folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """One run writes all of them."""
    files = {name: folder / f"report.{name}" for name in ("json", "markdown", "github")}
    options = [f"--{name}={path}" for name, path in files.items()]
    assert run(newer(folder, ADDITIVE), *options) == 1
    assert capsys.readouterr().out.endswith("verdict: additive by contract and generated code\n")
    assert json.loads(files["json"].read_text(encoding="utf-8"))["exit_code"] == 1
    assert files["markdown"].read_text(encoding="utf-8").startswith("**Verdict: additive by ")
    assert files["github"].read_text(encoding="utf-8").startswith("::warning ")


# What a change touches


def test_overlays_that_a_change_touches_are_named(
    run: Run, folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """An action on the changed schema is named, one elsewhere is not; an idle one is noted."""
    actions = [
        {"target": "$.components.schemas.Thing", "description": "D.", "update": {"x-a": 1}},
        {"target": "$.info", "description": "D.", "update": {"x-b": 1}},
        {"target": "$.components.schemas", "description": "D.", "update": {"New": obj()}},
        {"target": "$.paths[*].get.parameters[1]", "description": "D.", "remove": True},
    ]
    write_json(
        folder / "openapi" / "overlays" / "repair.yaml", {"overlay": "1.0.0", "actions": actions}
    )
    regenerate.regenerate(folder / "openapi", folder / "generated")
    given = thing(size={"type": "integer"})
    del given["paths"][THINGS]["get"]["parameters"][1]
    assert run(newer(folder, given), "--json") == 1
    (only,) = json.loads(capsys.readouterr().out)["documents"]
    touched = {change["pointer"]: change["overlays"] for change in only["changes"]}
    assert touched == {
        f"{THING}/properties/size": ["overlays/repair.yaml, action 1 ($.components.schemas.Thing)"],
        f"{GET}/parameters/1": ["overlays/repair.yaml, action 4 ($.paths[*].get.parameters[1])"],
    }
    (note,) = only["notes"]
    assert note.startswith(
        "overlays/repair.yaml, action 4 ($.paths[*].get.parameters[1]) on things"
    )


def test_functions_are_found_by_the_words_they_use(tmp_path: Path) -> None:
    """A function is named for a method, a model, an operation id or a field that it mentions."""
    (tmp_path / "w").mkdir()
    (tmp_path / "w" / "__init__.py").write_text(
        "HANDLERS = {'Things_Get': 1}\n"
        "class C:\n"
        "    thing_name: int\n"
        "    async def a(self) -> 'api.models.Thing': await self.x.get_thing()\n"
        "def b(): f(thing_name=1)\n"
        "def c():\n    from api import Thing\n    def inner(thing_size): pass\n",
        encoding="utf-8",
    )
    index = words(tmp_path / "w")
    assert naming(index, ["Things_Get"]) == ("w",)
    assert naming(index, ["get_thing"]) == ("w.C.a",)
    assert naming(index, ["Thing"]) == ("w.C.a", "w.c")
    assert naming(index, ["thing_name"]) == ("w.C", "w.b")
    assert naming(index, ["thing_size"]) == ("w.c.inner",)
    assert naming(index, []) == ()


def test_enum_value_of_a_shared_schema_touches_all_that_use_it(
    run: Run, folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """A change below a component counts for every operation that reaches it."""
    shared = thing(kind=ref("Kind"))
    shared["components"]["schemas"]["Kind"] = enum("A")
    replace(folder, shared)
    grown = json.loads(json.dumps(shared).replace('["A"]', '["A", "B"]'))
    assert run(newer(folder, grown), "--json") == 1
    changes = json.loads(capsys.readouterr().out)["documents"][0]["changes"]
    assert [(one["text"], one["operations"], one["models"]) for one in changes] == [
        ("values added: B", ["Things_ListThings"], ["Kind"])
    ]
