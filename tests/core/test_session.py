"""Operations in, values or SinchErrors out."""

import json
import logging
import math
import subprocess
import sys
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sinch_wrapper import (
    APIConnectionError,
    APIResponseValidationError,
    APIStatusError,
    APITimeoutError,
    NotFoundError,
    RetryPolicy,
    SinchError,
)
from sinch_wrapper._http import httpx
from sinch_wrapper._json import decode, decode_portably, encode, encode_portably
from tests.helpers.core import Flavour, Operation, Server

PHONE = "+46700000001"


def test_request_carries_the_operation(flavour: Flavour) -> None:
    """Method, path, query and compact JSON are sent as the operation says."""
    server = Server(httpx.Response(200, json={"ok": True}))
    operation = Operation(
        method="POST", path="/v1/a%2Fb:send", params={"x": "1", "y": ["2", "é"]}, json={"k": "ü"}
    )
    response = flavour.run(flavour.session(server).request(operation))
    (request,) = server.requests
    assert str(request.url) == "https://api.example/v1/a%2Fb:send?x=1&y=2&y=%C3%A9"
    assert ("POST", '{"k":"ü"}'.encode()) == (request.method, request.content)
    assert request.headers["Content-Type"] == "application/json"
    assert request.headers["User-Agent"].startswith("sinch-wrapper/")
    assert (
        response.status_code, response.parsed, response.content.replace(b" ", b""),
    ) == (200, {"ok": True}, b'{"ok":true}')  # fmt: skip
    assert response.headers["CONTENT-TYPE"] == "application/json"
    assert repr(response) == "Response(status_code=200)"


def test_request_without_body_has_no_content_type(flavour: Flavour) -> None:
    """None means no body; an empty object is a body."""
    server = Server()
    session = flavour.session(server)
    flavour.run(session.request(Operation()))
    flavour.run(session.request(Operation(json={})))
    assert [request.content for request in server.requests] == [b"", b"{}"]
    assert "Content-Type" not in server.requests[0].headers


def test_finite_timeouts_travel_with_the_request(flavour: Flavour) -> None:
    """Every step has a timeout, and so has the attempt; connecting waits 5 seconds at most."""
    server = Server()
    flavour.run(flavour.session(server).request(Operation()))
    expected = {"connect": 5.0, "read": 10.0, "write": 10.0, "pool": 10.0, "total": 60.0}
    for request in (*server.requests, *server.token_requests):
        assert expected == request.extensions["timeout"]


def test_no_content_is_none(flavour: Flavour) -> None:
    """Where the document promises no content, none is read, whatever was sent."""
    server = Server(httpx.Response(200, text="<html>"))
    response = flavour.run(flavour.session(server).request(Operation(load=None)))
    assert response.parsed is None


def refuse(_: object) -> object:
    """Fail as generated code does, with a value in the message."""
    raise ValueError(PHONE)


@pytest.mark.parametrize("method", ["GET", "POST"])
@pytest.mark.parametrize(
    ("content", "load", "reason"),
    [
        (b"", dict, "empty"),
        (b"<html>", dict, "not JSON"),
        (b'{"half', dict, "not JSON"),
        (b"\xff\xff", dict, "not JSON"),
        (b"[" * 100_000, dict, "not JSON"),
        (b"NaN", lambda value: value, "not JSON"),
        (b"{}", refuse, "ValueError"),
        (b"[]", lambda value: value["a"], "TypeError"),
        (b"{}", lambda value: value["a"], "KeyError"),
        (b"1", lambda value: value.items(), "AttributeError"),
    ],
)
def test_unreadable_success_is_never_repeated(
    flavour: Flavour, method: str, content: bytes, load: Callable[[Any], object], reason: str
) -> None:
    """A 2xx means accepted: an unreadable one has its own exception, after one attempt."""
    server = Server(httpx.Response(200, content=content, headers={"X-Request-Id": "r-1"}))
    with pytest.raises(APIResponseValidationError, match=reason) as caught:
        flavour.run(flavour.session(server).request(Operation(method=method, load=load)))
    assert (1, "r-1", content) == (
        len(server.requests), caught.value.request_id, caught.value.response.content,
    )  # fmt: skip
    assert PHONE not in str(caught.value)
    assert caught.value.__cause__ is None
    assert caught.value.__context__ is None


