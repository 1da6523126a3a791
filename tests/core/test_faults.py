"""Every fault of network, API and token endpoint, over real sockets, for threads and tasks.

Each row says which exception comes, how many requests the server saw, and what is known of the
outcome. The last test runs the whole file once more with the other HTTP library.
"""

import asyncio
import gzip
import logging
import os
import pickle
import subprocess
import sys
from collections.abc import Iterator
from typing import Any

import pytest
from sinch_conversation_api import AsyncClient, Client

from sinch_wrapper import (
    AccessKey,
    APIConnectionError,
    APIResponseValidationError,
    APIStatusError,
    APITimeoutError,
    AuthenticationError,
    BadRequestError,
    ConflictError,
    InternalServerError,
    NotFoundError,
    PermissionDeniedError,
    RateLimitError,
    RetryPolicy,
    SinchError,
)
from sinch_wrapper._auth.flow import BasicAuth, BearerAuth
from sinch_wrapper._auth.token_source import TokenSource
from sinch_wrapper._http import HTTP_VARIABLE, httpx
from sinch_wrapper._session import AsyncSession, Session
from sinch_wrapper._transport.aiohttp_transport import async_pool
from sinch_wrapper._transport.http_client import AsyncHTTPClient, HTTPClient
from sinch_wrapper._transport.pool import PooledTransport
from sinch_wrapper._transport.retrying import (
    AsyncRetryingTransport,
    RetryContext,
    RetryingTransport,
)
from sinch_wrapper.sandbox import Server
from tests.helpers.core import CONNECTED, KEY_ID, KEY_SECRET, Flavour, Operation
from tests.helpers.fault_server import (
    DROP,
    NO_TLS,
    RESET,
    RESET_EARLY,
    UNREAD,
    Fault,
    FaultServer,
    closed_port,
    deaf_port,
    raw,
    response,
    serving,
)
from tests.helpers.planted import PHONE, TEXT, leaks, printed

METHODS = ["GET", "PUT", "DELETE", "PATCH", "POST"]
REPEATABLE = {"GET", "PUT", "DELETE"}
ATTEMPTS = 2
SHORT = 0.5


class Caller:
    """Sessions over real connection pools, without back-off, for one flavour."""

    def __init__(self, flavour: Flavour) -> None:
        self.flavour = flavour
        self._clients: list[Any] = []

    def session(
        self,
        url: str,
        *,
        timeout: float = 20.0,
        token: bool = False,
        attempts: int = ATTEMPTS,
        proxy: str = "",
    ) -> Any:
        """Build a session for the server at *url*."""
        key, context = AccessKey(KEY_ID, KEY_SECRET), RetryContext(jitter=lambda: 0.0)
        source = TokenSource(key, f"{url}/oauth2/token")
        auth = BearerAuth(source) if token else BasicAuth(key)
        retry = RetryPolicy(attempts=attempts)
        if self.flavour.name == "sync":
            transport = RetryingTransport(PooledTransport(proxy, 32), context)
            client = HTTPClient(transport, auth)
            self._clients.append(client)
            return Session(client, url, timeout=timeout, retry=retry)
        async_transport = AsyncRetryingTransport(async_pool(self.flavour.http)(proxy, 32), context)
        async_client = AsyncHTTPClient(async_transport, auth)
        self._clients.append(async_client)
        return AsyncSession(async_client, url, timeout=timeout, retry=retry)

    def client(self, url: str, **options: Any) -> Any:
        """Build the generated client over a session."""
        kind = Client if self.flavour.name == "sync" else AsyncClient
        return kind(self.session(url, **options), "p")

    def call(self, session: Any, method: str = "GET", **fields: Any) -> Any:
        """Make one call."""
        body = {"to": PHONE, "text": TEXT} if method in {"PUT", "PATCH", "POST"} else None
        path, params = f"/v1/{PHONE}", {"identity": PHONE}
        operation = Operation(method=method, path=path, params=params, json=body, **fields)
        return self.flavour.run(session.request(operation))

    def close(self) -> None:
        """Close what was opened."""
        for client in self._clients:
            self.flavour.run(client.close() if self.flavour.name == "sync" else client.aclose())


