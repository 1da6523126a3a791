"""Callback signatures are made and checked as the vectors say, and nothing else passes."""

import base64
from collections.abc import Mapping

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sinch_wrapper.callbacks import parse, sign, verify
from sinch_wrapper.errors import SignatureError

NONCE = "01JZZZZZZZZZZZZZZZZZZZZZZZ"
TIMESTAMP = "1760000000"
SECRET = "unit-test-secret"
NOW = 1760000000.0
PREFIX = "x-sinch-webhook-signature"

VECTORS = [
    (
        SECRET,
        NONCE,
        TIMESTAMP,
        (
            '{"app_id":"APP1","project_id":"PRJ1","batch_status_update_notification":{"batch_id":'
            '"B1","batch_status":"BATCH_STATUS_PROCESSED","batch_type":"BATCH_TYPE_MESSAGES"}}'
        ),
        "Vfz1lnwEhoNT87ufqIDMWRWm35ejMvor8EpeSxz9LCk=",
    ),
    (
        "sécret",
        "n-2",
        "1760000001",
        (
            '{"project_id":"PRJ1","app_id":"APP1","message_delivery_report":{"status":"DELIVERED",'
            '"metadata":"smörgås ✓"}}'
        ),
        "ng4GFYE5wYXO9l4tV1C/u9BEuBYhbckPNyYmcHDBv/w=",
    ),
]


def _signed(body: bytes) -> dict[str, str]:
    return sign(body, SECRET, nonce=NONCE, timestamp=TIMESTAMP)


def _verify(
    body: bytes, headers: Mapping[str, str], secret: str = SECRET, now: float = NOW
) -> None:
    verify(body, headers, [secret], clock=lambda: now)


@pytest.mark.parametrize(("secret", "nonce", "timestamp", "body", "signature"), VECTORS)
def test_signature_matches_vector(
    secret: str, nonce: str, timestamp: str, body: str, signature: str
) -> None:
    """The published computation gives the published signatures, and they verify."""
    headers = sign(body.encode(), secret, nonce=nonce, timestamp=timestamp)

    assert signature == headers[PREFIX]
    verify(body.encode(), headers, [secret], clock=lambda: NOW)


