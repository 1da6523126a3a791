"""A server, a sender or a file that sends control sequences steers no terminal, in any command."""

import json
import os
import shlex
import sqlite3
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from starlette.applications import Starlette
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from sinch_wrapper.callbacks import Arrival, EventStore, Verdict, read_event
from sinch_wrapper.cli._terminal import shown
from sinch_wrapper.sandbox import BackgroundServer
from tests.cli.test_callbacks_cli import serving as serving_command
from tests.helpers.callbacks import SECRET, headers_of, post
from tests.helpers.sandbox import Api, RunCli

POISON = (
    "\x1b]0;pwned\x07\x1b[2J\x1b[31m\x9b2J\u202eabc\u2066\u200b\r\n\x00\x7f\u2028\x85\U000e0041"
)
BODY = {"text_message": {"text": POISON}}
RIGHT = {"SINCH_PROJECT_ID": "p", "SINCH_KEY_ID": "k", "SINCH_KEY_SECRET": "s"}


def poisoned(status: int) -> dict[str, Any]:
    """A response in which every field that is ever shown is poison."""
    violation = {"field": f"message{POISON}", "description": POISON}
    details = [
        {"@type": "type.googleapis.com/google.rpc.BadRequest", "field_violations": [violation]},
        {"@type": "type.googleapis.com/google.rpc.ErrorInfo", "reason": POISON, "domain": POISON},
    ]
    fault = {"code": status, "message": POISON, "status": POISON, "details": details}
    if status != 200:
        return {"error": fault}
    names = ("message_id", "batch_id", "status", "batch_status", "id", "display_name")
    return dict.fromkeys(names, POISON) | {"apps": [{"id": POISON}], POISON: POISON}


