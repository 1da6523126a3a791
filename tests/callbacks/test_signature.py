"""Callback signatures are made and checked as in the published vectors."""

import base64
import hmac
from collections.abc import Mapping
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from starlette.datastructures import Headers

from sinch_wrapper._http import httpx
from sinch_wrapper.callbacks import SeenNonces, parse, sign, verify
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
    verify(body, headers, [secret], now=lambda: now)


@pytest.mark.parametrize(("secret", "nonce", "timestamp", "body", "signature"), VECTORS)
def test_signature_matches_vector(
    secret: str, nonce: str, timestamp: str, body: str, signature: str
) -> None:
    """The published computation gives the published signatures, and they verify."""
    headers = sign(body.encode(), secret, nonce=nonce, timestamp=timestamp)

    assert signature == headers[PREFIX]
    verify(body.encode(), headers, [secret], now=lambda: NOW)


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
    """A signature of any string, even not ASCII, is rejected, and nothing else is raised."""
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

    assert "HmacSHA256" == algorithm
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
    verify(b"{}", _signed(b"{}"), [SECRET], tolerance=float("inf"))
    with pytest.raises(SignatureError):
        verify(b"{}", _signed(b"{}"), [SECRET], tolerance=1, now=lambda: NOW + 2)


@pytest.mark.parametrize("timestamp", ["soon", "1760000000.0", "-5", " 5", "9" * 13])
def test_timestamp_must_be_unix_seconds(timestamp: str) -> None:
    """A correctly signed timestamp that is not a Unix time is rejected."""
    headers = sign(b"{}", SECRET, nonce=NONCE, timestamp=timestamp)

    with pytest.raises(SignatureError, match="Unix time"):
        _verify(b"{}", headers)


@pytest.mark.parametrize("secrets", [["old", SECRET], [SECRET, "new"], SECRET])
def test_any_of_several_secrets_fits(secrets: list[str] | str) -> None:
    """One matching secret is enough, and a single string counts as one secret."""
    verify(b"{}", _signed(b"{}"), secrets, now=lambda: NOW)


def _forged(key: bytes) -> dict[str, str]:
    """Headers that are signed with *key*, which `sign` may refuse."""
    signature = hmac.digest(key, f"{{}}.{NONCE}.{TIMESTAMP}".encode(), "sha256")
    return _signed(b"{}") | {PREFIX: base64.b64encode(signature).decode()}


@pytest.mark.parametrize("key", [b"", b" ", b"\t\n", b"None", "\u2003".encode()])
@pytest.mark.parametrize(
    "secrets",
    [
        [], [""], "", " ", [" "], ["\t\n"], "\u2003", b" ", [b""], ["other"], None, [None],
        ["", " "],
    ],
)  # fmt: skip
def test_without_fitting_secret_nothing_verifies(secrets: Any, key: bytes) -> None:
    """No secret, a blank one and a wrong one are rejected, whoever signed with the like."""
    with pytest.raises(SignatureError):
        verify(b"{}", _forged(key), secrets, now=lambda: NOW)


@pytest.mark.parametrize("secrets", [f" {SECRET}\n", ["", f"\t{SECRET}"], [f"{SECRET} ".encode()]])
def test_blanks_around_a_secret_do_not_count(secrets: Any) -> None:
    """A secret that was copied with a blank or a line end is the secret, as with keys."""
    verify(b"{}", _signed(b"{}"), secrets, now=lambda: NOW)
    assert _signed(b"{}") == sign(b"{}", f" {SECRET}\n", nonce=NONCE, timestamp=TIMESTAMP)


@pytest.mark.parametrize("secret", ["", " \n", b"", b" ", "\ud800"])
def test_nothing_is_signed_with_a_blank_secret(secret: Any) -> None:
    """A secret that could not be checked again is refused when something is to be signed."""
    with pytest.raises(ValueError, match="secret= must"):
        sign(b"{}", secret, nonce=NONCE, timestamp=TIMESTAMP)


