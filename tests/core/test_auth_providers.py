"""A caller's own tokens and keys, keys that change, and tokens for other uses."""

import asyncio
import base64
import gc
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from sinch_wrapper import (
    AccessKey,
    AccessToken,
    APIConnectionError,
    AsyncSinch,
    AuthenticationError,
    ConfigurationError,
    Endpoints,
    Sinch,
)
from sinch_wrapper._http import httpx
from tests.helpers.core import (
    KEY_ID,
    KEY_SECRET,
    AsyncFlavour,
    Clock,
    Flavour,
    Operation,
    Server,
    SyncFlavour,
    bearer,
    bearer_auth_on,
    token_response,
)
from tests.helpers.planted import leaks, printed

OK = httpx.Response(200, json={})


class Provider:
    """Returns the values of a script, the last one for ever, and counts its calls."""

    def __init__(self, *script: object) -> None:
        self.script = list(script)
        self.asked = 0

    def __call__(self) -> Any:
        """Return the next value, or raise it."""
        self.asked += 1
        value = self.script.pop(0) if len(self.script) > 1 else self.script[0]
        if isinstance(value, Exception):
            raise value
        return value

    async def later(self) -> Any:
        """Return the next value a little later."""
        await asyncio.sleep(0)
        return self()


Wrap = Callable[[Provider], Any]


@pytest.fixture(params=["sync, plain", "async, plain", "async, awaited"])
def provided(request: pytest.FixtureRequest) -> Iterator[tuple[Flavour, Wrap]]:
    """A flavour, and how it gets a provider: as it is, or as a coroutine function."""
    wrap: Wrap = (lambda one: one.later) if "awaited" in request.param else (lambda one: one)
    if "sync, plain" == request.param:
        yield SyncFlavour(), wrap
        return
    with asyncio.Runner() as runner:
        yield AsyncFlavour(runner), wrap


@pytest.mark.parametrize("given", ["own-token", " own-token\n", AccessToken("own-token", 3600)])
def test_provider_gives_the_token(provided: tuple[Flavour, Wrap], given: object) -> None:
    """The token of a provider is used as it is: without a key, and without a token request."""
    flavour, asking = provided
    provider, server = Provider(given), Server(OK)
    client = flavour.client(server, auth=asking(provider), key_id=None, key_secret=None)
    for _ in range(3):
        flavour.run(client.conversation.app.list_apps())
    assert (provider.asked, server.tokens_used, server.token_requests) == (
        1, ["own-token"] * 3, [],
    )  # fmt: skip


def test_provider_is_called_again_when_its_token_is_due(flavour: Flavour, clock: Clock) -> None:
    """A string is used for an hour, an AccessToken for as long as it says."""
    provider = Provider("one", AccessToken("two", 600), "three")
    server = Server(OK)
    session = flavour.session(server, clock=clock, auth=bearer_auth_on(clock, provider))
    for moment in (0, 3539, 3541, 3541 + 539, 3541 + 541):
        clock.now = 1000.0 + moment
        flavour.run(session.request(Operation()))
    assert server.tokens_used == ["one", "one", "two", "two", "three"]


def test_provider_is_called_again_on_a_refusal(flavour: Flavour) -> None:
    """A 401 costs one call of the provider and one repetition."""
    provider, server = Provider("old", "new"), Server(httpx.Response(401), OK)
    client = flavour.client(server, auth=provider, key_id=None, key_secret=None)
    flavour.run(client.conversation.app.list_apps())
    assert server.tokens_used == ["old", "new"]


def test_one_caller_asks_for_all(flavour: Flavour, clock: Clock) -> None:
    """Sixteen concurrent callers whose token was revoked share one call of the provider."""
    provider = Provider("old", "new")

    def handler(request: httpx.Request) -> httpx.Response:
        return OK if bearer(request) == "new" else httpx.Response(401)

    auth = bearer_auth_on(clock, provider)
    session = flavour.session(flavour.slowly(Server(handler)), clock=clock, auth=auth)
    results = flavour.all([lambda: session.request(Operation())] * 16)
    assert [getattr(result, "status_code", result) for result in results] == [200] * 16
    assert provider.asked == 2


class OwnError(Exception):
    """An exception of the user's own code."""


