"""Tokens: fetched once, renewed early, renewed on refusal; for threads and tasks."""

import asyncio
import base64
import json
import os
import threading
from typing import Any

import pytest

from sinch_wrapper import (
    AccessKey,
    AccessToken,
    APIConnectionError,
    APIStatusError,
    AuthenticationError,
    ConfigurationError,
    InternalServerError,
    RateLimitError,
    RetryPolicy,
)
from sinch_wrapper._auth.flow import BasicAuth, BearerAuth, Token, TokenCache
from sinch_wrapper._auth.token_source import TokenSource, read_token
from sinch_wrapper._http import httpx
from sinch_wrapper._transport.http_client import AsyncHTTPClient
from sinch_wrapper._transport.retrying import AsyncRetryingTransport
from tests.helpers.core import (
    KEY_ID,
    KEY_SECRET,
    TOKEN_URL,
    Clock,
    Flavour,
    Operation,
    Server,
    bearer,
    bearer_auth_on,
    request_for,
    retry_context_on,
    token_response,
)

OK = httpx.Response(200, json={})


def test_first_request_fetches_the_token(flavour: Flavour) -> None:
    """The token request carries the key in Basic form; then the token is used."""
    server = Server(OK)
    session = flavour.session(server)
    for _ in range(2):
        flavour.run(session.request(Operation()))
    (asked,) = server.token_requests
    key = base64.b64encode(f"{KEY_ID}:{KEY_SECRET}".encode()).decode()
    assert (TOKEN_URL, "POST", f"Basic {key}", b"grant_type=client_credentials") == (
        str(asked.url), asked.method, asked.headers["Authorization"], asked.content,
    )  # fmt: skip
    assert server.tokens_used == ["token-1", "token-1"]


def test_flow_is_a_pure_generator(clock: Clock) -> None:
    """A flow needs no client: requests out, responses in."""
    flow: Any = bearer_auth_on(clock).send(request_for())
    assert TOKEN_URL == str(next(flow).url)
    assert bearer(flow.send(token_response("token-9"))) == "token-9"
    with pytest.raises(StopIteration) as end:
        flow.send(OK)
    assert end.value.value is OK


@pytest.mark.parametrize("when", ["cold", "expired"])
def test_one_token_request_however_many_callers(flavour: Flavour, clock: Clock, when: str) -> None:
    """Sixteen concurrent callers share one token request."""
    server = Server(OK)
    session = flavour.session(flavour.slowly(server), clock=clock)
    if when == "expired":
        flavour.run(session.request(Operation()))
        clock.now += 3601
    before = len(server.token_requests)
    results = flavour.all([lambda: session.request(Operation())] * 16)
    assert [result.status_code for result in results] == [200] * 16
    assert before + 1 == len(server.token_requests)


def test_token_is_renewed_a_minute_ahead(flavour: Flavour, clock: Clock) -> None:
    """The token is renewed from 60 s before it expires, not sooner."""
    server = Server(OK)
    session = flavour.session(server, clock=clock)
    for moment in (1000.0, 1000 + 3539.0, 1000 + 3541.0):
        clock.now = moment
        flavour.run(session.request(Operation()))
    assert server.tokens_used == ["token-1", "token-1", "token-2"]


def test_old_token_serves_while_another_caller_renews(clock: Clock) -> None:
    """Early renewal delays no call."""
    auth: Any = bearer_auth_on(clock)
    first = auth.send(request_for())
    next(first)
    assert bearer(first.send(token_response("old"))) == "old"
    clock.now += 3550
    renewing = auth.send(request_for())
    assert str(next(renewing).url) == TOKEN_URL
    assert bearer(next(auth.send(request_for()))) == "old"
    assert bearer(renewing.send(token_response("new"))) == "new"
    assert bearer(next(auth.send(request_for()))) == "new"


@pytest.mark.parametrize(
    "failure", [httpx.Response(503), httpx.ConnectError(""), httpx.Response(401)]
)
def test_failed_renewal_does_not_hurt_while_the_token_is_valid(
    flavour: Flavour, clock: Clock, failure: object
) -> None:
    """The old token stays in use; the failure costs one token request, not one per call."""
    server = Server(OK, tokens=[token_response("old"), failure])
    session = flavour.session(server, clock=clock)
    flavour.run(session.request(Operation()))
    clock.now += 3550
    for _ in range(3):
        flavour.run(session.request(Operation()))
    assert server.tokens_used == ["old"] * 4
    assert len(server.token_requests) == 2
    clock.now += 5
    flavour.run(session.request(Operation()))
    assert len(server.token_requests) == 3


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"WWW-Authenticate": 'Bearer error="expired"'},
        {"WWW-Authenticate": 'Bearer error="insufficient_scope"'},
        {"WWW-Authenticate": "Basic", "Retry-After": "60"},
    ],
)
def test_refused_token_is_renewed_and_the_request_repeated_once(
    flavour: Flavour, headers: dict[str, str]
) -> None:
    """A 401 costs one token request and one repetition with the same body, whatever its headers."""
    server = Server(httpx.Response(401, headers=headers), OK)
    operation = Operation(method="POST", json={"a": 1})
    assert flavour.run(flavour.session(server).request(operation)).status_code == 200
    assert server.tokens_used == ["token-1", "token-2"]
    assert [request.content for request in server.requests] == [b'{"a":1}'] * 2


