"""Sinch and AsyncSinch: options, views, closing; over mock transports and a real server."""

import asyncio
import copy
import json
import pickle
from typing import Any

import pytest

from sinch_wrapper import (
    AsyncSinch,
    ConfigurationError,
    Endpoints,
    NotFoundError,
    RateLimiter,
    RateLimits,
    Recipient,
    Region,
    RetryPolicy,
    Sinch,
    SinchError,
    text,
)
from sinch_wrapper._http import httpx
from tests.helpers.core import (
    KEY_ID,
    KEY_SECRET,
    PROJECT,
    Clock,
    Flavour,
    Server,
)

PHONE = "+46700000001"
SENT = httpx.Response(200, json={"message_id": "m1", "accepted_time": "2026-01-01T00:00:00Z"})
ONCE = RetryPolicy(attempts=1)


@pytest.fixture(params=[Sinch, AsyncSinch])
def kind(request: pytest.FixtureRequest) -> Any:
    """Both clients, for tests without a request."""
    return request.param


@pytest.fixture
def complete(clean_environment: pytest.MonkeyPatch) -> pytest.MonkeyPatch:
    """An environment with everything a client needs."""
    for name, value in (
        ("PROJECT_ID", PROJECT),
        ("KEY_ID", KEY_ID),
        # Mounted secrets often end in a line break.
        ("KEY_SECRET", f"{KEY_SECRET}\n"),
        ("REGION", "eu"),
    ):
        clean_environment.setenv(f"SINCH_{name}", value)
    return clean_environment


@pytest.mark.usefixtures("complete")
def test_client_takes_everything_from_the_environment(kind: Any) -> None:
    """No option is needed when the variables are set, and no I/O happens."""
    assert f"<{kind.__name__} {PROJECT} at https://eu.conversation.api.sinch.com>" == repr(kind())


@pytest.mark.usefixtures("complete")
def test_options_win_over_the_environment(kind: Any) -> None:
    """An argument wins over its variable."""
    assert "other at https://br" in repr(kind(project_id="other", region=Region.BR))


def test_sandbox_variable_redirects_an_unchanged_program(
    complete: pytest.MonkeyPatch, kind: Any
) -> None:
    """With SINCH_SANDBOX_URL the region is still checked, but requests go to the sandbox."""
    complete.setenv("SINCH_SANDBOX_URL", "http://127.0.0.1:8787")
    assert "at http://127.0.0.1:8787/conversation" in repr(kind(region="eu"))
    with pytest.raises(ConfigurationError, match="unknown region"):
        kind(region="mars")
    complete.delenv("SINCH_REGION")
    assert "at http://127.0.0.1:8787/conversation" in repr(kind())
    explicit = Endpoints.sandbox("http://127.0.0.1:1")
    assert "at http://127.0.0.1:1/conversation" in repr(kind(endpoints=explicit))


@pytest.mark.usefixtures("complete")
def test_endpoints_of_another_kind_are_refused(kind: Any) -> None:
    """A URL alone raises, because it does not say where each API is."""
    for endpoints in ("http://127.0.0.1:8787", {"auth": "x"}, Endpoints):
        with pytest.raises(ConfigurationError, match="endpoints= must be Endpoints"):
            kind(endpoints=endpoints)


@pytest.mark.parametrize("url", ["http://127.0.0.1:8787/\n", " http://127.0.0.1:8787"])
def test_sandbox_variable_is_read_as_a_shell_may_set_it(
    complete: pytest.MonkeyPatch, kind: Any, url: str
) -> None:
    """White space around the URL is ignored."""
    complete.setenv("SINCH_SANDBOX_URL", url)
    assert "at http://127.0.0.1:8787/conversation" in repr(kind())


@pytest.mark.parametrize("url", [" ", "127.0.0.1:8787", "ftp://h", "http://u:p@h", "http://h/?q"])
def test_wrong_sandbox_variable_is_named(complete: pytest.MonkeyPatch, kind: Any, url: str) -> None:
    """The error names the variable; requests never fall back to the real API."""
    complete.setenv("SINCH_SANDBOX_URL", url)
    with pytest.raises(ConfigurationError, match="check SINCH_SANDBOX_URL"):
        kind()


@pytest.mark.usefixtures("complete")
def test_clients_are_not_pickled(kind: Any) -> None:
    """Pickling or copying a client raises an error that says what to do instead."""
    for make in (pickle.dumps, copy.copy, copy.deepcopy):
        with pytest.raises(TypeError, match=f"{kind.__name__} cannot be pickled.*each process"):
            make(kind())


@pytest.mark.parametrize(
    ("missing", "variable"),
    [
        ("project_id", "SINCH_PROJECT_ID"), ("key_id", "SINCH_KEY_ID"),
        ("key_secret", "SINCH_KEY_SECRET"), ("region", "SINCH_REGION"),
    ],
)  # fmt: skip
def test_missing_option_names_its_variable(
    complete: pytest.MonkeyPatch, kind: Any, missing: str, variable: str
) -> None:
    """The error says which option or variable to set."""
    complete.delenv(variable)
    with pytest.raises(ConfigurationError, match=f"missing {missing}= .{variable}."):
        kind()


