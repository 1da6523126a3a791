"""The receiver confirms what is stored with 2xx, and refuses the rest with a reason."""

import json
import logging
import sqlite3
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from sinch_wrapper import CallbackError, ConfigurationError
from sinch_wrapper._http import httpx
from sinch_wrapper.callbacks import EventStore, Receiver, receiver
from sinch_wrapper.callbacks._records import Arrival, Verdict
from tests.helpers.callbacks import SECRET, headers_of, make_body, memory, post, receipt, serving

PHONE = "+46700000001"


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """The path of the store."""
    return tmp_path / "callbacks.db"


@pytest.fixture
def client(path: Path) -> Iterator[httpx.Client]:
    """A client of a receiver with a store on disk."""
    with serving(receiver([SECRET], store=path)) as client:
        yield client


def bodies(path: Path) -> list[bytes]:
    """The bodies in the store at *path*."""
    store = EventStore(path, must_exist=True)
    found = [event.body for event in store.events()]
    store.close()
    return found


def test_confirmed_callback_is_stored(client: httpx.Client, path: Path) -> None:
    """After the 200 the bytes are in the file, as received."""
    body = make_body()
    response = post(client, body)
    assert (200, b"", [body]) == (response.status_code, response.content, bodies(path))


def test_repeated_callback_is_stored_once(client: httpx.Client, path: Path) -> None:
    """The same body with another nonce is the same callback, and is confirmed again."""
    body = make_body()
    assert [200, 200] == [post(client, body).status_code for _ in range(2)]
    assert [body] == bodies(path)