def test_lasting_refusal_is_an_authentication_error(flavour: Flavour, clock: Clock) -> None:
    """The second 401 is final, and later ones do not renew the token again and again."""
    server = Server(httpx.Response(401, json={"error": {"status": "UNAUTHENTICATED"}}))
    session = flavour.session(server, clock=clock)
    with pytest.raises(AuthenticationError, match="SINCH_KEY_ID") as caught:
        flavour.run(session.request(Operation()))
    assert caught.value.attempts == 2
    with pytest.raises(AuthenticationError):
        flavour.run(session.request(Operation()))
    assert (len(server.requests), len(server.token_requests)) == (3, 2)
    clock.now += 31
    with pytest.raises(AuthenticationError):
        flavour.run(session.request(Operation()))
    assert len(server.token_requests) == 3


def test_storm_of_refusals_makes_one_renewal(flavour: Flavour) -> None:
    """Sixteen callers whose token was revoked share one renewal."""

    def respond(request: httpx.Request) -> httpx.Response:
        return OK if bearer(request) == "token-2" else httpx.Response(401)

    server = Server(respond)
    session = flavour.session(flavour.slowly(server))
    results = flavour.all([lambda: session.request(Operation())] * 16)
    assert [getattr(result, "status_code", result) for result in results] == [200] * 16
    assert len(server.token_requests) == 2


@pytest.mark.parametrize(
    ("response", "kind"),
    [
        (httpx.Response(400, json={"error": "invalid_client"}), AuthenticationError),
        (httpx.Response(401, text="<html>"), AuthenticationError),
        (httpx.Response(403), AuthenticationError),
        (httpx.Response(200, json={"token_type": "bearer"}), AuthenticationError),
        (httpx.Response(200, json={"access_token": "x", "token_type": "mac"}), AuthenticationError),
        (httpx.Response(200, json={"access_token": "a\nb"}), AuthenticationError),
        (httpx.Response(200, json=[]), AuthenticationError),
        (httpx.Response(200, text="<html>"), AuthenticationError),
        (httpx.Response(200), AuthenticationError),
        (httpx.Response(302), APIStatusError),
        (httpx.Response(429), RateLimitError),
        (httpx.Response(503), InternalServerError),
    ],
)
def test_refusals_have_their_exceptions(
    flavour: Flavour, response: httpx.Response, kind: type[APIStatusError]
) -> None:
    """Every refusal of the token endpoint raises a SinchError, and the call is not sent."""
    server = Server(OK, tokens=[response])
    with pytest.raises(kind, match=r"^token request failed") as caught:
        flavour.run(flavour.session(server).request(Operation()))
    assert type(caught.value) is kind
    assert server.requests == []


@pytest.mark.parametrize("failure", [httpx.ConnectError(""), httpx.ReadTimeout("")])
def test_unreachable_token_endpoint_means_not_sent(flavour: Flavour, failure: Exception) -> None:
    """The token request may be in doubt; the call itself was certainly not sent."""
    server = Server(OK, tokens=[failure])
    with pytest.raises(APIConnectionError, match=r"auth\.example") as caught:
        flavour.run(flavour.session(server).request(Operation(method="POST")))
    assert (caught.value.outcome, caught.value.attempts) == ("not_sent", 4)
    assert server.requests == []


@pytest.mark.parametrize("failure", [httpx.Response(429), httpx.Response(500), httpx.ReadError("")])
def test_token_request_is_repeated(flavour: Flavour, failure: object) -> None:
    """Asking twice for a token does no harm, even where no call may be sent twice."""
    server = Server(OK, tokens=[failure, token_response()])
    session = flavour.session(server, retry=RetryPolicy(resend="never"))
    assert flavour.run(session.request(Operation())).status_code == 200
    assert len(server.token_requests) == 2


def test_waiting_callers_share_the_failure(flavour: Flavour, clock: Clock) -> None:
    """A refused key costs one token request, not one per waiting caller."""
    server = Server(OK, tokens=[httpx.Response(401)])
    session = flavour.session(flavour.slowly(server), clock=clock)
    results = flavour.all([lambda: session.request(Operation())] * 8)
    assert all(isinstance(result, AuthenticationError) for result in results)
    assert len({id(result) for result in results}) == 8
    # A thread that was late to start may have begun another one.
    assert len(server.token_requests) <= 3


