"""Faults on demand strike where, how and as often as their rules say."""

# ruff: noqa: S311 (repeatable)

import random
import time
from email.utils import parsedate_to_datetime

import pytest

from sinch_wrapper._http import httpx
from sinch_wrapper.sandbox import FaultRule, parse_fault
from sinch_wrapper.sandbox._faults import FaultRules, rule_from_json, rule_to_json
from tests.helpers.sandbox import (
    START,
    Api,
    StartSandbox,
    sms,
    text,
)

APPS = "/conversation/v1/~/apps"
SEND = "/conversation/v1/~/messages:send"
GRANT = {"grant_type": "client_credentials"}


def _body(api: Api) -> dict[str, object]:
    app_id = api.settings.app_id
    return {"app_id": app_id, "recipient": sms("+46700000001"), "message": text("Hi")}


def _faulty(start: StartSandbox, *rules: str, **settings: object) -> Api:
    return start(faults=tuple(map(parse_fault, rules)), **settings)


@pytest.mark.parametrize(
    ("text", "rule"),
    [
        ("Batch_SendBatch:503:5%", FaultRule("Batch_SendBatch", "status", 0.05, 503)),
        ("*:429=2", FaultRule("*", "status", 1, 429, retry_after="2")),
        ("Batch_*:drop:0.5%", FaultRule("Batch_*", "drop", 0.005)),
        ("*:slow", FaultRule("*", "slow", seconds=1)),
        ("*:slow=0.25:100%", FaultRule("*", "slow", seconds=0.25)),
        ("*:reset-before:#3", FaultRule("*", "reset-before", calls=(3, 3))),
        ("*:half:#2-4", FaultRule("*", "half", calls=(2, 4))),
        ("*:expire:#2-", FaultRule("*", "expire", calls=(2, None))),
        ("Callback:skew=-600", FaultRule("Callback", "skew", seconds=-600)),
        ("*:200:body=<p>no: JSON</p>", FaultRule("*", "status", 1, 200, body="<p>no: JSON</p>")),
        (
            "*:429=Fri, 31 Dec 2099 23:59:59 GMT:#1",
            FaultRule(
                "*", "status", 1, 429, retry_after="Fri, 31 Dec 2099 23:59:59 GMT", calls=(1, 1)
            ),
        ),
    ],
)
def test_fault_rule_is_read(text: str, rule: FaultRule) -> None:
    """A rule is operation, kind, value, then share or calls, then a body."""
    assert rule == parse_fault(text)


@pytest.mark.parametrize("text", ["*:503:5%", "*:slow=0.5", "*:half:#2-", "*:520:body={}"])
def test_fault_rule_survives_json(text: str) -> None:
    """A rule as JSON reads back as the rule."""
    assert parse_fault(text) == rule_from_json(rule_to_json(parse_fault(text)))


@pytest.mark.parametrize(
    "text",
    [
        *("", "drop", "x:100", "x:503:5", "x:explode", "x:drop:%", "x:status"),
        *("x:slow=soon", "x:drop=1", "x:slow=inf", "x:drop:body=no", "x:slow=-1"),
        *("x:drop:101%", "x:drop:#0", "x:drop:#0-2"),
    ],
)
def test_bad_fault_rule_is_refused(text: str) -> None:
    """A string that is not a rule raises an error that shows the form."""
    with pytest.raises(ValueError, match="OPERATION:KIND"):
        parse_fault(text)


@pytest.mark.parametrize("kind", ["drop", "503", "reset", "half", "expire"])
def test_fault_of_callbacks_that_does_nothing_is_refused(kind: str) -> None:
    """What is not done to callbacks is not counted as done."""
    with pytest.raises(ValueError, match="Callback takes skew and slow"):
        parse_fault(f"Callback:{kind}")


@pytest.mark.parametrize(
    ("operation", "hint"),
    [
        ("Messages_SendMesage", "did you mean Messages_SendMessage"),
        ("messages_*", r"unknown operation 'messages_\*'"),
        ("Callbac*", "Auth_Token or Callback"),
        ("Token", "Auth_Token"),
    ],
)
def test_fault_rule_that_can_never_strike_is_refused(operation: str, hint: str) -> None:
    """A misspelt operation would make a test that cannot fail."""
    with pytest.raises(ValueError, match=hint):
        parse_fault(f"{operation}:drop")
    with pytest.raises(ValueError, match=hint):
        rule_from_json({"operation": operation, "kind": "drop"})