@pytest.mark.usefixtures("clean_environment")
def test_all_missing_options_are_named_at_once(kind: Any) -> None:
    """One error names all missing options, so they can be set together."""
    with pytest.raises(ConfigurationError, match=r"PROJECT_ID.*KEY_ID.*KEY_SECRET"):
        kind()


@pytest.mark.usefixtures("complete")
@pytest.mark.parametrize(
    "options",
    [
        {"timeout": 0}, {"timeout": -1}, {"timeout": float("inf")}, {"timeout": float("nan")},
        {"auth": "digest"}, {"auth": None}, {"limits": 800}, {"region": "mars"},
        {"key_secret": "a b"}, {"transport": object()}, {"timeout": None}, {"timeout": "10"},
        {"timeout": True}, {"timeout": 10**400}, {"retry": None}, {"retry": 3}, {"region": 5},
        {"proxy": {"https": "p"}}, {"proxy": b"http://p"}, {"key_id": 5}, {"key_secret": b"k"},
        {"project_id": ".."}, {"project_id": "p\udcff"}, {"project_id": "p q"}, {"auth": []},
        {"region": "eu", "endpoints": Endpoints.sandbox("http://127.0.0.1:1")},
    ],
)  # fmt: skip
def test_options_out_of_range_are_refused(kind: Any, options: dict[str, object]) -> None:
    """Wrong options raise when the client is made."""
    with pytest.raises(ConfigurationError):
        kind(**options)


def test_send_is_the_short_way(flavour: Flavour) -> None:
    """`send()` fills in the body and returns the generated response."""
    server = Server(SENT)
    client = flavour.client(server)
    sent = flavour.run(
        client.send(app_id="A", to=Recipient.sms(PHONE), message=text("Hi"), ttl=10, queue=None)
    )
    assert sent.message_id == "m1"
    (request,) = server.requests
    assert (
        "POST",
        f"https://eu.conversation.api.sinch.com/v1/projects/{PROJECT}/messages:send",
        {
            "app_id": "A",
            "recipient": dict(Recipient.sms(PHONE)),
            "message": {"text_message": {"text": "Hi"}},
            "ttl": "10s",
        },
    ) == (request.method, str(request.url), json.loads(request.content))  # fmt: skip


def test_three_apis_share_token_and_go_to_their_hosts(flavour: Flavour) -> None:
    """One token serves Conversation, Batch and Template, each under its own host."""
    server = Server()
    client = flavour.client(server)
    flavour.run(client.conversation.app.list_apps())
    flavour.run(client.batch.messages.get_batch_status("b1"))
    flavour.run(client.templates.templates_v2.list_templates())
    assert [
        f"https://eu.conversation.api.sinch.com/v1/projects/{PROJECT}/apps",
        f"https://eu.conversationbatch.api.sinch.com/v1/projects/{PROJECT}/messages/b1",
        f"https://eu.template.api.sinch.com/v2/projects/{PROJECT}/templates",
    ] == [str(request.url) for request in server.requests]
    assert len(server.token_requests) == 1


def test_detailed_twin_returns_the_response(flavour: Flavour) -> None:
    """The response holds status, headers and raw body beside the value."""
    client = flavour.client(Server(SENT))
    body = {"app_id": "A", "recipient": Recipient.sms(PHONE), "message": text("Hi")}
    response = flavour.run(client.conversation.messages.send_message_detailed(body=body))
    assert (response.status_code, response.parsed.message_id) == (200, "m1")
    assert b"m1" in response.content


def test_basic_auth_is_an_option(flavour: Flavour) -> None:
    """With `auth="basic"` requests carry the key, and no token is fetched."""
    server = Server()
    flavour.run(flavour.client(server, auth="basic").conversation.app.list_apps())
    assert server.requests[0].headers["Authorization"].startswith("Basic ")
    assert server.token_requests == []


def test_errors_come_through_the_generated_methods(flavour: Flavour) -> None:
    """An error status raises our exception before generated code parses the body."""
    client = flavour.client(Server(httpx.Response(404, text="<html>")))
    with pytest.raises(NotFoundError, match=r"^Contact_GetContact failed at .*: 404.*region"):
        flavour.run(client.conversation.contact.get_contact("c1"))


def test_view_shares_connections_and_token(flavour: Flavour) -> None:
    """`with_options` changes timeout and policy for the view alone."""
    server = Server(httpx.Response(503))
    client = flavour.client(server)
    view = client.with_options(timeout=60, retry=ONCE)
    with pytest.raises(SinchError):
        flavour.run(view.conversation.app.list_apps())
    assert len(server.requests) == 1
    assert server.requests[0].extensions["timeout"] == {
        "connect": 5.0,
        "read": 60.0,
        "write": 60.0,
        "pool": 60.0,
        "total": 120.0,
    }
    again = client.with_options(retry=ONCE).with_options(timeout=3)
    with pytest.raises(SinchError):
        flavour.run(again.conversation.app.list_apps())
    assert server.requests[1].extensions["timeout"]["read"] == 3.0
    assert len(server.token_requests) == 1
    with pytest.raises(ConfigurationError, match="timeout"):
        client.with_options(timeout=-1)
    with pytest.raises(ConfigurationError, match="retry= must be a RetryPolicy"):
        client.with_options(retry=3)