@pytest.fixture
def caller(flavour: Flavour) -> Iterator[Caller]:
    """Make calls in threads, in tasks, and in tasks over aiohttp."""
    made = Caller(flavour)
    yield made
    made.close()


@pytest.fixture
def server() -> Iterator[FaultServer]:
    """Run a server without faults until a test scripts some."""
    with serving() as running:
        yield running


@pytest.fixture(autouse=True)
def clean_log(caplog: pytest.LogCaptureFixture) -> Iterator[None]:
    """No logger of any library may write a secret, whatever happens."""
    caplog.set_level(logging.DEBUG)
    yield
    assert leaks("\n".join(record.getMessage() for record in caplog.get_records("call"))) == []


def check_clean(error: SinchError) -> None:
    """Check that *error* is ours, is one line, survives pickling, and shows nothing."""
    assert type(error).__module__.startswith("sinch_wrapper.errors")
    assert "\n" not in str(error)
    assert str(error) == str(pickle.loads(pickle.dumps(error)))  # noqa: S301
    assert leaks(printed(error)) == []


# The second cookie has no name that one may have, of which a library may want to tell.
HEAD = (
    f"HTTP/1.1 200 OK\r\nX-Echo: {PHONE}\r\nSet-Cookie: planted=1\r\n"
    f"Set-Cookie: {TEXT} ({PHONE})=1\r\n"
).encode()
LARGE = {"text": TEXT + "x" * 10_000_000}
BREAKS: dict[str, tuple[Fault, float]] = {
    "reset before the request is read": (RESET_EARLY, 20.0),
    "drop after accept": (DROP, 20.0),
    "reset after accept": (RESET, 20.0),
    "half a status line": (raw(b"HTTP/1.1 20"), 20.0),
    "half a head": (raw(HEAD), 20.0),
    "half a body": (raw(HEAD + b'Content-Length: 99\r\n\r\n{"half": '), 20.0),
    "half a chunk": (raw(HEAD + b"Transfer-Encoding: chunked\r\n\r\n9\r\n{"), 20.0),
    "no last chunk": (raw(HEAD + b"Transfer-Encoding: chunked\r\n\r\n2\r\n{}\r\n"), 20.0),
    "no HTTP": (raw(f"220 {PHONE} {TEXT}\r\n".encode()), 20.0),
    "an invalid header": (raw(HEAD + f"{PHONE} {TEXT}\r\n\r\n".encode()), 20.0),
    "an endless header": (raw(HEAD + b"X: " + b"x" * 300_000), 20.0),
    "another protocol": (raw(b"HTTP/1.1 101 X\r\nUpgrade: x\r\nConnection: Upgrade\r\n\r\n"), 20.0),
    "two lengths": (raw(HEAD + b"Content-Length: 2\r\nContent-Length: 3\r\n\r\n{} "), 20.0),
    "slow headers": (raw(b"HTTP/1.1 200 OK\r\n", b"X: y\r\n", pause=5), SHORT),
    "slow body": (raw(HEAD + b"Content-Length: 9\r\n\r\n{", b"}", pause=5), SHORT),
}
BROKEN = [
    (name, method)
    for name, (_, timeout) in BREAKS.items()
    for method in (METHODS if timeout > SHORT else ("GET", "POST"))
]


@CONNECTED
@pytest.mark.parametrize(("name", "method"), BROKEN)
def test_broken_response_leaves_doubt(
    caller: Caller, server: FaultServer, name: str, method: str
) -> None:
    """A request that may have been carried out is repeated only where that does no harm."""
    fault, timeout = BREAKS[name]
    server.script = [fault]
    session = caller.session(server.url, timeout=timeout)
    with pytest.raises(APIConnectionError) as caught:
        caller.call(session, method)
    tries = ATTEMPTS if method in REPEATABLE else 1
    server.wait_until_seen(0 if fault.at_once else tries)
    assert (APITimeoutError if timeout == SHORT else APIConnectionError) is type(caught.value)
    assert (caught.value.outcome, caught.value.attempts) == ("unknown", tries)
    assert tries == server.connections
    assert [method] * (0 if fault.at_once else tries) == server.seen
    check_clean(caught.value)


