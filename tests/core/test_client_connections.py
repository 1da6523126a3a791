"""Sinch and AsyncSinch over real sockets: connections, failures, proxies, forks."""

import contextlib
import os
import threading
from base64 import b64encode
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, ClassVar

import pytest

from sinch_wrapper import (
    APIConnectionError,
    APITimeoutError,
    ConfigurationError,
    Endpoints,
    RetryPolicy,
)
from sinch_wrapper._transport.pool import proxy_for
from tests.helpers.core import CONNECTED, PROJECT, Flavour, Server, SyncFlavour, token_response

ONCE = RetryPolicy(attempts=1)


class Loopback(BaseHTTPRequestHandler):
    """A real server that keeps connections alive and fails in a few ways."""

    protocol_version = "HTTP/1.1"
    connections: ClassVar[set[object]] = set()
    proxied: ClassVar[list[str]] = []
    credentials: ClassVar[list[str | None]] = []
    is_over: ClassVar[threading.Event] = threading.Event()

    def do_GET(self) -> None:
        """Respond, or fail as the path says."""
        type(self).connections.add(self.client_address)
        if self.path.startswith("http://"):
            type(self).proxied.append(self.path)
            type(self).credentials.append(self.headers.get("Proxy-Authorization"))
        if self.path.endswith(("drop", "slow")):
            self.close_connection = True
            if self.path.endswith("slow"):
                type(self).is_over.wait(60)
            return
        body = b'{"access_token": "t", "apps": [{"id": "a"}]}'
        length = len(body) + (50 if self.path.endswith("half") else 0)
        self.send_response(200)
        self.send_header("Content-Length", str(length))
        if self.path.endswith("header"):
            self.send_header("X-Long", "x" * 300_000)
        self.end_headers()
        self.wfile.write(body)
        if length != len(body):
            self.close_connection = True

    def do_CONNECT(self) -> None:
        """Open no tunnel."""
        type(self).credentials.append(self.headers.get("Proxy-Authorization"))
        self.send_error(403)

    def do_POST(self) -> None:
        """Read the body, then respond."""
        self.rfile.read(int(self.headers.get("Content-Length", 0)))
        self.do_GET()

    def log_message(self, *_: object) -> None:
        """Write no log."""


@pytest.fixture
def loopback(clean_environment: pytest.MonkeyPatch) -> Iterator[str]:
    """The address of a real server."""
    del clean_environment
    Loopback.connections.clear()
    Loopback.proxied.clear()
    Loopback.credentials.clear()
    Loopback.is_over.clear()
    with ThreadingHTTPServer(("127.0.0.1", 0), Loopback) as server:
        server.daemon_threads = True
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}"
        Loopback.is_over.set()
        server.shutdown()
        thread.join()


def real(flavour: Flavour, base: str, **options: Any) -> Any:
    """Build a client without a mock transport."""
    endpoints = Endpoints.sandbox(base, allow_http=True)
    return flavour.client(Server(), endpoints=endpoints, transport=None, **options)


@CONNECTED
def test_real_connections_are_kept_alive(flavour: Flavour, loopback: str) -> None:
    """Ten calls share one connection."""
    client = real(flavour, loopback)
    for _ in range(10):
        (app,) = flavour.run(client.conversation.app.list_apps()).apps
        assert app.id == "a"
    flavour.close(client)
    assert len(Loopback.connections) == 1


@CONNECTED
def test_connections_limits_requests_at_once(flavour: Flavour, loopback: str) -> None:
    """With connections=2, twelve calls at once use at most two connections, and all succeed."""
    client = real(flavour, loopback, connections=2)
    responses = flavour.all([client.conversation.app.list_apps] * 12)
    flavour.close(client)
    assert [["a"]] * 12 == [[app.id for app in response.apps] for response in responses]
    assert 1 <= len(Loopback.connections) <= 2


@pytest.mark.parametrize("number", [0, 1001, 2.0, True, None])
def test_connections_out_of_range_are_refused(flavour: Flavour, number: Any) -> None:
    """The number must be whole, and from 1 to 1000."""
    with pytest.raises(ConfigurationError, match="whole number from 1 to 1000"):
        flavour.client(Server(), connections=number)


@CONNECTED
@pytest.mark.parametrize(
    ("path", "kind", "outcome"),
    [
        ("drop", APIConnectionError, "unknown"),
        ("half", APIConnectionError, "unknown"),
        ("header", APIConnectionError, "unknown"),
        ("slow", APITimeoutError, "unknown"),
    ],
)
def test_real_failures_are_ours(
    flavour: Flavour, loopback: str, path: str, kind: type[APIConnectionError], outcome: str
) -> None:
    """Dropped, cut, overlong and late responses of a real socket raise our exceptions."""
    seconds = 0.5 if path == "slow" else 60
    client = real(flavour, loopback, retry=ONCE, auth="basic", timeout=seconds)
    with pytest.raises(kind) as caught:
        flavour.run(client.conversation.app.get_app(path))
    flavour.close(client)
    assert outcome == caught.value.outcome


