"""Who may talk to the sandbox, and where it may send: browsers, networks, credentials."""

import logging
from collections.abc import Iterator

import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from sinch_wrapper._http import httpx
from sinch_wrapper.sandbox import BackgroundServer, Server, Settings
from sinch_wrapper.sandbox._doors import is_host_name
from tests.helpers.sandbox import Api, StartSandbox, eventually

KEY = ("sandbox-key", "sandbox-secret")
APPS = "/conversation/v1/projects/sandbox-project/apps"
FOREIGN = [
    "evil.example",
    "evil.example:{port}",
    "127.0.0.1.evil.example",
    "localhost.evil.example",
    "evil.localhost.example",
    "sinch.com.evil.example",
    "us.conversation.api.sinch.com.evil.example",
    "evil.example#localhost",
    "localhost@evil.example",
    "evil.example@localhost",
    "evil.example/localhost",
    "192.0.2.1",
    "[2001:db8::1]",
    "2130706433",
    "[localhost]",
    "",
]
PATHS = [
    ("GET", "/_sandbox"),
    ("GET", "/_sandbox/ledger"),
    ("POST", "/_sandbox/reset"),
    ("POST", "/_sandbox/faults"),
    ("GET", APPS),
    ("POST", "/auth/oauth2/token"),
]


@pytest.mark.parametrize("host", FOREIGN)
@pytest.mark.parametrize(("method", "path"), PATHS)
def test_foreign_host_name_is_refused(api: Api, method: str, path: str, host: str) -> None:
    """A name that was made to point to this machine gets nothing, and is told the remedy."""
    headers = {"host": host.format(port=api.server.port)}

    response = api(method, path, headers=headers, content=b'{"faults": ["*:503"]}')

    assert (403, "PERMISSION_DENIED") == (response.status_code, response.json()["error"]["status"])
    assert "--allow-host" in response.json()["error"]["message"]
    assert [] == api.server.faults.rules


@pytest.mark.parametrize(
    "host",
    [
        "localhost",
        "LOCALHOST:1",
        "a.localhost",
        "localhost.",
        "127.0.0.1:{port}",
        "127.8.0.1",
        "[::1]:{port}",
        "[::1]",
        "auth.sinch.com",
        "eu.conversation.api.sinch.com:8787",
    ],
)
def test_names_of_this_machine_and_of_the_apis_are_served(api: Api, host: str) -> None:
    """Whatever the port, because a container or a tunnel may have another one outside."""
    headers = {"host": host.format(port=api.server.port)}

    assert 200 == api("GET", "/_sandbox", headers=headers).status_code


def test_allowed_host_is_served(start_sandbox: StartSandbox) -> None:
    """A name of the settings, and no other, whatever its case."""
    api = start_sandbox(allow_hosts=("Sandbox.internal", "10.0.0.7"))
    statuses = [
        api("GET", "/_sandbox", headers={"host": host}).status_code
        for host in ("sandbox.INTERNAL:80", "10.0.0.7", "other.internal", "a.sandbox.internal")
    ]

    assert [200, 200, 403, 403] == statuses


@pytest.mark.parametrize(
    "origin",
    [
        "http://evil.example",
        "null",
        "http://localhost:1",
        "file://",
        "",
        "https://127.0.0.1",
        "http://evil.example:{port}",
        "http://localhost@evil.example",
        "x://127.0.0.1:{port}",
    ],
)
@pytest.mark.parametrize("path", ["/_sandbox/faults", "/_sandbox/reset", APPS])
def test_page_of_another_origin_is_refused(api: Api, path: str, origin: str) -> None:
    """A plain post from a page, which a browser sends without asking, changes nothing."""
    clock = api.server.clock
    headers = {"origin": origin.format(port=api.server.port), "content-type": "text/plain"}

    response = api("POST", path, headers=headers, content=b'{"faults": ["*:503"]}')

    assert 403 == response.status_code
    assert ([], True) == (api.server.faults.rules, clock is api.server.clock)


def test_one_foreign_origin_among_several_is_refused(api: Api) -> None:
    """A second header does not hide the first."""
    headers = [("origin", api.url), ("origin", "http://evil.example")]

    assert 403 == api("GET", "/_sandbox", headers=headers).status_code


