"""The commands about callbacks: one line per callback, and exit codes."""

import json
import os
import signal
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from sinch_wrapper import BulkError
from sinch_wrapper._http import httpx
from sinch_wrapper.bulk import JournalFollower
from sinch_wrapper.bulk._journal import Journal
from sinch_wrapper.callbacks import Arrival, EventStore, Verdict, read_event, receiver, sign
from sinch_wrapper.cli._callback_server import listen, run
from tests.helpers.callbacks import SECRET, headers_of, make_body, make_event, post, receipt
from tests.helpers.sandbox import RunCli, run_cli

__all__ = ["run_cli"]

COMMAND = [sys.executable, "-m", "sinch_wrapper.cli", "callbacks"]
CLEAN = {key: value for key, value in os.environ.items() if not key.startswith("SINCH_")}
ENVIRONMENT = {"SINCH_CALLBACK_SECRETS": f"other {SECRET}"}
PHONE = "+46700000001"
NOW = 1_760_000_000


@contextmanager
def serving(*words: str) -> Iterator[tuple[subprocess.Popen[str], httpx.Client]]:
    """The command in a process of its own, and a client of it."""
    with subprocess.Popen(
        [*COMMAND, "serve", "--port", "0", *words],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env=CLEAN | ENVIRONMENT,
    ) as process:
        assert process.stderr is not None
        url = process.stderr.readline().split("at ")[1].split(",")[0]
        try:
            with httpx.Client(
                base_url=url, timeout=60, trust_env=False, transport=httpx.HTTPTransport(retries=9)
            ) as client:
                yield process, client
        finally:
            process.kill()


def ended(process: subprocess.Popen[str], number: signal.Signals) -> tuple[int, str, str]:
    """How the command ends on a signal: exit code and the rest of its output."""
    process.send_signal(number)
    out, err = process.communicate(timeout=60)
    return process.returncode, out, err.strip()


@pytest.mark.parametrize(
    ("number", "code", "said"),
    [(signal.SIGTERM, 0, ""), (signal.SIGINT, 130, "sinch-wrapper: interrupted")],
)
def test_serve_stores_prints_and_ends_gently(
    tmp_path: Path, number: signal.Signals, code: int, said: str
) -> None:
    """A callback is stored and printed without personal data; signals end the command cleanly."""
    store = tmp_path / "callbacks.db"
    with serving("--store", str(store)) as (process, client):
        identity = {"channel": "SMS", "identity": PHONE}
        body = receipt("FAILED", reason={"code": "UNKNOWN"}, channel_identity=identity)
        assert 200 == post(client, body).status_code
        assert process.stdout is not None
        line = process.stdout.readline()
        assert 200 == client.get("/health").status_code
        assert (code, "", said) == ended(process, number)
    assert "MESSAGE_DELIVERY status=FAILED reason=UNKNOWN\n" == line
    assert [body] == stored(store)


def stored(path: Path) -> list[bytes]:
    """The bodies in a store."""
    store = EventStore(path, must_exist=True)
    found = [event.body for event in store.events()]
    store.close()
    return found


def test_serve_prints_json_for_programs(tmp_path: Path) -> None:
    """With --json each line is an object; refused callbacks are reported on stderr."""
    with serving("--store", str(tmp_path / "c.db"), "--json", "--path", "/hook") as (
        process,
        client,
    ):
        batch = json.dumps({"batchId": "B1", "messageIndex": 3})
        body = make_body("message_delivery_report", {"status": "READ"}, message_metadata=batch)
        assert 401 == client.post("", content=body).status_code
        assert 200 == post(client, body, "").status_code
        assert process.stdout is not None
        facts = json.loads(process.stdout.readline())
        _, _, err = ended(process, signal.SIGTERM)
    assert ("MESSAGE_DELIVERY", "READ", "B1", 3) == (
        facts["trigger"], facts["status"], facts["batch_id"], facts["index"],
    )  # fmt: skip
    assert "responded 401: callback rejected: header" in err


def test_serve_follows_a_job_that_does_not_exist_yet(tmp_path: Path) -> None:
    """With --job alone the store is beside the journal, which may be created later."""
    job = tmp_path / "spring.db"
    with serving("--job", str(job), "--quiet") as (process, client):
        assert 200 == post(client, make_body()).status_code
        assert (0, "", "") == ended(process, signal.SIGTERM)
    assert (False, 1) == (job.exists(), len(stored(tmp_path / "spring.db.callbacks")))


def test_serve_ends_when_its_reader_has_gone(tmp_path: Path) -> None:
    """A reader that goes away ends the command quietly, and its callback is not lost."""
    with serving("--store", str(tmp_path / "c.db")) as (process, client):
        assert process.stdout is not None
        process.stdout.close()
        assert 200 == post(client, make_body()).status_code
        assert process.stderr is not None
        process.stderr.read()
        assert 3 == process.wait(timeout=60)
    assert 1 == len(stored(tmp_path / "c.db"))


