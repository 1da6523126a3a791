"""A document never becomes code: hostile text at every position, and what generated code may be.

SINCH_WRAPPER_DOCUMENTS=20000 tries that many pairs of position and payload.
"""

from __future__ import annotations

import ast
import os
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest

from codegen.callbacks import callbacks
from codegen.document import Node, Refused, pointing
from codegen.guard import check_code
from codegen.normalise import normalise
from codegen.render import render
from tests.helpers.codegen import (
    GENERATED,
    PACKAGES,
    SCRIPTS,
    STRING,
    Build,
    builder,
    document,
    obj,
    operation,
    parameter,
    refusal,
    with_operation,
)
from tests.helpers.hostile_documents import PAYLOADS, Edit, base, edited, edits

SEED = 20261127
TOGETHER = 48


@pytest.fixture
def build(tmp_path: Path) -> Iterator[Build]:
    """Render documents and import what they become."""
    yield from builder(tmp_path)


@pytest.mark.parametrize("package", PACKAGES.values())
def test_generated_code_is_of_known_kinds(package: str, tmp_path: Path) -> None:
    """Only the nodes and calls that templates write occur in the committed packages."""
    for path in (GENERATED / package).rglob("*.py"):
        # Without the formatter: it moves blank lines, and the first line names the document.
        text = path.read_text(encoding="utf-8").split("\n", 1)[1]
        target = tmp_path / path.relative_to(GENERATED / package)
        target.parent.mkdir(parents=True, exist_ok=True)
        if path.name not in {"types.py", "errors.py"}:
            target.write_text(text, encoding="utf-8")
    check_code(tmp_path)


TAMPERED = {
    "an f-string": 'x = f"{1}"',
    "a call of a builtin": "x = open('a')",
    "a call of a method": "x = 'a'.join([])",
    "a hidden call": "x = getattr(1, 'real')",
    "an import": "import os",
    "an import from elsewhere": "from os import system",
    "a comprehension": "x = [y for y in ()]",
    "a loop": "while True: pass",
    "an inner name": "x = UNSET.__class__",
    "a decorator that is called": "@print()\ndef f() -> None: ...",
    "an assertion": "assert True",
    "no Python": "x = (",
    "nothing at all": "x = '\0'",
}


@pytest.mark.parametrize("code", TAMPERED.values(), ids=[*TAMPERED])
@pytest.mark.parametrize("name", ["client.py", "models/gadget.py", "models/__init__.py"])
def test_other_code_is_refused(name: str, code: str, tmp_path: Path) -> None:
    """The check of generated code knows nothing of templates, and finds what they do not write."""
    if "getattr" in code and name == "models/__init__.py":
        pytest.skip("the lookup of models uses it")
    package = render(base(), "gadgets", "a.yaml", tmp_path, tidy=False)
    path = package / name
    lines = path.read_text(encoding="utf-8").split("\n", 1)
    path.write_text(f"{lines[1]}\n{code}\n", encoding="utf-8")
    for fixed in ("types.py", "errors.py"):
        (package / fixed).unlink()
    with pytest.raises(Refused, match=f"^{name}.*would be"):
        check_code(package)


@pytest.mark.parametrize("name", ["types.py", "errors.py"])
def test_module_without_text_of_a_document_is_its_template(name: str, tmp_path: Path) -> None:
    """Nothing can be added to the two modules that are the same in every package."""
    (tmp_path / name).write_text("x = 1\n", encoding="utf-8")
    with pytest.raises(Refused, match="differs from its template"):
        check_code(tmp_path)


