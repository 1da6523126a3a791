"""Every public option of the core refuses values of other kinds, and names itself."""

import asyncio
from collections.abc import Coroutine, Mapping
from typing import Any

import pytest

import sinch_wrapper
from sinch_wrapper import (
    AccessKey,
    AccessToken,
    AsyncSinch,
    Endpoints,
    RateLimiter,
    RateLimits,
    Recipient,
    Region,
    RetryPolicy,
    Sinch,
    card,
    carousel,
    choice,
    contact_info,
    list_message,
    location,
    media,
    messages,
    pages,
    paginate,
    pagination,
    parameters,
    regions,
    template,
    template_reference,
    text,
)
from sinch_wrapper._http import httpx
from tests.helpers.arguments import (
    ANYTHING,
    OPTIONAL_MAPPING,
    OPTIONAL_STRING,
    PublicCall,
    public_calls,
)
from tests.helpers.core import KEY_ID, KEY_SECRET, PROJECT, Server

SERVER = Server()
COMPLETE: Mapping[str, object] = {
    "project_id": PROJECT,
    "key_id": KEY_ID,
    "key_secret": KEY_SECRET,
    "region": "eu",
}
ENVIRONMENT_STRING = "string none empty"

CONSTRUCTOR = {
    "project_id": ENVIRONMENT_STRING,
    "key_id": ENVIRONMENT_STRING,
    "key_secret": ENVIRONMENT_STRING,
    "region": "none empty",
    "auth": "function",
    "endpoints": "none",
    "timeout": "",
    "retry": "",
    "limits": "none",
    "proxy": OPTIONAL_STRING,
    "connections": "",
    "telemetry": "true",
    "attempt_timeout": "none",
    "max_response_size": "whole",
    "tls": "none",
    "http": "none",
    "transport": "none",
}
SEND = {
    "app_id": "string",
    "to": "mapping numbered",
    "message": "mapping numbered",
    "callback_url": OPTIONAL_STRING,
    "channel_priority_order": "list no_items none",
    "channel_properties": OPTIONAL_MAPPING,
    "message_metadata": f"numbered {OPTIONAL_STRING} {OPTIONAL_MAPPING}",
    "conversation_metadata": OPTIONAL_MAPPING,
    "queue": OPTIONAL_STRING,
    "ttl": "whole fraction none",
    "processing_strategy": OPTIONAL_STRING,
    "correlation_id": OPTIONAL_STRING,
    "conversation_metadata_update_strategy": OPTIONAL_STRING,
    "message_content_type": OPTIONAL_STRING,
}
REQUEST = {
    "method": "",
    "path": "",
    "api": "",
    "params": OPTIONAL_MAPPING,
    "body": f"numbered list numbers no_items {OPTIONAL_MAPPING}",
}
RIGHT_REQUEST = {"method": "GET", "path": "/v1/things"}
RIGHT_SEND = {"app_id": "A", "to": Recipient.sms("+46700000001"), "message": text("Hi")}
COMMON = {
    "agent": OPTIONAL_MAPPING,
    "explicit_channel_message": OPTIONAL_MAPPING,
    "explicit_channel_omni_message": "no_entries none",
    "channel_specific_message": "no_entries none",
    "reply_to": "string none",
}
MEDIA = "string mapping no_entries none"


def client(kind: Any) -> Any:
    """Build a client over the fake server."""
    return kind(**COMPLETE, transport=httpx.MockTransport(SERVER))


def sent() -> object:
    """Everything that the fake server received."""
    return SERVER.requests + SERVER.token_requests


def awaited(coroutine: Coroutine[Any, Any, object]) -> object:
    """Run *coroutine* in an event loop."""
    return asyncio.run(coroutine)


