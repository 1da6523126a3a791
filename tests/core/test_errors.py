"""The exception tree, and from response to exception."""

import copy
import json
import pickle
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sinch_wrapper import errors
from sinch_wrapper.errors import (
    APIConnectionError,
    APIResponseValidationError,
    APIStatusError,
    APITimeoutError,
    BadRequest,
    ErrorInfo,
    FieldViolation,
    ParameterError,
    QuotaFailure,
    QuotaViolation,
    RawResponse,
    ResponseHeaders,
    RetryInfo,
    SinchError,
    UnknownDetail,
    error_from_response,
    read_server_delay,
    unreadable_response,
)
from sinch_wrapper.errors._google_rpc import parse_duration, parse_retry_after

PHONE = "+46700000001"
NOW = datetime(2026, 1, 1, tzinfo=UTC)
RPC = "type.googleapis.com/google.rpc."


def response(status: int = 400, body: object = None, **headers: str) -> RawResponse:
    """Build a response with a JSON body."""
    pairs = [(name.replace("_", "-"), value) for name, value in headers.items()]
    return RawResponse(status, ResponseHeaders(pairs), json.dumps(body).encode())


def detailed(*details: object) -> APIStatusError:
    """Build the exception of a 400 with *details*."""
    return error_from_response("Op", response(400, {"error": {"details": list(details)}}))


@pytest.mark.parametrize(
    ("status", "name"),
    [
        (400, "BadRequestError"),
        (401, "AuthenticationError"),
        (403, "PermissionDeniedError"),
        (404, "NotFoundError"),
        (409, "ConflictError"),
        (429, "RateLimitError"),
        *((status, "InternalServerError") for status in range(500, 600)),
        *(
            (s, "APIStatusError")
            for s in range(400, 500)
            if s not in {400, 401, 403, 404, 409, 429}
        ),
        (302, "APIStatusError"),
        (600, "APIStatusError"),
    ],
)
def test_status_has_its_class(status: int, name: str) -> None:
    """Every status maps, unknown and unofficial ones too."""
    error = error_from_response("Op", RawResponse(status))
    assert (name, status) == (type(error).__name__, error.status_code)


@pytest.mark.parametrize("shape", ["wrapped", "flat"])
def test_error_reads_both_body_shapes(shape: str) -> None:
    """The fields are in `error` or at the top level."""
    inner = {"code": 404, "message": "gone", "status": "NOT_FOUND", "details": []}
    error = error_from_response(
        "Op", response(404, {"error": inner} if shape == "wrapped" else inner)
    )
    assert (error.message, error.status, error.details) == ("gone", "NOT_FOUND", ())


def test_error_reads_oauth_bodies() -> None:
    """The token endpoint sends `error` as a word."""
    body = {"error": "invalid_client", "error_description": "no such key"}
    error = error_from_response("token request", response(401, body))
    assert (error.message, error.status) == ("no such key", "invalid_client")
    assert "401 invalid_client" in str(error)


def test_details_are_typed() -> None:
    """The known types of google.rpc become values, in both spellings."""
    error = detailed(
        {"@type": f"{RPC}BadRequest", "field_violations": [{"field": "a.b", "description": "no"}]},
        {"@type": f"{RPC}BadRequest", "fieldViolations": [{"field": "c"}]},
        {"@type": f"{RPC}RetryInfo", "retryDelay": "1.5s"},
        {"@type": f"{RPC}RetryInfo", "retry_delay": {"seconds": 2, "nanos": 500_000_000}},
        {"@type": f"{RPC}ErrorInfo", "reason": "R", "domain": "d", "metadata": {"k": "v"}},
        {"@type": f"{RPC}QuotaFailure", "violations": [{"subject": "s", "description": "d"}]},
        {"@type": f"{RPC}Help", "links": []},
    )
    assert (
        BadRequest((FieldViolation("a.b", "no"),)),
        BadRequest((FieldViolation("c"),)),
        RetryInfo(1.5),
        RetryInfo(2.5),
        ErrorInfo("R", "d", {"k": "v"}),
        QuotaFailure((QuotaViolation("s", "d"),)),
        UnknownDetail(f"{RPC}Help", {"@type": f"{RPC}Help", "links": []}),
    ) == error.details
    assert (FieldViolation("a.b", "no"), FieldViolation("c")) == error.field_violations
    assert error.retry_after == 2.5