@pytest.mark.parametrize(
    "value",
    [
        *(None, 7, {}, {"operation": "*"}, {"operation": "*", "kind": "explode"}),
        {"operation": "*", "kind": "status", "status": 99},
        {"operation": "*", "kind": "drop", "rate": "often"},
        {"operation": "*", "kind": "drop", "calls": [1]},
        {"operation": "*", "kind": "drop", "speed": 1},
        {"operation": "*", "kind": "status", "status": 503, "headers": {"a": 1}},
    ],
)
def test_bad_rule_object_is_refused(value: object) -> None:
    """An object that is not a rule raises ValueError, whatever is wrong with it."""
    with pytest.raises(ValueError, match=r"fault rule|must be"):
        rule_from_json(value)


def _strikes(rule: str, calls: int, operation_id: str = "Batch_SendBatch") -> list[bool]:
    faults = FaultRules([parse_fault(rule)], random.Random(7))
    return [faults.strike(operation_id) is not None for _ in range(calls)]


def test_fault_strikes_at_its_rate_and_repeatably() -> None:
    """A rule of 20 % strikes about one time in five, the same times with the same seed."""
    struck = _strikes("Batch_*:503:20%", 1000)

    assert struck == _strikes("Batch_*:503:20%", 1000)
    assert 150 < sum(struck) < 250
    assert not any(_strikes("Batch_*:503:20%", 100, "App_GetApp"))


@pytest.mark.parametrize(
    ("calls", "struck"), [("#2", [2]), ("#2-3", [2, 3]), ("#3-", [3, 4, 5]), ("#6", [])]
)
def test_fault_strikes_nth_calls(calls: str, struck: list[int]) -> None:
    """A rule with calls strikes these calls and no others."""
    found = [place for place, hit in enumerate(_strikes(f"*:drop:{calls}", 5), 1) if hit]

    assert struck == found


def test_first_rule_that_strikes_wins_and_all_count() -> None:
    """Rules count every matching call, also those that another rule struck."""
    rules = [parse_fault("*:503:#1"), parse_fault("*:504:#2")]
    faults = FaultRules(rules, random.Random(1))

    struck = [faults.strike("App_GetApp") for _ in range(3)]

    assert [503, 504, None] == [rule and rule.status for rule in struck]
    assert {"App_GetApp": 2} == dict(faults.struck)


def test_wildcard_does_not_reach_callbacks() -> None:
    """A rule for everything is about what clients call."""
    assert not any(_strikes("*:503", 3, "Callback"))


def test_status_fault_responds_without_serving(start_sandbox: StartSandbox) -> None:
    """A status fault refuses the request, with Retry-After where the rule has a value."""
    api = _faulty(start_sandbox, "Messages_SendMessage:429=7")

    response = api("POST", SEND, json=_body(api))

    assert (response.status_code, response.headers["retry-after"]) == (429, "7")


def test_drop_fault_serves_and_gives_no_response(start_sandbox: StartSandbox) -> None:
    """After a drop the message exists, and the caller has seen a broken connection."""
    api = _faulty(start_sandbox, "Messages_SendMessage:drop")

    with pytest.raises(httpx.TransportError):
        api("POST", SEND, json=_body(api))

    params = {"app_id": api.settings.app_id, "messages_source": "DISPATCH_SOURCE"}
    assert len(api.ok("GET", "/conversation/v1/~/messages", params=params)["messages"]) == 1


@pytest.mark.parametrize("kind", ["drop", "reset", "half"])
def test_fault_after_accept_serves_and_gives_no_whole_response(
    start_sandbox: StartSandbox, kind: str
) -> None:
    """The caller sees a broken connection, and the ledger says that the message was accepted."""
    api = _faulty(start_sandbox, f"Messages_SendMessage:{kind}")

    with pytest.raises(httpx.TransportError):
        api("POST", SEND, json=_body(api))

    assert 1 == api.server.ledger.accepted


@pytest.mark.parametrize("kind", ["drop-before", "reset-before"])
def test_fault_before_accept_serves_nothing(start_sandbox: StartSandbox, kind: str) -> None:
    """The caller sees the same broken connection, and nothing was accepted."""
    api = _faulty(start_sandbox, f"Messages_SendMessage:{kind}")

    with pytest.raises(httpx.TransportError):
        api("POST", SEND, json=_body(api))

    assert 0 == api.server.ledger.accepted


def test_half_a_body_is_half_a_body(start_sandbox: StartSandbox) -> None:
    """The head promises the whole length, and half of it comes."""
    api = _faulty(start_sandbox, "App_ListApps:half")
    received: list[bytes] = []
    url = f"/conversation/v1/projects/{api.settings.project_id}/apps"
    with api.http.stream("GET", url) as response, pytest.raises(httpx.RemoteProtocolError):
        received.extend(response.iter_raw())

    assert int(response.headers["content-length"]) // 2 == len(b"".join(received))


def test_slow_fault_waits(start_sandbox: StartSandbox) -> None:
    """A slow fault waits its seconds and then serves, also when the clock stands still."""
    api = _faulty(start_sandbox, "App_ListApps:slow=0.05", frozen=True)
    began = time.monotonic()
    api.ok("GET", APPS)

    assert time.monotonic() - began >= 0.05


