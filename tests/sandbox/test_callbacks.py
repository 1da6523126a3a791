"""Callbacks: the signature, the rate, copies, disorder, delay, and receivers with OAuth2."""

import base64
import time
from collections import Counter
from collections.abc import Iterator

import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from sinch_wrapper.callbacks import verify
from sinch_wrapper.errors import SignatureError
from sinch_wrapper.sandbox import BackgroundServer, parse_fault
from sinch_wrapper.sandbox._limits import SlotSchedule
from sinch_wrapper.sandbox._webhook_delivery import is_local, signature_headers
from tests.helpers.sandbox import SECRET, START, Inbox, StartSandbox, eventually

C = "/conversation/v1/~"
VECTOR_1 = (
    '{"app_id":"APP1","project_id":"PRJ1","batch_status_update_notification":'
    '{"batch_id":"B1","batch_status":"BATCH_STATUS_PROCESSED",'
    '"batch_type":"BATCH_TYPE_MESSAGES"}}'
)
VECTOR_2 = (
    '{"project_id":"PRJ1","app_id":"APP1","message_delivery_report":'
    '{"status":"DELIVERED","metadata":"smörgås ✓"}}'
)


class Desk:
    """A callback target that keeps bodies and headers, and a token endpoint beside it."""

    def __init__(self) -> None:
        self.url = ""
        self.came: list[tuple[float, bytes, dict[str, str]]] = []
        self.grants: list[tuple[str, bytes]] = []
        routes = [
            Route("/", self._take, methods=["POST"]),
            Route("/token", self._grant, methods=["POST"]),
        ]
        self.app = Starlette(routes=routes)

    async def _take(self, request: Request) -> Response:
        self.came.append((time.monotonic(), await request.body(), dict(request.headers)))
        return Response()

    async def _grant(self, request: Request) -> Response:
        self.grants.append((request.headers.get("authorization", ""), await request.body()))
        return JSONResponse({"access_token": "t-1", "expires_in": 60})

    def wait(self, count: int) -> None:
        """Wait until *count* callbacks have arrived."""
        eventually(lambda: len(self.came) >= count)


@pytest.fixture
def desk() -> Iterator[Desk]:
    """A callback target on loopback."""
    desk = Desk()
    with BackgroundServer(desk.app) as server:
        desk.url = server.url
        yield desk


@pytest.mark.parametrize(
    ("body", "secret", "nonce", "timestamp", "signature"),
    [
        (
            VECTOR_1,
            "unit-test-secret",
            "01JZZZZZZZZZZZZZZZZZZZZZZZ",
            1760000000,
            "Vfz1lnwEhoNT87ufqIDMWRWm35ejMvor8EpeSxz9LCk=",
        ),
        (
            VECTOR_2,
            "sécret",
            "n-2",
            1760000001,
            "ng4GFYE5wYXO9l4tV1C/u9BEuBYhbckPNyYmcHDBv/w=",
        ),
    ],
)
def test_signature_of_the_sandbox_fits_the_vectors(
    body: str, secret: str, nonce: str, timestamp: int, signature: str
) -> None:
    """The sandbox signs with code of its own, which agrees with the published vectors."""
    headers = signature_headers(body.encode(), secret, nonce, timestamp)

    assert signature == headers["x-sinch-webhook-signature"]
    assert "HmacSHA256" == headers["x-sinch-webhook-signature-algorithm"]


def test_slots_let_a_second_through_and_then_the_rate() -> None:
    """After idling, a second's worth goes at once, the rest one after the other."""
    slots = SlotSchedule(4)
    for _ in range(3):
        slots.book(START)

    booked = [slots.book(START + 100) for _ in range(8)]

    assert [0, 0, 0, 0, 0, 0.25, 0.5, 0.75] == [each - START - 100 for each in booked]


def test_callbacks_keep_the_rate_of_their_app(start_sandbox: StartSandbox, desk: Desk) -> None:
    """Beyond a second's worth they wait their turn, and another app is not delayed."""
    api = start_sandbox(callback_rate=2, frozen=True)
    other = api.app()
    for app_id in (api.settings.app_id, other):
        api.webhook(app_id, desk.url, "MESSAGE_SUBMIT")
    sent = [api.send(api.settings.app_id) for _ in range(5)] + [api.send(other)]
    desk.wait(4)
    at_once = len(desk.came)
    api.server.clock.advance(1)
    desk.wait(6)

    assert (4, len(sent)) == (at_once, len(desk.came))


