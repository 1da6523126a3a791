"""What strangers can cost a receiver: no time, no memory, no writes, and they learn no numbers."""

import math
import select
import socket
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from typing import Any

import pytest

from sinch_wrapper._http import httpx
from sinch_wrapper.callbacks import Counts, EventStore, receiver, sign
from sinch_wrapper.callbacks._settings import ReceiverSettings
from sinch_wrapper.callbacks._signature import Window
from tests.helpers.callbacks import SECRET, headers_of, make_body, memory, post, serving

WEEK = 7 * 86400.0


@contextmanager
def connected(client: httpx.Client) -> Iterator[socket.socket]:
    """A bare connection to the server of *client*."""
    url = client.base_url
    with socket.create_connection((url.host, url.port or 80), timeout=10) as connection:
        yield connection


def head_of(length: int, headers: dict[str, str]) -> bytes:
    """The head of a POST that announces *length* bytes."""
    lines = [f"{name}: {value}" for name, value in headers.items()]
    lines = ["POST / HTTP/1.1", "Host: h", f"Content-Length: {length}", *lines, "", ""]
    return "\r\n".join(lines).encode()


def response_on(connection: socket.socket) -> bytes:
    """Everything that comes until the server ends the connection."""
    found = b""
    while chunk := connection.recv(65536):
        found += chunk
    return found


@pytest.mark.parametrize(
    "more", [{}, {"Expect": "100-continue"}, {"x-sinch-webhook-signature": "x"}]
)
def test_unsigned_request_is_refused_before_its_body_comes(more: dict[str, str]) -> None:
    """Without the headers of a signature not one byte of the body is waited for."""
    with serving(memory()) as client, connected(client) as connection:
        connection.sendall(head_of(1000, more))
        found = response_on(connection)
    assert found.startswith(b"HTTP/1.1 401 ")
    assert b"connection: close" in found.lower()


def test_slow_body_is_408() -> None:
    """A body must arrive within the limit in all, however steadily it drips."""
    body = make_body()
    with serving(memory(receive_timeout=1)) as client, connected(client) as connection:
        began = time.monotonic()
        connection.sendall(head_of(len(body), headers_of(body)))
        for byte in body[:3]:
            connection.sendall(bytes([byte]))
            time.sleep(0.05)
        found = response_on(connection)
        took = time.monotonic() - began
        assert 200 == post(client, make_body()).status_code
    assert found.startswith(b"HTTP/1.1 408 ")
    assert 1 <= took < 9


def test_each_slow_body_has_a_limit_of_its_own() -> None:
    """However many are on their way, and after times in which none is."""
    head, began = head_of(100, headers_of(make_body())), 0.0
    with serving(memory(receive_timeout=0.3)) as client:
        for _ in range(2):
            with connected(client) as first, ExitStack() as others:
                first.sendall(head)
                # If each of the others gave it more time, it would never end.
                for _ in range(200):
                    began, last = time.monotonic(), others.enter_context(connected(client))
                    last.sendall(head)
                    if select.select([first], [], [], 0.05)[0]:
                        break
                assert response_on(first).startswith(b"HTTP/1.1 408 ")
                assert response_on(last).startswith(b"HTTP/1.1 408 ")
                assert 0.3 <= time.monotonic() - began < 9


def test_largest_body_gives_way() -> None:
    """Of all bodies that are on their way a fixed number of bytes is kept; small ones pass."""
    large = b"x" * 90_000
    with (
        serving(memory(max_body=100_000, max_incoming=200_000)) as client,
        connected(client) as first,
        connected(client) as second,
        connected(client) as third,
    ):
        for connection, size in ((first, 90_000), (second, 80_000)):
            connection.sendall(head_of(100_000, headers_of(large)) + large[:size])
        _until_read(client)
        third.sendall(head_of(100_000, headers_of(large)) + large[:70_000])
        assert response_on(first).startswith(b"HTTP/1.1 408 ")
        assert 200 == post(client, make_body()).status_code
        second.settimeout(0.1)
        with pytest.raises(TimeoutError):
            second.recv(1)


def _until_read(client: httpx.Client) -> None:
    # A request that is complete later is answered after what came before has been read.
    for _ in range(3):
        assert 200 == post(client, make_body()).status_code


def test_limit_of_all_bodies_is_never_below_that_of_one() -> None:
    """A large callback is possible wherever one is allowed."""
    with serving(memory(max_body=1000, max_incoming=10)) as client:
        assert 200 == post(client, make_body(x="y" * 500)).status_code


class CountingStore(EventStore):
    """A store that counts its test writes."""

    def __init__(self) -> None:
        super().__init__(":memory:")
        self.checks = 0

    def counts(self) -> Counts:
        """Count, and note it."""
        self.checks += 1
        return super().counts()