def spelled(headers: dict[str, str], how: str) -> Any:
    """The headers as one framework or another passes them."""
    names = {name.title(): value for name, value in headers.items()}
    # The run with the lowest versions has neither of these two.
    if how == "django":
        given = {f"HTTP_{name.upper().replace('-', '_')}": value for name, value in names.items()}
        return pytest.importorskip("django.http.request").HttpHeaders(given)
    if how == "flask":
        return pytest.importorskip("werkzeug.datastructures").Headers(headers)
    return {
        "titles": names,
        "lists": {name: [value, value] for name, value in names.items()},
        "tuple": {name: (value,) for name, value in names.items()},
        "bytes": {name.encode(): value.encode() for name, value in names.items()},
        "pairs": list(names.items()),
        "asgi": [(name.lower().encode(), value.encode()) for name, value in names.items()],
        "starlette": Headers(headers),
        "httpx": httpx.Headers(headers),
        "others": {"x-other": "å", "x-number": "1"} | names,
    }[how]


@pytest.mark.parametrize(
    "how",
    [
        "titles", "lists", "tuple", "bytes", "pairs", "asgi", "starlette", "django", "flask",
        "httpx", "others",
    ],
)  # fmt: skip
def test_headers_come_as_frameworks_have_them(how: str) -> None:
    """Names in any case, lists of equal values, bytes, and pairs are all understood."""
    verify(b"{}", spelled(_signed(b"{}"), how), [SECRET], now=lambda: NOW)


@pytest.mark.parametrize("name", ["", "-timestamp", "-nonce", "-algorithm"])
@pytest.mark.parametrize("how", ["list", "pairs", "case"])
def test_header_given_twice_is_rejected(name: str, how: str) -> None:
    """Two different values of a header are refused, even when one of them is right."""
    headers = _signed(b"{}")
    key = PREFIX + name
    double: Any = {
        "list": headers | {key: [headers[key], "second"]},
        "pairs": [(key, "first"), *headers.items()],
        "case": headers | {key.upper(): "second"},
    }[how]

    with pytest.raises(SignatureError, match="given twice"):
        verify(b"{}", double, [SECRET], now=lambda: NOW)


@pytest.mark.parametrize("value", ["smörgås", b"\xff", "\ud800", "\u0663"])
@pytest.mark.parametrize("name", ["", "-timestamp", "-nonce", "-algorithm"])
def test_header_that_is_not_ascii_is_rejected(name: str, value: Any) -> None:
    """A header that is not ASCII is rejected by name."""
    with pytest.raises(SignatureError, match="not ASCII"):
        verify(b"{}", _signed(b"{}") | {PREFIX + name: value}, [SECRET], now=lambda: NOW)


@pytest.mark.parametrize(
    "headers",
    [
        None, 5, "x", b"x", object(), [1], [("a",)], [("a", "b", "c")], [(1, "b")], {1: "a"},
        {PREFIX: None}, {PREFIX: 5}, {PREFIX: [5]}, {PREFIX: [None]}, {PREFIX: {}}, {}, [],
        {PREFIX: [["a"]]}, {None: None},
    ],
)  # fmt: skip
def test_headers_of_a_wrong_type_are_rejected(headers: Any) -> None:
    """Whatever is given as headers, nothing but a SignatureError comes out."""
    with pytest.raises(SignatureError):
        verify(b"{}", headers, [SECRET], now=lambda: NOW)


@pytest.mark.parametrize("body", [None, "{}", {}, 5])
def test_body_that_is_no_bytes_is_rejected(body: Any) -> None:
    """A body that was decoded or parsed already cannot be verified."""
    with pytest.raises(SignatureError, match="bytes as received"):
        verify(body, _signed(b"{}"), [SECRET], now=lambda: NOW)


@pytest.mark.parametrize(
    "secrets", [None, 5, [None], [5], ["\ud800"], "\ud800", ["x", "\ud800"], [[SECRET]], object()]
)
def test_secrets_of_a_wrong_type_are_rejected(secrets: Any) -> None:
    """A secret that is not a string never matches, and raises nothing else."""
    with pytest.raises(SignatureError):
        verify(b"{}", _signed(b"{}"), secrets, now=lambda: NOW)