@CONNECTED
@pytest.mark.parametrize("method", METHODS)
def test_refused_connection_is_not_sent(caller: Caller, method: str) -> None:
    """No server accepts: any method is repeated, and nothing was sent."""
    with closed_port() as url, pytest.raises(APIConnectionError) as caught:
        caller.call(caller.session(url), method)
    assert ("not_sent", ATTEMPTS) == (caught.value.outcome, caught.value.attempts)
    check_clean(caught.value)


@CONNECTED
@pytest.mark.parametrize("method", ["GET", "POST"])
def test_deaf_server_leaves_doubt(caller: Caller, method: str) -> None:
    """The system accepts, and no program reads: the client cannot know that, so doubt remains."""
    with deaf_port() as url, pytest.raises(APITimeoutError) as caught:
        caller.call(caller.session(url, timeout=SHORT), method)
    assert ("unknown", ATTEMPTS if method == "GET" else 1) == (
        caught.value.outcome, caught.value.attempts,
    )  # fmt: skip
    check_clean(caught.value)


@CONNECTED
def test_request_that_nobody_takes_in_leaves_doubt(caller: Caller, server: FaultServer) -> None:
    """A server that stops reading in the middle of a request is waited for as for any step."""
    server.script = [UNREAD]
    session = caller.session(server.url, timeout=SHORT)
    with pytest.raises(APITimeoutError) as caught:
        caller.flavour.run(session.request(Operation(method="POST", json=LARGE)))
    assert ("unknown", 1, 1) == (caught.value.outcome, caught.value.attempts, server.connections)
    check_clean(caught.value)


@CONNECTED
def test_large_request_is_not_a_fault(caller: Caller, server: FaultServer) -> None:
    """A request of 10 MB arrives, and no library warns of it."""
    session = caller.session(server.url)
    assert (
        200 == caller.flavour.run(session.request(Operation(method="POST", json=LARGE))).status_code
    )
    assert ["POST"] == server.seen


@CONNECTED
def test_silent_handshake_is_not_sent(caller: Caller) -> None:
    """A server that accepts and says nothing gets no request before TLS is up."""
    with deaf_port() as url, pytest.raises(APITimeoutError) as caught:
        caller.call(caller.session(url.replace("http:", "https:"), timeout=SHORT), "POST")
    assert ("not_sent", ATTEMPTS) == (caught.value.outcome, caught.value.attempts)
    check_clean(caught.value)


@CONNECTED
@pytest.mark.parametrize("host", ["a..b", f"{'a' * 64}.example", "xn--a", "xn--", "nobody.invalid"])
def test_invalid_host_is_not_sent(caller: Caller, host: str) -> None:
    """A host that cannot be looked up is a SinchError, in the token endpoint's URL as well."""
    for token in (False, True):
        with pytest.raises(SinchError) as caught:
            caller.call(caller.session(f"http://{host}", token=token), "POST")
        assert getattr(caught.value, "outcome", "not_sent") == "not_sent"
        check_clean(caught.value)


@CONNECTED
@pytest.mark.parametrize("fault", [NO_TLS, RESET_EARLY], ids=["no TLS", "reset"])
def test_failed_handshake_is_not_sent(caller: Caller, server: FaultServer, fault: Fault) -> None:
    """Without TLS no request leaves, so any method is repeated."""
    server.script = [fault]
    with pytest.raises(APIConnectionError) as caught:
        caller.call(caller.session(server.url.replace("http:", "https:")), "POST")
    assert ("not_sent", ATTEMPTS, []) == (
        caught.value.outcome, caught.value.attempts, server.seen,
    )  # fmt: skip
    check_clean(caught.value)