@CONNECTED
def test_real_refused_connection_is_not_sent(flavour: Flavour) -> None:
    """A refused connection means that nothing was sent."""
    client = real(flavour, "http://127.0.0.1:9", retry=ONCE)
    with pytest.raises(APIConnectionError) as caught:
        flavour.run(client.conversation.app.list_apps())
    flavour.close(client)
    assert caught.value.outcome == "not_sent"


@CONNECTED
def test_proxy_option_is_used(flavour: Flavour, loopback: str) -> None:
    """An explicit proxy receives all requests, token requests included."""
    client = real(flavour, "http://api.invalid", proxy=loopback)
    flavour.run(client.conversation.app.list_apps())
    flavour.close(client)
    assert [
        "http://api.invalid/auth/oauth2/token",
        f"http://api.invalid/conversation/v1/projects/{PROJECT}/apps",
    ] == Loopback.proxied


@CONNECTED
def test_proxy_of_the_environment_is_used(
    flavour: Flavour, loopback: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The variable http_proxy is used although the transport is ours."""
    monkeypatch.setenv("http_proxy", loopback)
    client = real(flavour, "http://api.invalid")
    flavour.run(client.conversation.app.list_apps())
    flavour.close(client)
    assert len(Loopback.proxied) == 2


@CONNECTED
@pytest.mark.parametrize("scheme", ["http", "https"])
def test_proxy_gets_its_own_credentials(flavour: Flavour, loopback: str, scheme: str) -> None:
    """They are those of the URL, unquoted, and no server behind the proxy would see them."""
    proxy = loopback.replace("//", "//us%40er:p%3A%C3%A9@")
    client = real(flavour, f"{scheme}://api.invalid", proxy=proxy, auth="basic", retry=ONCE)
    with contextlib.suppress(APIConnectionError):
        flavour.run(client.conversation.app.list_apps())
    flavour.close(client)
    sent = b64encode("us@er:p:é".encode()).decode()
    assert [f"Basic {sent}"] == Loopback.credentials


@CONNECTED
@pytest.mark.parametrize("proxy", ["nonsense://planted:planted@h", "http://planted@[::1"])
def test_unusable_proxy_is_not_quoted(flavour: Flavour, proxy: str) -> None:
    """The error does not quote the URL of a proxy, because it may hold a password."""
    client = real(flavour, "http://127.0.0.1:9", proxy=proxy)
    with pytest.raises(ConfigurationError, match="proxy=") as caught:
        flavour.run(client.conversation.app.list_apps())
    assert "planted" not in str(caught.value)


@pytest.mark.parametrize(
    ("environment", "scheme", "host", "explicit", "proxy"),
    [
        ({}, "https", "h", None, None),
        ({"https_proxy": "http://p"}, "https", "h", None, "http://p"),
        ({"https_proxy": "p:8080"}, "https", "h", None, "http://p:8080"),
        ({"all_proxy": "http://p"}, "https", "h", None, "http://p"),
        ({"http_proxy": "http://p"}, "https", "h", None, None),
        ({"https_proxy": "http://p", "no_proxy": "h"}, "https", "h", None, None),
        ({"https_proxy": "http://p"}, "https", "h", "", None),
        ({"https_proxy": "http://p"}, "https", "h", "http://q", "http://q"),
    ],
)
def test_proxy_is_chosen(  # noqa: PLR0913, PLR0917 (one row of the table)
    clean_environment: pytest.MonkeyPatch,
    environment: dict[str, str],
    scheme: str,
    host: str,
    explicit: str | None,
    proxy: str | None,
) -> None:
    """The option wins, an empty one means no proxy, then the environment and its exceptions."""
    for name, value in environment.items():
        clean_environment.setenv(name, value)
    assert proxy == proxy_for(scheme, host, explicit)


def test_token_answers_are_real_in_these_tests() -> None:
    """The helper writes the fields of a real token response."""
    assert {"access_token", "expires_in", "token_type"} == set(token_response().json())


@pytest.mark.filterwarnings("ignore:.*fork:DeprecationWarning")
@pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork on this system")
def test_forked_child_opens_its_own_connection(loopback: str) -> None:
    """A forked child uses the parent's token, but connections of its own."""
    client = real(SyncFlavour(), loopback)
    client.conversation.app.list_apps()
    child = os.fork()
    if child == 0:
        apps = client.conversation.app.list_apps().apps
        os._exit(0 if apps and apps[0].id == "a" else 1)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
    client.conversation.app.list_apps()
    client.close()
    assert len(Loopback.connections) == 2