def test_duplicates_come_twice(start_sandbox: StartSandbox, desk: Desk) -> None:
    """With a share of 1 each callback is posted twice, each signed separately."""
    api = start_sandbox(callback_duplicates=1)
    api.webhook(api.settings.app_id, desk.url, "MESSAGE_SUBMIT")
    for _ in range(3):
        api.send(api.settings.app_id)
    desk.wait(6)

    assert {2} == set(Counter(body for _, body, _ in desk.came).values())
    assert 6 == len({head["x-sinch-webhook-signature-nonce"] for _, _, head in desk.came})


def test_disorder_lets_later_ones_overtake(start_sandbox: StartSandbox, desk: Desk) -> None:
    """With disorder nothing is lost, and the order is different."""
    api = start_sandbox(callback_disorder=0.5, callback_workers=1)
    api.webhook(api.settings.app_id, desk.url, "MESSAGE_SUBMIT")
    sent = [api.send(api.settings.app_id) for _ in range(12)]
    desk.wait(12)

    came = [next(each for each in sent if each.encode() in body) for _, body, _ in desk.came]
    assert (set(sent), True) == (set(came), sent != came)


def test_delay_holds_callbacks_back(start_sandbox: StartSandbox, desk: Desk) -> None:
    """A callback is posted when its delay has passed on the clock of the sandbox."""
    api = start_sandbox(callback_delay=60, frozen=True)
    api.webhook(api.settings.app_id, desk.url, "MESSAGE_SUBMIT")
    api.send(api.settings.app_id)
    api.server.clock.advance(59)
    api.ok("GET", f"{C}/apps")
    before = len(desk.came)
    api.server.clock.advance(1)
    desk.wait(1)

    assert (0, 1) == (before, len(desk.came))


def test_back_off_waits_on_the_clock(start_sandbox: StartSandbox) -> None:
    """The attempts of a callback that nobody accepts follow one another as the time is moved."""
    api = start_sandbox(callback_attempts=3, callback_backoff=10, frozen=True)
    clock, counts = api.server.clock, api.server.ledger.callbacks
    api.webhook(api.settings.app_id, "http://127.0.0.1:9/", "CONTACT_CREATE")
    known = [{"channel": "SMS", "identity": "+46700000001"}]
    api.ok("POST", f"{C}/contacts", json={"channel_identities": known, "language": "EN"})
    posted = []
    for wait in (10, 20):
        eventually(lambda: clock.waiting == 1)
        posted.append(counts["posted"])
        clock.advance(wait)
    eventually(lambda: counts["given_up"] == 1)

    assert ([1, 2], 3) == (posted, counts["posted"])


def test_nothing_leaves_the_machine_unless_allowed(start_sandbox: StartSandbox) -> None:
    """A callback to another machine is withheld, and the ledger counts it."""
    api = start_sandbox()
    api.webhook(api.settings.app_id, "https://receiver.example/hook", "MESSAGE_SUBMIT")
    api.send(api.settings.app_id)

    assert {"withheld": 1} == dict(api.server.ledger.callbacks)


@pytest.mark.parametrize(
    ("url", "local"),
    [
        ("http://127.0.0.1:1/", True),
        ("http://localhost/", True),
        ("http://a.localhost/", True),
        ("http://[::1]:8/", True),
        ("http://10.0.0.1/", False),
        ("https://receiver.example/", False),
        ("http://[", False),
        ("nonsense", False),
    ],
)
def test_local_targets_are_recognised(url: str, local: bool) -> None:  # noqa: FBT001 (parametrised)
    """Loopback addresses and names are local, everything else is not."""
    assert local == is_local(url)


@pytest.mark.parametrize("skew", [-3600, 3600])
def test_skewed_timestamp_is_refused_by_a_receiver(
    start_sandbox: StartSandbox, desk: Desk, skew: int
) -> None:
    """A rule for Callback signs with a clock that is off; such a callback is too old or too new."""
    api = start_sandbox(faults=(parse_fault(f"Callback:skew={skew}"),))
    api.webhook(api.settings.app_id, desk.url, "MESSAGE_SUBMIT")
    api.send(api.settings.app_id)
    desk.wait(1)
    _, body, headers = desk.came[0]

    verify(body, headers, [SECRET], tolerance=4000)
    with pytest.raises(SignatureError):
        verify(body, headers, [SECRET])