@CONNECTED
@pytest.mark.parametrize("token", [False, True], ids=["call", "token request"])
def test_untrusted_certificate_is_final(caller: Caller, token: bool) -> None:  # noqa: FBT001 (a parameter)
    """Another attempt would meet the same certificate: nothing is sent, and the error says why."""
    with Server(tls=True) as server, pytest.raises(APIConnectionError) as caught:
        caller.call(caller.session(server.url, token=token), "POST")
    assert ("not_sent", 1) == (caught.value.outcome, caught.value.attempts)
    assert "certificate is not trusted, and nothing was sent" in str(caught.value)
    check_clean(caught.value)


UNREADABLE = """
import asyncio, sys
from sinch_wrapper import AsyncSinch, ConfigurationError, Endpoints, Recipient, Sinch, text

options = {"project_id": "p", "auth": lambda: "token", "endpoints": Endpoints.sandbox(sys.argv[1])}
message = {"app_id": "A", "to": Recipient.sms("+46700000001"), "message": text("Hi")}
for call in (
    lambda: Sinch(**options).send(**message),
    lambda: asyncio.run(AsyncSinch(**options).send(**message)),
):
    try:
        call()
    except ConfigurationError as error:
        print(error)
"""


@pytest.mark.parametrize("file", ["/gone", __file__, "/"], ids=["gone", "no PEM", "folder"])
def test_unreadable_certificates_are_a_mistake_of_configuration(
    server: FaultServer, file: str
) -> None:
    """A POST that never left is not in doubt, and is not tried again."""
    environment = os.environ | {"SSL_CERT_FILE": file}
    result = subprocess.run(
        [sys.executable, "-c", UNREADABLE, server.url.replace("http:", "https:")],
        capture_output=True, text=True, check=True, env=environment,
    )  # fmt: skip
    line = "the certificates to trust cannot be read: check SSL_CERT_FILE and SSL_CERT_DIR\n"
    assert (line * 2, []) == (result.stdout, server.seen)


@CONNECTED
@pytest.mark.parametrize("status", [403, 407, 502, 503])
def test_refusing_proxy_is_not_sent(caller: Caller, server: FaultServer, status: int) -> None:
    """Nothing is sent through a proxy that opens no tunnel."""
    server.script = [response(status, TEXT.encode())]
    proxy = server.url.replace("//", f"//{KEY_ID}:{KEY_SECRET}@")
    with pytest.raises(APIConnectionError) as caught:
        caller.call(caller.session("https://api.invalid", proxy=proxy), "POST")
    assert ("not_sent", ["CONNECT"] * ATTEMPTS) == (caught.value.outcome, server.seen)
    check_clean(caught.value)


@CONNECTED
def test_hints_before_the_response_are_not_a_fault(caller: Caller, server: FaultServer) -> None:
    """1xx responses may come before the final one."""
    hints = b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nX: y\r\n\r\n"
    server.script = [raw(hints, HEAD + b"Content-Length: 2\r\n\r\n{}")]
    assert caller.call(caller.session(server.url), "POST").status_code == 200
    assert server.seen == ["POST"]


@CONNECTED
@pytest.mark.parametrize("fault", [DROP, RESET, raw(HEAD)], ids=["drop", "reset", "half"])
def test_repetition_after_a_break_succeeds(
    caller: Caller, server: FaultServer, fault: Fault
) -> None:
    """The second attempt uses a new connection and gets the response."""
    server.script = [fault, response(body=b'{"fine": 1}')]
    assert caller.call(caller.session(server.url)).parsed == {"fine": 1}
    assert server.seen == ["GET", "GET"]


@CONNECTED
def test_connection_closed_between_calls_is_not_a_fault(
    caller: Caller, server: FaultServer
) -> None:
    """A kept connection that the server has closed is replaced, for a POST as well."""
    head = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}"
    server.script = [raw(head)]
    session = caller.session(server.url)
    for _ in range(3):
        assert caller.call(session, "POST").status_code == 200
        server.wait_until_closed()
    assert (server.seen, server.connections) == (["POST"] * 3, 3)


