"""Writing generated/ and checking that it is what the documents give."""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
import regenerate

from codegen.document import Node
from tests.helpers.codegen import (
    DOCUMENTS,
    GENERATED,
    MARKER,
    PACKAGES,
    SCRIPTS,
    STRING,
    THINGS,
    document,
    obj,
    operation,
    ref,
    tree,
    with_operation,
    write_documents,
    write_json,
)

LEFT = with_operation(operation(response=ref("Left")), Left=obj(name=STRING))
RIGHT = with_operation(operation(response=ref("Right")), Right=obj(name=STRING))

POINTER = "#/paths/" + THINGS.replace("/", "~1") + "/get"

Run = Callable[..., int]


@pytest.fixture
def documents(tmp_path: Path) -> Path:
    """A folder of two small documents."""
    return write_documents(tmp_path / "openapi", left=LEFT, right=RIGHT)


@pytest.fixture
def output(tmp_path: Path) -> Path:
    """The folder that packages are written to."""
    return tmp_path / "generated"


@pytest.fixture
def run(documents: Path, output: Path) -> Run:
    """Run the script on these folders."""

    def run(*options: str) -> int:
        return regenerate.main([*options, "--documents", str(documents), "--output", str(output)])

    return run


@pytest.fixture(scope="module")
def rendered(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The packages of the two documents, written once."""
    folder = tmp_path_factory.mktemp("rendered")
    write_documents(folder / "openapi", left=LEFT, right=RIGHT)
    regenerate.regenerate(folder / "openapi", folder / "generated")
    return folder / "generated"


@pytest.fixture
def written(output: Path, rendered: Path) -> Path:
    """The folder as it is after packages were written to it."""
    shutil.copytree(rendered, output)
    return output


def test_committed_packages_are_what_the_documents_give(capsys: pytest.CaptureFixture[str]) -> None:
    """The check passes on the repository as it is."""
    assert (regenerate.main(["--check"]), capsys.readouterr().out) == (0, "")


def test_packages_are_written_and_named(
    run: Run, output: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Each document becomes a package, and the script says which."""
    assert run() == 0
    assert capsys.readouterr().out == (
        "wrote left_api\n"
        "wrote right_api\n"
        "operations: 2 added, 0 removed, 0 changed\n"
        "  added    left_api: things.get_thing\n"
        "  added    right_api: things.get_thing\n"
        "models: 2 added, 0 removed, 0 changed\n"
        "  added    left_api: Left\n"
        "  added    right_api: Right\n"
    )
    assert {"sinch_api_types", "left_api", "right_api"} == {path.name for path in output.iterdir()}
    assert run("--check") == 0


def test_package_has_marker_typing_and_document(written: Path) -> None:
    """Every module says that it is generated; types and the repaired document travel along."""
    files = tree(written)
    modules = [name for name in files if name.endswith(".py")]
    assert [name for name in modules if not files[name].startswith(MARKER.encode())] == []
    rest = {
        "left_api/openapi.json",
        "left_api/py.typed",
        "right_api/openapi.json",
        "right_api/py.typed",
        "sinch_api_types/py.typed",
    }
    assert rest == files.keys() - modules
    assert b'"x-repaired":true' in files["left_api/openapi.json"]


def test_committed_packages_have_nothing_but_generated_files() -> None:
    """No file in generated/ was written by hand."""
    names = {name: text for name, text in tree(GENERATED).items() if not name.startswith(".")}
    modules = {name for name in names if name.endswith(".py")}
    assert [name for name in modules if not names[name].startswith(MARKER.encode())] == []
    folders = PACKAGES.values()
    expected = {f"{p}/{n}" for p in folders for n in ("openapi.json", "py.typed")}
    assert expected | {"sinch_api_types/py.typed"} == names.keys() - modules


# Differences


def test_check_names_a_file_that_was_edited(
    run: Run, written: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """A hand edit is found and left as it is."""
    path = written / "left_api" / "client.py"
    path.write_text(path.read_text(encoding="utf-8") + "\n# Mine.\n", encoding="utf-8")
    assert run("--check") == 1
    assert capsys.readouterr().out == "different: left_api/client.py\n"
    assert path.read_text(encoding="utf-8").endswith("# Mine.\n")


def test_check_names_a_file_that_is_missing(
    run: Run, written: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """A deleted module is found."""
    (written / "right_api" / "py.typed").unlink()
    assert run("--check") == 1
    assert capsys.readouterr().out == "missing: right_api/py.typed\n"


@pytest.mark.parametrize("name", ["left_api/models/stray.py", "stray.py", "old_api/__init__.py"])
def test_check_names_a_file_that_is_left_over(
    run: Run, written: Path, capsys: pytest.CaptureFixture[str], name: str
) -> None:
    """A file that no document gives is found anywhere, and following the advice removes it."""
    (written / name).parent.mkdir(exist_ok=True)
    (written / name).write_text("", encoding="utf-8")
    assert run("--check") == 1
    said = capsys.readouterr()
    assert f"left over: {name}\n" == said.out
    assert said.err == "1 difference; run uv run python scripts/regenerate.py\n"
    assert (run(), run("--check")) == (0, 0)


@pytest.mark.parametrize("name", ["left_api/__pycache__/client.pyc", ".mypy_cache/x.db"])
def test_check_looks_past_caches(run: Run, written: Path, name: str) -> None:
    """Caches of Python and other tools are not differences."""
    (written / name).parent.mkdir()
    (written / name).write_bytes(b"")
    assert run("--check") == 0


def test_check_of_an_empty_folder_names_everything(
    run: Run, output: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Without any package every file is missing, and the check writes none."""
    assert run("--check") == 1
    assert "missing: left_api/__init__.py" in capsys.readouterr().out
    assert not output.exists()


def test_regenerating_removes_what_was_there_before(run: Run, written: Path) -> None:
    """A module that the documents no longer give goes away."""
    stale = written / "left_api" / "models" / "stale.py"
    stale.write_text("", encoding="utf-8")
    assert run() == 0
    assert not stale.exists()


# Refusals


def replace(documents: Path, **changed: Node) -> None:
    """Write documents anew, with their record."""
    shutil.rmtree(documents)
    write_documents(documents, **({"left": LEFT, "right": RIGHT} | changed))


def edit_document(documents: Path) -> str:
    """Change a document behind the back of its record."""
    path = documents / "right.yaml"
    path.write_text(path.read_text(encoding="utf-8") + "\n", encoding="utf-8")
    return "openapi/right.yaml: has sha256 "


def remove_document(documents: Path) -> str:
    """Remove a document."""
    (documents / "right.yaml").unlink()
    return "openapi/right.yaml: cannot be read (No such file or directory)"


def break_yaml(documents: Path) -> str:
    """Put invalid YAML in place, recorded correctly."""
    return record_text(documents, "a: [\n", "right.yaml, line 2: is not valid YAML")


def repeat_key(documents: Path) -> str:
    """Put a document in place in which a key occurs twice."""
    return record_text(documents, "a: 1\nb: 2\na: 3\n", "the key 'a' occurs twice in one mapping")


def write_list(documents: Path) -> str:
    """Put YAML in place that is not a mapping."""
    return record_text(documents, "- a\n", "right.yaml: is not a mapping")


def write_date_key(documents: Path) -> str:
    """Put YAML in place with a key that JSON does not have, which is read as text."""
    return record_text(documents, "x-dates: {2030-05-17: a}\n", "right")


def write_latin1(documents: Path) -> str:
    """Put a file in place that is not UTF-8."""
    return record_text(documents, b"title: \xe9\n", "right.yaml")


def write_another_format(documents: Path) -> str:
    """Put a mapping in place that is not an OpenAPI document."""
    return record_text(documents, "hello: world\n", "right")


def record_text(documents: Path, text: str | bytes, expected: str) -> str:
    """Write any text as a document, recorded, and return what is expected to be said."""
    replace(documents)
    old = write_json(documents / "right.yaml", RIGHT)
    action = {"target": "$", "description": "A reason.", "update": {"x-repaired": True}}
    write_json(documents / "overlays" / "repair.yaml", {"overlay": "1.0.0", "actions": [action]})
    content = text.encode() if isinstance(text, str) else text
    (documents / "right.yaml").write_bytes(content)
    table = documents / "sources.toml"
    record = table.read_text(encoding="utf-8").replace(old, hashlib.sha256(content).hexdigest())
    table.write_text(record, encoding="utf-8")
    return expected


def remove_overlay(documents: Path) -> str:
    """Remove an overlay that sources.toml names."""
    (documents / "overlays" / "repair.yaml").unlink()
    return "repair.yaml: cannot be read (No such file or directory)"


def misspell_target(documents: Path) -> str:
    """Let the target of an overlay not be a JSONPath."""
    actions = [{"target": "$.[", "description": "D.", "remove": True}]
    write_json(documents / "overlays" / "repair.yaml", {"overlay": "1.0.0", "actions": actions})
    return "overlays/repair.yaml, action 1 ($.[): has no valid JSONPath target"


def remove_sources(documents: Path) -> str:
    """Remove the list of documents."""
    (documents / "sources.toml").unlink()
    return "sources.toml: cannot be read"


def break_sources(documents: Path) -> str:
    """Leave out a key of the list of documents."""
    table = documents / "sources.toml"
    table.write_text(table.read_text(encoding="utf-8").replace("package =", "pack ="))
    return "sources.toml, [left]: package is not a string; correct it"


def write_no_toml(documents: Path) -> str:
    """Let the list of documents not be TOML."""
    (documents / "sources.toml").write_text("[left\n", encoding="utf-8")
    return "sources.toml: is not TOML ("


def write_no_section(documents: Path) -> str:
    """Let a document be a string instead of a section."""
    (documents / "sources.toml").write_text('left = "left.yaml"\n', encoding="utf-8")
    return "sources.toml: left is not a section; correct it"


def write_overlays_as_text(documents: Path) -> str:
    """Let the overlays be a string instead of a list."""
    table = documents / "sources.toml"
    text = table.read_text(encoding="utf-8").split("overlays = ")[0]
    table.write_text(f'{text}overlays = "repair.yaml"\n', encoding="utf-8")
    return "sources.toml, [left]: overlays is not a list; correct it"


def use_unsupported_schema(documents: Path) -> str:
    """Let the second document have a schema that no class expresses."""
    replace(documents, right=document({"Thing": {"not": {}}}))
    return "regenerate: right.yaml#/components/schemas/Thing: uses not"


def respond_freely(documents: Path) -> str:
    """Let an operation respond with an object without fields, which only rendering finds."""
    replace(documents, right=with_operation(operation(response={"type": "object"})))
    return f"right.yaml{POINTER}: responds with neither an object nor a list of objects"


def lose_parameter(documents: Path) -> str:
    """Let a path have a parameter that nothing declares."""
    replace(documents, right=document(paths={THINGS + "/{x}": {"get": operation()}}))
    return f"right.yaml#/paths/{THINGS.replace('/', '~1')}~1{{x}}/get: has the parameter x"


def leave_out_schema(documents: Path) -> str:
    """Let a media type have no schema, which OpenAPI allows."""
    responses = {"200": {"description": "Done.", "content": {"application/json": {}}}}
    replace(documents, right=with_operation(operation(responses=responses)))
    return f"right.yaml{POINTER}/responses/200: is not JSON with a schema"


def write_unquoted_version(documents: Path) -> str:
    """Let YAML read the version as a number."""
    replace(documents, right=RIGHT | {"info": {"title": "T", "version": 1.0}})
    return "right.yaml#/info/version: is not a string but a number"


FAULTS = [
    edit_document,
    remove_document,
    break_yaml,
    repeat_key,
    write_list,
    write_date_key,
    write_latin1,
    write_another_format,
    remove_overlay,
    misspell_target,
    remove_sources,
    break_sources,
    write_no_toml,
    write_no_section,
    write_overlays_as_text,
    use_unsupported_schema,
    respond_freely,
    lose_parameter,
    leave_out_schema,
    write_unquoted_version,
]


@pytest.mark.parametrize("option", [[], ["--check"]])
@pytest.mark.parametrize("fault", FAULTS)
def test_fault_is_said_in_one_line_and_changes_nothing(  # noqa: PLR0913, PLR0917 - fixtures
    run: Run,
    documents: Path,
    written: Path,
    capsys: pytest.CaptureFixture[str],
    fault: Callable[[Path], str],
    option: list[str],
) -> None:
    """A fault ends with exit code 1 and one line, and leaves the packages as they were."""
    expected = fault(documents)
    before = tree(written)
    assert run(*option) == 1
    said = capsys.readouterr()
    assert (said.out, said.err.count("\n")) == ("", 1)
    assert said.err.startswith("regenerate: ")
    assert expected in said.err
    assert before == tree(written)
    assert {"openapi", "generated"} == {path.name for path in written.parent.iterdir()}


def command(
    documents: Path, output: Path, env: dict[str, str] | None = None
) -> subprocess.CompletedProcess[str]:
    """Run the command itself."""
    folders = [f"--documents={documents}", f"--output={output}"]
    arguments = [sys.executable, str(SCRIPTS / "regenerate.py"), *folders]
    return subprocess.run(arguments, env=env, capture_output=True, text=True, check=False)


def test_fault_ends_the_command_without_a_traceback(documents: Path, output: Path) -> None:
    """The command itself, too, ends with code 1 and one line."""
    expected = misspell_target(documents)
    done = command(documents, output)
    assert (done.returncode, done.stdout) == (1, "")
    assert f"regenerate: {expected}; correct the target\n" == done.stderr


def with_ruff(folder: Path, module: str) -> dict[str, str]:
    """The environment of a Python that finds this module as ruff."""
    (folder / "ruff.py").write_text(module, encoding="utf-8")
    return os.environ | {"PYTHONPATH": str(folder)}


@pytest.mark.skipif(os.name == "nt", reason="the stand-in for ruff is a script")
@pytest.mark.parametrize(
    ("program", "said"),
    [
        (
            "import sys\nsys.exit('error: Failed to parse a.py:1:2')",
            "error: Failed to parse a.py:1:2",
        ),
        ("raise SystemExit(2)", "exit code 2"),
    ],
)
def test_code_that_ruff_rejects_is_said_in_one_line(
    documents: Path, written: Path, tmp_path: Path, program: str, said: str
) -> None:
    """Generated code that is not valid Python ends like any other refusal."""
    script = tmp_path / "program"
    script.write_text(f"#!{sys.executable} -S\n{program}\n", encoding="utf-8")
    script.chmod(0o755)
    before = tree(written)
    env = with_ruff(tmp_path, f"def find_ruff_bin(): return {str(script)!r}")
    done = command(documents, written, env)
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr == (
        f"regenerate: left.yaml: ruff rejects the generated code ({said}); "
        "repair it in an overlay\n"
    )
    assert before == tree(written)


@pytest.mark.parametrize("module", ["", "def find_ruff_bin(): raise FileNotFoundError"])
def test_missing_ruff_is_said_in_one_line(
    documents: Path, output: Path, tmp_path: Path, module: str
) -> None:
    """Without ruff, or without its program, the message says how to get it."""
    done = command(documents, output, with_ruff(tmp_path, module))
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr == (
        "regenerate: left.yaml: cannot be turned into code without ruff; run uv sync\n"
    )


def test_output_that_cannot_be_written_is_said_in_one_line(
    documents: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """An error of the operating system is one line, not a traceback."""
    (tmp_path / "file").write_text("", encoding="utf-8")
    output = tmp_path / "file" / "generated"
    assert regenerate.main(["--documents", str(documents), "--output", str(output)]) == 1
    said = capsys.readouterr().err
    assert said.startswith(f"regenerate: {output}: ")
    assert said.endswith("; check the path, its permissions and the space left\n")


# Idle repairs


def idle(documents: Path, target: str = "$.paths.gone") -> str:
    """Let an overlay repair what is not there, and return what is to be said for one document."""
    actions = [{"target": target, "description": "D.", "remove": True}]
    write_json(documents / "overlays" / "repair.yaml", {"overlay": "1.0.0", "actions": actions})
    return f"regenerate: overlays/repair.yaml, action 1 ({target}) on {{}}.yaml: matches nothing"


def test_repair_without_target_is_reported_and_holds_up_nothing(
    run: Run, documents: Path, output: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """A document without the fault goes through; the idle action is named for each document."""
    expected = idle(documents)
    assert run() == 0
    lines = capsys.readouterr().err.splitlines()
    assert [expected.format("left"), expected.format("right")] == [
        line[: len(expected.format(name))]
        for line, name in zip(lines, ("left", "right"), strict=True)
    ]
    assert {"sinch_api_types", "left_api", "right_api"} == {path.name for path in output.iterdir()}


def test_check_fails_on_a_repair_without_target(
    run: Run, documents: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """The committed overlays must fit the committed documents."""
    expected = idle(documents)
    assert run() == 0
    capsys.readouterr()
    assert run("--check") == 1
    said = capsys.readouterr()
    assert said.out == ""
    assert expected.format("left") in said.err


# The summary


def test_summary_names_what_was_added_removed_and_changed(
    run: Run, documents: Path, written: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Operations and models are listed apart, and those of other packages are left out."""
    renewed = document(
        {"Left": obj(name=STRING, size={"type": "integer"}), "New": obj(name=STRING)},
        {
            THINGS: {
                "get": operation(response=ref("Left"), summary="Get one."),
                "put": operation("Things_PutThing", body=ref("New")),
            }
        },
    )
    replace(documents, left=renewed, right=document({"Other": obj(name=STRING)}))
    assert run() == 0
    assert capsys.readouterr().out.splitlines() == [
        "wrote left_api",
        "wrote right_api",
        "operations: 1 added, 1 removed, 1 changed",
        "  added    left_api: things.put_thing",
        "  removed  right_api: things.get_thing",
        "  changed  left_api: things.get_thing",
        "models: 2 added, 1 removed, 1 changed",
        "  added    left_api: New",
        "  added    right_api: Other",
        "  removed  right_api: Right",
        "  changed  left_api: Left",
        "breaks programs that use:",
        "  right_api: Right is gone",
        "  right_api: things.get_thing is gone",
    ]
    assert written.is_dir()


def test_summary_of_nothing_is_one_line(
    run: Run, written: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Regenerating what is there already says so."""
    assert run() == 0
    assert capsys.readouterr().out.endswith("no operations or models changed\n")
    assert written.is_dir()


def test_long_summary_is_cut(run: Run, documents: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A new package does not fill the screen with its names."""
    replace(documents, left=document({f"Thing{n}": obj(name=STRING) for n in range(30)}))
    assert run() == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[-1] == "  added    and 11 more"
    assert len(lines) == 2 + 2 + 1 + 21


# Determinism


@pytest.mark.slow
def test_output_does_not_depend_on_the_hash_seed(tmp_path: Path) -> None:
    """Two processes with different hash seeds write the same packages, byte by byte."""
    outputs = [tmp_path / "one", tmp_path / "two"]
    runs = [
        subprocess.Popen(
            [
                sys.executable,
                SCRIPTS / "regenerate.py",
                "--documents",
                DOCUMENTS,
                "--output",
                folder,
            ],
            env=os.environ | {"PYTHONHASHSEED": seed},
            stdout=subprocess.DEVNULL,
        )
        for folder, seed in zip(outputs, ("1", "271828"), strict=True)
    ]
    assert [process.wait() for process in runs] == [0, 0]
    one, two = (tree(folder) for folder in outputs)
    assert one.keys() == two.keys()
    assert [name for name in one if one[name] != two[name]] == []


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("pyproject.toml", '[tool.ruff]\nline-length = 40\nexclude = ["*.py"]\n'),
        ("ruff.toml", 'line-length = 40\nexclude = ["*.py"]\n'),
        (".gitignore", "models/\n"),
        (".ignore", "models/\n"),
    ],
)
def test_output_does_not_depend_on_files_nearby(
    run: Run, written: Path, tmp_path: Path, name: str, text: str
) -> None:
    """Neither settings nor ignore lists around the output change what is written."""
    before = tree(written)
    (tmp_path / ".git").mkdir()
    (tmp_path / name).write_text(text, encoding="utf-8")
    assert run() == 0
    assert before == tree(written)