@pytest.mark.parametrize("how", ["BASIC", "FORM"])
def test_receiver_with_oauth2_gets_a_token(
    start_sandbox: StartSandbox, desk: Desk, how: str
) -> None:
    """A webhook with client credentials is posted to with a token, asked for once."""
    api = start_sandbox()
    credentials = {
        "client_id": "me",
        "client_secret": "planted",
        "endpoint": f"{desk.url}/token",
        "scope": "hooks",
        "token_request_type": how,
    }
    app_id = api.settings.app_id
    api.webhook(app_id, desk.url, "MESSAGE_SUBMIT", client_credentials=credentials)
    for number in range(2):
        api.send(app_id)
        desk.wait(number + 1)

    [(authorization, form)] = desk.grants
    assert {"Bearer t-1"} == {headers["authorization"] for _, _, headers in desk.came}
    assert b"scope=hooks" in form
    basic = f"Basic {base64.b64encode(b'me:planted').decode()}"
    assert (basic if how == "BASIC" else "") == authorization
    assert (how == "FORM") == (b"client_secret=planted" in form)


def test_token_endpoint_that_fails_delays_the_callback(
    start_sandbox: StartSandbox, desk: Desk
) -> None:
    """Without a token the callback is not posted, and tried again."""
    api = start_sandbox(callback_attempts=2, callback_backoff=0.001)
    gone = {"client_id": "me", "client_secret": "s", "endpoint": f"{desk.url}/nowhere"}
    api.webhook(api.settings.app_id, desk.url, "MESSAGE_SUBMIT", client_credentials=gone)
    api.send(api.settings.app_id)
    counts = api.server.ledger.callbacks
    eventually(lambda: counts["given_up"] == 1)

    assert (2, []) == (counts["posted"], desk.came)


def test_failed_channel_switches_to_the_next(start_sandbox: StartSandbox, inbox: Inbox) -> None:
    """A recipient who cannot be reached on one channel is tried on the next one."""
    api = start_sandbox(callback_workers=1)
    api.webhook(api.settings.app_id, inbox.url, "MESSAGE_DELIVERY")
    both = [
        {"channel": "WHATSAPP", "identity": "46700001000"},
        {"channel": "SMS", "identity": "+46700000001"},
    ]
    api.send(
        api.settings.app_id,
        recipient={"identified_by": {"channel_identities": both}},
        channel_priority_order=["WHATSAPP", "SMS"],
    )

    statuses = [str(each.payload["status"]) for each in inbox.wait(4)]
    assert ["QUEUED_ON_CHANNEL", "SWITCHING_CHANNEL", "QUEUED_ON_CHANNEL", "DELIVERED"] == statuses


def test_message_beyond_its_ttl_times_out(start_sandbox: StartSandbox) -> None:
    """A message that waits longer than its ttl fails with DELIVERY_TIMED_OUT."""
    api = start_sandbox(frozen=True, drain_rate=0.1)
    api.send(api.settings.app_id, ttl="5s")
    api.server.clock.advance(10)
    ledger = api.server.ledger

    eventually(lambda: "DELIVERY_TIMED_OUT" == next(ledger.entries())["reason"])


def test_capability_and_duplicates_are_announced(start_sandbox: StartSandbox, inbox: Inbox) -> None:
    """A capability query, and a contact with a known identity, lead to a callback."""
    api = start_sandbox(callback_workers=1)
    app_id = api.settings.app_id
    api.webhook(app_id, inbox.url, "CAPABILITY", "CONTACT_IDENTITIES_DUPLICATION")
    known = [{"channel": "SMS", "identity": "+46700000001"}]
    contact = {"channel_identities": known, "language": "EN"}
    ids = [api.ok("POST", f"{C}/contacts", json=contact)["id"] for _ in range(2)]
    query = {"app_id": app_id, "recipient": {"identified_by": {"channel_identities": known}}}
    asked = api.ok("POST", f"{C}/capability:query", json=query)

    duplication, capability = inbox.wait(2)
    assert [{"channel": "SMS", "contact_ids": ids}] == duplication.payload["duplicated_identities"]
    assert (asked["request_id"], "CAPABILITY_FULL") == (
        capability.payload["request_id"],
        capability.payload["capability_status"],
    )
