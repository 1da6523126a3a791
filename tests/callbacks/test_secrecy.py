"""No secret, body, number or text shows in what tools print of a failed function of ours."""

import sqlite3
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from sinch_wrapper import SinchError
from sinch_wrapper.callbacks import (
    Arrival,
    EventStore,
    Receiver,
    SeenNonces,
    parse,
    read_event,
    receiver,
    sign,
    verify,
)
from tests.helpers.callbacks import headers_of, make_body
from tests.helpers.core import KEY_SECRET
from tests.helpers.planted import PHONE, TEXT, leaks, printed

SECRET = KEY_SECRET
BODY = make_body("message", {"id": PHONE, "text": TEXT})
# The clock of the tests: they may run long after they were collected.
NOW = time.time()
SIGNED = headers_of(BODY, SECRET)
TWICE = b'{"message": {"a": "' + TEXT.encode() + b'"}, "message": "' + PHONE.encode() + b'"}'


def broken(body: bytes) -> dict[str, Any]:
    """A body that is signed, and cannot be read."""
    return {"raw": body, "headers": headers_of(body, SECRET)}


class Failing:
    """Whatever is done with it fails, with personal data in the error."""

    def __iter__(self) -> Any:
        raise RuntimeError("no list")

    def __call__(self) -> float:
        """Fail."""
        raise RuntimeError("no clock")


class FailingNonces:
    """A store of nonces that cannot be reached."""

    def claim(self, nonce: str, until: float) -> bool:
        """Fail."""
        raise OSError(f"gone: {bool(nonce and until)}")


CASES: dict[str, dict[str, Any]] = {
    "wrong secret": {"secrets": ["other", f"{SECRET} x"]},
    "other body": {"raw": BODY + b" "},
    "missing header": {"headers": {}},
    "half of the headers": {"headers": dict([*SIGNED.items()][:1])},
    "header twice": {"headers": [*SIGNED.items(), (next(iter(SIGNED)), "x")]},
    "not ASCII": {"headers": {name: f"{value}é" for name, value in SIGNED.items()}},
    "too old": {"now": lambda: 9e9},
    "not JSON": broken(BODY[:-3]),
    "key twice": broken(TWICE),
    "half a character": broken(BODY[:-1] + b', "x": "\\ud800"}'),
    "not UTF-8": broken(BODY + b"\xff"),
    "too deep": broken(b'{"a": "' + TEXT.encode() + b'", "b": ' + b"[" * 999 + b"]" * 999 + b"}"),
    "a number": {"raw": 5},
    "text": {"raw": BODY.decode()},
    "secrets of no kind": {"secrets": [SECRET, 5]},
    "secrets half": {"secrets": SECRET + "\ud800"},
    "secrets fail": {"secrets": Failing()},
    "headers fail": {"headers": Failing()},
    "tolerance": {"tolerance": "x"},
    "clock": {"now": Failing()},
    "no clock": {"now": 5},
    "nonce store": {"nonces": FailingNonces()},
    "no nonce store": {"nonces": 5},
    "nonce again": {"nonces": "seen"},
}


@pytest.mark.parametrize("function", [verify, parse])
@pytest.mark.parametrize("name", CASES)
def test_refused_callback_shows_nothing(name: str, function: Callable[..., object]) -> None:
    """Whatever is wrong with a callback, no variable of ours shows secret, body or signature."""
    change = CASES[name]
    options = {"raw": BODY, "headers": SIGNED, "secrets": SECRET, "now": lambda: NOW} | change
    if name == "nonce again":
        options["nonces"] = SeenNonces(now=lambda: NOW)
        function(**options)
    error = None
    try:
        function(**options)
    except Exception as caught:  # noqa: BLE001 (of any kind)
        error = caught
    if error is None:
        assert (verify, "raw") == (function, next(iter(change)))
        return
    assert [] == leaks(printed(error))
    assert next(iter(SIGNED.values())) not in printed(error)


