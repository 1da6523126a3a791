"""A receiver that follows bulk jobs writes their journals before it responds."""

import json
import sqlite3
from pathlib import Path
from typing import Any

from sinch_wrapper import Endpoints, Sinch
from sinch_wrapper.bulk import Bulk, JournalFollower, Report
from sinch_wrapper.callbacks import Event, EventStore, receiver
from sinch_wrapper.sandbox import BackgroundServer
from tests.helpers.bulk import APP, MESSAGE, FakeBatchApi, MakeBulk, make_bulk, rows
from tests.helpers.callbacks import SECRET, eventually, make_body, post, receipt, serving
from tests.helpers.sandbox import StartSandbox

__all__ = ["make_bulk"]


def marked(api: FakeBatchApi, position: int) -> str:
    """The metadata with which the receipt of one recipient comes back."""
    body = api.sent[0]
    marks = body["recipient_and_params"][position]["message_metadata"]
    return json.dumps(body["message_metadata"] | marks | {"_batch_id": "B1"})


def states(job: Path) -> list[str]:
    """The state of each recipient."""
    return [str(each.state) for each in Report(job).recipients()]


def test_journal_knows_what_was_taken(make_bulk: MakeBulk, tmp_path: Path) -> None:
    """After the 200 the journal has the outcome; a callback about no job is stored and handled."""
    api, job, taken = FakeBatchApi(), tmp_path / "spring.db", []
    make_bulk(api).go(rows(3), job=job, concurrency=1)
    app = receiver(SECRET, job=JournalFollower(job))

    @app.on()
    async def take(event: Event) -> None:
        taken.append(event.kind)

    with serving(app) as client:
        for position, status in ((0, "DELIVERED"), (1, "FAILED"), (0, "QUEUED_ON_CHANNEL")):
            body = receipt(status, metadata=marked(api, position))
            assert 200 == post(client, body).status_code
        assert ["delivered", "failed", "accepted"] == states(job)
        assert 200 == post(client, make_body()).status_code
        eventually(lambda: len(taken) == 4)
    store = EventStore(tmp_path / "spring.db.callbacks", must_exist=True)
    assert 4 == len([*store.events()])
    store.close()


def test_job_may_begin_after_the_receiver(make_bulk: MakeBulk, tmp_path: Path) -> None:
    """A journal that does not exist yet takes part as soon as it does; several may be followed."""
    api, jobs = FakeBatchApi(), [tmp_path / "spring.db", tmp_path / "summer.db"]
    with serving(
        receiver(SECRET, store=tmp_path / "callbacks.db", job=JournalFollower(jobs))
    ) as client:
        assert 200 == post(client, make_body()).status_code
        assert not jobs[0].exists()
        make_bulk(api).go(rows(1), job=jobs[1])
        body = receipt("READ", metadata=marked(api, 0))
        assert 200 == post(client, body).status_code
        assert ["read"] == states(jobs[1])


def test_journal_that_cannot_be_written_is_503(make_bulk: MakeBulk, tmp_path: Path) -> None:
    """A callback that the journal cannot take gets no 2xx, and comes again."""
    api, job = FakeBatchApi(), tmp_path / "spring.db"
    make_bulk(api).go(rows(1), job=job)
    with serving(receiver(SECRET, job=JournalFollower(job))) as client:
        assert 200 == post(client, make_body()).status_code
        broken = sqlite3.connect(job)
        broken.execute("ALTER TABLE outcomes RENAME TO gone")
        body = receipt("READ", metadata=marked(api, 0))
        assert 503 == post(client, body).status_code
        broken.execute("ALTER TABLE gone RENAME TO outcomes")
        broken.close()
        assert 200 == post(client, body).status_code
        assert ["read"] == states(job)


def test_stored_events_can_be_recorded_later(make_bulk: MakeBulk, tmp_path: Path) -> None:
    """What a receiver stored without following the job is handed to the job afterwards."""
    api, job, path = FakeBatchApi(), tmp_path / "spring.db", tmp_path / "callbacks.db"
    bulk = make_bulk(api)
    bulk.go(rows(1), job=job)
    with serving(receiver(SECRET, store=path)) as client:
        post(client, receipt("READ", metadata=marked(api, 0)))
    store = EventStore(path, must_exist=True)
    assert 1 == bulk.record(store.events(), job)
    store.close()
    assert ["read"] == states(job)


def test_marks_of_absurd_size_are_left_alone(make_bulk: MakeBulk, tmp_path: Path) -> None:
    """Metadata that only look like ours change nothing and stop nothing."""
    api, job = FakeBatchApi(), tmp_path / "spring.db"
    make_bulk(api).go(rows(1), job=job)
    marks: dict[str, Any] = json.loads(marked(api, 0))
    del marks["_batch_id"]
    chunk = marks["sinch_wrapper_chunk"]
    with serving(receiver(SECRET, job=JournalFollower(job))) as client:
        for change in (
            {"sinch_wrapper_chunk": chunk + "9" * 5000},
            {"sinch_wrapper_chunk": chunk + "9" * 30},
            {"sinch_wrapper_index": "9" * 5000},
            {"sinch_wrapper_index": "9" * 30},
        ):
            body = receipt("READ", metadata=json.dumps(marks | change))
            assert 200 == post(client, body).status_code
        assert ["accepted"] == states(job)


def test_sandbox_receiver_and_journal_together(start_sandbox: StartSandbox, tmp_path: Path) -> None:
    """A job against the sandbox is followed to the end by signed callbacks alone."""
    api, job = start_sandbox(callback_duplicates=0.3, callback_disorder=0.3), tmp_path / "job.db"
    app_id = api.settings.app_id
    settings = api.settings
    sinch = Sinch(
        project_id=settings.project_id,
        key_id=settings.key_id,
        key_secret=settings.key_secret,
        endpoints=Endpoints.sandbox(api.url),
        proxy="",
    )
    with sinch, BackgroundServer(receiver("inbox-secret", job=JournalFollower(job))) as server:
        api.webhook(app_id, server.url, "MESSAGE_DELIVERY", "BATCH_STATUS_UPDATE")
        things = [
            {"phone": f"+46700000{end}", "name": name}
            for end, name in (("123", "A"), ("000", "B"), ("124", "C"))
        ]
        Bulk(sinch).send(app_id=app_id, message=MESSAGE, recipients=things, job=job)
        eventually(lambda: Report(job).delivered + Report(job).failed == 3)
    assert ["delivered", "failed", "delivered"] == states(job)
    assert app_id == APP