CLASSES = {
    400: BadRequestError, 401: AuthenticationError, 403: PermissionDeniedError,
    404: NotFoundError, 409: ConflictError, 429: RateLimitError,
}  # fmt: skip


def tries_of(status: int, method: str) -> int:
    """How often a request of *method* is sent whose response is always *status*."""
    if status in {429, 500, 501, 503}:
        return ATTEMPTS
    return ATTEMPTS if status >= 500 and method in REPEATABLE else 1


@CONNECTED
@pytest.mark.parametrize("method", ["GET", "PATCH", "POST"])
def test_every_status_has_its_class(caller: Caller, server: FaultServer, method: str) -> None:
    """All from 400 to 599, unofficial ones too, have their class and number of attempts."""
    session = caller.session(server.url)
    for status in range(400, 600):
        server.seen.clear()
        server.script = [response(status, b"", X_Request_Id="r-1")]
        with pytest.raises(APIStatusError) as caught:
            caller.call(session, method)
        default = InternalServerError if status >= 500 else APIStatusError
        assert CLASSES.get(status, default) is type(caught.value)
        assert [method] * tries_of(status, method) == server.seen
        assert (caught.value.attempts, caught.value.request_id) == (len(server.seen), "r-1")
        assert f"Things_GetThing failed at 127.0.0.1: {status}, request id r-1" in str(caught.value)


@CONNECTED
@pytest.mark.parametrize("status", [300, 301, 302, 303, 304, 307, 308, 600, 799, 999])
def test_other_statuses_are_status_errors(caller: Caller, server: FaultServer, status: int) -> None:
    """Redirects are not followed, and unknown statuses are APIStatusErrors as well."""
    server.script = [response(status, b"", Location="/elsewhere")]
    with pytest.raises(APIStatusError) as caught:
        caller.call(caller.session(server.url), "POST")
    assert (APIStatusError, status, 1) == (
        type(caught.value), caught.value.status_code, len(server.seen),
    )  # fmt: skip
    check_clean(caught.value)


HUGE = b"<html>" + b"x" * 10_000_000
HALF_A_GZIP = gzip.compress(str([*range(5000)]).encode())[:5000]
BODIES: dict[str, tuple[bytes, dict[str, str]]] = {
    "list": (b"[1]", {}),
    "string": (f'"{TEXT}"'.encode(), {"X_Request_Id": PHONE, "Set_Cookie": "planted=1"}),
    "number": (b"1", {}),
    "null": (b"null", {}),
    "HTML": (f"<html>{PHONE} {TEXT}".encode(), {"Content_Type": "text/html"}),
    "empty": (b"", {}),
    "truncated": (b'{"error": {"message": "ha', {}),
    "10 MB": (HUGE, {}),
    "Latin-1": ('{"error": {"message": "é"}}'.encode("latin-1"), {}),
    "UTF-16": ('{"error": {}}'.encode("utf-16"), {"Content_Type": "text/json;charset=utf-8"}),
    "unknown charset": (b"\xff{}", {"Content_Type": "application/json; charset=nonsense"}),
    "binary": (bytes(range(256)), {}),
    "deep": (b"[" * 100_000, {}),
    "no gzip": (b"{}", {"Content_Encoding": "gzip"}),
    "half a gzip": (HALF_A_GZIP, {"Content_Encoding": "gzip"}),
}  # fmt: skip


@CONNECTED
@pytest.mark.parametrize("status", [400, 401, 429, 503, 520])
@pytest.mark.parametrize("name", BODIES)
def test_every_body_of_an_error_is_an_error(
    caller: Caller, server: FaultServer, name: str, status: int
) -> None:
    """The status alone decides class and repetition, whatever the body."""
    body, headers = BODIES[name]
    server.script = [response(status, body, **headers)]
    with pytest.raises(APIStatusError) as caught:
        caller.call(caller.session(server.url), "POST")
    assert CLASSES.get(status, InternalServerError) is type(caught.value)
    assert ["POST"] * tries_of(status, "POST") == server.seen
    check_clean(caught.value)