def test_undecodable_success_is_unreadable(flavour: Flavour) -> None:
    """A 2xx whose body is not in its declared encoding was accepted too."""

    def lie(_: httpx.Request) -> httpx.Response:
        body = httpx.ByteStream(b"no gzip")
        return httpx.Response(200, headers={"Content-Encoding": "gzip"}, stream=body)

    with pytest.raises(APIResponseValidationError, match="Content-Encoding"):
        flavour.run(flavour.session(Server(lie)).request(Operation()))


def test_byte_order_mark_is_skipped(flavour: Flavour) -> None:
    """A byte order mark before the JSON, as some servers send, is skipped."""
    server = Server(httpx.Response(200, content=b"\xef\xbb\xbf{}"))
    assert flavour.run(flavour.session(server).request(Operation())).parsed == {}


@pytest.mark.parametrize("status", [301, 302, 307, 308])
def test_redirects_are_not_followed(flavour: Flavour, status: int) -> None:
    """A redirect, which would send the body elsewhere, is an error that names the option."""
    server = Server(httpx.Response(status, headers={"Location": "https://elsewhere.example/"}))
    with pytest.raises(APIStatusError, match="endpoints=") as caught:
        flavour.run(flavour.session(server).request(Operation(method="POST")))
    assert (status, 1) == (caught.value.status_code, len(server.requests))


@pytest.mark.parametrize(
    ("failure", "kind", "outcome"),
    [
        (httpx.ConnectError("x"), APIConnectionError, "not_sent"),
        (httpx.ConnectTimeout("x"), APITimeoutError, "not_sent"),
        (httpx.PoolTimeout("x"), APITimeoutError, "not_sent"),
        (httpx.ProxyError("x"), APIConnectionError, "not_sent"),
        (httpx.UnsupportedProtocol("x"), APIConnectionError, "not_sent"),
        (httpx.LocalProtocolError(PHONE), APIConnectionError, "not_sent"),
        (httpx.RemoteProtocolError(PHONE), APIConnectionError, "unknown"),
        (UnicodeEncodeError("idna", PHONE, 0, 1, "no name"), APIConnectionError, "not_sent"),
        (httpx.ReadTimeout("x"), APITimeoutError, "unknown"),
        (httpx.WriteTimeout("x"), APITimeoutError, "unknown"),
        (httpx.ReadError("x"), APIConnectionError, "unknown"),
        (httpx.WriteError("x"), APIConnectionError, "unknown"),
        (httpx.RemoteProtocolError("x"), APIConnectionError, "unknown"),
        (OSError(9, "Bad file descriptor"), APIConnectionError, "unknown"),
    ],
    ids=lambda value: type(value).__name__ if isinstance(value, Exception) else None,
)
def test_failures_have_an_outcome(
    flavour: Flavour, failure: Exception, kind: type[APIConnectionError], outcome: str
) -> None:
    """The outcome separates what was not sent from what may have been carried out."""
    with pytest.raises(kind, match=r"Things_GetThing got no response from api\.example") as caught:
        flavour.run(flavour.session(Server(failure)).request(Operation(method="POST")))
    assert (kind, outcome) == (type(caught.value), caught.value.outcome)
    assert caught.value.__cause__ is failure
    assert PHONE not in f"{caught.value} {failure!r}"
    # Frames of the HTTP library would show headers in a log of locals.
    assert failure.__traceback__ is None


def test_doubt_of_an_earlier_attempt_stays(flavour: Flavour) -> None:
    """A refused connection after a 500 leaves the outcome unknown."""
    server = Server(httpx.Response(500), httpx.ConnectError("x"))
    with pytest.raises(APIConnectionError) as caught:
        flavour.run(flavour.session(server).request(Operation(method="POST")))
    assert (caught.value.outcome, caught.value.attempts) == ("unknown", 4)


def test_status_errors_come_with_their_attempts(flavour: Flavour) -> None:
    """A 503 is repeated, and the exception has the number of attempts."""
    server = Server(httpx.Response(503))
    session = flavour.session(server, retry=RetryPolicy(attempts=2))
    with pytest.raises(APIStatusError, match="after 2 attempts") as caught:
        flavour.run(session.request(Operation()))
    assert caught.value.attempts == 2


def test_error_names_the_operation_and_not_the_path(flavour: Flavour) -> None:
    """No path shows: paths contain ids, which for consents are phone numbers."""
    operation = Operation(path=f"/v1/{PHONE}", params={"identity": PHONE})
    with pytest.raises(
        NotFoundError, match=r"^Things_GetThing failed at api\.example: 404"
    ) as caught:
        flavour.run(flavour.session(Server(httpx.Response(404))).request(operation))
    assert PHONE not in str(caught.value)