def test_own_page_and_allowed_page_may_call(start_sandbox: StartSandbox) -> None:
    """A page that the sandbox's own address or an allowed host has served is no stranger."""
    api = start_sandbox(allow_hosts=("app.internal",))
    statuses = [
        api("POST", "/_sandbox/reset", headers={"origin": origin}).status_code
        for origin in (api.url, "http://app.internal:3000", "https://APP.internal")
    ]

    assert [200, 200, 200] == statuses


@pytest.mark.parametrize("remote", [False, True])
def test_listening_beyond_this_machine_is_said(
    caplog: pytest.LogCaptureFixture,
    remote: bool,  # noqa: FBT001 (parametrised)
) -> None:
    """A warning names the address and what strangers can do there; figures are served there."""
    with (
        caplog.at_level(logging.WARNING, "sinch_wrapper.sandbox"),
        Server(Settings(remote_callbacks=remote), host="0.0.0.0") as server,  # noqa: S104 (meant)
    ):
        statuses = [
            httpx.get(
                f"http://127.0.0.1:{server.port}/_sandbox", headers={"host": host}
            ).status_code
            for host in ("0.0.0.0", "192.0.2.1:80", "[2001:db8::1]", "evil.example")  # noqa: S104 (a name)
        ]

    [record] = caplog.records
    assert f"http://0.0.0.0:{server.port} can read and steer it" in record.getMessage()
    assert remote == ("post to any address" in record.getMessage())
    assert [200, 200, 200, 403] == statuses


def test_loopback_needs_no_warning(caplog: pytest.LogCaptureFixture) -> None:
    """A server for this machine alone says nothing."""
    for host in ("127.0.0.1", "127.0.0.5", "localhost"):
        with Server(host=host):
            pass

    assert [] == caplog.records


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("a.b", True),
        ("::1", True),
        ("10.0.0.1", True),
        ("", False),
        ("a:1", False),
        ("http://a", False),
        ("a/b", False),
        ("a b", False),
        ("[::1]", False),
        ("a.", False),
    ],
)
def test_allowed_hosts_are_names(text: str, expected: bool) -> None:  # noqa: FBT001 (parametrised)
    """A port or a scheme would never match, so it is refused."""
    assert expected == is_host_name(text)


class Receiver:
    """A callback target and its token endpoint, which count what reaches them."""

    def __init__(self) -> None:
        self.posts = 0
        self.grants = 0
        routes = [
            Route("/", self._take, methods=["POST"]),
            Route("/token", self._grant, methods=["POST"]),
        ]
        self.app = Starlette(routes=routes)

    async def _take(self, _request: Request) -> Response:
        self.posts += 1
        return Response()

    async def _grant(self, _request: Request) -> Response:
        self.grants += 1
        return JSONResponse({"access_token": "t", "expires_in": 60})


@pytest.fixture
def beyond() -> Iterator[tuple[Receiver, str, str]]:
    """A receiver, its address on loopback, and one that does not count as this machine."""
    receiver = Receiver()
    with BackgroundServer(receiver.app, host="0.0.0.0") as server:  # noqa: S104 (to be beyond)
        yield receiver, f"http://127.0.0.1:{server.port}", f"http://0.0.0.0:{server.port}"


@pytest.mark.parametrize("remote", [False, True])
def test_client_credentials_never_leave_the_machine(
    start_sandbox: StartSandbox,
    beyond: tuple[Receiver, str, str],
    remote: bool,  # noqa: FBT001 (parametrised)
) -> None:
    """Id and secret go to a token endpoint on loopback; else the callback is withheld, counted."""
    receiver, local, foreign = beyond
    api = start_sandbox(remote_callbacks=remote)
    secret = {"client_id": "me", "client_secret": "planted"}
    for name, endpoint in (("/", foreign), ("/?2", local)):
        credentials = secret | {"endpoint": f"{endpoint}/token"}
        api.webhook(
            api.settings.app_id, local + name, "MESSAGE_SUBMIT", client_credentials=credentials
        )
    api.send(api.settings.app_id)
    counts = api.server.ledger.callbacks
    eventually(lambda: counts["accepted"] == 1)

    assert (1, 1, 1) == (counts["withheld"], receiver.grants, receiver.posts)
