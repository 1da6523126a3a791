"""Failures for programs (--json), what goes over the wire (--debug), and `python -m`."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from sinch_wrapper.sandbox import parse_fault
from tests.cli.test_wording import options
from tests.helpers.sandbox import Api, RunCli, StartSandbox, environment_of

TO = "+46700000001"
SEND = ("send", "--app", "APP", "--to", TO, "--text", "planted")
GET = ("api", "App_GetApp", "--param", "app_id=none")
KEYS = {
    *("error", "exit_code", "message", "code", "status", "outcome", "request_id", "attempts"),
    "field_violations",
}
# How a command fails: words, fault, exit code, kind, HTTP status, status, outcome, fields.
FAILURES = [
    (("nonsense",), None, 2, "UsageError", None, None, None, []),
    (("send", "--to", TO), None, 2, "UsageError", None, None, None, []),
    (("bulk", "status", "none.db"), None, 1, "BulkError", None, None, None, []),
    (GET, None, 1, "NotFoundError", 404, "NOT_FOUND", None, []),
    (SEND, None, 1, "BadRequestError", 400, "INVALID_ARGUMENT", None, ["app_id"]),
    (SEND, "*:drop", 3, "APIConnectionError", None, None, "unknown", []),
]  # fmt: skip


@pytest.mark.parametrize(
    ("words", "fault", "code", "kind", "http", "status", "outcome", "fields"), FAILURES
)
def test_a_failure_is_one_json_object(  # noqa: PLR0913, PLR0917 (what the object has)
    run_cli: RunCli,
    start_sandbox: StartSandbox,
    words: tuple[str, ...],
    fault: str | None,
    code: int,
    kind: str,
    http: int | None,
    status: str | None,
    outcome: str | None,
    fields: list[str],
) -> None:
    """With --json stderr has one object with all that is known; the exit code is as without."""
    faults = (parse_fault(fault.replace("*", "Messages_SendMessage")),) if fault else ()
    api = start_sandbox(faults=faults)
    found, out, err = run_cli(*words, "--json", api=api)
    told = json.loads(err)

    assert (code, "", KEYS) == (found, out, set(told))
    assert (code, kind, http) == (told["exit_code"], told["error"], told["code"])
    assert (status, outcome) == (told["status"], told["outcome"])
    assert fields == [each["field"] for each in told["field_violations"]]
    assert all(each["description"] for each in told["field_violations"])
    assert not {TO, "planted"} & set(err.split())
    assert told["message"].startswith(run_cli(*words, api=api)[2].partition(": ")[2][:20])


def test_reasons_are_shown_without_json_too(run_cli: RunCli, api: Api) -> None:
    """A person reads why each field is wrong."""
    err = run_cli(*SEND, api=api)[2]
    assert "invalid fields: app_id: " in err
    assert "ULID" in err


def test_notes_are_objects_where_failures_are(
    run_cli: RunCli, api: Api, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With --json every line of stderr is an object."""
    monkeypatch.chdir(tmp_path)
    Path("people.csv").write_text("phone,name\n+46700000001,Ada\n", encoding="utf-8")
    words = ("bulk", "check", "people.csv", "--text", "Hi {name}", "--json")
    code, out, err = run_cli(*words, api=api)

    note, failure = map(json.loads, err.splitlines())
    assert (1, "", {"note"}, KEYS) == (code, out, set(note), set(failure))


def test_a_value_that_is_json_switches_nothing(run_cli: RunCli, api: Api) -> None:
    """After -- nothing is an option."""
    code, _, err = run_cli("api", "--", "--json", api=api)
    assert (2, True) == (code, err.startswith("sinch-wrapper"))


@pytest.mark.parametrize("as_json", [False, True])
def test_debug_shows_the_wire_and_no_secret(
    run_cli: RunCli, start_sandbox: StartSandbox, *, as_json: bool
) -> None:
    """--debug prints method, path, status and time of each request, and nothing of its body."""
    api = start_sandbox(faults=(parse_fault("Messages_SendMessage:503:#1"),))
    words = ("send", "--app", api.settings.app_id, "--to", TO, "--text", "planted", "--debug")
    code, _, err = run_cli(*words, *(["--json"] if as_json else []), api=api)
    lines = [json.loads(line)["note"] if as_json else line for line in err.splitlines()]

    path = f"POST /conversation/v1/projects/{api.settings.project_id}/messages:send"
    assert 0 == code
    assert [1, 2] == [sum(each in line for line in lines) for each in ("oauth2/token", path)]
    assert "Messages_SendMessage: 200 on attempt 2" in lines[-1]
    hidden = ("planted", TO[1:], api.settings.key_id, api.settings.key_secret)
    assert [] == [each for each in hidden if each in err]
    assert "" == run_cli(*words[:-1], api=api)[2]


def test_debug_hides_identities_in_paths(run_cli: RunCli, api: Api) -> None:
    """A number in a path or a query is not shown."""
    path = ("--param", f"app_id={api.settings.app_id}", "--param", f"identity={TO}")
    err = run_cli("api", "Consents_GetConsentsAuditRecords", *path, "--debug", api=api)[2]
    query = ("--param", f"identity={TO}", "--param", "channel=SMS")
    err += run_cli("api", "Contact_ListContacts", *query, "--debug", api=api)[2]

    assert "/consents/identities/<hidden>" in err
    assert "/contacts?channel&identity" in err.replace("identity&channel", "channel&identity")
    assert TO[1:] not in err


def test_every_command_that_calls_has_debug() -> None:
    """Where there is --region for a call, there is --debug."""
    found = {(path, name) for path, name, _ in options()}
    calling = {path for path, name in found if name == "region"} - {("sandbox",)}
    assert [] == [path for path in calling if "debug" not in {n for p, n in found if p == path}]


def test_the_package_is_the_command(api: Api) -> None:
    """`python -m sinch_wrapper` is the command, with its exit code."""
    for words, code in ((["token"], 0), (["nonsense"], 2)):
        run = subprocess.run(
            [sys.executable, "-m", "sinch_wrapper", *words],
            env=environment_of(api),
            capture_output=True,
            text=True,
            check=False,
        )
        assert code == run.returncode, run.stderr