def test_a_view_may_have_limits_of_its_own(flavour: Flavour, clock: Clock) -> None:
    """Its requests take slots of the limiter that it was given, and of no other one."""
    own, other = (RateLimiter(RateLimits(10, burst=1), clock) for _ in range(2))
    client = flavour.client(Server(), limits=own)
    view = client.with_options(limits=other).with_options(timeout=3)
    flavour.run(view.conversation.app.list_apps())
    assert [0.1, 0] == [other.reserve(), own.reserve()]


def test_view_sets_options_for_one_call(flavour: Flavour) -> None:
    """Calls before and after the view keep the client's own policy."""
    server = Server(httpx.Response(429), httpx.Response(429), SENT)
    client = flavour.client(server, retry=RetryPolicy(attempts=1))
    to, message = Recipient.sms(PHONE), text("Hi")
    with pytest.raises(SinchError):
        flavour.run(client.send(app_id="A", to=to, message=message))
    twice = RetryPolicy(attempts=2)
    sent = flavour.run(client.with_options(retry=twice).send(app_id="A", to=to, message=message))
    assert (sent.message_id, len(server.requests)) == ("m1", 3)


def test_closing_a_view_closes_nothing(flavour: Flavour) -> None:
    """The connections belong to the client; closing the client closes its views."""
    server = Server()
    client = flavour.client(server)
    view = client.with_options(timeout=3)
    flavour.close(view)
    flavour.run(client.conversation.app.list_apps())
    flavour.close(client)
    with pytest.raises(SinchError, match="closed"):
        flavour.run(view.conversation.app.list_apps())


def test_use_after_close_raises(flavour: Flavour) -> None:
    """A closed client raises on use and when a with block begins; closing twice is harmless."""
    client = flavour.client(Server())
    flavour.close(client)
    flavour.close(client)
    with pytest.raises(SinchError, match="this client is closed"):
        flavour.run(client.conversation.app.list_apps())


def test_with_blocks_close() -> None:
    """Leaving the block closes, and a closed client does not enter."""
    flavoured = {"project_id": "p", "key_id": "k", "key_secret": "s", "region": "eu"}
    with Sinch(**flavoured) as client:  # type: ignore[arg-type]
        pass
    with pytest.raises(SinchError, match="closed"), client:
        pass

    async def scenario() -> None:
        async with AsyncSinch(**flavoured) as client:  # type: ignore[arg-type]
            pass
        with pytest.raises(SinchError, match="closed"):
            await client.__aenter__()

    asyncio.run(scenario())


def flavourless() -> AsyncSinch:
    """Build an AsyncSinch that is bound to no loop yet."""
    transport = httpx.MockTransport(Server())
    return AsyncSinch(project_id="p", key_id="k", key_secret="s", region="eu", transport=transport)


def test_closing_in_another_event_loop() -> None:
    """Closing after the loop has ended is harmless; closing from another running loop raises."""
    client = flavourless()
    asyncio.run(client.conversation.app.list_apps())
    asyncio.run(client.aclose())
    with pytest.raises(SinchError, match="closed"):
        asyncio.run(client.__aenter__())

    async def scenario() -> None:
        client = flavourless()
        await client.conversation.app.list_apps()
        with pytest.raises(SinchError, match="another event loop"):
            await asyncio.to_thread(asyncio.run, client.aclose())
        await client.conversation.app.list_apps()
        await client.aclose()

    asyncio.run(scenario())


def test_second_event_loop_raises() -> None:
    """Connections belong to a loop; the error says to make a client in each loop."""
    client = flavourless()
    asyncio.run(client.conversation.app.list_apps())
    with pytest.raises(SinchError, match="another event loop"):
        asyncio.run(client.conversation.app.list_apps())


def test_event_loop_of_another_library_raises() -> None:
    """Without asyncio, as under trio, the error says which loop is needed."""
    call = flavourless().conversation.app.list_apps()
    with pytest.raises(SinchError, match="event loop of asyncio"):
        call.send(None)


def test_default_limits_do_not_slow_a_few_calls(flavour: Flavour) -> None:
    """Twenty calls pass through the real limiter."""
    server = Server()
    client = flavour.client(server, limits=RateLimits(requests_per_second=5000))
    for _ in range(20):
        flavour.run(client.conversation.app.list_apps())
    assert len(server.requests) == 20


def test_forked_async_client_forgets_its_loop() -> None:
    """After a fork an AsyncSinch works in another event loop."""
    client = flavourless()
    asyncio.run(client.conversation.app.list_apps())
    client._http.after_fork()  # noqa: SLF001 (what the child of a fork calls)
    asyncio.run(client.conversation.app.list_apps())
