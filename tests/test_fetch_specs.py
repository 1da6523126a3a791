"""Putting a newer document in place, or leaving everything as it was."""

from __future__ import annotations

import datetime
import hashlib
import json
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import closing
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import fetch_specs
import pytest
import regenerate
from codegen_helpers import STRING, document, obj, operation, tree, with_operation, write_documents

from codegen.document import Node

OLD = document({"Thing": obj(name=STRING)})
NEW = document({"Thing": obj(name=STRING, novel=STRING)})
TODAY = datetime.datetime.now(tz=datetime.UTC).date()

Fetch = Callable[..., int]


@pytest.fixture
def documents(tmp_path: Path) -> Path:
    """A folder of two documents, of which one is going to be renewed."""
    return write_documents(tmp_path / "openapi", things=OLD, others=OLD)


@pytest.fixture
def fetch(documents: Path) -> Fetch:
    """Run the script for the first document of the folder."""

    def fetch(*options: str, name: str = "things") -> int:
        return fetch_specs.main([name, *options, "--documents", str(documents)])

    return fetch


@pytest.fixture
def newer(tmp_path: Path) -> Path:
    """A file with a newer document."""
    path = tmp_path / "newer document.yaml"
    path.write_text(json.dumps(NEW), encoding="utf-8")
    return path


@pytest.fixture
def server() -> Iterator[tuple[str, dict[str, bytes]]]:
    """A web server on loopback and the pages it has."""
    pages: dict[str, bytes] = {}

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            """Answer with a page, a redirection or 404."""
            moved = self.path.startswith("/moved/")
            page = pages.get(self.path)
            self.send_response(302 if moved else 200 if page is not None else 404)
            if moved:
                self.send_header("Location", self.path.removeprefix("/moved"))
            self.send_header("Content-Length", str(len(page or b"")))
            self.end_headers()
            self.wfile.write(page or b"")

        def log_message(self, *_: Any) -> None:
            """Say nothing."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as running:
        thread = threading.Thread(target=running.serve_forever, args=(0.01,))
        thread.start()
        yield f"http://127.0.0.1:{running.server_port}", pages
        running.shutdown()
        thread.join()


def record(documents: Path, name: str) -> str:
    """The lines of a section of sources.toml."""
    text = (documents / "sources.toml").read_text(encoding="utf-8")
    return text.split(f"[{name}]\n")[1].split("\n[")[0]


def test_file_is_put_in_place_and_recorded(
    fetch: Fetch, documents: Path, newer: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """The document is copied byte by byte, and its sha256, date and origin are renewed."""
    assert fetch("--from", str(newer)) == 0
    assert newer.read_bytes() == (documents / "things.yaml").read_bytes()
    found = record(documents, "things")
    assert f'sha256 = "{hashlib.sha256(newer.read_bytes()).hexdigest()}"\n' in found
    assert f"date = {TODAY}\n" in found
    assert 'origin = "newer document.yaml"\n' in found
    assert capsys.readouterr().out == "recorded things.yaml; next: python scripts/regenerate.py\n"


def test_recorded_document_can_be_regenerated(
    fetch: Fetch, documents: Path, newer: Path, tmp_path: Path
) -> None:
    """What was fetched and recorded is accepted by the next step."""
    output = tmp_path / "generated"
    assert fetch("--from", str(newer)) == 0
    assert regenerate.main(["--documents", str(documents), "--output", str(output)]) == 0
    model = (output / "things_api" / "models" / "thing.py").read_text(encoding="utf-8")
    assert "novel: str" in model


def test_comments_and_other_sections_survive(fetch: Fetch, documents: Path, newer: Path) -> None:
    """Only the three values of the one section change."""
    before = (documents / "sources.toml").read_text(encoding="utf-8").splitlines()
    assert fetch("--from", str(newer)) == 0
    after = (documents / "sources.toml").read_text(encoding="utf-8").splitlines()
    pairs = zip(before, after, strict=True)
    changed = [
        (number, new.split(" = ")[0]) for number, (old, new) in enumerate(pairs) if old != new
    ]
    assert [key for _, key in changed] == ["origin", "sha256", "date"]
    assert max(number for number, _ in changed) < before.index("[others]")


@pytest.mark.parametrize("prefix", ["", "/moved"])
def test_address_is_fetched(
    fetch: Fetch, documents: Path, server: tuple[str, dict[str, bytes]], prefix: str
) -> None:
    """A document comes from an address, also by way of a redirection, which is recorded whole."""
    url, pages = server
    pages["/things.yaml"] = json.dumps(NEW).encode()
    assert fetch("--from", f"{url}{prefix}/things.yaml") == 0
    assert pages["/things.yaml"] == (documents / "things.yaml").read_bytes()
    assert f'origin = "{url}{prefix}/things.yaml"\n' in record(documents, "things")


def test_address_of_the_section_is_the_default(
    fetch: Fetch, documents: Path, server: tuple[str, dict[str, bytes]]
) -> None:
    """Without --from the url of sources.toml is used."""
    url, pages = server
    pages["/things.yaml"] = json.dumps(NEW).encode()
    table = documents / "sources.toml"
    text = table.read_text(encoding="utf-8").replace(
        "origin", f'url = "{url}/things.yaml"\norigin', 1
    )
    table.write_text(text, encoding="utf-8")
    assert fetch() == 0
    assert pages["/things.yaml"] == (documents / "things.yaml").read_bytes()


def test_edit_by_hand_is_recorded(fetch: Fetch, documents: Path) -> None:
    """--record renews sha256 and date, not the origin, and leaves the document alone."""
    path = documents / "things.yaml"
    path.write_text(json.dumps(NEW), encoding="utf-8")
    content = path.read_bytes()
    assert fetch("--record") == 0
    found = record(documents, "things")
    assert content == path.read_bytes()
    assert hashlib.sha256(content).hexdigest() in found
    assert f'origin = "transcription"\n# A comment inside.\nsha256 = "' in found  # noqa: F541 - as in the file
    assert f"date = {TODAY}\n" in found


# Refusals


def refused(
    fetch: Fetch, documents: Path, capsys: pytest.CaptureFixture[str], *options: str
) -> str:
    """What is said when nothing is changed."""
    before = tree(documents)
    assert fetch(*options) == 1
    assert before == tree(documents)
    said = capsys.readouterr()
    assert (said.out, said.err.count("\n")) == ("", 1)
    assert said.err.startswith("fetch_specs: ")
    return said.err


def test_missing_page_changes_nothing(
    fetch: Fetch,
    documents: Path,
    server: tuple[str, dict[str, bytes]],
    capsys: pytest.CaptureFixture[str],
) -> None:
    """A 404 names the address."""
    url = f"{server[0]}/gone.yaml"
    said = refused(fetch, documents, capsys, "--from", url)
    assert f"{url}: cannot be fetched" in said
    assert "404" in said


def test_dead_server_changes_nothing(
    fetch: Fetch, documents: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """An address where nobody listens is named."""
    with closing(socket.socket()) as probe:
        probe.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{probe.getsockname()[1]}/things.yaml"
        assert f"{url}: cannot be fetched" in refused(fetch, documents, capsys, "--from", url)


@pytest.mark.parametrize("url", ["http://127.0.0.1:port/x", "http://[/x"])
def test_malformed_address_changes_nothing(
    fetch: Fetch, documents: Path, capsys: pytest.CaptureFixture[str], url: str
) -> None:
    """An address that is none is named."""
    assert url in refused(fetch, documents, capsys, "--from", url)


def test_missing_file_changes_nothing(
    fetch: Fetch, documents: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """A file that is not there, or is a folder, is named."""
    for path in (tmp_path / "gone.yaml", tmp_path):
        said = refused(fetch, documents, capsys, "--from", str(path))
        assert f"{path}: cannot be read" in said


def test_section_without_address_needs_a_place(
    fetch: Fetch, documents: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Where no url is known the remedy is to give a file."""
    assert "give --from FILE_OR_URL" in refused(fetch, documents, capsys)


