"""Faults on demand strike where, how and as often as they were told."""

# ruff: noqa: S311 (repeatable)

import random
import time

import pytest
from sandbox_fixtures import (
    Api,
    StartSandbox,
    sms,
    text,
)

from sinch_wrapper._http import httpx
from sinch_wrapper.sandbox import parse_fault
from sinch_wrapper.sandbox.faults import FaultRule, strike

SEND = "/conversation/v1/~/messages:send"


def _body(api: Api) -> dict[str, object]:
    app_id = api.settings.app_id
    return {"app_id": app_id, "recipient": sms("+46700000001"), "message": text("Hi")}


@pytest.mark.parametrize(
    ("text", "rule"),
    [
        ("Batch_SendBatch:503:5%", FaultRule("Batch_SendBatch", "status", 0.05, 503)),
        ("*:429=2", FaultRule("*", "status", 1, 429, 2)),
        ("Batch_*:drop:0.5%", FaultRule("Batch_*", "drop", 0.005)),
        ("*:slow", FaultRule("*", "slow", 1, 0, 1)),
        ("*:slow=0.25:100%", FaultRule("*", "slow", 1, 0, 0.25)),
    ],
)
def test_fault_rule_is_read(text: str, rule: FaultRule) -> None:
    """A rule is operation, kind, value and percentage."""
    assert rule == parse_fault(text)


@pytest.mark.parametrize("text", ["", "drop", "x:200", "x:503:5", "x:explode", "x:drop:%"])
def test_bad_fault_rule_is_refused(text: str) -> None:
    """What is no rule raises an error that shows the form."""
    with pytest.raises(ValueError, match="OPERATION:KIND"):
        parse_fault(text)


def test_fault_strikes_at_its_rate_and_repeatably() -> None:
    """A rule of 20 % strikes about one time in five, the same times with the same seed."""
    rules = [parse_fault("Batch_*:503:20%")]

    def run() -> list[bool]:
        rng = random.Random(7)
        return [strike(rules, "Batch_SendBatch", rng) is not None for _ in range(1000)]

    assert run() == run()
    assert 150 < sum(run()) < 250
    assert strike(rules, "App_GetApp", random.Random(7)) is None


def test_status_fault_answers_without_serving(start_sandbox: StartSandbox) -> None:
    """A status fault refuses the request, with Retry-After where the rule has a value."""
    api = start_sandbox(faults=(parse_fault("Messages_SendMessage:429=7"),))

    response = api("POST", SEND, json=_body(api))

    assert (response.status_code, response.headers["retry-after"]) == (429, "7")


def test_drop_fault_serves_and_gives_no_answer(start_sandbox: StartSandbox) -> None:
    """After a drop the message is there, and the caller has seen a broken connection."""
    api = start_sandbox(faults=(parse_fault("Messages_SendMessage:drop"),))

    with pytest.raises(httpx.TransportError):
        api("POST", SEND, json=_body(api))

    params = {"app_id": api.settings.app_id, "messages_source": "DISPATCH_SOURCE"}
    assert len(api.ok("GET", "/conversation/v1/~/messages", params=params)["messages"]) == 1


def test_slow_fault_waits(start_sandbox: StartSandbox) -> None:
    """A slow fault waits its seconds and then serves."""
    api = start_sandbox(faults=(parse_fault("App_ListApps:slow=0.05"),))
    began = time.monotonic()
    api.ok("GET", "/conversation/v1/~/apps")

    assert time.monotonic() - began >= 0.05


@pytest.mark.parametrize("kind", ["503", "drop"])
def test_token_endpoint_has_faults_too(start_sandbox: StartSandbox, kind: str) -> None:
    """The token endpoint is the operation Auth_Token."""
    api = start_sandbox(faults=(parse_fault(f"Auth_Token:{kind}"),))
    form = {"grant_type": "client_credentials"}

    try:
        status = api.http.post("/auth/oauth2/token", data=form).status_code
    except httpx.TransportError:
        status = 0

    assert (503 if kind == "503" else 0) == status
