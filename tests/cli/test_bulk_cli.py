"""The bulk commands: exit codes, files, and a gentle stop."""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from sinch_wrapper.bulk import Report
from sinch_wrapper.bulk._journal import Journal
from sinch_wrapper.cli._bulk_views import show
from tests.helpers.bulk import FakeBatchApi, MakeBulk, csv_file, make_bulk
from tests.helpers.sandbox import Api, RunCli, StartSandbox, environment_of

__all__ = ["make_bulk"]

TEXT = ["--text", "Hi ${name}"]


def _send(api: Api, source: Path, *more: str) -> list[str]:
    app = ["--app", api.settings.app_id]
    return ["bulk", "send", str(source), *app, *TEXT, "--settle", "0.2", *more]


def test_send_report_and_status(run_cli: RunCli, api: Api, tmp_path: Path) -> None:
    """A file is sent with one command; the report needs only its journal."""
    source = csv_file(tmp_path, 5)
    code, out, _ = run_cli(*_send(api, source, "--key", "key", "--chunk-size", "2"), api=api)
    assert (0, "5 recipients: 5 accepted") == (code, out.splitlines()[0])
    job = f"{source}.db"
    code, out, _ = run_cli("bulk", "report", job, "--json")
    assert (0, 5) == (code, json.loads(out)["accepted"])
    code, out, _ = run_cli("bulk", "report", job, "--recipients", "--state", "accepted")
    assert [f"k{number}" for number in range(5)] == [
        json.loads(line)["key"] for line in out.splitlines()
    ]
    code, out, _ = run_cli("bulk", "status", job, api=api)
    assert (0, "3 batches") == (code, out.partition(":")[0])
    code, out, _ = run_cli("bulk", "status", job, "--json", api=api)
    assert 3 == len(out.splitlines())
    code, out, _ = run_cli("bulk", "resume", job, api=api)
    assert (0, "5 recipients: 5 accepted") == (code, out.splitlines()[0])


def test_cancel_and_retry(run_cli: RunCli, api: Api, tmp_path: Path) -> None:
    """A job that was cancelled can be sent again as a new job."""
    source, job = csv_file(tmp_path, 3), str(tmp_path / "a.db")
    later = time.strftime("%Y-%m-%dT%H:%M:%S+0000", time.gmtime(time.time() + 3600))
    code, _, _ = run_cli(*_send(api, source, "--job", job, "--send-after", later), api=api)
    assert 0 == code
    code, out, _ = run_cli("bulk", "cancel", job, api=api)
    assert (0, True) == (code, out.startswith("1 batch cancelled (3 recipients)."))
    code, out, _ = run_cli(
        "bulk", "retry-failed", job, str(tmp_path / "b.db"), "--reason", "X", api=api
    )
    assert (0, "0 recipients: none") == (code, out.splitlines()[0])


@pytest.mark.parametrize(
    ("words", "code", "said"),
    [
        (["bulk", "report", "none.db"], 1, "no such file"),
        (["bulk", "resume", "none.db", "--sandbox", "http://127.0.0.1:9"], 1, "no such file"),
        (["bulk", "send", "x.csv", "--app", "A"], 2, "--text or --message"),
        (["bulk", "send", "x.csv", "--app", "A", "--text", " "], 2, "must not be empty"),
        (["bulk", "send", "x.csv", "--app", "A", "--message", "[1]"], 2, "must be a JSON object"),
        (["bulk", "send", "x.csv", "--app", "A", *TEXT, "--to", "phone"], 2, "COLUMN=CHANNEL"),
        (
            ["bulk", "send", "x.csv", "--app", "A", *TEXT, "--default", "p=x", "--default", "p=y"],
            2,
            "--default p is given twice",
        ),
        (
            ["bulk", "send", "x.csv", "--app", "A", *TEXT, "--send-after", "2026-12-01 09:00"],
            2,
            "a time with an offset",
        ),
        (["bulk", "send", "/", "--app", "A", *TEXT], 2, "FILE must be a file"),
    ],
)
def test_mistakes_are_one_line(  # noqa: PLR0913, PLR0917 (fixtures)
    run_cli: RunCli, words: list[str], code: int, said: str, monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
) -> None:  # fmt: skip
    """Every mistake is one line on stderr and an exit code."""
    monkeypatch.chdir(tmp_path)
    keys = {f"SINCH_{name}": "x" for name in ("PROJECT_ID", "KEY_ID", "KEY_SECRET")}
    found, out, err = run_cli(*words, **keys, SINCH_REGION="eu")
    assert (code, "", 1) == (found, out, err.count("\n"))
    assert said in err


def test_an_unknown_state_lists_the_known_ones(run_cli: RunCli, api: Api, tmp_path: Path) -> None:
    """A misspelt --state is a wrong command line."""
    source = csv_file(tmp_path, 1)
    run_cli(*_send(api, source), api=api)
    code, _, err = run_cli("bulk", "report", f"{source}.db", "--recipients", "--state", "faild")
    assert (2, True) == (code, "delivered" in err)
    code, _, err = run_cli("bulk", "report", f"{source}.db", "--state", "failed")
    assert (2, True) == (code, "--state goes with --recipients" in err)