STRANGER = {"X-Forwarded-For": "203.0.113.5"}
NUMBERS = {"stored": 1, "waiting": 0, "dead": 0}


@pytest.mark.parametrize("name", ["X-Forwarded-For", "Forwarded", "X-Real-IP", "Via"])
def test_health_tells_strangers_no_numbers(name: str) -> None:
    """What a proxy passed on is told the status alone; a request of this machine all."""
    with serving(memory()) as client:
        post(client, make_body())
        passed_on = client.get("/health", headers={name: "203.0.113.5"})
        assert (200, {"status": "ok"}) == (passed_on.status_code, passed_on.json())
        assert {"status": "ok"} | NUMBERS == client.get("/health").json()


def test_health_tells_numbers_for_the_token() -> None:
    """With a token its bearer is told the numbers from anywhere, and nobody else."""
    with serving(memory(health_token="tökén")) as client:
        post(client, make_body())
        bearer = [(b"Authorization", "Bearer tökén".encode())]
        for headers in (bearer, [*bearer, (b"X-Forwarded-For", b"203.0.113.5")]):
            assert {"status": "ok"} | NUMBERS == client.get("/health", headers=headers).json()
        for wrong in ([], [(b"Authorization", b"Bearer x")], [(b"Authorization", b"Bearer")]):
            assert {"status": "ok"} == client.get("/health", headers=wrong).json()


@pytest.mark.parametrize("headers", [{}, STRANGER])
def test_health_writes_once_however_often_it_is_asked(headers: dict[str, str]) -> None:
    """Within a second one test write is made for all who ask."""
    store = CountingStore()
    with serving(receiver(SECRET, store=store)) as client:
        began = time.monotonic()
        for _ in range(50):
            assert 200 == client.get("/health", headers=headers).status_code
        took = time.monotonic() - began
    assert 1 <= store.checks <= 1 + took


def test_health_is_what_writing_callbacks_showed() -> None:
    """When callbacks cannot be written the status is failing, although the test write works."""

    class Full(CountingStore):
        def commit(self, arrivals: Any, verdicts: Any) -> None:
            from sinch_wrapper import CallbackError

            if self.is_full:
                raise CallbackError("the disk is full")
            super().commit(arrivals, verdicts)

        is_full = True

    store = Full()
    with serving(receiver(SECRET, store=store)) as client:
        assert [200, 503, 503] == [
            client.get("/health", headers=STRANGER).status_code,
            post(client, make_body()).status_code,
            client.get("/health", headers=STRANGER).status_code,
        ]
        store.is_full = False
        assert [200, 200] == [
            post(client, make_body()).status_code,
            client.get("/health", headers=STRANGER).status_code,
        ]


@pytest.mark.parametrize(
    ("options", "is_lasting", "expected"),
    [
        ({}, True, Window(WEEK - 300, 300)),
        ({}, False, Window(300, 300)),
        ({"keep": 3600}, True, Window(3300, 300)),
        ({"keep": 60}, True, Window(300, 300)),
        ({"keep": math.inf}, True, Window(math.inf, 300)),
        ({"tolerance": 20}, True, Window(20, 20)),
        ({"tolerance": math.inf}, False, Window(math.inf, math.inf)),
    ],
)
def test_how_old_a_callback_may_be(
    options: dict[str, Any],
    is_lasting: bool,  # noqa: FBT001 (a column of the table)
    expected: Window,
) -> None:
    """As old as what the store recognises when it is repeated, or as the caller says."""
    assert expected == ReceiverSettings(**options).window(is_lasting=is_lasting)


@pytest.mark.parametrize(("age", "status"), [(3 * 86400, 200), (8 * 86400, 401), (-400, 401)])
def test_callback_with_its_first_timestamp_arrives_after_an_outage(
    tmp_path: Any, age: int, status: int
) -> None:
    """A repetition that is days old is taken, once; one from the future is not."""
    store, body = tmp_path / "callbacks.db", make_body()
    headers = sign(body, SECRET, nonce="n", timestamp=str(int(time.time()) - age))
    with serving(receiver(SECRET, store=store)) as client:
        found = [client.post("/", content=body, headers=headers).status_code for _ in range(2)]
        stored = client.get("/health").json()["stored"]
    assert ([status, status], int(status == 200)) == (found, stored)


def test_secrets_function_that_fails_is_503(caplog: pytest.LogCaptureFixture) -> None:
    """The sender repeats it; the log names the place, and not what was raised."""

    def secrets() -> list[str]:
        raise KeyError(SECRET)

    with serving(receiver(secrets, store=":memory:")) as client:
        assert 503 == post(client, make_body()).status_code
    assert "KeyError at test_receiver_limits.py" in caplog.text
    assert SECRET not in caplog.text