@pytest.mark.parametrize("body", [BODY[:-3], TWICE, BODY + b"\xff", b'["' + TEXT.encode() + b'"]'])
def test_unreadable_body_shows_nothing(body: bytes) -> None:
    """Reading without verifying is alike."""
    with pytest.raises(SinchError) as caught:
        read_event(body)
    assert [] == leaks(printed(caught.value))


@pytest.mark.parametrize(
    "change",
    [{"nonce": 5}, {"timestamp": None}, {"raw": TEXT}, {"secret": [SECRET]}, {"nonce": "\ud800"}],
)
def test_refused_signing_shows_nothing(change: dict[str, Any]) -> None:
    """Nor does a wrong argument of `sign` show the others."""
    options = {"raw": BODY, "secret": SECRET, "nonce": "n", "timestamp": "1"} | change
    with pytest.raises((TypeError, ValueError)) as caught:
        sign(**options)
    assert [] == leaks(printed(caught.value))


@pytest.mark.parametrize("make", [receiver, Receiver])
@pytest.mark.parametrize(
    "change",
    [
        {"store": 5}, {"store": None}, {"job": 5}, {"path": "x"}, {"workers": 0}, {"unknown": 1},
        {"secrets": [SECRET, 5]}, {"secrets": [SECRET, " "]}, {"secrets": {SECRET: SECRET}},
        {"secrets": None}, {"secrets": []}, {"health_token": [SECRET]}, {"tolerance": -1},
        {"health_token": SECRET, "grace": -1},
    ],
)  # fmt: skip
def test_refused_receiver_shows_nothing(
    make: Callable[..., object], change: dict[str, Any]
) -> None:
    """A receiver that cannot be made does not show its secrets."""
    with pytest.raises((SinchError, TypeError)) as caught:
        make(**{"secrets": SECRET, "store": ":memory:", **change})
    assert [] == leaks(printed(caught.value))


def test_receiver_itself_shows_nothing() -> None:
    """Nor does one that was made, or its settings."""
    from tests.helpers.planted import shown

    app = receiver(SECRET, store=":memory:", health_token=SECRET)
    assert [] == leaks("\n".join(shown(app)))
    assert [] == leaks("\n".join(shown(vars(app))))


def full(path: Path) -> EventStore:
    """A store that cannot be written any more."""
    store = EventStore(path, busy=0.01)
    with store._database.read() as connection:  # noqa: SLF001 (the connection that is to fail)
        connection.exec_driver_sql("PRAGMA query_only = 1")
    return store


@pytest.mark.parametrize("how", ["add", "commit", "no event"])
def test_store_that_fails_shows_nothing(tmp_path: Path, how: str) -> None:
    """When a callback cannot be written, neither rows nor parameters show."""
    store, event = full(tmp_path / "s.db"), read_event(BODY)
    call: Callable[[], object] = {
        "add": lambda: store.add(event),
        "commit": lambda: store.commit([Arrival(event, 1.0, ())] * 3, []),
        "no event": lambda: store.add(BODY),  # type: ignore[arg-type]  # a mistake
    }[how]
    with pytest.raises((SinchError, TypeError)) as caught:
        call()
    assert [] == leaks(printed(caught.value))


@pytest.mark.parametrize("damage", ["body", "wanted", "table"])
def test_damaged_store_shows_nothing(tmp_path: Path, damage: str) -> None:
    """When a row cannot be read it does not show."""
    EventStore(tmp_path / "s.db").add(read_event(BODY))
    connection = sqlite3.connect(tmp_path / "s.db")
    statement = {
        "body": "UPDATE events SET body = substr(body, 2)",
        "wanted": "UPDATE events SET wanted = '{'",
        "table": "ALTER TABLE events RENAME TO gone",
    }[damage]
    connection.execute(statement)
    connection.commit()
    connection.close()
    with pytest.raises((SinchError, ValueError)) as caught:
        list(EventStore(tmp_path / "s.db").stored())
    assert [] == leaks(printed(caught.value))