def test_sigterm_stops_gently_and_resume_goes_on(
    start_sandbox: StartSandbox, run_cli: RunCli, tmp_path: Path
) -> None:
    """Running requests are completed, the journal is sound, and resume sends the rest once."""
    from sinch_wrapper.sandbox import parse_fault

    api = start_sandbox(faults=(parse_fault("Batch_SendBatch:slow=0.1"),))
    source = csv_file(tmp_path, 400)
    command = [sys.executable, "-m", "sinch_wrapper.cli"]
    words = _send(api, source, "--chunk-size", "4", "--concurrency", "2")
    with subprocess.Popen(
        [*command, *words], env=os.environ | environment_of(api), text=True,
        stdout=subprocess.PIPE, stderr=subprocess.PIPE,
    ) as process:  # fmt: skip
        deadline = time.monotonic() + 60
        while not _begun(Path(f"{source}.db")):
            assert time.monotonic() < deadline
            time.sleep(0.02)
        process.send_signal(signal.SIGTERM)
        out, err = process.communicate(timeout=60)
    assert (130, "") == (process.returncode, err)
    assert "bulk resume" in out
    report = Report(Path(f"{source}.db"))
    assert (0, True) == (report.unknown, 0 < report.accepted < 400)
    code, out, _ = run_cli("bulk", "resume", f"{source}.db", "--concurrency", "16", api=api)
    assert (0, "400 recipients: 400 accepted") == (code, out.splitlines()[0])


def test_ctrl_c_while_reading_says_that_nothing_was_sent(
    start_sandbox: StartSandbox, run_cli: RunCli, tmp_path: Path
) -> None:
    """It exits like every interrupted command, and says what to do next; so does a resume."""
    api, source = start_sandbox(), csv_file(tmp_path, 500_000)
    command = [sys.executable, "-m", "sinch_wrapper.cli", *_send(api, source)]
    with subprocess.Popen(
        command, env=os.environ | environment_of(api), text=True,
        stdout=subprocess.PIPE, stderr=subprocess.PIPE,
    ) as process:  # fmt: skip
        deadline = time.monotonic() + 60
        while not _reading(Path(f"{source}.db")):
            assert time.monotonic() < deadline
            time.sleep(0.01)
        process.send_signal(signal.SIGINT)
        out, err = process.communicate(timeout=60)
    assert (130, "") == (process.returncode, out)
    assert "nothing was sent: start the job again" in err
    code, _, err = run_cli("bulk", "resume", f"{source}.db", api=api)
    assert (1, True) == (code, "start the job again" in err)


def _reading(job: Path) -> bool:
    from sinch_wrapper import BulkError

    try:
        Report(job)
    except BulkError as error:
        return "interrupted while reading" in str(error)
    return False


def test_batches_are_cancelled_by_id_and_by_metadata(
    run_cli: RunCli, api: Api, tmp_path: Path
) -> None:
    """Batches of any job are cancelled; without ids and metadata the command line is wrong."""
    later = time.strftime("%Y-%m-%dT%H:%M:%S+0000", time.gmtime(time.time() + 3600))
    job = str(tmp_path / "a.db")
    run_cli(*_send(api, csv_file(tmp_path, 3), "--job", job, "--send-after", later), api=api)
    (batch,) = Report(Path(job)).batches()
    mark = f"sinch_wrapper_chunk={Report(Path(job)).job}-0"
    code, out, _ = run_cli("bulk", "cancel-batches", "--metadata", mark, api=api)
    assert (0, "1 batch cancelled. Too late: 0 batches. Unknown: 0 batches.") == (code, out.strip())
    code, out, _ = run_cli("bulk", "cancel-batches", batch.batch_id, "--json", api=api)
    assert (0, [batch.batch_id]) == (code, json.loads(out)["cancelled"])
    code, _, err = run_cli("bulk", "cancel-batches", api=api)
    assert (2, True) == (code, "batch ids or --metadata" in err)


def test_requests_that_cannot_be_looked_up_are_reported(
    start_sandbox: StartSandbox, run_cli: RunCli, tmp_path: Path
) -> None:
    """The older path has no look-up: resuming is not offered, because it would change nothing."""
    from sinch_wrapper.sandbox import parse_fault

    api = start_sandbox(faults=(parse_fault("Batch_SendBatch*:drop:#1"),))
    code, out, _ = run_cli(*_send(api, csv_file(tmp_path, 3), "--api", "v1beta"), api=api)
    assert (3, True) == (
        code,
        "cannot be looked up with this API version, so they are never resent" in out,
    )
    assert "bulk resume" not in out