@pytest.mark.parametrize(
    ("expires_in", "renew_after", "expires_after"),
    [
        (3600, 3540, 3600), ("3600", 3540, 3600), (120, 60, 120), (60, 30, 60), (1, 0.5, 1),
        (None, 3540, 3600), (0, 3540, 3600), (-5, 3540, 3600), ("soon", 3540, 3600),
        ("1e400", 3540, 3600), (True, 3540, 3600), ([], 3540, 3600),
    ],
)  # fmt: skip
def test_lifetime_is_read(expires_in: object, renew_after: float, expires_after: float) -> None:
    """A missing or absurd lifetime counts as an hour; a tiny one is renewed halfway."""
    body = json.dumps({"access_token": "t", "expires_in": expires_in})
    read = read_token(body.encode())
    assert read is not None
    token = Token.starting(10.0, read)
    assert Token("t", 10 + renew_after, 10 + expires_after) == token


def test_tiny_lifetime_does_not_cost_a_token_request_per_call(
    flavour: Flavour, clock: Clock
) -> None:
    """A token of one second is used for that second."""
    server = Server(OK, tokens=[token_response(expires_in=1)])
    session = flavour.session(server, clock=clock)
    for _ in range(5):
        flavour.run(session.request(Operation()))
    assert len(server.token_requests) == 1


def test_cancelled_leader_hands_over() -> None:
    """When the task that fetches the token is cancelled, a waiting one takes over."""
    clock = Clock()
    asked: list[httpx.Request] = []
    started = asyncio.Event()

    async def handler(request: httpx.Request) -> httpx.Response:
        if request.url.path != "/oauth2/token":
            return httpx.Response(200, json={"token": bearer(request)})
        asked.append(request)
        started.set()
        if len(asked) == 1:
            await asyncio.sleep(60)
        return token_response("second")

    async def scenario() -> Any:
        transport = AsyncRetryingTransport(httpx.MockTransport(handler), retry_context_on(clock))
        client = AsyncHTTPClient(transport, bearer_auth_on(clock))
        leader = asyncio.create_task(client.send(request_for()))
        await started.wait()
        waiting = [asyncio.create_task(client.send(request_for())) for _ in range(3)]
        gone = asyncio.create_task(client.send(request_for()))
        await asyncio.sleep(0.01)
        gone.cancel()
        leader.cancel()
        return [(await task).json() for task in waiting]

    assert asyncio.run(scenario()) == [{"token": "second"}] * 3
    assert len(asked) == 2


@pytest.mark.filterwarnings("ignore:.*fork:DeprecationWarning")
@pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork on this system")
def test_fork_while_another_thread_renews() -> None:
    """The child does not wait for a renewal whose leader exists in the parent only."""
    cache = TokenCache()
    assert cache.look_up().leads
    locking = threading.Thread(target=cache._guard.acquire)  # noqa: SLF001
    locking.start()
    locking.join()
    child = os.fork()
    if child == 0:
        os._exit(0 if cache.look_up().leads else 1)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0


def test_basic_auth_sends_the_key(flavour: Flavour) -> None:
    """Basic authentication needs no token."""
    server = Server(OK)
    auth = BasicAuth(AccessKey(KEY_ID, KEY_SECRET))
    flavour.run(flavour.session(server, auth=auth).request(Operation()))
    key = base64.b64encode(f"{KEY_ID}:{KEY_SECRET}".encode()).decode()
    assert f"Basic {key}" == server.requests[0].headers["Authorization"]
    assert server.token_requests == []


def test_secrets_show_in_no_repr(clock: Clock) -> None:
    """Key, token and authentication have safe representations."""
    key = AccessKey(KEY_ID, KEY_SECRET)
    things = [key, BearerAuth(TokenSource(key, TOKEN_URL)), Token("planted", 1, 2)]
    things += [BasicAuth(key), TokenCache(clock), AccessToken("planted", 3)]
    assert all("planted" not in repr(thing) for thing in things)


@pytest.mark.parametrize("bad", ["a b", "a\nb", "é", "", 5, b"key", None])
def test_keys_with_invalid_characters_are_refused(bad: Any) -> None:
    """A badly copied key is found before any request, and is not quoted."""
    with pytest.raises(ConfigurationError, match="key_secret is empty or contains inv") as caught:
        AccessKey("k", bad)
    assert not bad or str(bad) not in str(caught.value)


@pytest.mark.parametrize("bad", ["a b", "", 5, b"token", None])
def test_tokens_that_fit_no_header_are_refused(bad: Any) -> None:
    """A token that is not a string of visible characters is refused, and is not quoted."""
    with pytest.raises(ConfigurationError, match="an access token must be a string"):
        AccessToken(bad)


@pytest.mark.parametrize("status", [404, 405, 410])
def test_wrong_token_url_is_reported(flavour: Flavour, status: int) -> None:
    """A URL that is not a token endpoint is not blamed on apps and regions."""
    server = Server(OK, tokens=[httpx.Response(status)])
    with pytest.raises(APIStatusError, match="not a token endpoint; check endpoints=") as caught:
        flavour.run(flavour.session(server).request(Operation()))
    assert "region" not in str(caught.value)