CLIENTS = [
    *(
        PublicCall(kind.__name__, kind, CONSTRUCTOR, COMPLETE, {"endpoints": ("region",)})
        for kind in (Sinch, AsyncSinch)
    ),
    *(
        PublicCall(
            f"{kind.__name__}.with_options",
            lambda kind=kind, **options: client(kind).with_options(**options),
            {"timeout": "none", "retry": "none", "attempt_timeout": "none", "limits": "none"},
        )
        for kind in (Sinch, AsyncSinch)
    ),
    PublicCall(
        "Sinch.send",
        lambda **options: client(Sinch).send(**options),
        SEND,
        RIGHT_SEND,
        touched=sent,
    ),
    PublicCall(
        "AsyncSinch.send",
        lambda **options: awaited(client(AsyncSinch).send(**options)),
        SEND,
        RIGHT_SEND,
        touched=sent,
    ),
    PublicCall(
        "Sinch.request",
        lambda *given, **options: client(Sinch).request(*given, **options),
        REQUEST,
        RIGHT_REQUEST,
        touched=sent,
    ),
    PublicCall(
        "AsyncSinch.request",
        lambda *given, **options: awaited(client(AsyncSinch).request(*given, **options)),
        REQUEST,
        RIGHT_REQUEST,
        touched=sent,
    ),
    PublicCall(
        "AccessKey",
        AccessKey,
        {"key_id": "", "key_secret": ""},
        {"key_id": "k", "key_secret": "s"},
    ),
    PublicCall(
        "AccessToken",
        AccessToken,
        # A provider passes on the lifetime that a server wrote; an absurd one counts as an hour.
        {"value": "", "expires_in": ANYTHING},
        {"value": "t"},
        named={"value": "access token"},
    ),
    PublicCall(
        "RetryPolicy",
        RetryPolicy,
        {
            "attempts": "whole huge",
            "resend": "",
            "retry_deadline": "zero whole fraction huge infinity",
        },
    ),
    PublicCall(
        "RateLimits",
        RateLimits,
        {"requests_per_second": "whole fraction", "burst": "whole huge"},
    ),
    PublicCall("RateLimiter", RateLimiter, {"limits": "none", "clock": "function"}),
    PublicCall("Region", Region, {"value": ""}, named={"value": "region"}),
    PublicCall("Region.parse", Region.parse, {"name": ""}, named={"name": "region"}),
    PublicCall(
        "Endpoints",
        Endpoints,
        {**dict.fromkeys(("auth", "conversation", "batch", "template"), ""), "allow_http": "true"},
        dict.fromkeys(("auth", "conversation", "batch", "template"), "https://h"),
    ),
    PublicCall("Endpoints.for_region", Endpoints.for_region, {"region": ""}),
    PublicCall("Endpoints.sandbox", Endpoints.sandbox, {"base": "", "allow_http": "true"},
               {"base": "http://127.0.0.1"}),
]  # fmt: skip

MESSAGES = [
    PublicCall(
        "text", text,
        {"text": "string", **COMMON}, {"text": "Hi"},
    ),
    PublicCall(
        "media", media,
        {
            "url": "string", "thumbnail_url": OPTIONAL_STRING,
            "filename_override": OPTIONAL_STRING, **COMMON,
        },
        {"url": "https://h"},
    ),
    PublicCall(
        "template_reference", template_reference,
        {
            "template_id": "string", "version": OPTIONAL_STRING,
            "language_code": OPTIONAL_STRING, "parameters": OPTIONAL_MAPPING,
        },
        {"template_id": "t"},
    ),
    PublicCall(
        "template", template,
        {
            "template_id": "string", "version": "string", "language_code": OPTIONAL_STRING,
            "parameters": OPTIONAL_MAPPING, "channel": "no_entries none", **COMMON,
        },
        {"template_id": "t", "version": "1"},
    ),
    PublicCall(
        "location", location,
        {
            "title": "string", "latitude": "zero", "longitude": "zero",
            "label": OPTIONAL_STRING, **COMMON,
        },
        {"title": "t", "latitude": 1, "longitude": 1},
    ),
    PublicCall(
        "choice", choice,
        {"text": "string none", "choices": "list", "footer": OPTIONAL_STRING, **COMMON},
        {"text": "t", "choices": ["a"]},
    ),
    PublicCall(
        "card", card,
        {
            "title": OPTIONAL_STRING, "description": OPTIONAL_STRING, "media": MEDIA,
            "choices": "list no_items", "height": OPTIONAL_STRING, "header": OPTIONAL_STRING,
            **COMMON,
        },
        {"title": "t"},
    ),
    PublicCall(
        "carousel", carousel,
        {"cards": "", "choices": "list no_items", **COMMON}, {"cards": [card("t")]},
    ),
    PublicCall(
        "list_message", list_message,
        {
            "title": "string", "sections": "", "description": OPTIONAL_STRING, "media": MEDIA,
            "menu": OPTIONAL_STRING, "catalog_id": OPTIONAL_STRING, "header": OPTIONAL_STRING,
            **COMMON,
        },
        {"title": "t", "sections": [{"items": ["a"]}]},
    ),
    PublicCall(
        "contact_info", contact_info,
        {
            "name": "string", "phone_numbers": "list", "addresses": "no_items none",
            "email_addresses": "list none", "organization": OPTIONAL_MAPPING, "urls": "list none",
            "birthday": OPTIONAL_STRING, **COMMON,
        },
        {"name": "n", "phone_numbers": ["+1"]},
    ),
    *(
        PublicCall(f"Recipient.{name}", getattr(Recipient, name), {"identity": "string"})
        for name in map(str.lower, messages.CHANNELS)
    ),
    PublicCall(
        "Recipient.on", Recipient.on,
        {"channel": "string", "identity": "string"}, {"channel": "SMS", "identity": "+1"},
    ),
    PublicCall("Recipient.identities", Recipient.identities, {"identities": ""}),
    PublicCall("Recipient.contact", Recipient.contact, {"contact_id": "string"}),
]  # fmt: skip