@CONNECTED
@pytest.mark.parametrize("name", BODIES)
def test_every_unreadable_success_is_reported(
    caller: Caller, server: FaultServer, name: str
) -> None:
    """A 200 means accepted: an unreadable one is reported, and never sent again."""
    body, headers = BODIES[name]
    wanted = {"app_id": "A", "message": {"text_message": {"text": TEXT}}}
    server.script = [response(200, body, **{"X_Request_Id": "r-2", **headers})]
    client = caller.client(server.url)
    with pytest.raises(
        APIResponseValidationError, match=r"accepted by 127\.0\.0\.1 \(200"
    ) as caught:
        caller.flavour.run(client.messages.send_message(body=wanted))
    assert server.seen == ["POST"]
    check_clean(caught.value)


@CONNECTED
def test_large_response_is_not_a_fault(caller: Caller, server: FaultServer) -> None:
    """A response of 10 MB of JSON is read."""
    server.script = [response(200, b'{"text": "' + b"x" * 10_000_000 + b'"}')]
    assert len(caller.call(caller.session(server.url)).parsed["text"]) == 10_000_000


TOKEN_FAULTS: dict[str, tuple[Fault, float, type[SinchError], int]] = {
    "drop": (DROP, 20.0, APIConnectionError, ATTEMPTS),
    "reset": (RESET, 20.0, APIConnectionError, ATTEMPTS),
    "half": (raw(HEAD + b"Content-Length: 99\r\n\r\n{"), 20.0, APIConnectionError, ATTEMPTS),
    "slow": (raw(HEAD, b"X: y", pause=5), SHORT, APITimeoutError, ATTEMPTS),
    "400": (response(400), 20.0, AuthenticationError, 1),
    "401": (response(401, HUGE), 20.0, AuthenticationError, 1),
    "403": (response(403), 20.0, AuthenticationError, 1),
    "404": (response(404), 20.0, NotFoundError, 1),
    "429": (response(429), 20.0, RateLimitError, ATTEMPTS),
    "500": (response(500), 20.0, InternalServerError, ATTEMPTS),
    "502": (response(502), 20.0, InternalServerError, ATTEMPTS),
    "302": (response(302), 20.0, APIStatusError, 1),
    **{
        f"200 {name}": (response(200, body, **headers), 20.0, AuthenticationError, 1)
        for name, (body, headers) in BODIES.items()
    },
    "200 no token": (response(200, b'{"expires_in": 5}'), 20.0, AuthenticationError, 1),
}


@CONNECTED
@pytest.mark.parametrize("name", TOKEN_FAULTS)
def test_fault_of_the_token_endpoint_sends_nothing(
    caller: Caller, server: FaultServer, name: str
) -> None:
    """After any fault of the token endpoint the call is a SinchError and is not sent."""
    fault, timeout, kind, tries = TOKEN_FAULTS[name]
    server.token_script = [fault]
    session = caller.session(server.url, timeout=timeout, token=True)
    with pytest.raises(SinchError, match=r"^token request") as caught:
        caller.call(session, "POST")
    assert (kind, tries, []) == (type(caught.value), server.tokens_seen, server.seen)
    if isinstance(caught.value, APIConnectionError):
        assert caught.value.outcome == "not_sent"
    check_clean(caught.value)


@CONNECTED
def test_refusing_token_endpoint_sends_nothing(caller: Caller) -> None:
    """A token endpoint that refuses connections means that the call is not sent."""
    with closed_port() as url, pytest.raises(APIConnectionError, match=r"^token request") as caught:
        caller.call(caller.session(url, token=True), "POST")
    assert caught.value.outcome == "not_sent"


@CONNECTED
def test_many_callers_share_a_token(caller: Caller, server: FaultServer) -> None:
    """Thirty first calls at once fetch one token, and each is sent once."""
    session = caller.session(server.url, token=True)
    found = caller.flavour.all([lambda: session.request(Operation(method="POST", json={}))] * 30)
    assert {200} == {each.status_code for each in found}
    assert (1, 30) == (server.tokens_seen, len(server.seen))