def test_unknown_section_is_refused(fetch: Fetch, capsys: pytest.CaptureFixture[str]) -> None:
    """A name that sources.toml does not have is refused with those it has."""
    assert fetch(name="thing") == 1
    said = capsys.readouterr().err
    assert "has no section thing" in said
    assert "things, others" in said


BODY = {"description": "Done.", "content": {"application/json": {}}}
FAULTS: dict[str, tuple[bytes | Node, str]] = {
    "no YAML": (b"a: [", "is not valid YAML"),
    "no mapping": (b"- a", "is not a mapping"),
    "nothing": (b"", "is not a mapping"),
    "a page": (b"<!doctype html>\n<html><body>Sign in</body></html>", "is not a mapping"),
    "no UTF-8": (b"title: \xe9", "things.yaml"),
    "a repeated key": (b"a: 1\na: 2", "stands twice"),
    "another format": (b"hello: world", ""),
    "an unsupported schema": (document({"Thing": {"not": {}}}), "components.schemas.Thing"),
    "an overlay that misses": ({"openapi": "3.0.0", "paths": {}}, "overlays/repair.yaml, action 1"),
    "a media type without schema": (
        with_operation(operation(responses={"200": BODY})),
        "paths.",
    ),
    "an answer without fields": (
        with_operation(operation(answer={"type": "object"})),
        "answers with neither",
    ),
    "an undeclared path parameter": (
        document(paths={"/things/{x}": {"get": operation() | {"parameters": []}}}),
        "",
    ),
}


@pytest.mark.parametrize("kind", FAULTS)
def test_document_without_a_correct_client_changes_nothing(
    fetch: Fetch,
    documents: Path,
    newer: Path,
    capsys: pytest.CaptureFixture[str],
    kind: str,
) -> None:
    """A document that regenerate would refuse is neither put in place nor recorded."""
    given, expected = FAULTS[kind]
    newer.write_bytes(given if isinstance(given, bytes) else json.dumps(given).encode())
    assert expected in refused(fetch, documents, capsys, "--from", str(newer))


@pytest.mark.parametrize("name", ['quo"ted.yaml', "back\\dslash.yaml"])
def test_file_of_any_name_is_recorded(
    fetch: Fetch, documents: Path, newer: Path, name: str
) -> None:
    """A name with quotes or backslashes is written so that it can be read again."""
    path = newer.rename(newer.with_name(name))
    assert fetch("--from", str(path)) == 0
    assert fetch("--record") == 0
    assert path.read_bytes() == (documents / "things.yaml").read_bytes()


def test_first_document_can_be_fetched(fetch: Fetch, documents: Path, newer: Path) -> None:
    """A document that sources.toml lists and that is not there yet is put in place."""
    (documents / "things.yaml").unlink()
    assert fetch("--from", str(newer)) == 0
    assert newer.read_bytes() == (documents / "things.yaml").read_bytes()


def test_file_and_record_exclude_each_other(fetch: Fetch, newer: Path) -> None:
    """Recording what is there and fetching something else is a usage error."""
    with pytest.raises(SystemExit) as caught:
        fetch("--record", "--from", str(newer))
    assert caught.value.code == 2
