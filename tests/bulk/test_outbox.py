"""An outbox: one message for each key, however often, from wherever, and whatever happens."""

import asyncio
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from sinch_wrapper import AuthenticationError, BulkError, Recipient, Sinch, text
from sinch_wrapper._http import httpx
from sinch_wrapper.bulk import JournalFollower, RecipientResult, Report
from tests.helpers.bulk import APP, SETTLE, FakeBatchApi, MakeBulk, make_bulk, receipt, rows
from tests.helpers.core import KEY_ID, KEY_SECRET, PROJECT, AsyncFlavour, Flavour

__all__ = ["make_bulk"]

ADA = Recipient.sms("+46700000001")
HI = text("Hi Ada")
Handler = Callable[[httpx.Request], httpx.Response]


class OutboxFace:
    """Outbox or AsyncOutbox, called alike."""

    def __init__(self, flavour: Flavour, handler: Handler, path: Path, **options: Any) -> None:
        self.flavour = flavour
        self.client = flavour.client(handler)
        self.outbox: Any = self.client.outbox(path, **{"settle": SETTLE, **options})

    def __getattr__(self, name: str) -> Any:
        """A method of it, awaited when it must be."""
        method = getattr(self.outbox, name)

        def call(*args: Any, **options: Any) -> Any:
            return self.flavour.run(method(*args, **options))

        return call

    def go(self, key: str, to: Any = ADA, message: Any = HI, **options: Any) -> Any:
        """Send the usual message."""
        return self.send(key=key, app_id=APP, to=to, message=message, **options)

    def close(self) -> None:
        """Close outbox and client."""
        close = self.outbox.aclose if self.flavour.name == "async" else self.outbox.close
        self.flavour.run(close())
        self.flavour.close(self.client)


Make = Callable[..., OutboxFace]


@pytest.fixture
def make(flavour: Flavour, tmp_path: Path) -> Iterator[Make]:
    """Open an outbox over a fake API."""
    faces: list[OutboxFace] = []

    def opened(api: Handler, path: Path | None = None, **options: Any) -> OutboxFace:
        faces.append(OutboxFace(flavour, api, path or tmp_path / "outbox.db", **options))
        return faces[-1]

    yield opened
    for face in faces:
        face.close()


def _same(one: RecipientResult, two: RecipientResult) -> bool:
    return (one.key, one.batch_id, one.chunk) == (two.key, two.batch_id, two.chunk)


def test_a_key_is_one_message(make: Make) -> None:
    """Sent twice, also after the outbox was closed: the same answer, and one request."""
    api = FakeBatchApi()
    outbox = make(api)
    first = outbox.go("order-17")
    again = outbox.go("order-17")
    assert ("order-17", "accepted", "B1") == (first.key, first.state, first.batch_id)
    assert _same(first, again)
    outbox.close()
    later = make(api)
    assert _same(first, later.go("order-17"))
    assert _same(first, later.get("order-17"))
    assert (None, 1) == (later.get("order-18"), len(api.sent))
    assert "B2" == later.go("order-18").batch_id


def test_another_message_under_the_same_key_is_refused(make: Make) -> None:
    """Other text, recipient or field: refused, with neither text nor number in the error."""
    api = FakeBatchApi()
    outbox = make(api)
    outbox.go("k", ttl=60)
    for other in ({"message": text("planted")}, {"to": Recipient.sms("+46700000999")}, {"ttl": 61}):
        with pytest.raises(BulkError, match=r"outbox\.db: this key was used") as found:
            outbox.go("k", **{"ttl": 60, **other})
        assert [] == [word for word in ("planted", "999", "4670") if word in str(found.value)]
    assert 1 == len(api.sent)
    assert "B1" == outbox.go("k", ttl=60).batch_id


def test_a_lost_response_is_looked_up(make: Make) -> None:
    """The message was accepted: it is found, and not sent again."""
    api = FakeBatchApi("lost")
    found = make(api).go("k")
    assert ("accepted", "B1", 1) == (found.state, found.batch_id, len(api.sent))
    assert api.looks


