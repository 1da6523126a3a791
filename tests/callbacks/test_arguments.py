"""Every public option of the callbacks refuses values of other kinds, and names itself."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from sinch_wrapper import CallbackParseError, SignatureError, callbacks
from sinch_wrapper.callbacks import (
    DeliveryState,
    EventStore,
    OptOutWords,
    Receiver,
    SeenNonces,
    advance,
    batch_ref,
    consent_change,
    delivery_report,
    parse,
    read_event,
    receiver,
    settle,
    sign,
    state_of,
    verify,
)
from tests.helpers.arguments import ANYTHING, NUMBER, VALUES, PublicCall, public_calls
from tests.helpers.callbacks import SECRET, headers_of, make_body

ANY_STRING = "string empty blank"
WORDS = "list no_items"
POSITIVE = "zero whole fraction"
NEVER_OPENED = "never-opened.db"
BODY = make_body()
STORE = EventStore(":memory:")
SIGNED = {"raw": BODY, "headers": headers_of(BODY), "secrets": SECRET}

RECEIVER = {
    "secrets": "string bytes list function",
    "store": "string",
    "job": "none",
    "suppression": "none",
    # A path begins with a slash.
    "path": "",
    "tolerance": f"{POSITIVE} infinity none",
    "now": "function",
    "max_body": "whole huge",
    "max_incoming": "whole huge",
    "receive_timeout": "whole fraction",
    "backlog": "whole huge",
    "retry_after": "zero whole huge",
    "workers": "whole huge",
    "attempts": "whole huge",
    "backoff": POSITIVE,
    "keep": f"{POSITIVE} infinity",
    "grace": POSITIVE,
    "health_token": "string none",
}
# What body, headers and secrets raise instead is below.
VERIFY = {
    "raw": ANYTHING,
    "headers": ANYTHING,
    "secrets": ANYTHING,
    "tolerance": f"{POSITIVE} nan infinity",
    "now": "function",
    "nonces": "none",
}


def receiver_call(name: str, call: Callable[..., object]) -> PublicCall:
    """The row of a call that makes a receiver."""
    right = {"secrets": SECRET, "store": NEVER_OPENED}
    return PublicCall(name, call, RECEIVER, right, touched=Path(NEVER_OPENED).exists)


CALLS = [
    receiver_call("receiver", receiver),
    receiver_call("Receiver", Receiver),
    PublicCall("Receiver.on", Receiver(SECRET, store=STORE).on, {"name": ANY_STRING}),
    PublicCall("Receiver.dead", Receiver(SECRET, store=STORE).dead, {"limit": "whole"}),
    PublicCall(
        "Receiver.retry_dead",
        Receiver(SECRET, store=STORE).retry_dead,
        {"ids": "numbers no_items none"},
    ),
    PublicCall(
        "EventStore",
        EventStore,
        {"path": "string", "must_exist": "true", "busy": POSITIVE, "now": "function"},
        {"path": NEVER_OPENED},
        touched=Path(NEVER_OPENED).exists,
    ),
    PublicCall(
        "EventStore.commit",
        STORE.commit,
        {"arrivals": "no_items empty", "verdicts": "no_items empty"},
        {"arrivals": [], "verdicts": []},
    ),
    PublicCall("EventStore.add", STORE.add, {"event": ""}),
    PublicCall(
        "EventStore.waiting",
        STORE.waiting,
        {"now": f"{NUMBER} infinity", "limit": "whole"},
        {"now": 0, "limit": 1},
    ),
    PublicCall("EventStore.stored", STORE.stored, {"after": "zero whole"}),
    PublicCall("EventStore.dead", STORE.dead, {"limit": "whole"}),
    PublicCall("EventStore.retry_dead", STORE.retry_dead, {"ids": "numbers no_items none"}),
    PublicCall(
        "EventStore.prune",
        STORE.prune,
        {"before": f"{NUMBER} infinity", "limit": "whole"},
        {"before": 0},
    ),
    PublicCall("SeenNonces", SeenNonces, {"limit": "whole huge", "now": "function"}),
    PublicCall(
        "SeenNonces.claim",
        SeenNonces().claim,
        {"nonce": ANY_STRING, "until": f"{NUMBER} huge nan infinity"},
        {"nonce": "n", "until": 0},
    ),
    PublicCall("verify", verify, VERIFY, SIGNED),
    PublicCall("parse", parse, VERIFY, SIGNED),
    PublicCall("read_event", read_event, {"raw": ANYTHING}),
    PublicCall(
        "sign",
        sign,
        {
            "raw": "bytes",
            "secret": "string bytes",
            "nonce": ANY_STRING,
            "timestamp": ANY_STRING,
        },
        {"raw": BODY, "secret": SECRET, "nonce": "n", "timestamp": "1"},
    ),
    PublicCall("batch_ref", batch_ref, {"event": ""}),
    PublicCall(
        "consent_change", consent_change, {"event": "", "words": ""}, {"event": read_event(BODY)}
    ),
    PublicCall("OptOutWords", OptOutWords, {"stop": WORDS, "start": WORDS, "doubtful": ""}),
    PublicCall("delivery_report", delivery_report, {"event": ""}),
    PublicCall("state_of", state_of, {"status": ANY_STRING}),
    PublicCall("settle", settle, {"statuses": "list no_items"}),
    PublicCall(
        "advance",
        advance,
        {"old": "none", "new": ""},
        {"old": DeliveryState.READ, "new": DeliveryState.READ},
    ),
]

# Values and protocols: the library makes the one and calls the other.
INTERNAL = {
    "Arrival",
    "BatchRef",
    "Confidence",
    "ConsentChange",
    "ConsentKind",
    "Counts",
    "DeadLetter",
    "DeliveryReport",
    "DeliveryState",
    "Event",
    "JobFollower.take",
    "NonceStore.claim",
    "Receiver.lifespan",
    "Store.commit",
    "Store.dead",
    "Store.prune",
    "Store.retry_dead",
    "Store.waiting",
    "StoredEvent",
    "Verdict",
}


def test_table_has_every_public_option() -> None:
    """A new public call, or a new option of one, needs a row."""
    found = public_calls(callbacks)
    assert {name: options for name, options in found.items() if name not in INTERNAL} == {
        call.name: set(call.options) for call in CALLS
    }


@pytest.mark.parametrize(
    ("call", "option"),
    [
        pytest.param(call, option, id=f"{call.name}-{option}")
        for call in CALLS
        for option in call.options
    ],
)
def test_option_refuses_other_kinds(call: PublicCall, option: str) -> None:
    """The error names the option and quotes nothing; nothing is opened."""
    assert [] == call.faults(option)


@pytest.mark.parametrize("kind", VALUES)
@pytest.mark.parametrize("option", SIGNED)
def test_request_of_another_kind_is_a_signature_error(option: str, kind: str) -> None:
    """Body, headers and secrets come from outside: verify raises SignatureError, nothing else."""
    arguments: dict[str, Any] = {**SIGNED, "headers": headers_of(BODY)}
    with pytest.raises(SignatureError):
        verify(**{**arguments, option: VALUES[kind]})


@pytest.mark.parametrize("kind", VALUES)
def test_body_of_another_kind_is_a_parse_error(kind: str) -> None:
    """A body that is not a JSON object in bytes raises CallbackParseError, nothing else."""
    with pytest.raises(CallbackParseError):
        read_event(VALUES[kind])  # type: ignore[arg-type]  # the mistake