def test_a_refusal_is_shown_in_the_words_of_the_api(
    run_cli: RunCli, api: Api, tmp_path: Path
) -> None:
    """Counts alone do not say what to change."""
    source = str(csv_file(tmp_path, 3))
    code, out, _ = run_cli("bulk", "send", source, "--app", "NO APP", *TEXT, api=api)
    assert (1, True) == (code, "The first rejected is on line 2: app_id: " in out)


def test_a_job_whose_time_has_passed_asks_before_it_sends(
    run_cli: RunCli, api: Api, tmp_path: Path
) -> None:
    """Resuming says what has passed; --send-now sends all the same."""
    source, job = csv_file(tmp_path, 3), str(tmp_path / "a.db")
    later = time.strftime("%Y-%m-%dT%H:%M:%S+0000", time.gmtime(time.time() + 3600))
    words = ("--job", job, "--send-after", later, "--deadline", "0")
    code, out, _ = run_cli(*_send(api, source, *words), api=api)
    assert (1, True) == (code, "Not done: deadline" in out)
    _let_time_pass(Path(job))
    code, _, err = run_cli("bulk", "resume", job, api=api)
    assert (1, True) == (code, "has passed with 3 recipients not accepted" in err)
    code, out, _ = run_cli("bulk", "resume", job, "--send-now", api=api)
    assert (0, "3 recipients: 3 accepted") == (code, out.splitlines()[0])


def _let_time_pass(job: Path) -> None:
    """Give *job* a time to send that passed long ago."""
    journal = Journal(job)
    request = journal.facts()["request"]
    assert isinstance(request, dict)
    with journal.write() as connection:
        journal.note(connection, request=request | {"send_after": "2020-01-01T00:00:00Z"})
    journal.close()


def _begun(job: Path) -> bool:
    from sinch_wrapper import BulkError

    try:
        return Report(job).accepted > 0
    except BulkError:
        return False


def test_a_message_that_is_refused_stops_the_job_and_shows_why(
    run_cli: RunCli, api: Api, tmp_path: Path
) -> None:
    """Counts, the words of the API and the way to resume are shown; the rest was not sent."""
    source, message = csv_file(tmp_path, 20), '{"no_message": {"text": "Hi"}}'
    words = ["--app", api.settings.app_id, "--message", message, "--concurrency", "1"]
    code, out, err = run_cli("bulk", "send", str(source), *words, "--chunk-size", "5", api=api)
    assert (1, "20 recipients: 5 rejected, 15 pending") == (code, out.splitlines()[0])
    assert "The first rejected is on line 2: message: " in out
    assert f"resume the job with sinch-wrapper bulk resume {source}.db" in err


def test_numbers_in_the_words_of_the_api_are_not_shown(
    capsys: pytest.CaptureFixture[str], make_bulk: MakeBulk, tmp_path: Path
) -> None:
    """The server may quote a phone number: the output has a mark in its place."""
    fake = FakeBatchApi("400")
    fake.blamed = ["recipient_and_params[0].recipient"]
    fake.said = "identity +46 70-000 00 01 of 2 is wrong"
    make_bulk(fake).go(csv_file(tmp_path, 1), job=tmp_path / "job.db")
    show(Report(tmp_path / "job.db"), as_json=False)
    out = capsys.readouterr().out
    assert "line 2, recipient: identity <number> of 2 is wrong\n" in out


def test_a_person_may_send_what_is_unknown(run_cli: RunCli, api: Api, tmp_path: Path) -> None:
    """It is shown, and nothing leaves before somebody has agreed."""
    source = csv_file(tmp_path, 4)
    api.http.post("/_sandbox/faults", json={"faults": ["Batch_SendBatch:503:#1"]})
    code, out, _ = run_cli(*_send(api, source, "--send-again", "never"), api=api)
    assert (3, True) == (code, "bulk send-again" in out)
    job = f"{source}.db"
    code, _, error = run_cli("bulk", "send-again", job, api=api)
    assert (2, True) == (code, "give --yes" in error)
    assert "request 0, 4 recipients, left once: " in error
    code, out, _ = run_cli("bulk", "send-again", job, "--yes", "--settle", "0.2", api=api)
    assert (0, True) == (code, "Sent again: request 0 (4 recipients), on your word." in out)
    code, out, _ = run_cli("bulk", "send-again", job, api=api)
    assert (0, "Nothing is unknown.") == (code, out.strip())


def test_probe_says_which_promise_holds(run_cli: RunCli, api: Api) -> None:
    """A few batches are looked up until all are listed."""
    command = ["bulk", "probe", "--app", api.settings.app_id, "--to", "+46700000001"]
    code, out, _ = run_cli(*command, "--count", "3", api=api)
    assert (0, "3 batches accepted, 3 listed.") == (code, out.splitlines()[0])
    assert 'the evidence of send_again="evidence" holds here' in out
    code, out, _ = run_cli(*command, "--count", "1", "--json", api=api)
    assert (1, 1, True) == tuple(json.loads(out)[name] for name in ("accepted", "listed", "steady"))
