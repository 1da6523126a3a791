"""tls=: certificates of an authority of one's own, and of the client."""

import ssl
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest
import trustme

from sinch_wrapper import AsyncSinch, ConfigurationError, Endpoints, RetryPolicy, Sinch, SinchError
from tests.helpers.core import CONNECTED, Flavour, Server

COMPLETE = {"project_id": "p", "key_id": "k", "key_secret": "s", "region": "eu"}


class Responder(BaseHTTPRequestHandler):
    """Responds to everything with a token that is also an empty list of apps."""

    def do_GET(self) -> None:
        """Respond."""
        self.rfile.read(int(self.headers.get("Content-Length", 0)))
        body = b'{"access_token": "t", "apps": []}'
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    do_POST = do_GET  # noqa: N815 (the name that the server calls)

    def log_message(self, *_: object) -> None:
        """Write no log."""


class QuietServer(ThreadingHTTPServer):
    """Reports no failed handshake."""

    daemon_threads = True

    def handle_error(self, *_: object) -> None:
        """Write nothing."""


@pytest.fixture(scope="module")
def authority() -> trustme.CA:
    """An authority that nobody else trusts."""
    return trustme.CA()


@pytest.fixture
def url(authority: trustme.CA) -> Iterator[str]:
    """A server that wants a certificate of the client, of the same authority."""
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    authority.issue_cert("localhost").configure_cert(context)
    authority.configure_trust(context)
    context.verify_mode = ssl.CERT_REQUIRED
    with QuietServer(("127.0.0.1", 0), Responder) as server:
        server.socket = context.wrap_socket(
            server.socket, server_side=True, do_handshake_on_connect=False
        )
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        yield f"https://localhost:{server.server_port}"
        server.shutdown()
        thread.join()


def apps(flavour: Flavour, url: str, tls: ssl.SSLContext | None) -> Any:
    """Make one call to the server at *url*."""
    client = flavour.client(
        Server(), endpoints=Endpoints.sandbox(url), transport=None, proxy="", tls=tls,
        retry=RetryPolicy(attempts=1),
    )  # fmt: skip
    try:
        return flavour.run(client.conversation.app.list_apps()).apps
    finally:
        flavour.close(client)


@CONNECTED
def test_own_authority_and_client_certificate_are_used(
    flavour: Flavour, authority: trustme.CA, url: str
) -> None:
    """The server is trusted, and sees who the client is."""
    context = ssl.create_default_context()
    authority.configure_trust(context)
    authority.issue_cert("client@example.org").configure_cert(context)
    assert [] == apps(flavour, url, context)


@CONNECTED
def test_without_certificate_nobody_is_served(
    flavour: Flavour, authority: trustme.CA, url: str
) -> None:
    """The same authority without a certificate of the client, and the usual ones, are refused."""
    context = ssl.create_default_context()
    authority.configure_trust(context)
    for tls in (context, None):
        with pytest.raises(SinchError):
            apps(flavour, url, tls)


@CONNECTED
def test_host_names_are_checked(flavour: Flavour, authority: trustme.CA, url: str) -> None:
    """A certificate of the right authority for another name is not trusted."""
    context = ssl.create_default_context()
    authority.configure_trust(context)
    authority.issue_cert("client@example.org").configure_cert(context)
    with pytest.raises(SinchError, match="certificate is not trusted"):
        apps(flavour, url.replace("localhost", "127.0.0.1"), context)


def unchecked() -> list[ssl.SSLContext]:
    """Contexts that trust everybody, or every name."""
    nobody, names = ssl.create_default_context(), ssl.create_default_context()
    nobody.check_hostname = names.check_hostname = False
    nobody.verify_mode = ssl.CERT_NONE
    return [nobody, names, ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)]


@pytest.mark.parametrize("kind", [Sinch, AsyncSinch])
def test_context_that_checks_nothing_is_refused(kind: Any) -> None:
    """Nothing that a client takes switches the check of certificates off."""
    for context in unchecked():
        with pytest.raises(ConfigurationError, match=r"tls= must check certificates and host"):
            kind(**COMPLETE, tls=context)


def test_transport_brings_its_own_tls(flavour: Flavour) -> None:
    """A context beside a transport would not be used, so it is refused."""
    with pytest.raises(ConfigurationError, match="tls= and transport= contradict each other"):
        flavour.client(Server(), tls=ssl.create_default_context())


def test_no_option_switches_verification_off() -> None:
    """The names that other libraries have for it are unknown."""
    for name in ("verify", "ssl", "insecure", "cert"):
        with pytest.raises(TypeError, match=name):
            Sinch(**COMPLETE, **{name: False})  # type: ignore[arg-type]