@given(body=st.binary(min_size=1, max_size=200), data=st.data())
def test_flipped_bit_never_verifies(body: bytes, data: st.DataObject) -> None:
    """A body or signature that differs in one bit is rejected."""
    headers = _signed(body)
    signature = base64.b64decode(headers[PREFIX])
    joined = body + signature
    bit = data.draw(st.integers(0, len(joined) * 8 - 1))
    flipped = bytearray(joined)
    flipped[bit // 8] ^= 1 << bit % 8
    bad = headers | {PREFIX: base64.b64encode(bytes(flipped[len(body) :])).decode()}

    with pytest.raises(SignatureError):
        _verify(bytes(flipped[: len(body)]), bad)


@given(st.text(min_size=1))
def test_any_text_as_signature_is_rejected(text: str) -> None:
    """A signature of any text, not ASCII too, is rejected and nothing else is raised."""
    with pytest.raises(SignatureError):
        _verify(b"{}", _signed(b"{}") | {PREFIX: text})


@given(name=st.sampled_from(["timestamp", "nonce"]), text=st.text(min_size=1))
def test_timestamp_and_nonce_are_signed(name: str, text: str) -> None:
    """A changed timestamp or nonce is rejected."""
    headers = _signed(b"{}")
    if headers[f"{PREFIX}-{name}"] == text:
        return
    with pytest.raises(SignatureError):
        _verify(b"{}", headers | {f"{PREFIX}-{name}": text})


@pytest.mark.parametrize("name", ["", "-timestamp", "-nonce"])
@pytest.mark.parametrize("value", [None, ""])
def test_missing_header_is_named(name: str, value: str | None) -> None:
    """A missing or empty header is rejected by name."""
    headers = {key: each for key, each in _signed(b"{}").items() if key != PREFIX + name}
    if value is not None:
        headers[PREFIX + name] = value

    with pytest.raises(SignatureError, match=f"{PREFIX}{name} is missing"):
        _verify(b"{}", headers)


def test_algorithm_may_be_absent_but_not_another() -> None:
    """The algorithm header is optional; another value than HmacSHA256 is rejected."""
    headers = _signed(b"{}")
    algorithm = headers.pop(f"{PREFIX}-algorithm")
    _verify(b"{}", headers)

    assert algorithm == "HmacSHA256"
    with pytest.raises(SignatureError, match="algorithm"):
        _verify(b"{}", headers | {f"{PREFIX}-algorithm": "HmacSHA1"})


@pytest.mark.parametrize("age", [-300, 0, 300])
def test_recent_signature_is_accepted(age: int) -> None:
    """Up to the limit a signature may be old, or ahead of our clock."""
    _verify(b"{}", _signed(b"{}"), now=NOW + age)


@pytest.mark.parametrize("age", [-301, 301, 1e9])
def test_old_or_future_signature_is_rejected(age: float) -> None:
    """Beyond the limit a signature is rejected in both directions."""
    with pytest.raises(SignatureError, match="300 s"):
        _verify(b"{}", _signed(b"{}"), now=NOW + age)


def test_limit_of_age_is_the_callers() -> None:
    """The caller sets the limit, infinity included."""
    verify(b"{}", _signed(b"{}"), [SECRET], max_age=float("inf"))
    with pytest.raises(SignatureError):
        verify(b"{}", _signed(b"{}"), [SECRET], max_age=1, clock=lambda: NOW + 2)


@pytest.mark.parametrize("timestamp", ["soon", "1760000000.0", "-5", "٣", "9" * 13])
def test_timestamp_must_be_unix_seconds(timestamp: str) -> None:
    """A well signed timestamp that is no Unix time is rejected."""
    headers = sign(b"{}", SECRET, nonce=NONCE, timestamp=timestamp)

    with pytest.raises(SignatureError, match="Unix time"):
        _verify(b"{}", headers)


@pytest.mark.parametrize("secrets", [["old", SECRET], [SECRET, "new"], SECRET])
def test_any_of_several_secrets_fits(secrets: list[str] | str) -> None:
    """One fitting secret is enough, and a lone string counts as one secret."""
    verify(b"{}", _signed(b"{}"), secrets, clock=lambda: NOW)


@pytest.mark.parametrize("secrets", [[], [""], "", ["other"]])
def test_without_fitting_secret_nothing_verifies(secrets: list[str] | str) -> None:
    """No secret, an empty one and a wrong one are rejected."""
    headers = sign(b"{}", "", nonce=NONCE, timestamp=TIMESTAMP)

    with pytest.raises(SignatureError):
        verify(b"{}", headers, secrets, clock=lambda: NOW)


def test_header_names_ignore_case_and_lists_give_their_first() -> None:
    """Frameworks spell headers as they like, and some give lists."""
    headers = {name.title(): [value, "second"] for name, value in _signed(b"{}").items()}

    verify(b"{}", headers, [SECRET], clock=lambda: NOW)


def test_parse_rejects_before_reading() -> None:
    """A body that is no JSON gives a SignatureError when it is not signed."""
    with pytest.raises(SignatureError):
        parse(b"{", {}, [SECRET])


def test_error_shows_neither_secret_nor_body() -> None:
    """The text of the error carries no part of the secret, the body or the signature."""
    headers = sign(b"+46700000001", "other", nonce=NONCE, timestamp=TIMESTAMP)

    with pytest.raises(SignatureError) as caught:
        _verify(b"+46700000001", headers)

    shown = str(caught.value)
    assert not [each for each in (SECRET, "+4670", headers[PREFIX]) if each in shown]
