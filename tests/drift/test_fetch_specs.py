"""Putting a newer document in place, or leaving everything as it was."""

from __future__ import annotations

import datetime
import gzip
import hashlib
import itertools
import json
import socket
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path

import fetch_specs
import httpx  # noqa: TID251 - what the script uses
import pytest
import regenerate
from fetching.download import Downloader, Limits, public

from codegen.document import Node, Refused
from tests.helpers.codegen import (
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
from tests.helpers.web_pages import Page, Pages, serving

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
def server() -> Iterator[tuple[str, Pages]]:
    """A web server on loopback and the pages it has."""
    with serving() as running:
        yield running


def complete(documents: Path, **values: str) -> None:
    """Give the first section all keys that fetching writes, and others."""
    more = {"version": "0", "etag": ""} | values
    lines = "".join(f"{key} = {json.dumps(value)}\n" for key, value in more.items())
    table = documents / "sources.toml"
    text = table.read_text(encoding="utf-8").replace("overlays", f"{lines}overlays", 1)
    table.write_text(text, encoding="utf-8")


def body(given: Node) -> bytes:
    """A document as a server sends it."""
    return json.dumps(given).encode()


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
    assert 'version = "1.0"\n' in found
    assert capsys.readouterr().out == (
        "recorded things.yaml\nnext: uv run python scripts/regenerate.py\n"
    )


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
    """Only the five values of the one section change."""
    complete(documents)
    before = (documents / "sources.toml").read_text(encoding="utf-8").splitlines()
    assert fetch("--from", str(newer)) == 0
    after = (documents / "sources.toml").read_text(encoding="utf-8").splitlines()
    pairs = zip(before, after, strict=True)
    changed = [
        (number, new.split(" = ")[0]) for number, (old, new) in enumerate(pairs) if old != new
    ]
    assert [key for _, key in changed] == ["origin", "sha256", "date", "version"]
    assert max(number for number, _ in changed) < before.index("[others]")


@pytest.mark.parametrize("prefix", ["", "/moved"])
def test_address_is_fetched(
    fetch: Fetch, documents: Path, server: tuple[str, Pages], prefix: str
) -> None:
    """A document comes from an address, also by way of a redirection, which is recorded whole."""
    url, pages = server
    pages["/things.yaml"] = json.dumps(NEW).encode()
    assert fetch("--from", f"{url}{prefix}/things.yaml") == 0
    assert pages["/things.yaml"] == (documents / "things.yaml").read_bytes()
    assert f'origin = "{url}{prefix}/things.yaml"\n' in record(documents, "things")


def test_address_of_the_section_is_the_default(
    fetch: Fetch, documents: Path, server: tuple[str, Pages]
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
    server: tuple[str, Pages],
    capsys: pytest.CaptureFixture[str],
) -> None:
    """A 404 names the address."""
    url = f"{server[0]}/gone.yaml"
    said = refused(fetch, documents, capsys, "--from", url)
    assert f"{url}: does not exist (404); check the address" in said


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
    assert "use --from FILE_OR_URL" in refused(fetch, documents, capsys)


def test_unknown_section_is_refused(fetch: Fetch, capsys: pytest.CaptureFixture[str]) -> None:
    """A name that sources.toml does not have is refused with those it has."""
    assert fetch(name="thing") == 1
    said = capsys.readouterr().err
    assert said == "fetch_specs: sources.toml: has no section thing; it has things, others\n"


BODY = {"description": "Done.", "content": {"application/json": {}}}
FAULTS: dict[str, tuple[bytes | Node, str]] = {
    "no YAML": (b"a: [", "is not valid YAML"),
    "no mapping": (b"- a", "is not a mapping"),
    "nothing": (b"", "is not a mapping"),
    "a page": (b"<!doctype html>\n<html><body>Sign in</body></html>", "is a web page, not"),
    "no UTF-8": (b"title: \xe9", "things.yaml"),
    "a repeated key": (b"a: 1\na: 2", "occurs twice"),
    "another format": (b"hello: world", ""),
    "an unsupported schema": (
        document({"Thing": {"not": {}}}),
        "things.yaml#/components/schemas/Thing: uses not",
    ),
    "a media type without schema": (
        with_operation(operation(responses={"200": BODY})),
        "things.yaml#/paths/",
    ),
    "a response without fields": (
        with_operation(operation(response={"type": "object"})),
        "responds with neither",
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


def test_place_is_for_one_document(documents: Path, newer: Path) -> None:
    """One file cannot become all documents."""
    with pytest.raises(SystemExit) as caught:
        fetch_specs.main(["--from", str(newer), "--documents", str(documents)])
    assert caught.value.code == 2


def test_repair_that_is_no_longer_needed_is_reported(
    fetch: Fetch, documents: Path, newer: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """A document without the fault is put in place, and the idle overlay action is named."""
    given = {**NEW, "info": NEW["info"] | {"x-repaired": True}}
    newer.write_bytes(body(given))
    assert fetch("--from", str(newer)) == 0
    assert (
        "overlays/repair.yaml, action 1 ($.info) on things.yaml: is no longer needed"
        in capsys.readouterr().err
    )
    assert newer.read_bytes() == (documents / "things.yaml").read_bytes()


def test_document_that_is_the_same_is_not_recorded(
    fetch: Fetch, documents: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Fetching what is there already changes nothing, and says so."""
    before = tree(documents)
    assert fetch("--from", str(documents / "things.yaml")) == 0
    assert capsys.readouterr().out == "unchanged things.yaml\n"
    assert before == tree(documents)


def test_json_with_tabs_and_surrogates_is_read(fetch: Fetch, documents: Path, newer: Path) -> None:
    """JSON that is not YAML is a document as well."""
    given = {**NEW, "info": NEW["info"] | {"description": "\U0001f600"}}
    newer.write_text(json.dumps(given, indent="\t"), encoding="utf-8")
    assert fetch("--from", str(newer)) == 0
    assert newer.read_bytes() == (documents / "things.yaml").read_bytes()


# From a server


def test_all_documents_are_fetched_and_one_refusal_harms_none(
    documents: Path, server: tuple[str, Pages], capsys: pytest.CaptureFixture[str]
) -> None:
    """Without names every document is fetched; what cannot be had stays as it was."""
    url, pages = server
    table = documents / "sources.toml"
    parts = table.read_text(encoding="utf-8").split("origin")
    given = itertools.chain(*zip(parts, [f'url = "{url}/{n}"\norigin' for n in "ab"], strict=False))
    table.write_text("".join([*given, parts[-1]]), encoding="utf-8")
    pages["/b"] = Page(body(NEW))
    old = (documents / "things.yaml").read_bytes()
    assert fetch_specs.main(["--documents", str(documents)]) == 1
    said = capsys.readouterr()
    assert said.out == "recorded others.yaml\nnext: uv run python scripts/regenerate.py\n"
    assert f"{url}/a: does not exist (404)" in said.err
    assert (documents / "things.yaml").read_bytes() == old
    assert (documents / "others.yaml").read_bytes() == body(NEW)


@pytest.fixture
def address(documents: Path, server: tuple[str, Pages]) -> str:
    """The url of the first section, with a documentation page."""
    url = f"{server[0]}/things.yaml"
    complete(documents, url=url, page="https://docs.example.test/things")
    return url


def test_missing_document_names_the_page_with_the_link(
    fetch: Fetch, documents: Path, address: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """A 404 of the recorded address names the documentation page with the download link."""
    said = refused(fetch, documents, capsys)
    assert said == (
        f"fetch_specs: {address}: does not exist (404); take the address from the download link on "
        "https://docs.example.test/things and write it into sources.toml\n"
    )


def test_etag_is_kept_and_sent(
    fetch: Fetch,
    documents: Path,
    address: str,
    server: tuple[str, Pages],
    capsys: pytest.CaptureFixture[str],
) -> None:
    """A second fetch of the same document transfers nothing and changes nothing."""
    page = server[1]["/things.yaml"] = Page(body(NEW), {"ETag": '"one"'})
    assert fetch() == 0
    assert r'etag = "\"one\""' in record(documents, "things")
    before = tree(documents)
    capsys.readouterr()
    assert fetch() == 0
    assert capsys.readouterr().out == "unchanged things.yaml\n"
    assert before == tree(documents)
    assert page.statuses == [200, 304]
    assert address in record(documents, "things")


def test_etag_is_not_sent_for_an_edited_document(
    fetch: Fetch, documents: Path, address: str, server: tuple[str, Pages]
) -> None:
    """Whoever edits the file gets the document again, for the ETag is not that of the file."""
    page = server[1]["/things.yaml"] = Page(body(NEW), {"ETag": '"one"'})
    assert fetch() == 0
    (documents / "things.yaml").write_bytes(body(OLD))
    assert fetch() == 0
    assert (documents / "things.yaml").read_bytes() == body(NEW)
    assert (page.statuses, address[:4]) == ([200, 200], "http")


def test_edit_by_hand_forgets_the_etag(
    fetch: Fetch, documents: Path, address: str, server: tuple[str, Pages]
) -> None:
    """After --record the file is not what the server sent."""
    page = server[1]["/things.yaml"] = Page(body(NEW), {"ETag": '"one"'})
    assert fetch() == 0
    (documents / "things.yaml").write_bytes(body(OLD))
    assert (fetch("--record"), fetch()) == (0, 0)
    assert page.statuses == [200, 200]
    assert f'origin = "{address}"' in record(documents, "things")


BROKEN: dict[str, tuple[Page, str]] = {
    "a page": (
        Page(b"  <!DOCTYPE html>\n<title>Sign in</title>", {"Content-Type": "text/html"}),
        "is a web page, not a document; take the address from the download link on https://docs.",
    ),
    "a server error": (Page(b"", status=503), "(503 Service Unavailable); try again later"),
    "too many requests": (Page(b"", status=429), "(429 Too Many Requests); try again later"),
    "a refusal": (Page(b"", status=403), "(403 Forbidden); take the address from the download"),
    "nothing any more": (Page(b"", status=410), "does not exist (410); take the address from the"),
    "half of it": (Page(body(NEW), status=206), "cannot be fetched (206 Partial Content)"),
    "no gzip": (Page(body(NEW), {"Content-Encoding": "gzip"}), "cannot be fetched (Error -3"),
    "another charset": (
        Page(
            "info: {title: \xe9}".encode("latin-1"), {"Content-Type": "text/yaml; charset=latin1"}
        ),
        "things.yaml: is not UTF-8; convert it",
    ),
    "a truncated body": (Page(body(NEW)[:40], promised=400), "expected 400)); try again later"),
    "truncated YAML": (
        Page(body(NEW)[:-40]),
        "things.yaml, line 1: is not valid YAML; correct it (from http://127.0.0.1:",
    ),
    "a document cut at a line": (
        Page(b"openapi: 3.0.3\ninfo:\n  title: T\n"),
        "things.yaml, paths: is missing",
    ),
    "a circle": (Page(b"", {"Location": "/things.yaml"}, status=302), "maximum allowed redirects"),
    "nothing": (Page(b""), "is not a mapping"),
    "an unasked 304": (Page(b"", status=304), "cannot be fetched (304"),
}


@pytest.mark.parametrize("kind", BROKEN)
def test_broken_response_changes_nothing(  # noqa: PLR0913, PLR0917 - fixtures
    fetch: Fetch,
    documents: Path,
    address: str,
    server: tuple[str, Pages],
    capsys: pytest.CaptureFixture[str],
    kind: str,
) -> None:
    """Whatever a server sends instead of a whole document is reported in one line."""
    server[1]["/things.yaml"], expected = BROKEN[kind]
    assert expected in refused(fetch, documents, capsys)
    assert address


@pytest.mark.parametrize("length", [None, -1])
@pytest.mark.parametrize("packed", [False, True])
def test_whole_document_is_taken_however_it_is_sent(
    fetch: Fetch, documents: Path, server: tuple[str, Pages], *, packed: bool, length: int | None
) -> None:
    """Packed, although nobody asked for that, or without its length: it is the document."""
    content, headers = body(NEW), {"Content-Type": "application/octet-stream; charset=utf-16"}
    if packed:
        content, headers = gzip.compress(content), headers | {"Content-Encoding": "gzip"}
    page = server[1]["/a"] = Page(content, headers, promised=length)
    assert fetch("--from", f"{server[0]}/a".replace("http", "HTTP")) == 0
    assert (documents / "things.yaml").read_bytes() == body(NEW)
    assert page.asked == ["identity"]


def test_etag_that_cannot_be_sent_is_forgotten(
    fetch: Fetch, documents: Path, address: str, server: tuple[str, Pages]
) -> None:
    """An ETag beyond ASCII is ignored, whether a server sends it or somebody writes it down."""
    page = server[1]["/things.yaml"] = Page(body(NEW), {"ETag": '"\xe9"'})
    assert fetch() == 0
    table = documents / "sources.toml"
    text = table.read_text(encoding="utf-8")
    assert 'etag = ""' in text
    table.write_text(text.replace('etag = ""', 'etag = "\u00e9"', 1), encoding="utf-8")
    assert fetch() == 0
    assert (page.statuses, address[:4]) == ([200, 200], "http")


@pytest.mark.parametrize("place", ["ftp://127.0.0.1/x", "file:///x"])
def test_other_address_changes_nothing(
    fetch: Fetch, documents: Path, capsys: pytest.CaptureFixture[str], place: str
) -> None:
    """What is neither fetched nor a path is named."""
    said = refused(fetch, documents, capsys, "--from", place)
    assert f"{place}: is not an http or https address; use one, or a file" in said


@pytest.mark.parametrize(
    ("name", "value"),
    [("HTTP_PROXY", "ftp://x"), ("ALL_PROXY", "socks5://127.0.0.1:1"), ("SSL_CERT_FILE", "/gone")],
)
def test_setting_of_the_machine_is_named(  # noqa: PLR0913, PLR0917 - fixtures
    fetch: Fetch,
    documents: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
    name: str,
    value: str,
) -> None:
    """A proxy or certificate that cannot be used is reported in one line, not as a traceback."""
    monkeypatch.setenv(name, value)
    monkeypatch.delenv("NO_PROXY", raising=False)
    monkeypatch.delenv("no_proxy", raising=False)
    said = refused(fetch, documents, capsys, "--from", "https://docs.example.test/x")
    assert "https://docs.example.test/x: cannot be fetched (" in said
    assert "; check the proxy and certificate variables of this machine" in said


@pytest.mark.parametrize(
    "options",
    [
        ["--timeout", "0"],
        ["--timeout", "-1"],
        ["--timeout", "nan"],
        ["--timeout", "x"],
        ["--from="],
    ],
)
def test_senseless_value_is_wrong_usage(fetch: Fetch, options: list[str]) -> None:
    """No time and no place are not taken for the usual ones."""
    with pytest.raises(SystemExit) as caught:
        fetch(*options)
    assert caught.value.code == 2


def test_folder_that_cannot_be_written_is_told(
    fetch: Fetch, documents: Path, newer: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """What the system refuses is one line, and the old file stays."""
    (documents / ".things.yaml.new").mkdir()
    said = refused(fetch, documents, capsys, "--from", str(newer))
    assert "things.yaml.new: " in said
    assert "check the path, its permissions and the space left" in said


# The inventory


INVENTORY: Node = {"things": {"operations": {}, "schemas": {"Thing": {"fields": ["name"]}}}}


def listed(documents: Path) -> Node:
    """The section of the first document in the inventory."""
    found: Node = json.loads((documents / "inventory.json").read_text(encoding="utf-8"))["things"]
    return found


def test_new_names_are_added_to_the_inventory(
    fetch: Fetch, documents: Path, newer: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Operations, schemas and fields that a document brings are known from then on."""
    write_json(documents / "inventory.json", INVENTORY)
    given = with_operation(operation(response=ref("Thing")), Thing=obj(name=STRING, novel=STRING))
    newer.write_bytes(body(given))
    assert fetch("--from", str(newer)) == 0
    assert listed(documents) == {
        "operations": {
            "Things_GetThing": {
                "method": "GET",
                "path": THINGS,
                "parameters": ["project_id"],
                "required": ["project_id"],
                "responses": ["200"],
                "body": False,
            }
        },
        "schemas": {"Thing": {"fields": ["name", "novel"]}},
    }
    assert capsys.readouterr().err == ""


def test_lost_names_stay_in_the_inventory_and_are_reported(
    fetch: Fetch, documents: Path, newer: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """What a document has no more is never forgotten by itself; the required list just follows."""
    known: Node = {
        "operations": {"Things_Gone": {"path": "/gone", "required": ["a"], "body": True}},
        "schemas": {"Thing": {"fields": ["name", "old"], "required": ["name"]}},
        "callbacks": {"ThingEvent": {"fields": ["id"]}},
        "shared": ["Shared"],
        "inline": ["Things_Gone_request"],
    }
    write_json(documents / "inventory.json", {"things": known, "others": {"operations": {}}})
    assert fetch("--from", str(newer)) == 0
    told = capsys.readouterr().err.splitlines()
    gone = (
        "operation Things_Gone",
        "old in fields of schema Thing",
        "schema ThingEvent",
        "schema Shared",
    )
    assert [
        *(f"fetch_specs: things.yaml no longer has {one}" for one in gone),
        (
            "fetch_specs: if that is intended, strike them from openapi/inventory.json: "
            "fetch_specs.py NAME --strike"
        ),
    ] == told
    thing = {"Thing": {"fields": ["name", "novel", "old"]}}
    assert listed(documents) == {**known, "schemas": thing}
    assert fetch("--strike") == 0
    assert [f"struck things.yaml: {one}" for one in gone] == capsys.readouterr().out.splitlines()[
        -4:
    ]
    struck = listed(documents)
    assert ({}, [], {}) == (struck["operations"], struck["shared"], struck["callbacks"])
    assert {"Thing": {"fields": ["name", "novel"]}} == struck["schemas"]


def test_long_list_of_lost_names_is_cut(
    fetch: Fetch, documents: Path, newer: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Another document by mistake does not fill the screen."""
    known: Node = {"operations": {}, "schemas": {f"Old{number}": {} for number in range(30)}}
    write_json(documents / "inventory.json", {"things": known})
    assert fetch("--from", str(newer)) == 0
    lines = capsys.readouterr().err.splitlines()
    assert len(lines) == 12
    assert lines[-2].startswith("fetch_specs: things.yaml no longer has 20 other names")


@pytest.mark.parametrize("text", ["[]", "{", '{"things": '])
def test_broken_inventory_changes_nothing(
    fetch: Fetch, documents: Path, newer: Path, capsys: pytest.CaptureFixture[str], text: str
) -> None:
    """An inventory that cannot be read is not written over."""
    (documents / "inventory.json").write_text(text, encoding="utf-8")
    assert "inventory.json: " in refused(fetch, documents, capsys, "--from", str(newer))


def test_silent_server_changes_nothing(
    fetch: Fetch, documents: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """A server that accepts and says nothing is given up."""
    with closing(socket.socket()) as silent:
        silent.bind(("127.0.0.1", 0))
        silent.listen()
        url = f"http://127.0.0.1:{silent.getsockname()[1]}/things.yaml"
        said = refused(fetch, documents, capsys, "--from", url, "--timeout", "0.04")
    assert said.startswith(f"fetch_specs: {url}: ")
    assert said.endswith("; try again, or allow more time with --timeout\n")


def test_pause_that_is_too_long_is_given_up(server: tuple[str, Pages]) -> None:
    """A server that stops in the middle is not waited for until the whole time is over."""
    server[1]["/slow"] = Page(body(NEW), drip=60)
    said = refusal(Downloader(Limits(seconds=60, idle=0.05)), f"{server[0]}/slow")
    assert "cannot be fetched (no response in time)" in said


def test_dripping_body_is_given_up(server: tuple[str, Pages]) -> None:
    """A server that sends a byte now and then does not hold up the fetch for ever."""
    server[1]["/slow"] = Page(body(NEW), drip=0.03)
    said = refusal(Downloader(Limits(seconds=0.2)), f"{server[0]}/slow")
    assert "took longer than 0.2 seconds; try again, or allow more time with --timeout" in said


def refusal(downloader: Downloader, place: str) -> str:
    """What a downloader says instead of giving a document."""
    with pytest.raises(Refused) as caught:
        downloader.get(place)
    return str(caught.value)


def test_endless_body_is_given_up() -> None:
    """A body is not read beyond the limit, whatever its head promises."""
    endless = httpx.MockTransport(
        lambda _: httpx.Response(200, content=itertools.repeat(b"x" * 100))
    )
    downloader = Downloader(Limits(size=1000), transport=endless)
    assert "is larger than 1000 bytes" in refusal(downloader, "https://example.test/a")


def test_large_file_is_not_read(tmp_path: Path) -> None:
    """The limit holds for files too."""
    path = tmp_path / "large.yaml"
    path.write_bytes(b"x" * 1001)
    assert "is larger than 1000 bytes" in refusal(Downloader(Limits(size=1000)), str(path))


@pytest.mark.parametrize("target", ["http://example.test/b", "ftp://example.test/b"])
def test_redirection_to_another_kind_of_address_is_refused(target: str) -> None:
    """A document asked for over TLS is not taken from anything less."""

    def respond(request: httpx.Request) -> httpx.Response:
        if request.url.path == "/a":
            return httpx.Response(302, headers={"Location": target})
        return httpx.Response(200, content=body(NEW))

    downloader = Downloader(transport=httpx.MockTransport(respond))
    assert "https://example.test/a: " in refusal(downloader, "https://example.test/a")


@pytest.mark.parametrize(
    ("place", "expected"),
    [
        ("openapi/a@b.yaml?c=d", "openapi/a@b.yaml?c=d"),
        ("https://a.test/x.yaml?download", "https://a.test/x.yaml?download"),
        ("https://user:secret@a.test/x.yaml", "https://a.test/x.yaml"),
        ("https://user:se@cret@a.test:8/x@y.yaml", "https://a.test:8/x@y.yaml"),
        ("https://secret@a.test", "https://a.test"),
        ("https://a.test/x?token=secret&b&sig=secret", "https://a.test/x?token=...&b&sig=..."),
        ("https://a.test/x#token=secret", "https://a.test/x"),
        ("ftp://user:secret@[/x?a=secret", "ftp://[/x?a=..."),
    ],
)
def test_place_is_shown_without_credentials(place: str, expected: str) -> None:
    """User, password and the values of a query belong to the fetch alone."""
    assert expected == public(place)


@pytest.mark.parametrize("page", ["/things", "/nothing", "/page"])
def test_credentials_of_an_address_are_written_and_shown_nowhere(
    fetch: Fetch,
    documents: Path,
    server: tuple[str, Pages],
    capsys: pytest.CaptureFixture[str],
    page: str,
) -> None:
    """Whether the fetch succeeds or not: not in the record, not in a message, not in the ETag."""
    server[1]["/things?sig=pa55word"] = Page(body(NEW), {"ETag": '"1"'})
    server[1]["/page?sig=pa55word"] = Page(b"<html>")
    address = server[0].replace("://", "://user:pa55word@") + f"{page}?sig=pa55word"
    fetch(f"--from={address}")
    said = capsys.readouterr()
    written = (documents / "sources.toml").read_text(encoding="utf-8")
    assert "pa55word" not in said.out + said.err + written
    assert ("recorded" in said.out) is (page == "/things")
    if page == "/things":
        assert f'origin = "{server[0]}/things?sig=..."' in record(documents, "things")