def test_what_may_have_left_stays_unknown(make: Make) -> None:
    """Without evidence it never leaves again by itself; it is listed, and a callback settles it."""
    api = FakeBatchApi("dropped")
    outbox = make(api)
    found = outbox.go("k")
    assert ("unknown", ["k"], 1) == (
        found.state, [each.key for each in outbox.unknown()], len(api.sent),
    )  # fmt: skip
    assert "unknown" == outbox.go("k").state
    mark = api.sent[0]["message_metadata"]
    follower = outbox.outbox.follower()
    follower.take([receipt("DELIVERED", mark | {"_batch_id": "B9", "sinch_wrapper_index": "0"})])
    follower.close()
    found = outbox.go("k")
    assert ("delivered", "B9", [], 1) == (
        found.state, found.batch_id, outbox.unknown(), len(api.sent),
    )  # fmt: skip


def test_other_keys_are_the_evidence(make: Make) -> None:
    """With keys accepted before and after it, what is not listed leaves again, and is named."""
    api = FakeBatchApi("ok", "dropped")
    # Lags are measured in real time, and a busy machine makes them long.
    outbox = make(api, settle=0.5)
    outbox.go("before")
    outbox.go("lost", wait=0)
    ends = time.monotonic() + 60
    number = 0
    while outbox.get("lost").state != "accepted" and time.monotonic() < ends:
        outbox.go(f"after-{number}")
        number += 1
        time.sleep(0.02)
    assert "accepted" == outbox.get("lost").state
    [again] = Report(outbox.outbox._path).sent_again  # noqa: SLF001 (the file of this test)
    assert ("evidence", {1}) == (again.by, set(_times(api).values()))


def test_never_means_never(make: Make) -> None:
    """With send_again="never" no evidence is enough; a person's word is."""
    api = FakeBatchApi("ok", "dropped")
    outbox = make(api, send_again="never")
    outbox.go("before")
    outbox.go("lost", wait=0)
    for number in range(20):
        outbox.go(f"after-{number}")
        time.sleep(0.02)
    assert "unknown" == outbox.get("lost").state
    assert 22 == len(api.sent)
    found = outbox.send_again("lost")
    assert ("accepted", 23) == (found.state, len(api.sent))
    [again] = Report(outbox.outbox._path).sent_again  # noqa: SLF001 (the file of this test)
    assert "word" == again.by
    assert _same(found, outbox.send_again("lost"))
    assert (None, 23) == (outbox.send_again("none"), len(api.sent))


def _times(api: FakeBatchApi) -> dict[str, int]:
    found: dict[str, int] = {}
    for body in api.batches.values():
        mark = body["batch_metadata"]["sinch_wrapper_chunk"]
        found[mark] = found.get(mark, 0) + 1
    return found


def test_a_refused_message_says_why_and_stops_no_other(make: Make) -> None:
    """A 400 is the answer for its key; the next message is sent."""
    api = FakeBatchApi("400")
    api.blamed = ["message.text_message.text"]
    outbox = make(api)
    found = outbox.go("bad")
    assert ("rejected", "INVALID_ARGUMENT") == (found.state, found.reason)
    assert "accepted" == outbox.go("good", message=text("Good")).state
    assert _same(found, outbox.go("bad"))


def test_wrong_credentials_raise_and_the_key_can_be_used_again(make: Make) -> None:
    """Nothing was accepted, so the same call may be made again."""
    api = FakeBatchApi("401", "401", "401")
    outbox = make(api)
    with pytest.raises(AuthenticationError):
        outbox.go("k")
    api.script = []
    assert "accepted" == outbox.go("k").state
    assert {1} == set(api.accepted.values())


def test_placeholders_are_filled(make: Make) -> None:
    """As in bulk: with parameters, which must fit."""
    api = FakeBatchApi()
    outbox = make(api)
    outbox.go("k", message=text("Hi ${name}"), parameters={"name": "Ada"})
    assert {"name": "Ada"} == api.sent[0]["recipient_and_params"][0]["parameters"]
    for parameters in (None, {"name": "Ada", "other": "x"}):
        with pytest.raises(ValueError, match=r"name|parameters"):
            outbox.go("k2", message=text("Hi ${name}"), parameters=parameters)