class Hostile:
    """An object that raises whatever is done with it."""

    def __getattr__(self, name: str) -> Any:
        raise RuntimeError(name)

    def __iter__(self) -> Any:
        raise RuntimeError("iter")

    def __bool__(self) -> bool:
        raise RuntimeError("bool")


def released() -> memoryview:
    """A view of bytes that cannot be read any more."""
    view = memoryview(b"{}")
    view.release()
    return view


@pytest.mark.parametrize("name", ["raw", "headers", "secrets", "a secret", "a header", "view"])
def test_any_object_is_rejected(name: str) -> None:
    """Even objects that raise errors of their own give nothing but a SignatureError."""
    signed, hostile = _signed(b"{}"), Hostile()
    raw, headers, secrets = {
        "raw": (hostile, signed, [SECRET]),
        "headers": (b"{}", hostile, [SECRET]),
        "secrets": (b"{}", signed, hostile),
        "a secret": (b"{}", signed, [hostile]),
        "a header": (b"{}", {PREFIX: hostile}, [SECRET]),
        "view": (released(), signed, [SECRET]),
    }[name]
    for function in (verify, parse):
        with pytest.raises(SignatureError):
            function(raw, headers, secrets, now=lambda: NOW)  # type: ignore[arg-type]  # any object


@pytest.mark.parametrize("secrets", [SECRET.encode(), [b"other", SECRET.encode()], (SECRET,)])
def test_secrets_may_be_bytes(secrets: Any) -> None:
    """Secrets are strings or bytes, one or several."""
    verify(b"{}", _signed(b"{}"), secrets, now=lambda: NOW)


def test_ten_megabytes_are_verified() -> None:
    """Large bodies are verified."""
    body = b"x" * 10_000_000
    verify(body, _signed(body), [SECRET], now=lambda: NOW)


def test_nonce_passes_once_for_who_asks() -> None:
    """With a store of nonces a delivery that is sent again is refused; without it passes."""
    headers, nonces = _signed(b"{}"), SeenNonces(now=lambda: NOW)
    verify(b"{}", headers, [SECRET], now=lambda: NOW, nonces=nonces)
    with pytest.raises(SignatureError, match="nonce was seen before"):
        parse(b"{}", headers, [SECRET], now=lambda: NOW, nonces=nonces)
    parse(b"{}", headers, [SECRET], now=lambda: NOW)


def test_nonce_of_a_forgery_is_not_used_up() -> None:
    """Only a delivery that is genuine and fresh claims its nonce."""
    headers, nonces = _signed(b"{}"), SeenNonces(now=lambda: NOW)
    for body, age in ((b"[]", 0), (b"{}", 999)):
        later = iter([NOW + age])
        with pytest.raises(SignatureError):
            verify(body, headers, [SECRET], now=later.__next__, nonces=nonces)
    verify(b"{}", headers, [SECRET], now=lambda: NOW, nonces=nonces)


def test_nonces_are_forgotten_in_time_and_in_number() -> None:
    """Nonces too old to pass are forgotten, and of the others the newest are kept."""
    clock = [0.0]
    nonces = SeenNonces(2, now=lambda: clock[0])
    assert [True, True, False, True] == [nonces.claim(each, 10) for each in "abbc"]
    assert [True, False] == [nonces.claim(each, 10) for each in "ac"]
    clock[0] = 11
    assert nonces.claim("c", 20)
    clock[0] = 30
    assert nonces.claim("d", 20)


def test_parse_rejects_before_reading() -> None:
    """A body that is not JSON gives a SignatureError when it is not signed."""
    with pytest.raises(SignatureError):
        parse(b"{", {}, [SECRET])


def test_error_shows_neither_secret_nor_body() -> None:
    """The message of the error contains no part of the secret, the body or the signature."""
    headers = sign(b"+46700000001", "other", nonce=NONCE, timestamp=TIMESTAMP)

    with pytest.raises(SignatureError) as caught:
        _verify(b"+46700000001", headers)

    shown = str(caught.value)
    assert not [each for each in (SECRET, "+4670", headers[PREFIX]) if each in shown]