def test_malformed_url_is_a_sinch_error(flavour: Flavour) -> None:
    """A malformed URL is a SinchError, not an exception of the HTTP library."""
    with pytest.raises(SinchError, match="URL is malformed"):
        flavour.run(flavour.session(Server()).request(Operation(path="/\x00")))


@given(st.binary(max_size=300), st.integers(200, 599))
@settings(max_examples=150)
def test_nothing_foreign_leaks(content: bytes, status: int) -> None:
    """Any response of the server gives a value or a SinchError."""
    from tests.helpers.core import SyncFlavour

    session = SyncFlavour().session(Server(httpx.Response(status, content=content)))
    try:
        assert 200 <= session.request(Operation()).status_code < 300
    except SinchError as error:
        text = str(error)
    else:
        text = ""
    assert "\n" not in text


def test_session_logs_no_url(flavour: Flavour, caplog: pytest.LogCaptureFixture) -> None:
    """Neither our loggers nor those of the HTTP library write the path or the query."""
    caplog.set_level(logging.DEBUG)
    operation = Operation(path=f"/v1/{PHONE}", params={"identity": "46700000002"})
    flavour.run(flavour.session(Server()).request(operation))
    logged = " ".join(record.getMessage() for record in caplog.records)
    assert "Things_GetThing" in logged
    assert "46700" not in logged


VALUES = [
    {"a": [1, 2.5, "ü", None, True]},
    {"when": datetime(2026, 1, 1, tzinfo=UTC), "id": UUID(int=1)},
    {"nested": {"deep": ({"x": 1},)}},
]


@pytest.mark.parametrize("value", VALUES)
def test_both_json_libraries_write_the_same(value: object) -> None:
    """Orjson and the standard library agree."""
    assert encode(value) == encode_portably(value)


@pytest.mark.parametrize("value", [{"a": 2**70}, {1: "x"}], ids=repr)
def test_what_only_the_standard_library_writes_is_written(value: object) -> None:
    """A body that only the standard library can write is accepted with orjson as well."""
    assert encode(value) == encode_portably(value)


@pytest.mark.parametrize("write", [encode, encode_portably])
def test_invalid_unicode_is_a_value_error(write: Callable[[object], bytes]) -> None:
    """Both libraries raise ValueError for invalid Unicode."""
    with pytest.raises(ValueError):  # noqa: PT011 (any text will do)
        write({"a": "\udcff"})


@pytest.mark.parametrize("write", [encode, encode_portably])
@pytest.mark.parametrize(
    "value",
    [
        {"a": {1}},
        {"a": object()},
        {"a": datetime(2026, 1, 1)},  # noqa: DTZ001 (the point of it)
        {"a": [math.nan]},
        {"a": -math.inf},
    ],
    ids=["a set", "an object", "a naive time", "NaN", "-Infinity"],
)
def test_unfit_bodies_are_refused(write: Callable[[object], bytes], value: object) -> None:
    """Values that JSON cannot express, or that are ambiguous, are refused."""
    with pytest.raises((TypeError, ValueError)):
        write(value)


@pytest.mark.parametrize("read", [decode, decode_portably])
@pytest.mark.parametrize("content", [b"", b"{", b"NaN", b"\xff", b"[" * 100_000, b"Infinity"])
def test_both_json_libraries_refuse_the_same(
    read: Callable[[bytes], object], content: bytes
) -> None:
    """Both libraries raise ValueError for content that is not JSON."""
    with pytest.raises(ValueError):  # noqa: PT011 (any text will do)
        read(content)


@given(st.recursive(st.none() | st.booleans() | st.text(), st.lists, max_leaves=9))
def test_json_comes_back(value: object) -> None:
    """Both libraries read back what either has written."""
    assert value == decode(encode_portably(value)) == json.loads(encode(value))


def test_orjson_is_optional() -> None:
    """Without orjson the standard library is used."""
    code = (
        "import sys; sys.modules['orjson'] = None; "
        "from sinch_wrapper._json import decode, encode; "
        "print(encode({'a': 'ü'}).decode(), decode(b'[1]'))"
    )
    command = [sys.executable, "-X", "utf8", "-c", code]
    result = subprocess.run(command, capture_output=True, encoding="utf-8", check=True)
    assert result.stdout == '{"a":"ü"} [1]\n'