@pytest.mark.parametrize("failure", [OwnError("mine"), StopIteration(), KeyError("k")])
def test_failing_provider_means_not_sent(
    provided: tuple[Flavour, Wrap], failure: Exception
) -> None:
    """The exception of a provider is the cause of ours, and the next call asks again."""
    flavour, asking = provided
    provider, server = Provider(failure, "token"), Server(OK)
    client = flavour.client(server, auth=asking(provider), key_id=None, key_secret=None)
    with pytest.raises(APIConnectionError, match=r"the provider in auth= failed") as caught:
        flavour.run(client.conversation.app.list_apps())
    assert (caught.value.outcome, caught.value.attempts, server.requests) == ("not_sent", 0, [])
    # A coroutine cannot raise StopIteration: Python makes a RuntimeError of it.
    assert caught.value.__cause__ is failure or isinstance(caught.value.__cause__, RuntimeError)
    flavour.run(client.conversation.app.list_apps())
    assert server.tokens_used == ["token"]


def test_error_of_ours_passes_through_the_provider(flavour: Flavour) -> None:
    """A provider that is another client fails as that client does."""
    failure = ConfigurationError("of the other client")
    client = flavour.client(Server(), auth=Provider(failure), key_id=None, key_secret=None)
    with pytest.raises(ConfigurationError) as caught:
        flavour.run(client.conversation.app.list_apps())
    assert caught.value is failure


def test_failing_provider_does_not_hurt_while_the_token_is_valid(
    flavour: Flavour, clock: Clock
) -> None:
    """The old token stays in use."""
    provider, server = Provider("old", OwnError()), Server(OK)
    session = flavour.session(server, clock=clock, auth=bearer_auth_on(clock, provider))
    for moment in (0, 3550, 3551):
        clock.now = 1000.0 + moment
        flavour.run(session.request(Operation()))
    assert (provider.asked, server.tokens_used) == (2, ["old"] * 3)


@pytest.mark.parametrize(
    "given",
    [None, 7, b"planted-token", ["planted-token"], "", "planted-token \x00", "planted-token é"],
)  # fmt: skip
def test_useless_value_of_a_provider_is_not_quoted(
    provided: tuple[Flavour, Wrap], given: object
) -> None:
    """A value that is neither a token nor a key is a ConfigurationError."""
    flavour, asking = provided
    auth = asking(Provider(given))
    client = flavour.client(Server(), auth=auth, key_id=None, key_secret=None)
    with pytest.raises(ConfigurationError, match="auth=") as caught:
        flavour.run(client.conversation.app.list_apps())
    assert leaks(printed(caught.value)) == []


OPTIONS: dict[str, Any] = {"project_id": "p", "region": "eu"}


@pytest.mark.usefixtures("clean_environment")
def test_sinch_refuses_an_asynchronous_provider() -> None:
    """Sinch cannot await: this is reported at once, or when the value turns out awaitable."""
    provider = Provider("token")
    with pytest.raises(ConfigurationError, match="use AsyncSinch"):
        Sinch(auth=provider.later, **OPTIONS)
    hidden = Sinch(auth=lambda: provider.later(), **OPTIONS)  # noqa: PLW0108 (hides async)
    with pytest.raises(ConfigurationError, match="use AsyncSinch"):
        hidden.fetch_token()
    # A coroutine that was never awaited would warn here.
    gc.collect()


@pytest.mark.usefixtures("clean_environment")
@pytest.mark.parametrize("kind", [Sinch, AsyncSinch])
def test_provider_and_key_contradict_each_other(kind: Any) -> None:
    """Passing both is a mistake; a key in the environment is not."""
    with pytest.raises(ConfigurationError, match="contradicts"):
        kind(auth=lambda: "t", key_id="k", key_secret="s", **OPTIONS)
    with pytest.raises(ConfigurationError, match=r"^missing project_id= .SINCH_PROJECT_ID."):
        kind(auth=lambda: "t", region="eu")


def key_of(request: httpx.Request) -> str:
    """Read the access key of a token request."""
    return base64.b64decode(request.headers["Authorization"].removeprefix("Basic ")).decode()