OTHERS = [
    PublicCall("pages", pages, {"method": "function"}),
    PublicCall("paginate", paginate, {"method": "function"}),
    PublicCall("placeholders", parameters.placeholders, {"message": ANYTHING}),
    PublicCall("lookalikes", parameters.lookalikes, {"message": ANYTHING}),
    PublicCall(
        "fill",
        parameters.fill,
        {"message": ANYTHING, "parameters": "mapping no_entries"},
        {"message": text("Hi")},
    ),
    PublicCall(
        "mismatches",
        parameters.mismatches,
        {"needed": "", "parameters": "mapping no_entries"},
        {"needed": frozenset({"name"}), "parameters": {}},
    ),
    PublicCall(
        "check_parameters",
        parameters.check_parameters,
        {
            "message": ANYTHING,
            "parameters": "mapping no_entries",
            "recipient": "none string empty blank whole zero negative huge",
        },
        {"message": text("Hi"), "parameters": {"a": "b"}},
    ),
]
CALLS = [*CLIENTS, *MESSAGES, *OTHERS]

# The library makes these calls itself: for each attempt, and for values that it returns; or a JSON
# library does.
INTERNAL = {
    "Lookalike",
    "Lookalike.matches",
    "Mismatch",
    "RateLimiter.throttled",
    "Recipient",
    "RetryPolicy.may_repeat",
    "RetryPolicy.wait",
    "SentMessage",
    "Unset",
    "json_default",
}
# They hand on to Outbox and AsyncOutbox, whose table is that of bulk sending.
ELSEWHERE = {"AsyncSinch.outbox", "Sinch.outbox"}


def test_table_has_every_public_option() -> None:
    """A new public call, or a new option of one, needs a row."""
    found = public_calls(sinch_wrapper, messages, pagination, parameters, regions)
    assert {
        name: set(options) for name, options in found.items() if name not in INTERNAL | ELSEWHERE
    } == {call.name: set(call.options) for call in CALLS}


@pytest.mark.parametrize(
    ("call", "option"),
    [
        pytest.param(call, option, id=f"{call.name}-{option}")
        for call in CALLS
        for option in call.options
    ],
)
def test_option_refuses_other_kinds(
    clean_environment: pytest.MonkeyPatch, call: PublicCall, option: str
) -> None:
    """The error names the option and quotes nothing; nothing is opened or sent."""
    # Complete, so that a wrong value cannot be mistaken for a missing one.
    for name, value in COMPLETE.items():
        clean_environment.setenv(f"SINCH_{name.upper()}", str(value))
    assert [] == call.faults(option)
