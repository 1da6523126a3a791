"""The options of a campaign, and the commands about suppression lists."""

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from sinch_wrapper.bulk import OptOutFollower
from tests.callbacks.test_opt_outs import inbound
from tests.helpers.bulk import csv_file
from tests.helpers.sandbox import Api, RunCli

TEXT = ["--text", "Hi ${name}"]


def _send(api: Api, source: Path, *more: str) -> list[str]:
    return ["bulk", "send", str(source), "--app", api.settings.app_id, *TEXT, *more]


def test_a_list_is_kept_and_left_out(run_cli: RunCli, api: Api, tmp_path: Path) -> None:
    """Added, loaded, checked and removed; a job leaves out who is on it, and that is a success."""
    source, stop, more = csv_file(tmp_path, 5), str(tmp_path / "stop.db"), tmp_path / "more.txt"
    more.write_text("+46700000001\n+46700000002\n", encoding="utf-8")
    added = run_cli("suppression", "add", stop, "+46 70 000 00 00")
    loaded = run_cli("suppression", "load", stop, str(more))
    removed = run_cli("suppression", "remove", stop, "+46700000002")
    assert [(0, "1 number added\n"), (0, "2 numbers loaded\n"), (0, "1 number removed\n")] == [
        found[:2] for found in (added, loaded, removed)
    ]
    again = [
        run_cli("suppression", what, stop, which, "--json")[1]
        for what, which in (
            ("add", "+46700000002"),
            ("load", str(more)),
            ("remove", "+46700000002"),
        )
    ]
    assert [{"added": 1}, {"loaded": 2}, {"removed": 1}] == [json.loads(out) for out in again]
    code, out, _ = run_cli("suppression", "check", stop, "+46700000001", "+46700000002", "--json")
    assert (1, [True, False]) == (code, json.loads(out))
    code, out, _ = run_cli(*_send(api, source, "--exclude", stop, "--consents"), api=api)
    assert (0, "3 recipients: 3 accepted, 2 suppressed") == (code, out.splitlines()[0])
    code, out, _ = run_cli(
        "bulk", "report", f"{source}.db", "--recipients", "--state", "suppressed"
    )
    assert ["on the list stop.db"] * 2 == [json.loads(line)["reason"] for line in out.splitlines()]


def test_a_person_reads_what_is_doubtful(run_cli: RunCli, tmp_path: Path) -> None:
    """The text is shown on one line whatever is in it; the decision is written down."""
    stop = str(tmp_path / "stop.db")
    follower = OptOutFollower(stop)
    follower.take([inbound("please\x1b[2J\nstop"), inbound("do not stop", id="M2")])
    follower.close()
    code, out, _ = run_cli("suppression", "doubtful", stop)
    assert (0, 2, False) == (code, len(out.splitlines()), "\x1b" in out)
    code, out, _ = run_cli("suppression", "doubtful", stop, "--out", "1")
    assert (0, "") == (code, out)
    assert 0 == run_cli("suppression", "doubtful", stop, "--nothing", "2")[0]
    assert 1 == run_cli("suppression", "check", stop, "+46700000001")[0]
    assert 2 == run_cli("suppression", "doubtful", stop, "--out", "1")[0]


def test_a_closed_window_waits_and_a_pilot_cannot_know(
    run_cli: RunCli, api: Api, tmp_path: Path
) -> None:
    """What has not left is said, with how to go on, and is not a success."""
    source, later = csv_file(tmp_path, 3), datetime.now(UTC) + timedelta(hours=2)
    hours = f"{later:%H:%M}-{later + timedelta(hours=1):%H:%M}"
    window = ["--window", hours, "--timezone", "zone", "--deadline", "1"]
    source.write_text(
        source.read_text(encoding="utf-8").replace("\n", ",UTC\n").replace("name,UTC", "name,zone"),
        encoding="utf-8",
    )
    code, out, _ = run_cli(*_send(api, source, *window), api=api)
    assert (1, "3 recipients: 3 pending") == (code, out.splitlines()[0])
    code, out, err = run_cli(
        *_send(api, source, "--job", str(tmp_path / "2.db"), "--pilot", "1", "--pilot-wait", "0"),
        api=api,
    )
    assert (1, "3 recipients: 1 accepted, 2 pending") == (code, out.splitlines()[0])
    assert "no receipts came" in err
    assert "Not done: no receipts. Resume with" in out
    assert "add --go-on" in out
    code, out, _ = run_cli("bulk", "resume", str(tmp_path / "2.db"), "--go-on", api=api)
    assert (0, "3 recipients: 3 accepted") == (code, out.splitlines()[0])


@pytest.mark.parametrize(
    ("more", "said"),
    [
        (["--window", "9-20"], "--window must be hours such as"),
        (["--window", "09:00-20:00", "--default-timezone", "Mars"], "--default-timezone must be"),
        (["--quiet-day", "2026-12-25"], "go with --window"),
        (["--quiet-day", "Christmas"], "expected a date such as"),
        (["--timezone", "zone"], "go with --window"),
        (["--pilot-delivered", "2"], "--pilot-delivered"),
        (["--pilot", "0"], "--pilot"),
    ],
)
def test_wrong_options_are_one_line(
    run_cli: RunCli, api: Api, tmp_path: Path, more: list[str], said: str
) -> None:
    """Exit code 2, and nothing is opened or sent."""
    source = csv_file(tmp_path, 3)
    code, _, err = run_cli(*_send(api, source, *more), api=api)
    assert (2, True) == (code, said in err)
    assert not Path(f"{source}.db").exists()