def test_details_keep_the_packed_form_raw() -> None:
    """`{type_url, value}` contains bytes that only its sender can read."""
    packed = {"type_url": f"{RPC}BadRequest", "value": "CgQ="}
    assert (UnknownDetail(f"{RPC}BadRequest", packed),) == detailed(packed).details


@pytest.mark.parametrize(
    "content",
    [
        b"", b"null", b"[]", b'"text"', b"1", b"<html>429</html>", b'{"error": {"mess',
        b'{"error": null}', b'{"error": []}', b'{"details": "x"}', b'{"details": [1, null, []]}',
        b'{"error": {"details": {"a": 1}, "message": 5, "status": []}}', b"\xff\xfe\x00",
        '{"message": "é"}'.encode("latin-1"), '{"message": "x"}'.encode("utf-16"),
        b"[" * 200_000, b'{"a":' * 50_000, b'{"message":"' + b"x" * 2_000_000 + b'"}',
        b'{"details": [{"@type": 5}, {"@type": "BadRequest", "field_violations": [1]}]}',
        json.dumps({"details": [{"@type": f"{RPC}BadRequest", "field_violations": "x"}]}).encode(),
        json.dumps({"details": [{"@type": f"{RPC}RetryInfo", "retry_delay": []}]}).encode(),
        json.dumps({"details": [{"@type": f"{RPC}ErrorInfo", "metadata": []}]}).encode(),
    ],
)  # fmt: skip
def test_error_survives_every_body(content: bytes) -> None:
    """Lists, strings, null, HTML, empty, cut, deep, huge and badly encoded bodies do not raise."""
    error = error_from_response("Op", RawResponse(503, ResponseHeaders(), content))
    assert error.status_code == 503
    assert content == error.response.content
    assert "\n" not in str(error)


@given(st.binary(max_size=200), st.integers(300, 699))
def test_error_survives_any_bytes(content: bytes, status: int) -> None:
    """No body at all raises."""
    assert (
        status
        == error_from_response("Op", RawResponse(status, ResponseHeaders(), content)).status_code
    )


def test_error_line_says_what_where_and_what_to_do() -> None:
    """The line contains operation, status, reason, request id, attempts and advice."""
    body = {
        "error": {
            "status": "PERMISSION_DENIED",
            "details": [{"@type": f"{RPC}ErrorInfo", "reason": "BILLING_CREDIT_LIMIT_BREACHED"}],
        }
    }
    error = error_from_response(
        "Messages_SendMessage", response(403, body, x_request_id="r-1"), attempts=3
    )
    assert str(error) == (
        "Messages_SendMessage failed: 403 PERMISSION_DENIED BILLING_CREDIT_LIMIT_BREACHED, "
        "request id r-1, after 3 attempts: check that the key belongs to SINCH_PROJECT_ID, that "
        "the project may use this API, and its billing (BILLING_CREDIT_LIMIT_BREACHED)"
    )
    assert (error.request_id, error.attempts) == ("r-1", 3)


@pytest.mark.parametrize(
    ("status", "word"),
    [
        (401, "SINCH_KEY_ID"), (403, "billing"), (404, "region"), (429, "limits="),
        (500, "server"), (302, "endpoints="), (418, "refused"), (400, "malformed"), (409, "exists"),
    ],
)  # fmt: skip
def test_error_line_advises_by_status(status: int, word: str) -> None:
    """Each status comes with advice."""
    assert word in str(error_from_response("Op", RawResponse(status)))


def test_error_line_names_the_fields_of_violations() -> None:
    """The paths of invalid fields show, each once, except those that contain a number."""
    violations = [{"field": name} for name in ("message.text", "message.text", f"map[{PHONE}]")]
    error = detailed({"@type": f"{RPC}BadRequest", "field_violations": violations})
    assert str(error).endswith("invalid fields: message.text; ?")


def test_error_hides_what_the_server_echoes() -> None:
    """Phone numbers and text that the server echoes reach no message, repr or argument."""
    body = {
        "error": {
            "message": f"bad number {PHONE}",
            "status": PHONE,
            "details": [
                {"@type": f"{RPC}BadRequest", "field_violations": [{"description": PHONE}]},
                {"@type": f"{RPC}ErrorInfo", "reason": PHONE, "metadata": {"to": PHONE}},
                {"@type": f"{RPC}QuotaFailure", "violations": [{"subject": PHONE}]},
                {"@type": PHONE, "value": PHONE},
            ],
        }
    }  # fmt: skip
    error = error_from_response(
        "Op", response(400, body, x_request_id=PHONE, set_cookie="s=planted")
    )
    shown = [str(error), repr(error), repr(error.args), repr(error.response), repr(error.details)]
    assert all(PHONE not in text and "46700" not in text for text in shown)
    assert f"bad number {PHONE}" == error.message
    assert "set-cookie" not in error.response.headers