def tried(wanted: list[Edit], folder: Path) -> Counter[str]:
    """What became of some edits: refused, or code of the known kinds.

    Several that pass alone are rendered together; when that fails, in halves.
    """
    counts: Counter[str] = Counter()
    accepted = []
    for edit in wanted:
        try:
            given = edited(edit)
            normalise(given)
            with pointing(given):
                callbacks(given)
        except Refused as refused:
            check_refusal(refused, edit)
            counts["refused"] += 1
        else:
            accepted.append(edit)
    # Apart from others of the same payload: two names that are the same would be refused.
    accepted.sort(key=lambda edit: edit.payload)
    stride = max(1, len(accepted) // TOGETHER)
    groups = [accepted[at::stride] for at in range(stride)]
    while groups:
        group = groups.pop()
        try:
            render(edited(*group), "gadgets", "a.yaml", folder, tidy=False)
            counts["code"] += len(group)
        except Refused as refused:
            if len(group) > 1:
                groups += [group[::2], group[1::2]]
                continue
            check_refusal(refused, group[0])
            counts["refused late"] += 1
    return counts


def check_refusal(refused: Refused, edit: Edit) -> None:
    """A refusal names its place, and is none of the last check: names and texts hold before it."""
    said = str(refused)
    assert "would be code" not in said, (edit, said)
    assert "no Python code" not in said, (edit, said)
    assert "\n" not in said, (edit, said)
    # The keys of the document itself have no node to point to.
    assert refused.pointer or edit.pointer.count("/") == 1, (edit, said)


def test_hostile_text_becomes_no_code(tmp_path: Path) -> None:
    """Whatever stands anywhere in a document, it is refused with its place or stays text."""
    counts = tried(edits(400, SEED), tmp_path)
    assert 400 == counts.total()
    assert counts["code"] > counts["refused"] > 0


@pytest.mark.slow
@pytest.mark.timeout(3600)
@pytest.mark.parametrize("half", [0, 1])
def test_hostile_text_becomes_no_code_at_length(half: int, tmp_path: Path) -> None:
    """The same with thousands of pairs of position and payload."""
    wanted = edits(int(os.environ.get("SINCH_WRAPPER_DOCUMENTS", "5000")), SEED + 1)
    assert len(wanted[half::2]) == tried(wanted[half::2], tmp_path).total()


# No identifier can be made of these, so that they cannot be names of fields.
NAMELESS = {PAYLOADS[name] for name in ("letters that fold", "a long name", "a long word")}


@pytest.mark.parametrize("payload", PAYLOADS.values(), ids=[*PAYLOADS])
def test_hostile_text_comes_back_as_it_is(payload: str, build: Build) -> None:
    """As an id, a value and a key it is the same text in the code as in the document."""
    if payload == "":
        pytest.skip("a key without a name is nothing to look for")
    values = {"type": "string", "enum": ["A", payload]}
    query = parameter(payload, schema=STRING)
    one = operation("Things_Get", query, response={"$ref": "#/components/schemas/Thing"})
    given = with_operation(one, Thing=obj(kind=values, **{payload: STRING}))
    if payload in NAMELESS:
        assert "name" in str(refusal(given))
        return
    package = build(given)
    thing = package.models.Thing.from_dict({payload: "x"})
    assert {payload: "x"} == thing.to_dict()
    assert {"A", payload} == {*package.models.ThingKind.__args__}


PATHS = {
    "code": f"/v1/{{project_id}}/{PAYLOADS['an expression']}",
    "an undeclared parameter": "/v1/{project_id}/{nobody}",
    "a brace alone": "/v1/{project_id}/a{b",
    "a brace that closes nothing": "/v1/{project_id}/a}b",
    "braces in braces": "/v1/{{project_id}}",
    "an empty name": "/v1/{project_id}/{}",
    "a line": "/v1/{project_id}/a\nb",
    "a quote": '/v1/{project_id}/a"b',
    "a backslash": "/v1/{project_id}/a\\b",
    "a blank": "/v1/{project_id}/a b",
    "a query": "/v1/{project_id}/a?b=c",
    "a fragment": "/v1/{project_id}/a#b",
    "dots": "/v1/{project_id}/../b",
    "encoded dots": "/v1/{project_id}/%2E%2e/b",
    "an empty segment": "//evil.test/{project_id}",
    "no slash": "v1/{project_id}",
    "a parameter twice": "/v1/{project_id}/{project_id}",
    "no parameter": "/v1/things",
}


@pytest.mark.parametrize("path", PATHS.values(), ids=[*PATHS])
def test_path_holds_text_and_declared_parameters_only(path: str) -> None:
    """Anything else is refused with the pointer to the path."""
    refused = refusal(with_operation(operation(), path, Thing=obj(name=STRING)))
    escaped = path.replace("~", "~0").replace("/", "~1")
    assert refused.pointer.startswith(f"#/paths/{escaped}")


@pytest.mark.parametrize(
    ("path", "parameters", "expected"),
    [
        ("/v1/p", (), "/v1/p"),
        ("/v1/{a}:send", ("a",), "/v1/x%2Fy:send"),
        ("/v1/{a.b}/{c-d}", ("a.b", "c-d"), "/v1/x%2Fy/x%2Fy"),
        ("/v1/%7Ea/$&'()*+,;=@!~/{a}", ("a",), "/v1/%7Ea/$&'()*+,;=@!~/x%2Fy"),
        ("/{a}{b}/", ("a", "b"), "/x%2Fyx%2Fy/"),
    ],
)
def test_path_is_what_the_document_says(
    build: Build, path: str, parameters: tuple[str, ...], expected: str
) -> None:
    """Literal text is sent as it is written, and parameters are encoded."""
    one = operation("Things_Get") | {"parameters": [parameter(name, "path") for name in parameters]}
    package = build(with_operation(one, path, Thing=obj(name=STRING)))
    function = package.api.things.get.get
    assert expected == function(*("x/y" for _ in parameters)).path


REMOTE = {"$ref": "http://127.0.0.1:9/secret"}
REMOTES: dict[str, Node] = {
    "a schema": document({"Thing": obj(name=REMOTE)}),
    "a file": document({"Thing": obj(name={"$ref": "other.yaml#/Thing"})}),
    "the whole document": document({"Thing": obj(name={"$ref": "#"})}),
    "a parameter": with_operation(operation("A_b", REMOTE)),
    "a response": with_operation(operation("A_b") | {"responses": {"200": REMOTE}}),
    "a failure": with_operation(
        operation("A_b") | {"responses": {"200": {"description": ""}, "404": REMOTE}}
    ),
    "an example": document({"Thing": obj(name=STRING | {"example": REMOTE})}),
    "an extension": document() | {"x-ext": [{"deep": REMOTE}]},
    "headers": document() | {"components": {"schemas": {}, "headers": {"A": REMOTE}}},
}


@pytest.mark.parametrize("given", REMOTES.values(), ids=[*REMOTES])
def test_reference_out_of_the_document_is_refused(given: Node) -> None:
    """Nothing that a document refers to is ever fetched, wherever it stands."""
    refused = refusal(given)
    assert "refers to something outside the document; copy it inside" in str(refused)
    assert refused.pointer.endswith("/$ref")


def test_operation_ids_that_make_no_name_are_refused() -> None:
    """Signs, letters that Python folds into others, and nothing at all."""
    for name in ("{{ }}", "\u210c", "\ufb01_\ufb01", "???", "a_" + "b" * 400):
        refused = refusal(with_operation(operation(name), Thing=obj(name=STRING)))
        assert refused.pointer.endswith("/get/operationId"), name


def test_no_environment_is_handed_on() -> None:
    """What reads documents hands the keys of whoever runs it to nothing that it starts."""
    parts = [
        path for name in ("codegen", "drift", "fetching") for path in (SCRIPTS / name).rglob("*.py")
    ]
    parts += [SCRIPTS / f"{name}.py" for name in ("check_drift", "fetch_specs", "regenerate")]
    started = [
        (path.name, {keyword.arg for keyword in node.keywords})
        for path in parts
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.Call) and ast.unparse(node.func).startswith("subprocess.")
    ]
    assert {"checks.py", "render.py"} == {name for name, _ in started}
    assert all("env" in keywords for _, keywords in started)