def test_a_journal_of_a_job_is_no_outbox(make_bulk: MakeBulk, make: Make, tmp_path: Path) -> None:
    """Each is refused as the other."""
    job, api = tmp_path / "job.db", FakeBatchApi()
    make_bulk(api).go(rows(2), job=job)
    with pytest.raises(BulkError, match="not an outbox"):
        make(api, job).go("k")
    outbox, path = make(api), tmp_path / "outbox.db"
    outbox.go("k")
    outbox.close()
    bulk = make_bulk(api)
    uses: tuple[Callable[[], object], ...] = (
        lambda: bulk.go(rows(2), job=path),
        lambda: bulk.resume(path),
        lambda: bulk.send_again(path),
        lambda: bulk.cancel(path),
        lambda: bulk.retry_failed(path, new_job=tmp_path / "new.db", reasons=["X"]),
    )
    for use in uses:
        with pytest.raises(BulkError, match=r"^journal outbox\.db: it is an outbox, [^\n]*$"):
            use()
    assert ["accepted"] == [each.state for each in bulk.report(path).recipients()]
    assert ["PROCESSED"] == [each.status for each in bulk.status(path).batches()]
    assert not (tmp_path / "new.db").exists()


def test_an_outbox_that_is_taken_away_sends_no_more(make: Make, tmp_path: Path) -> None:
    """The key that was handed over when the file was gone gets a clear error."""
    api = FakeBatchApi()
    outbox = make(api)
    outbox.go("one")
    (tmp_path / "outbox.db").unlink()
    with pytest.raises(BulkError, match="deleted, moved, replaced"):
        outbox.go("two")
    assert 1 == len(api.sent)


@contextmanager
def _threads(api: FakeBatchApi, path: Path) -> Iterator[Any]:
    with (
        Sinch(
            project_id=PROJECT, key_id=KEY_ID, key_secret=KEY_SECRET, region="eu", limits=None,
            transport=httpx.MockTransport(api),
        ) as sinch,
        sinch.outbox(path) as outbox,
    ):  # fmt: skip
        yield outbox


def test_threads_with_the_same_keys_get_one_message_each(tmp_path: Path) -> None:
    """Many threads, two outboxes over one file, few keys."""
    api, path, guard = FakeBatchApi(), tmp_path / "outbox.db", threading.Lock()

    def locked(request: httpx.Request) -> httpx.Response:
        with guard:
            return api(request)

    with _threads(locked, path) as one, _threads(locked, path) as two:  # type: ignore[arg-type]  # a handler

        def send(number: int) -> RecipientResult:
            outbox = (one, two)[number % 2]
            key = f"k{number % 10}"
            found: RecipientResult = outbox.send(key=key, app_id=APP, to=ADA, message=text(key))
            return found

        with ThreadPoolExecutor(20) as pool:
            results = list(pool.map(send, range(200)))
    assert (10, 10) == (len(api.sent), len({each.batch_id for each in results}))
    assert {"accepted"} == {str(each.state) for each in results}
    assert all(_same(each, results[number % 10]) for number, each in enumerate(results))


def test_tasks_with_the_same_keys_get_one_message_each(tmp_path: Path) -> None:
    """Many tasks, few keys."""
    api = FakeBatchApi()
    with asyncio.Runner() as runner:
        flavour = AsyncFlavour(runner)
        face = OutboxFace(flavour, api, tmp_path / "outbox.db")
        results = flavour.run(_all_at_once(face))
        face.close()
    assert (10, 10) == (len(api.sent), len({each.batch_id for each in results}))


async def _all_at_once(face: OutboxFace) -> list[RecipientResult]:
    return await asyncio.gather(  # type: ignore[no-any-return]  # of a double
        *(
            face.outbox.send(key=f"k{n % 10}", app_id=APP, to=ADA, message=text(f"k{n % 10}"))
            for n in range(200)
        )
    )


def test_the_follower_is_that_of_journals(make: Make, tmp_path: Path) -> None:
    """`callbacks serve --job` takes the file of an outbox, too."""
    outbox = make(FakeBatchApi())
    outbox.go("k")
    follower = JournalFollower(tmp_path / "outbox.db")
    follower.check()
    assert follower.paths == outbox.outbox.follower().paths