def test_concurrent_callbacks_are_all_stored(client: httpx.Client, path: Path) -> None:
    """Requests that arrive together are all written."""
    wanted = [make_body() for _ in range(120)]

    def deliver(part: list[bytes]) -> None:
        with httpx.Client(base_url=client.base_url, trust_env=False, timeout=60) as own:
            for body in part:
                assert 200 == post(own, body).status_code

    threads = [threading.Thread(target=deliver, args=(wanted[n::12],)) for n in range(12)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(wanted) == sorted(bodies(path))


def test_bad_signature_is_401_without_detail(client: httpx.Client, path: Path) -> None:
    """A wrong signature is refused with an empty response, and nothing is stored."""
    body = make_body()
    responses = [
        client.post("/", content=body),
        client.post("/", content=body, headers=headers_of(body, "other")),
        client.post("/", content=body + b" ", headers=headers_of(body)),
    ]
    assert [(401, b"")] * 3 == [(each.status_code, each.content) for each in responses]
    assert [] == bodies(path)


@pytest.mark.parametrize("body", [b"[]", b"{", b"\xff", b"", b"[" * 200_000, b'{"a":NaN}'])
def test_unreadable_body_is_400(client: httpx.Client, body: bytes) -> None:
    """A signed body that is not an event is refused for good."""
    assert 400 == post(client, body).status_code


def test_large_body_is_413() -> None:
    """The limit of the receiver holds for announced and for chunked bodies."""
    with serving(memory(max_body=100)) as client:
        small, large = make_body(x="y" * 10), make_body(x="y" * 100)
        chunks = iter([large[:60], large[60:]])
        chunked = client.post("/", content=chunks, headers=headers_of(large))
        assert (200, 413, 413) == (
            post(client, small).status_code, post(client, large).status_code, chunked.status_code,
        )  # fmt: skip


def test_other_methods_are_405_and_other_paths_404(client: httpx.Client) -> None:
    """Only POST to the path takes callbacks."""
    response = client.get("/")
    assert (405, "POST") == (response.status_code, response.headers["allow"])
    assert 404 == post(client, make_body(), "/elsewhere").status_code


def test_path_is_the_receivers() -> None:
    """The path can be set, with or without a last slash; health stays where it is."""
    with serving(memory(path="/hook")) as client:
        assert 200 == post(client, make_body(), "/hook").status_code
        assert 200 == post(client, make_body(), "/hook/").status_code
        assert 200 == client.get("/health").status_code


def test_old_callback_is_401() -> None:
    """The receiver applies its own tolerance and clock."""
    with serving(memory(now=lambda: time.time() + 400)) as client:
        assert 401 == post(client, make_body()).status_code
    with serving(memory(now=lambda: time.time() + 400, tolerance=500)) as client:
        assert 200 == post(client, make_body()).status_code


def test_secrets_may_change_while_it_runs() -> None:
    """A function that returns the secrets is called for each callback."""
    secrets = [SECRET]
    with serving(Receiver(lambda: secrets, store=":memory:")) as client:
        assert 200 == post(client, make_body()).status_code
        secrets[:] = ["new"]
        assert 401 == post(client, make_body()).status_code
        body = make_body()
        new = headers_of(body, "new")
        assert 200 == client.post("/", content=body, headers=new).status_code


def locked(path: Path) -> Any:
    """Another connection that holds the lock for writing."""
    other = sqlite3.connect(path, isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    return other


def test_locked_store_is_503_until_it_is_free(path: Path) -> None:
    """Nothing is confirmed that is not stored; the sender is asked to repeat it."""
    store = EventStore(path, busy=0.01)
    with serving(receiver(SECRET, store=store, retry_after=7)) as client:
        other = locked(path)
        body = make_body()
        response = post(client, body)
        assert (503, "7") == (response.status_code, response.headers["retry-after"])
        assert 503 == client.get("/health").status_code
        other.rollback()
        other.close()
        assert 200 == post(client, body).status_code
        assert 200 == client.get("/health").status_code
        assert [body] == bodies(path)


@pytest.mark.parametrize("pragma", ["max_page_count = 1", "query_only = 1"])
def test_full_disk_and_read_only_file_are_503(path: Path, pragma: str) -> None:
    """When SQLite cannot write, the response is 503 and health says so."""
    store = EventStore(path)
    with store._database.read() as connection:  # noqa: SLF001 (the connection that is to fail)
        connection.exec_driver_sql(f"PRAGMA {pragma}")
    with serving(receiver(SECRET, store=store)) as client:
        large = make_body(x="y" * 50_000)
        assert (503, 0) == (post(client, large).status_code, len(bodies(path)))
        if "query_only" in pragma:
            assert {"status": "failing"} == client.get("/health").json()


class SlowStore(EventStore):
    """A store whose disk is held up."""

    def __init__(self) -> None:
        super().__init__(":memory:")
        self.entered, self.free = threading.Event(), threading.Event()

    def commit(self, arrivals: Any, verdicts: Any) -> None:
        """Wait until the disk is free."""
        self.entered.set()
        self.free.wait(60)
        super().commit(arrivals, verdicts)


def test_full_queue_is_503() -> None:
    """A limited number of requests may wait for the disk; they are confirmed when it is free."""
    store = SlowStore()
    statuses: list[int] = []

    def deliver() -> None:
        with httpx.Client(base_url=http.base_url, trust_env=False, timeout=60) as own:
            statuses.append(post(own, make_body()).status_code)

    with serving(receiver(SECRET, store=store, backlog=1)) as http:
        waiting = threading.Thread(target=deliver)
        waiting.start()
        store.entered.wait(60)
        refused = post(http, make_body())
        store.free.set()
        waiting.join()
        assert (503, [200]) == (refused.status_code, statuses)
        assert 200 == post(http, make_body()).status_code


def test_receiver_that_is_not_entered_is_503(caplog: pytest.LogCaptureFixture) -> None:
    """Mounted without its lifespan the receiver refuses callbacks, and the log says what to do."""
    from starlette.applications import Starlette
    from starlette.routing import Mount

    with serving(Starlette(routes=[Mount("/hook", memory())])) as client:
        assert 503 == post(client, make_body(), "/hook/").status_code
        assert 503 == client.get("/hook/health").status_code
    assert "enter the receiver in your app's lifespan" in caplog.text


def test_health_counts(client: httpx.Client) -> None:
    """The health endpoint counts callbacks that are stored, wait, and are dead."""
    post(client, make_body())
    response = client.get("/health")
    assert (200, {"status": "ok", "stored": 1, "waiting": 0, "dead": 0}) == (
        response.status_code, response.json(),
    )  # fmt: skip


def test_log_shows_no_content(caplog: pytest.LogCaptureFixture) -> None:
    """Neither phone numbers, message text nor secrets reach the log, whatever goes wrong."""
    caplog.set_level(logging.DEBUG, "sinch_wrapper")
    app = memory(attempts=1)

    @app.on()
    async def fail(_event: object) -> None:
        raise ValueError(PHONE)

    with serving(app) as client:
        body = receipt("FAILED", channel_identity={"channel": "SMS", "identity": PHONE})
        client.post("/", content=body)
        post(client, PHONE.encode())
        post(client, body)
        deadline = time.monotonic() + 60
        while "is dead" not in caplog.text and time.monotonic() < deadline:
            time.sleep(0.005)
    assert "ValueError at test_receiver.py" in caplog.text
    assert not [word for word in (PHONE, SECRET) if word in caplog.text]


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"secrets": []}, "secret"),
        ({"secrets": [""]}, "secret"),
        ({"secrets": ""}, "secret"),
        ({"store": None}, "store"),
        ({"path": "hook"}, "path"),
        ({"workers": 0}, "workers"),
    ],
)
def test_receiver_refuses_what_cannot_work(options: dict[str, Any], words: str) -> None:
    """A receiver that could take nothing is refused when it is made."""
    with pytest.raises(ConfigurationError, match=words):
        receiver(**{"secrets": SECRET, "store": ":memory:", **options})