@pytest.mark.parametrize(
    ("words", "environment", "end"),
    [
        ([], ENVIRONMENT, (2, "give --store, --job, or both")),
        (["--store", "{}/c.db"], {}, (1, "no callback secret: set SINCH_CALLBACK_SECRETS")),
        (["--store", "{}/no/c.db"], ENVIRONMENT, (1, "cannot be opened")),
        (["--store", "{}/other.db"], ENVIRONMENT, (1, "not a callback store")),
        (["--store", "{}/c.db", "--path", "x"], ENVIRONMENT, (1, "must begin with /")),
        (["--store", "{}/c.db", "--host", "203.0.113.1"], ENVIRONMENT, (1, "cannot listen on")),
        (["--store", "{}/c.db", "--host", "no such host"], ENVIRONMENT, (1, "cannot listen on")),
        (["--store", "{}/c.db", "--secret-file", "{}/empty"], {}, (1, "the file holds no secret")),
        (["--store", "{}/c.db", "--secret-file", "{}/binary"], {}, (1, "the file is not UTF-8")),
        (["--store", "{}/c.db", "--secret-file", "{}/none"], {}, (2, "does not exist")),
    ],
)
def test_serve_says_why_it_cannot_start(
    run_cli: RunCli,
    tmp_path: Path,
    words: list[str],
    environment: dict[str, str],
    end: tuple[int, str],
) -> None:
    """The problem is reported in one line, without a traceback."""
    sqlite3.connect(tmp_path / "other.db").execute("CREATE TABLE x (y)").connection.close()
    (tmp_path / "empty").write_text("\n \n")
    (tmp_path / "binary").write_bytes(b"\xff\xfe")
    found = [word.format(tmp_path) for word in words]
    code, out, err = run_cli("callbacks", "serve", "--port", "0", *found, **environment)
    assert (end[0], "", 1) == (code, out, err.count("\n")), err
    assert end[1] in err


@pytest.fixture
def saved(tmp_path: Path) -> dict[str, Path]:
    """A request that was saved: its body, and its headers in several forms."""
    body = receipt("DELIVERED", channel_identity={"channel": "SMS", "identity": PHONE})
    headers = sign(body, SECRET, nonce="n", timestamp=str(NOW))
    files: dict[str, str | bytes] = {
        "body": body,
        "other": body + b" ",
        "lines": "POST / HTTP/1.1\r\n" + "".join(f"{k}: {v}\r\n" for k, v in headers.items()),
        "json": json.dumps({k.title(): [v] for k, v in headers.items()} | {"x": 5}),
        "secret": f"one\n{SECRET}\n",
        "nothing": "no headers\n\nX: late\n",
        "broken": "{",
        "array": "[1]",
        "text": "\xff\xfe: \xff\n".encode("latin-1"),
    }
    for name, content in files.items():
        raw = content if isinstance(content, bytes) else content.encode()
        (tmp_path / name).write_bytes(raw)
    return {name: tmp_path / name for name in files}


@pytest.mark.parametrize("form", ["lines", "json"])
def test_verify_says_valid(run_cli: RunCli, saved: dict[str, Path], form: str) -> None:
    """A genuine request is shown with its kind, its time, and the secret that matches."""
    words = ["--headers", str(saved[form]), str(saved["body"])]
    code, out, err = run_cli("callbacks", "verify", *words, **ENVIRONMENT)
    assert (0, "") == (code, err)
    assert (
        "valid: MESSAGE_DELIVERY status=DELIVERED, signed 2025-10-09T08:53:20+00:00 "
        "with secret 2 of 2\n" == out
    )
    words += ["--json", "--secret-file", str(saved["secret"])]
    code, out, _ = run_cli("callbacks", "verify", *words)
    assert (0, True, 2) == (code, json.loads(out)["valid"], json.loads(out)["secret"])
    code, out, _ = run_cli("callbacks", "verify", *words[:-3], SINCH_CALLBACK_SECRETS=SECRET)
    assert out.endswith("with the secret\n")


@pytest.mark.parametrize(
    ("files", "words", "said"),
    [
        (("lines", "other"), [], "signature does not match any of the secrets"),
        (("lines", "body"), ["--tolerance", "300"], "signed more than 300 s from now"),
        (("text", "body"), [], "header x-sinch-webhook-signature is missing"),
    ],
)
def test_verify_says_invalid_and_why(
    run_cli: RunCli, saved: dict[str, Path], files: tuple[str, str], words: list[str], said: str
) -> None:
    """A request that is not genuine is reported in one line, with exit code 1."""
    words = ["--headers", *(str(saved[name]) for name in files), *words]
    code, out, err = run_cli("callbacks", "verify", *words, **ENVIRONMENT)
    assert (1, "", 1) == (code, err, out.count("\n"))
    assert out.startswith("invalid: callback rejected: ")
    assert said in out
    code, out, _ = run_cli("callbacks", "verify", *words, "--json", **ENVIRONMENT)
    assert (1, False) == (code, json.loads(out)["valid"])