@pytest.mark.parametrize("when", ["refused", "expired"])
def test_key_changes_without_a_restart(
    provided: tuple[Flavour, Wrap], clock: Clock, when: str
) -> None:
    """A provider of keys is called for each token, so the next one uses the new key."""
    flavour, asking = provided
    provider = Provider(AccessKey("k1", "s1"), AccessKey("k2", "s2\n"))
    server = Server(OK, httpx.Response(401), OK) if when == "refused" else Server(OK)
    auth = bearer_auth_on(clock, asking(provider))
    session = flavour.session(server, clock=clock, auth=auth)
    flavour.run(session.request(Operation()))
    if when == "expired":
        clock.now += 3601
    flavour.run(session.request(Operation()))
    assert [key_of(request) for request in server.token_requests] == ["k1:s1", "k2:s2"]
    assert server.tokens_used[-1] == "token-2"


def test_key_that_is_refused_is_read_again_by_the_next_call(flavour: Flavour) -> None:
    """While the old key has ended and the new one is not there, calls fail; then they recover."""
    provider = Provider(AccessKey("k1", "s1"), AccessKey("k2", "s2"))

    def endpoint(request: httpx.Request) -> httpx.Response:
        return token_response("fine") if key_of(request) == "k2:s2" else httpx.Response(401)

    server = Server(OK, tokens=[endpoint])
    client = flavour.client(server, auth=provider, key_id=None, key_secret=None)
    with pytest.raises(AuthenticationError):
        flavour.run(client.conversation.app.list_apps())
    flavour.run(client.conversation.app.list_apps())
    assert server.tokens_used == ["fine"]


def test_token_for_other_uses_is_the_one_in_use(flavour: Flavour) -> None:
    """`fetch_token` returns the token that requests carry, and the seconds it still lasts."""
    server = Server(OK)
    client = flavour.client(server)
    token = flavour.run(client.fetch_token())
    assert token.value == "token-1"
    assert 3590 < token.expires_in <= 3600
    assert repr(token).startswith("AccessToken(expires_in=3")
    flavour.run(client.conversation.app.list_apps())
    view = client.with_options(timeout=3)
    assert flavour.run(view.fetch_token()).value == "token-1"
    assert len(server.token_requests) == 1
    assert server.token_requests[0].extensions["timeout"]["read"] == 10.0


def test_client_can_be_the_provider_of_another(flavour: Flavour) -> None:
    """`auth=other.fetch_token` shares a token between clients."""
    server = Server(OK)
    other = flavour.client(server)
    client = flavour.client(server, auth=other.fetch_token, key_id=None, key_secret=None)
    flavour.run(client.conversation.app.list_apps())
    assert (server.tokens_used, len(server.token_requests)) == (["token-1"], 1)


def test_token_with_basic_auth_is_refused(flavour: Flavour) -> None:
    """With Basic authentication there is no token to fetch."""
    with pytest.raises(ConfigurationError, match="basic"):
        flavour.run(flavour.client(Server(), auth="basic").fetch_token())


def test_token_endpoint_can_be_overridden(flavour: Flavour) -> None:
    """`Endpoints.auth` is the whole URL, on any host."""
    asked: list[str] = []

    def handler(request: httpx.Request) -> httpx.Response:
        asked.append(str(request.url))
        return token_response() if request.url.host == "login.example" else OK

    api = "https://api.example"
    endpoints = Endpoints(
        auth="https://login.example/other/path", conversation=api, batch=api, template=api
    )
    client = flavour.client(handler, endpoints=endpoints)
    flavour.run(client.conversation.app.list_apps())
    assert asked[0] == "https://login.example/other/path"
    assert asked[1].startswith(f"{api}/v1/projects/")


@pytest.mark.parametrize("bad", [("", "s"), ("k", " "), ("k", "a b"), ("k", "plänted")])
def test_access_key_is_checked(bad: tuple[str, str]) -> None:
    """Halves that are empty or have invalid characters are refused, and not quoted."""
    with pytest.raises(ConfigurationError, match="copy it again") as caught:
        AccessKey(*bad)
    assert "plänted" not in str(caught.value)


def test_access_values_hide_themselves() -> None:
    """Key and token compare by value and show neither."""
    assert AccessKey(KEY_ID, f"{KEY_SECRET}\n") == AccessKey(KEY_ID, KEY_SECRET)
    assert repr(AccessKey(KEY_ID, KEY_SECRET)) == "AccessKey()"
    assert repr(AccessToken("planted-token", 5)) == "AccessToken(expires_in=5.0)"
    assert AccessToken("t", float("nan")).expires_in == 3600.0