def test_unknown_option_is_a_type_error() -> None:
    """A misspelt option is a mistake of the program."""
    with pytest.raises(TypeError, match="worker"):
        memory(worker=1)


def test_store_files_are_private_and_checked(tmp_path: Path) -> None:
    """Only the owner reads a store; another file is refused by its name."""
    EventStore(tmp_path / "new.db").close()
    assert 0 == (tmp_path / "new.db").stat().st_mode & 0o077
    (tmp_path / "bad.db").write_text("no database, but a text that is long enough for one" * 30)
    other = sqlite3.connect(tmp_path / "other.db")
    other.execute("CREATE TABLE x (y)")
    other.close()
    for name, words in (
        ("bad.db", "not a callback store"),
        ("other.db", "not a callback store"),
        ("no/x.db", "cannot be opened"),
    ):
        with pytest.raises(CallbackError, match=words):
            EventStore(tmp_path / name)
    with pytest.raises(CallbackError, match="no such file"):
        EventStore(tmp_path / "none.db", must_exist=True)


def test_store_that_cannot_be_opened_stops_the_server(tmp_path: Path) -> None:
    """A server with a receiver that cannot work does not start."""
    with pytest.raises(RuntimeError), serving(receiver(SECRET, store=tmp_path / "no" / "x.db")):
        pass


def test_old_callbacks_are_pruned(path: Path) -> None:
    """Handled callbacks are deleted after a time; those that wait or are dead stay."""
    store = EventStore(path)
    from sinch_wrapper.callbacks import read_event

    events = [read_event(make_body()) for _ in range(4)]
    wanted: list[tuple[str, ...]] = [(), ("take",), (), ()]
    store.commit(
        [Arrival(event, at, wanted[at]) for at, event in enumerate(events)],
        [],
    )
    store.commit([], [Verdict(3, 8, frozenset(), error="x", at=2.0)])
    assert 1 == store.prune(3.0)
    assert [2, 3, 4] == [each.id for each in store.stored()]
    assert json.loads(events[1].body) == next(store.events()).raw
    store.close()
