"""Edge cases of the receiver: wrong files, cancelled handlers, numbers out of range."""

import asyncio
import json
from pathlib import Path

import pytest

from sinch_wrapper import BulkError, ConfigurationError
from sinch_wrapper.bulk import JournalFollower
from sinch_wrapper.callbacks import Event, EventStore, receiver, sign
from tests.helpers.callbacks import SECRET, eventually, make_body, memory, post, serving
from tests.helpers.sandbox import RunCli


def test_store_and_journal_are_two_files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """One file for both would refuse every callback later: it is refused at once."""
    monkeypatch.chdir(tmp_path)
    with pytest.raises(ConfigurationError, match="must not be a job journal"):
        receiver(SECRET, store="a.db", job=JournalFollower(tmp_path / "a.db"))


def test_a_file_that_is_not_a_journal_is_refused_at_the_start(tmp_path: Path) -> None:
    """The receiver does not start, rather than refuse every callback with 503."""
    job = tmp_path / "people.csv"
    job.write_text("phone,name\n" * 9, encoding="utf-8")
    app = receiver(SECRET, store=tmp_path / "store.db", job=JournalFollower(job))

    async def start() -> None:
        async with app:
            pass

    with pytest.raises(BulkError, match=r"people\.csv: .*not a bulk job journal"):
        asyncio.run(start())


def test_a_handler_whose_work_was_cancelled_has_failed() -> None:
    """It is tried again, becomes a dead letter, and does not run for ever."""
    app, runs = memory(attempts=2, backoff=0.01), []

    @app.on(name="take")
    async def take(event: Event) -> None:
        runs.append(event)
        work = asyncio.ensure_future(asyncio.sleep(60))
        work.cancel()
        await work

    with serving(app) as client:
        assert 200 == post(client, make_body()).status_code
        eventually(lambda: bool(app.dead()))
        assert ("CancelledError" in app.dead()[0].error, 2) == (True, len(runs))


@pytest.mark.parametrize("words", [["list", "--after"], ["dead", "--retry", "--id"]])
def test_numbers_that_no_callback_has_are_refused(
    run_cli: RunCli, tmp_path: Path, words: list[str]
) -> None:
    """A number that the store cannot hold is a mistake in the command line."""
    path = tmp_path / "store.db"
    EventStore(path).close()
    command, *options = words
    code, _, err = run_cli("callbacks", command, str(path), *options, str(2**63))
    assert (2, 1) == (code, len(err.splitlines()))


def test_verify_takes_a_timestamp_beyond_every_calendar(run_cli: RunCli, tmp_path: Path) -> None:
    """A valid signature is reported as valid, with the number in place of a time."""
    body, headers = tmp_path / "body.json", tmp_path / "headers.json"
    raw = make_body()
    body.write_bytes(raw)
    signed = sign(raw, SECRET, nonce="1", timestamp="9" * 12)
    headers.write_text(json.dumps(signed), encoding="utf-8")
    secrets = tmp_path / "secrets"
    secrets.write_text(SECRET, encoding="utf-8")
    code, out, _ = run_cli(
        "callbacks", "verify", "--headers", str(headers), "--secret-file", str(secrets), str(body)
    )
    assert (0, True) == (code, "signed 999999999999 with the secret" in out)