@pytest.mark.parametrize("headers", ["nothing", "broken", "array", "none"])
def test_verify_refuses_a_file_without_headers(
    run_cli: RunCli, saved: dict[str, Path], headers: str
) -> None:
    """A file that holds no headers, or does not exist, is a wrong command line."""
    file = saved.get(headers, Path("none"))
    words = ["--headers", str(file), str(saved["body"])]
    code, out, err = run_cli("callbacks", "verify", *words, **ENVIRONMENT)
    assert (2, "", 1) == (code, out, err.count("\n"))


def test_verify_names_a_body_that_is_not_a_callback(run_cli: RunCli, tmp_path: Path) -> None:
    """A signed body that cannot be read is invalid as well."""
    (tmp_path / "body").write_bytes(b"[]")
    (tmp_path / "headers").write_text(json.dumps(headers_of(b"[]")))
    words = ["--headers", str(tmp_path / "headers"), str(tmp_path / "body")]
    code, out, _ = run_cli("callbacks", "verify", *words, **ENVIRONMENT)
    assert (1, "invalid: callback unreadable: the body is not a JSON object\n") == (code, out)


@pytest.fixture
def store(tmp_path: Path) -> Path:
    """A store with three callbacks, the second of which is dead."""
    path = tmp_path / "callbacks.db"
    found = EventStore(path)
    events = [
        make_event("message", {"text": PHONE}),
        read_event(receipt("FAILED", reason={"code": "X\x1b[2J"})),
        read_event(b'{"batch_status_update_notification":{"batch_id":"B","batch_status":"READY"}}'),
    ]
    found.commit([Arrival(event, NOW) for event in events], [])
    found.commit([], [Verdict(2, 8, frozenset(), error="app.take: KeyError", at=NOW)])
    found.close()
    return path


def test_list_shows_stored_callbacks(run_cli: RunCli, store: Path) -> None:
    """One line per callback without personal data, or with --raw the callback itself."""
    code, out, err = run_cli("callbacks", "list", str(store))
    assert (0, "", 3) == (code, err, out.count("\n"))
    assert "BATCH_STATUS_UPDATE status=READY batch_id=B number=3" in out
    assert not [bad for bad in (PHONE, "\x1b") if bad in out]
    numbers = [json.loads(line)["number"] for line in lines(run_cli, "list", store, "--json")]
    assert [1, 2, 3] == numbers
    (last,) = lines(run_cli, "list", store, "--raw", "--after", "2")
    assert {"batch_id": "B", "batch_status": "READY"} in json.loads(last).values()


def lines(run_cli: RunCli, command: str, store: Path, *words: Any) -> list[str]:
    """The lines that a command prints."""
    code, out, _ = run_cli("callbacks", command, str(store), *words)
    assert 0 == code
    return out.splitlines()


def test_dead_letters_are_listed_and_retried(run_cli: RunCli, store: Path) -> None:
    """One line per dead letter, with handler and error; --retry lets the handlers run again."""
    (line,) = lines(run_cli, "dead", store)
    assert "number=2" in line
    assert line.endswith("attempts=8 error=app.take: KeyError")
    assert lines(run_cli, "dead", store, "--retry", "--id", "1")[0].startswith("0 callbacks")
    assert lines(run_cli, "dead", store, "--retry")[0].startswith("1 callback ")
    assert [] == lines(run_cli, "dead", store)
    code, _, err = run_cli("callbacks", "dead", str(store), "--id", "1")
    assert (2, True) == (code, "--id goes with --retry" in err)


@pytest.mark.parametrize("command", ["list", "dead"])
def test_missing_store_is_named(run_cli: RunCli, tmp_path: Path, command: str) -> None:
    """A command that reads does not create a store."""
    code, out, err = run_cli("callbacks", command, str(tmp_path / "none.db"))
    assert (1, "", "sinch-wrapper: callback store none.db: there is no such file\n") == (
        code, out, err,
    )  # fmt: skip
    assert [] == [*tmp_path.iterdir()]


def test_a_receiver_that_cannot_begin_raises(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """What goes away between the check and the start ends the command with its one line."""
    job = tmp_path / "job.db"
    Journal(job).close()
    app = receiver(SECRET, store=tmp_path / "c.db", job=JournalFollower(job))
    app.check()
    job.write_bytes(b"no journal" * 1000)
    with pytest.raises(BulkError, match=r"job\.db"):
        run(app, listen("127.0.0.1", 0), None, 10)
    assert [] == caplog.records
