"""Many damaged callbacks: nothing but the two errors comes out, and no forgery passes.

`SINCH_WRAPPER_FUZZ=1000000` sets how many; the seed is printed by a failure.
"""

import json
import os
import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sinch_wrapper.callbacks import (
    TRIGGERS,
    batch_ref,
    delivery_report,
    parse,
    read_event,
    sign,
)
from sinch_wrapper.callbacks._strict_json import decode_fast, decode_portably
from sinch_wrapper.errors import CallbackParseError, SignatureError
from tests.helpers.callbacks import SECRET

INPUTS = int(os.environ.get("SINCH_WRAPPER_FUZZ", "3000"))
NOW = 1_760_000_000
INSERTS = [
    b'"', b"{", b"}", b"[", b"]", b":", b",", b"\\", b"\\u0000", b"\\ud800", b"\xff", b"\xc3",
    b"NaN", b"1e999", b"9" * 400, b"[" * 200, b'{"a":' * 120, b"\xef\xbb\xbf", b"\x00", b"-",
    b"null", b".", b'"message":{},', b'"batchId":"B",', "\U0001f600".encode(), b"\xed\xa0\x80",
    b"\\u003a",
]  # fmt: skip


def bodies() -> list[bytes]:
    """A callback of each kind, with metadata, times and identities in it."""
    payload = {
        "status": "FAILED",
        "metadata": '{"_batch_id":"B","row":1}',
        "reason": {"code": "BAD_REQUEST", "description": "batch [B] and index [1]"},
        "channel_identity": {"channel": "SMS", "identity": "+46700000001"},
        "accept_time": "2026-01-02T03:04:05.123456789Z",
        "score": 0.5,
    }
    rest = {
        "app_id": "A",
        "project_id": "P",
        "accepted_time": "2026-01-02T03:04:05.1Z",
        "message_metadata": '{"batchId":"B","messageIndex":1}',
    }
    return [json.dumps(rest | {kind: payload}).encode() for kind in TRIGGERS]


def damaged(content: bytes, rng: random.Random) -> bytes:
    """*content* with one to four accidents."""
    found = bytearray(content)
    for _ in range(rng.randint(1, 4)):
        at, end = sorted(rng.randrange(len(found) + 1) for _ in range(2))
        kind = rng.randrange(5)
        if kind == 0 and found:
            found[min(at, len(found) - 1)] ^= 1 << rng.randrange(8)
        elif kind == 1:
            found[at:at] = rng.choice(INSERTS)
        elif kind == 2:
            del found[at : min(end, at + 20)]
        elif kind == 3:
            found[at:at] = found[at : min(end, at + 60)]
        else:
            del found[at:]
    return bytes(found)


def read(body: bytes) -> bool:
    """Read everything in *body*; returns whether it is an event."""
    try:
        event = read_event(body)
    except CallbackParseError:
        return False
    for name in ("accepted_time", "event_time", "metadata", "envelope_metadata", "model"):
        getattr(event, name)
    batch_ref(event)
    delivery_report(event)
    return True


def agree(body: bytes) -> None:
    """Compare the results of the two JSON libraries for *body*."""
    found = []
    for decode in (decode_fast, decode_portably):
        try:
            found.append(repr(decode(body)))
        except (ValueError, RecursionError):
            found.append("refused")
    assert found[0] == found[1], body


@pytest.mark.timeout(max(120, INPUTS // 500))
def test_no_damage_escapes_as_another_error() -> None:
    """Damaged bodies are events or CallbackParseErrors; damaged deliveries are SignatureErrors."""
    rng, originals, passed = random.Random(7), bodies(), 0  # noqa: S311 (repeatable)
    for number in range(INPUTS):
        good = originals[number % len(originals)]
        body = damaged(good, rng)
        passed += read(body)
        agree(body)
        headers = sign(good, SECRET, nonce="n", timestamp=str(NOW))
        name = rng.choice([*headers])
        if number % 2:
            text = damaged(headers[name].encode(), rng)
            headers[name] = text.decode("latin-1")
        try:
            parse(body, headers, [SECRET, "other"], now=lambda: NOW)
        except SignatureError:
            continue
        assert body == good, (number, name, body)
    assert 0 < passed < INPUTS


@given(st.binary(max_size=300), st.dictionaries(st.text(), st.text() | st.binary()))
def test_noise_is_rejected(body: bytes, headers: dict[str, str]) -> None:
    """Bodies and headers of any bytes are SignatureErrors, and no events or CallbackParseErrors."""
    read(body)
    try:
        parse(body, headers, [SECRET])
    except SignatureError:
        return
    raise AssertionError(headers)