EXAMPLES = [
    SinchError("line"),
    errors.ConfigurationError("line"),
    APIConnectionError("line", "not_sent", 3),
    APITimeoutError("line", "unknown", 2),
    error_from_response("Op", response(429, {"message": "m"}, retry_after="3"), attempts=4),
    error_from_response("Op", RawResponse(500), kind=errors.AuthenticationError, advice="look"),
    unreadable_response("Op", response(200, {}, x_request_id="r"), "it is empty", 2),
    ParameterError("line", recipient=7, key="name"),
    errors.BulkError("line"),
    errors.BulkArgumentError("line"),
    errors.SignatureError("line"),
    errors.CallbackParseError("line"),
]  # fmt: skip


def attributes(error: SinchError) -> dict[str, object]:
    """Read every public attribute of *error*."""
    names = [name for name in dir(error) if not name.startswith("_")]
    return {name: getattr(error, name) for name in names if not callable(getattr(error, name))}


@pytest.mark.parametrize("error", EXAMPLES, ids=lambda error: type(error).__name__)
def test_errors_can_be_pickled_and_copied(error: SinchError) -> None:
    """Exceptions come back with class, message and attributes."""
    for twin in (pickle.loads(pickle.dumps(error)), copy.copy(error), copy.deepcopy(error)):  # noqa: S301
        assert (type(error), str(error)) == (type(twin), str(twin))
        assert attributes(error) == attributes(twin)


def test_tree_has_one_root() -> None:
    """Every exception that the package exports is a SinchError."""
    kinds = [getattr(errors, name) for name in errors.__all__ if name.endswith("Error")]
    assert len(kinds) == 20
    assert all(issubclass(kind, SinchError) for kind in kinds)
    assert issubclass(APITimeoutError, APIConnectionError)
    assert issubclass(errors.SignatureError, errors.CallbackError)
    assert not issubclass(APIResponseValidationError, APIStatusError)


@pytest.mark.parametrize(
    ("value", "seconds"),
    [
        ("0", 0.0), ("3", 3.0), (" 2.5 ", 2.5), ("86400", 86400.0), ("-1", None), ("inf", None),
        ("nan", None), ("1e400", None), ("soon", None), ("", None), ("Thu, 99 Foo 9999", None),
        (format_datetime(NOW + timedelta(seconds=90), usegmt=True), 90.0),
        (format_datetime(NOW - timedelta(days=1), usegmt=True), 0.0),
        ("Wed, 01 Jan 2099 00:00:00 GMT", 2303683200.0), ("Thu, 01 Jan 2026 00:00:05", 5.0),
        (None, None),
    ],
)  # fmt: skip
def test_retry_after_is_read(value: str | None, seconds: float | None) -> None:
    """Seconds, fractions and dates are read; a senseless value counts as absent."""
    assert seconds == parse_retry_after(value, NOW)


@pytest.mark.parametrize(
    ("value", "seconds"),
    [
        ("3s", 3.0), ("0.25s", 0.25), ("3", None), ("-3s", None), ("infs", None), ("xs", None),
        ({"seconds": "4"}, 4.0), ({"nanos": 5e8}, 0.5), ({"seconds": []}, None), (None, None),
        (True, None),
    ],
)  # fmt: skip
def test_duration_is_read(value: object, seconds: float | None) -> None:
    """Durations of google.rpc are read in both forms."""
    assert seconds == parse_duration(value)


def test_server_delay_is_the_longer_one() -> None:
    """Of header and RetryInfo, the longer wait counts."""
    body = {"error": {"details": [{"@type": f"{RPC}RetryInfo", "retry_delay": "7s"}]}}
    assert read_server_delay(response(429, body, retry_after="3"), NOW) == 7.0
    assert read_server_delay(response(429, body, retry_after="9"), NOW) == 9.0
    assert read_server_delay(response(429, {}), NOW) is None


def test_headers_are_found_in_any_case() -> None:
    """Names ignore case, repeated headers are joined, secrets and values do not show."""
    headers = ResponseHeaders(
        [("A-B", "1"), ("a-b", "2"), ("Authorization", "planted"), ("Cookie", "c")]
    )
    assert (headers["A-b"], len(headers), list(headers)) == ("1, 2", 1, ["a-b"])
    assert repr(headers) == "<ResponseHeaders a-b>"
