"""The ledger, the clock, the faults and the reset, over HTTP and in the process."""

from typing import Any

import pytest

from sinch_wrapper.sandbox import Settings, parse_fault
from sinch_wrapper.sandbox._ledger import Ledger, LedgerRequest
from tests.helpers.sandbox import START, Api, StartSandbox, eventually, row, text

SEND = "/conversation/v1/~/messages:send"
BATCH = "/batch/v1/~/messages"
APPS = "/conversation/v1/~/apps"
ADA = row("+46700000001", name="Ada")


def _ledger(api: Api, **query: Any) -> Any:
    return api.ok("GET", "/_sandbox/ledger", params=query)


def test_about_says_how_to_use_it(api: Api) -> None:
    """`/_sandbox` has what a client in any language needs, and lists the paths."""
    about = api.ok("GET", "/_sandbox")

    assert api.settings.project_id == about["project_id"]
    assert api.settings.app_id == about["app_id"]
    assert "POST /_sandbox/clock" in about["paths"]


def test_ledger_follows_each_recipient_to_its_end(start_sandbox: StartSandbox) -> None:
    """Each accepted recipient is listed once, with its place and the state of its message."""
    api = start_sandbox()
    app_id = api.settings.app_id
    rows = [ADA, row("+46700001000", name="Alan"), row("+46700000999", name="Eve"), row("+467")]
    batch_id = api.batch(app_id, rows, batch_metadata={"job": "spring"})
    api.send(app_id, "+46700000005")

    def outcomes() -> list[tuple[str, int, str, str, str]]:
        return [
            (each["operation"], each["index"], each["identity"], each["outcome"], each["reason"])
            for each in _ledger(api)["recipients"]
        ]

    expected = [
        ("Batch_SendBatch", 0, "+46700000001", "DELIVERED", ""),
        ("Batch_SendBatch", 1, "+46700001000", "FAILED", "RECIPIENT_NOT_REACHABLE"),
        ("Batch_SendBatch", 2, "+46700000999", "QUEUED_ON_CHANNEL", ""),
        ("Batch_SendBatch", 3, "+467", "FAILED", "BAD_REQUEST"),
        ("Messages_SendMessage", 0, "+46700000005", "DELIVERED", ""),
    ]
    eventually(lambda: expected == outcomes())
    [first] = _ledger(api, batch_id=batch_id, identity="+46700000001")["recipients"]
    assert ({"job": "spring"}, "us", app_id) == (
        first["batch_metadata"],
        first["region"],
        first["app_id"],
    )
    assert first["message_id"]


def test_ledger_knows_what_the_caller_does_not(start_sandbox: StartSandbox) -> None:
    """It has accepted requests whose response was lost, and no refused ones."""
    api = start_sandbox(faults=(parse_fault("Batch_SendBatch:503:#1"),))
    body = {"app_id": api.settings.app_id, "message": text("Hi"), "recipient_and_params": [ADA]}
    statuses = [api("POST", BATCH, json=body).status_code for _ in range(2)]
    statuses.append(api("POST", BATCH, json={**body, "recipient_and_params": []}).status_code)

    ledger = _ledger(api)

    assert [503, 200, 400] == statuses
    assert (1, {"200": 1, "400": 1}, {"Batch_SendBatch": 1}) == (
        ledger["accepted"],
        ledger["responses"]["Batch_SendBatch"],
        ledger["faults"],
    )


def test_ledger_pages(start_sandbox: StartSandbox) -> None:
    """Long ledgers are read in parts."""
    api = start_sandbox()
    api.batch(api.settings.app_id, [row(f"+4670000000{n}", name="A") for n in range(5)])

    part = _ledger(api, skip=1, limit=2)["recipients"]

    assert [1, 2] == [each["index"] for each in part]


@pytest.mark.parametrize("query", [{"job": "x"}, {"limit": "all"}, {"skip": "-1"}])
def test_ledger_refuses_unknown_filters(api: Api, query: dict[str, str]) -> None:
    """An unknown filter would show too much."""
    assert 400 == api("GET", "/_sandbox/ledger", params=query).status_code


def test_ledger_forgets_the_oldest_request_and_says_so() -> None:
    """The memory is bounded; the count of accepted recipients is not."""
    ledger = Ledger(3)
    request = LedgerRequest("Batch_SendBatch", "us", "app", START)
    for _ in range(3):
        ledger.accept(request, [ADA["recipient"]] * 2)

    assert (6, 4) == (ledger.summary()["accepted"], ledger.summary()["forgotten"])
    assert 2 == len(list(ledger.entries()))


def test_cancelled_recipients_are_cancelled_in_the_ledger(start_sandbox: StartSandbox) -> None:
    """A scheduled batch that was cancelled leaves its recipients CANCELLED."""
    api = start_sandbox(now=START, frozen=True)
    batch_id = api.batch(api.settings.app_id, [ADA], send_after="2027-01-16T00:00:00Z")
    api.ok("DELETE", BATCH, json={"batch_id": batch_id})

    assert ["CANCELLED"] == [each["outcome"] for each in _ledger(api)["recipients"]]