class Hostile:
    """A server that says nothing without poison; *status* is what it responds with."""

    def __init__(self) -> None:
        self.status = 200
        self.token: dict[str, Any] = {"access_token": "t", "expires_in": 3600}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Respond with poison; without routes, for they do not take every path."""
        if scope["type"] != "http":
            await Starlette()(scope, receive, send)
            return
        is_token = scope["path"].endswith("token")
        found, status = (self.token, 200) if is_token else (poisoned(self.status), self.status)
        body = json.dumps(found, ensure_ascii=False)
        response = Response(body, status, {"x-request-id": "\x9b2J"}, "application/json")
        await response(scope, receive, send)


@pytest.fixture
def hostile() -> Hostile:
    """The server itself."""
    return Hostile()


@pytest.fixture
def environment(hostile: Hostile) -> Iterator[dict[str, str]]:
    """The variables that lead to the server."""
    with BackgroundServer(hostile) as server:
        yield RIGHT | {"SINCH_SANDBOX_URL": server.url}


def check(*texts: str) -> None:
    """Fail when a text has a sign that the filter would replace."""
    for text in texts:
        for line in text.split("\n"):
            assert line == shown(line)


# After the last two it waits, and asks again.
@pytest.mark.parametrize(
    "status",
    [200, 400, 401, 404, *(pytest.param(each, marks=pytest.mark.slow) for each in (429, 503))],
)
@pytest.mark.parametrize(
    "words",
    [
        ("token",),
        ("send", "--app", "A", "--to", "+46700000001", "--text", "Hi"),
        ("send", "--app", "A", "--to", "+46700000001", "--text", "Hi", "--json"),
        ("api", "App_ListApps"),
        ("api", "Batch_GetBatchStatus", "--param", "batch_id=b"),
    ],
    ids=" ".join,
)
def test_response_steers_no_terminal(
    run_cli: RunCli,
    hostile: Hostile,
    environment: dict[str, str],
    words: tuple[str, ...],
    status: int,
) -> None:
    """What the server says is shown, if at all, with marks in place of what steers."""
    hostile.status = status
    code, out, err = run_cli(*words, **environment)
    check(out, err)
    assert code != 0 or out


@pytest.mark.parametrize("token", [{"access_token": POISON}, {"error": POISON}, {POISON: POISON}])
def test_token_steers_no_terminal(
    run_cli: RunCli, hostile: Hostile, environment: dict[str, str], token: dict[str, Any]
) -> None:
    """Nor does a token."""
    hostile.token = token
    check(*run_cli("token", "--show", **environment)[1:])


@pytest.mark.parametrize("status", [200, 400])
def test_bulk_commands_steer_no_terminal(
    run_cli: RunCli, hostile: Hostile, environment: dict[str, str], tmp_path: Path, status: int
) -> None:
    """Nor do reports, whose words come from the server, the journal and the list alike."""
    hostile.status = status
    source, job = tmp_path / "people.csv", str(tmp_path / "job.db")
    header = POISON.replace("\r\n", "").replace("\x00", "")
    rows = [f"phone,{header}", *(f"+4670000000{n},{header}" for n in range(3))]
    source.write_text("\n".join(rows), encoding="utf-8", newline="")
    words = ("--app", "A", "--text", "Hi", "--job", job, "--settle", "0", "--delimiter", ",")
    seen = [run_cli("bulk", "send", str(source), *words, "--deadline", "2", **environment)]
    for command in ("status", "report", "cancel"):
        for more in ((), ("--json",)):
            poll = ("--poll-for", "0") if command == "cancel" else ()
            seen.append(run_cli("bulk", command, job, *more, *poll, **environment))
    seen.append(run_cli("bulk", "report", job, "--recipients"))
    seen.append(run_cli("bulk", "send", str(source), "--app", "A", "--text", f"Hi ${{{POISON}}}"))
    for _, out, err in seen:
        check(out, err)
    assert any(out for _, out, _ in seen)


def poisoned_events() -> list[bytes]:
    """Callbacks whose kind, ids and states are poison."""
    batch = json.dumps({"_batch_id": POISON, "batchId": POISON, "messageIndex": 1})
    inner = {"message_id": POISON, "status": POISON, "reason": {"code": POISON}, "metadata": batch}
    kinds = ("message_delivery_report", "batch_status_update_notification", POISON)
    return [json.dumps({kind: inner | {"batch_status": POISON}}).encode() for kind in kinds]


def test_stored_callbacks_steer_no_terminal(run_cli: RunCli, tmp_path: Path) -> None:
    """Nor do callbacks that are listed, dead or alive, and errors in the names of handlers."""
    path = tmp_path / "callbacks.db"
    store = EventStore(path)
    events = [read_event(body) for body in poisoned_events()]
    store.commit([Arrival(event, 1.0, (POISON,)) for event in events], [])
    store.commit([], [Verdict(n, 8, frozenset(), error=POISON, at=2.0) for n in (1, 2, 3)])
    store.close()
    for command in ("list", "dead"):
        for more in ((), ("--json",), *([("--raw",)] if command == "list" else [])):
            code, out, err = run_cli("callbacks", command, str(path), *more)
            check(out, err)
            assert (0, 3) == (code, out.count("\n"))


@pytest.mark.slow
@pytest.mark.parametrize("more", [[], ["--json"]])
def test_verified_and_served_callbacks_steer_no_terminal(
    run_cli: RunCli, tmp_path: Path, more: list[str]
) -> None:
    """Nor do callbacks that are checked, received, or refused with headers of poison."""
    body, headers = tmp_path / "body.json", tmp_path / "headers.json"
    for event in poisoned_events():
        body.write_bytes(event)
        for signed in (headers_of(event), {"x-sinch-webhook-signature": POISON, POISON: POISON}):
            headers.write_text(json.dumps(signed), encoding="utf-8")
            words = ("callbacks", "verify", str(body), "--headers", str(headers), *more)
            check(*run_cli(*words, SINCH_CALLBACK_SECRETS=SECRET)[1:])
    with serving_command("--store", str(tmp_path / "s.db"), *more) as (process, client):
        for event in poisoned_events():
            assert 200 == post(client, event).status_code
            assert process.stdout is not None
            check(process.stdout.readline())
        process.terminate()
        check(*process.communicate(timeout=60))


def test_reader_that_has_seen_enough_is_no_failure(tmp_path: Path) -> None:
    """`... | head -1` of a command that only reads ends with 0; there is nothing unknown."""
    store = EventStore(tmp_path / "s.db")
    bodies = (json.dumps({"message": {"id": n, "x": "y" * 999}}).encode() for n in range(999))
    store.commit([Arrival(read_event(body), time.time()) for body in bodies], [])
    store.close()
    command = shlex.join([sys.executable, "-m", "sinch_wrapper.cli", "callbacks", "list"])
    line = f"{{ {command} {shlex.quote(str(tmp_path / 's.db'))} --raw; echo $? >&2; }} | head -1"
    done = subprocess.run(
        ["/bin/sh", "-c", line], capture_output=True, text=True, check=True, timeout=60
    )
    assert ("0\n", 1) == (done.stderr, done.stdout.count("\n"))


def test_stored_row_is_what_it_was(tmp_path: Path) -> None:
    """The filter changes what is shown, never what is stored."""
    store = EventStore(tmp_path / "s.db")
    (body, *_) = poisoned_events()
    store.add(read_event(body))
    store.close()
    connection = sqlite3.connect(tmp_path / "s.db")
    assert (body,) == connection.execute("SELECT body FROM events").fetchone()
    connection.close()


@pytest.mark.parametrize("encoding", ["cp1252", "ascii", "latin-1", "utf-16", "utf-8"])
def test_recipients_are_reported_on_any_console(
    run_cli: RunCli, api: Api, tmp_path: Path, encoding: str
) -> None:
    """A list with names in any script is reported to its end, and programs read it."""
    keys = ["Zoë", "Жанна", "世界", "😀", "a\x9bb", "\u202eb"]
    source, job = tmp_path / "people.csv", tmp_path / "job.db"
    rows = [f"+4670000000{number},{key}" for number, key in enumerate(keys)]
    source.write_text("\n".join(["phone,id", *rows]), encoding="utf-8")
    words = ("--app", api.settings.app_id, "--text", "Hi", "--key", "id", "--job", str(job))
    assert 0 == run_cli("bulk", "send", str(source), *words, api=api)[0]
    command = [sys.executable, "-m", "sinch_wrapper.cli", "bulk", "report", str(job)]
    done = subprocess.run(
        [*command, "--recipients"], capture_output=True, check=False, timeout=60,
        env=os.environ | {"PYTHONIOENCODING": encoding},
    )  # fmt: skip
    out = done.stdout.decode(encoding)
    assert (0, b"") == (done.returncode, done.stderr)
    assert keys == [json.loads(line)["key"] for line in out.splitlines()]
    check(out)