@CONNECTED
def test_refused_token_is_renewed_once(caller: Caller, server: FaultServer) -> None:
    """A 401 fetches another token and sends the request again; a second one is final."""
    session = caller.session(server.url, token=True)
    server.script = [response(401), response()]
    assert 200 == caller.call(session, "POST").status_code
    assert (2, 2) == (server.tokens_seen, len(server.seen))
    server.script = [response(401)]
    with pytest.raises(AuthenticationError):
        caller.call(session, "POST")
    assert (3, 4) == (server.tokens_seen, len(server.seen))


@CONNECTED
def test_path_arguments_are_refused_before_a_request(caller: Caller, server: FaultServer) -> None:
    """An empty id would address the collection, dots another operation; others are encoded."""
    client = caller.client(server.url)
    for bad in ("", ".", ".."):
        with pytest.raises(ValueError, match="app_id"):
            caller.flavour.run(client.app.get_app(bad))
    assert (server.seen, server.connections) == ([], 0)
    caller.flavour.run(client.app.get_app("../../apps/x?y=1#f"))
    assert server.seen == ["GET"]


@CONNECTED
@pytest.mark.parametrize(
    "fault",
    [
        response(503, b"busy"),
        raw(HEAD + b"Content-Length: 99\r\n\r\n{"),
        response(200, b"<"),
        RESET,
    ],
    ids=["503", "half", "unreadable", "reset"],
)
def test_no_fault_leaks_a_connection(caller: Caller, server: FaultServer, fault: Fault) -> None:
    """More failed calls than the pool has connections, then a good one that need not wait."""
    server.script = [fault]
    session = caller.session(server.url, timeout=5)
    for _ in range(40):
        with pytest.raises(SinchError):
            caller.call(session, load=dict)
    server.script = [response()]
    assert caller.call(session).status_code == 200


def test_no_cancelled_call_leaks_a_connection(server: FaultServer) -> None:
    """More calls cancelled in the middle than the pool has connections, then a good one."""
    server.script = [raw(HEAD, b"X: y", pause=30)]

    async def scenario() -> int:
        transport = AsyncRetryingTransport(async_pool(None)("", 32), RetryContext())
        client = AsyncHTTPClient(transport, BasicAuth(AccessKey("k", "s")))
        session = AsyncSession(client, server.url, timeout=10, retry=RetryPolicy())
        for _ in range(40):
            number = len(server.seen) + 1
            task = asyncio.create_task(session.request(Operation()))
            await asyncio.to_thread(server.wait_until_seen, number)
            task.cancel()
            with pytest.raises(asyncio.CancelledError):
                await task
        server.script = [response()]
        status = (await session.request(Operation())).status_code
        await client.aclose()
        return status

    assert asyncio.run(scenario()) == 200


@CONNECTED
def test_faults_of_many_callers_stay_apart(caller: Caller, server: FaultServer) -> None:
    """Of fifty concurrent calls, a server that drops every second one fails exactly those."""
    server.script = [*[DROP, response()] * 25, response()]
    session = caller.session(server.url, attempts=1)
    operation = Operation(method="POST", json={"a": 1})
    results = caller.flavour.all([lambda: session.request(operation)] * 50)
    failed = [result for result in results if isinstance(result, APIConnectionError)]
    assert (25, 50) == (len(failed), len(server.seen))
    assert {200} == {result.status_code for result in results if result not in failed}


@pytest.mark.skipif("SINCH_WRAPPER_FAULTS" in os.environ, reason="this is the other run")
@pytest.mark.timeout(300)
@pytest.mark.slow
def test_table_holds_with_the_other_http_library() -> None:
    """The whole file once more with httpx instead of httpx2 or the other way round."""
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", __file__]
    library = "httpx" if httpx.__name__ == "httpx2" else "httpx2"
    environment = {**os.environ, HTTP_VARIABLE: library, "SINCH_WRAPPER_FAULTS": "other"}
    run = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    assert run.returncode == 0, run.stdout[-4000:]