def test_clock_is_moved_over_http(start_sandbox: StartSandbox) -> None:
    """It advances by seconds or to a time, stops and runs again."""
    api = start_sandbox(now=START, frozen=True)
    seen = [api.ok("GET", "/_sandbox/clock")]
    steps = ({"advance": 90.5}, {"to": "2027-01-16T08:00:00Z"}, {"frozen": False})
    seen += [api.ok("POST", "/_sandbox/clock", json=body) for body in steps]

    assert [START, START + 90.5, 1_800_086_400.0] == [each["unix"] for each in seen[:3]]
    assert [True, True, True, False] == [each["frozen"] for each in seen]
    assert "2027-01-15T08:00:00.000Z" == seen[0]["now"]


@pytest.mark.parametrize(
    "body",
    [{}, {"advance": -1}, {"advance": "1"}, {"to": "soon"}, {"to": "2020-01-01T00:00:00Z"}, []],
)
def test_clock_refuses_what_it_cannot_do(api: Api, body: object) -> None:
    """It only goes forward, and the error says what it takes."""
    response = api("POST", "/_sandbox/clock", json=body)

    assert (400, "INVALID_ARGUMENT") == (response.status_code, response.json()["error"]["status"])


def test_faults_are_set_while_it_runs(start_sandbox: StartSandbox) -> None:
    """Rules are added, listed, replaced and cleared, as strings and as objects."""
    api = start_sandbox()
    statuses = []
    rule = {"operation": "App_ListApps", "kind": "status", "status": 599, "body": "{}"}
    for method, body in (
        ("POST", {"faults": ["App_ListApps:501"]}),
        ("PUT", {"faults": [rule]}),
        ("DELETE", None),
    ):
        api.ok(method, "/_sandbox/faults", json=body)
        statuses.append(api("GET", APPS).status_code)

    assert [501, 599, 200] == statuses
    listed = api.ok("GET", "/_sandbox/faults")
    assert {"faults": [], "struck": {"App_ListApps": 2}} == listed


@pytest.mark.parametrize("body", [{}, {"faults": ["*:explode"]}, {"faults": "x"}, [], None])
def test_bad_faults_are_refused(api: Api, body: object) -> None:
    """Anything but a list of rules is 400 and changes nothing."""
    response = api("PUT", "/_sandbox/faults", json=body)

    assert (400, []) == (response.status_code, api.ok("GET", "/_sandbox/faults")["faults"])


def test_body_that_is_no_json_is_refused(api: Api) -> None:
    """A broken body is 400."""
    assert 400 == api("POST", "/_sandbox/clock", content=b"{").status_code


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [("GET", "/_sandbox/nowhere", 404), ("GET", "/_sandbox/reset", 405), ("PUT", "/_sandbox", 405)],
)
def test_unknown_admin_path_is_refused(api: Api, method: str, path: str, status: int) -> None:
    """Another path is 404, another method 405."""
    assert status == api(method, path).status_code


def test_reset_forgets_everything(start_sandbox: StartSandbox) -> None:
    """After a reset the sandbox is as it was at the start: state, time, faults, ledger."""
    api = start_sandbox(now=START, frozen=True)
    app_id = api.app()
    api.send(app_id)
    api.server.clock.advance(60)
    api.ok("POST", "/_sandbox/faults", json={"faults": ["App_GetApp:503"]})

    api.ok("POST", "/_sandbox/reset")

    assert 404 == api("GET", f"{APPS}/{app_id}").status_code
    assert [api.settings.app_id] == [each["id"] for each in api.ok("GET", APPS)["apps"]]
    assert (START, 0) == (api.ok("GET", "/_sandbox/clock")["unix"], _ledger(api)["accepted"])


def test_reset_in_the_process_may_change_the_settings(start_sandbox: StartSandbox) -> None:
    """A test may want other limits than the one before."""
    api = start_sandbox()
    api.server.reset(Settings(start="empty"))
    empty = api.ok("GET", APPS)["apps"]
    api.server.reset()

    assert ([], 1) == (empty, len(api.ok("GET", APPS)["apps"]))


def test_sample_has_some_of_everything(start_sandbox: StartSandbox) -> None:
    """The sample start has apps, contacts, a conversation, a template, a consent, settings."""
    api = start_sandbox(start="sample")
    app_id = api.settings.app_id
    lists = {
        "apps": APPS,
        "contacts": "/conversation/v1/~/contacts",
        "webhooks": f"{APPS}/{app_id}/webhooks",
        "identities": f"{APPS}/{app_id}/consents/OPT_OUT_ALL",
        "messages": "/conversation/v1/~/messages",
        "templates": "/template/v2/~/templates",
    }
    found = {name: len(api.ok("GET", path)[name]) for name, path in lists.items()}
    api.ok("GET", "/conversation/v1/~/settings")

    assert found == {
        "apps": 2,
        "contacts": 2,
        "webhooks": 1,
        "identities": 1,
        "messages": 1,
        "templates": 1,
    }
    assert 0 == _ledger(api)["accepted"]


def test_seed_makes_a_run_repeatable(start_sandbox: StartSandbox) -> None:
    """The same seed, time and requests give the same ids; another seed gives others."""

    def run(seed: int) -> list[str]:
        api = start_sandbox(seed=seed, now=START, frozen=True)
        return [api.app(), api.send(api.settings.app_id), api.batch(api.settings.app_id, [ADA])]

    assert run(1) == run(1)
    assert run(1) != run(2)