@pytest.mark.parametrize("status", [200, 204, 302, 418, 429, 502, 520, 599])
def test_any_status_with_any_body(start_sandbox: StartSandbox, status: int) -> None:
    """A status fault gives any status, with a body that need not be JSON."""
    body = "" if status == 204 else "<html>gateway</html>"
    api = _faulty(start_sandbox, f"App_ListApps:{status}:body={body}")

    response = api("GET", APPS)

    assert (status, body) == (response.status_code, response.text)
    assert response.headers["content-type"].startswith("text/html")


@pytest.mark.parametrize(
    "wish",
    ["0", "2", "2.5", "86400", "-1", "inf", "nan", "soon", "Fri, 31 Dec 2099 23:59:59 GMT"],
)
def test_retry_after_is_sent_as_written(start_sandbox: StartSandbox, wish: str) -> None:
    """Every kind of Retry-After can be had, sound or not."""
    api = _faulty(start_sandbox, f"App_ListApps:429={wish}")

    assert wish == api("GET", APPS).headers["retry-after"]


@pytest.mark.parametrize(("wish", "ahead"), [("date+30", 30), ("date-30", -30)])
def test_retry_after_can_be_a_date(start_sandbox: StartSandbox, wish: str, ahead: int) -> None:
    """A date is counted from the time of the sandbox."""
    api = _faulty(start_sandbox, f"App_ListApps:503={wish}", now=START, frozen=True)

    found = parsedate_to_datetime(api("GET", APPS).headers["retry-after"])

    assert START + ahead == found.timestamp()


def test_retry_info_is_in_the_body(start_sandbox: StartSandbox) -> None:
    """`info+2.5` gives a google.rpc RetryInfo and no header."""
    response = _faulty(start_sandbox, "App_ListApps:429=info+2.5")("GET", APPS)

    [detail] = response.json()["error"]["details"]
    assert "2.5s" == detail["retryDelay"]
    assert "retry-after" not in response.headers


def test_expire_fault_revokes_the_token(start_sandbox: StartSandbox) -> None:
    """The token of the call is refused from then on, and a new one is good."""
    api = _faulty(start_sandbox, "App_ListApps:expire:#2")
    url = f"{api.url}/conversation/v1/projects/{api.settings.project_id}/apps"

    def token() -> dict[str, str]:
        granted = api.http.post("/auth/oauth2/token", data=GRANT).json()
        return {"authorization": f"Bearer {granted['access_token']}"}

    first = token()
    statuses = [httpx.get(url, headers=first).status_code for _ in range(3)]
    renewed = httpx.get(url, headers=token()).status_code

    assert ([200, 401, 401], 200) == (statuses, renewed)


def test_token_can_live_shorter_than_it_says(start_sandbox: StartSandbox) -> None:
    """`Auth_Token:expire=30` hands out a token that claims an hour and lives 30 seconds."""
    api = _faulty(start_sandbox, "Auth_Token:expire=30", frozen=True)
    granted = api.http.post("/auth/oauth2/token", data=GRANT).json()
    headers = {"authorization": f"Bearer {granted['access_token']}"}
    url = f"{api.url}/conversation/v1/projects/{api.settings.project_id}/apps"

    before = httpx.get(url, headers=headers).status_code
    api.server.clock.advance(31)

    assert (3600, 200, 401) == (
        granted["expires_in"],
        before,
        httpx.get(url, headers=headers).status_code,
    )


def test_skew_fault_shifts_the_date(start_sandbox: StartSandbox) -> None:
    """The Date of the response is off by the given seconds."""
    api = _faulty(start_sandbox, "App_ListApps:skew=-600", now=START, frozen=True)

    [date] = api("GET", APPS).headers.get_list("date")

    assert START - 600 == parsedate_to_datetime(date).timestamp()


@pytest.mark.parametrize("kind", ["503", "drop"])
def test_token_endpoint_has_faults_too(start_sandbox: StartSandbox, kind: str) -> None:
    """The token endpoint is the operation Auth_Token."""
    api = _faulty(start_sandbox, f"Auth_Token:{kind}")

    try:
        status = api.http.post("/auth/oauth2/token", data=GRANT).status_code
    except httpx.TransportError:
        status = 0

    assert (503 if kind == "503" else 0) == status


def test_connection_survives_status_fault_on_big_body(start_sandbox: StartSandbox) -> None:
    """A refused request with a big body leaves its connection usable."""
    api = _faulty(start_sandbox, "App_CreateApp:503:#1")
    body = {"display_name": "x" * 300_000, "channel_credentials": []}

    assert [503, 200] == [api("POST", APPS, json=body).status_code for _ in range(2)]
