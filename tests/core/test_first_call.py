"""The first call: what it loads does not hold up the event loop, and warm_up() does it before."""

import asyncio
import subprocess
import sys
import threading
from collections.abc import Iterator
from typing import Any

import pytest

from sinch_wrapper import AsyncSinch, AuthenticationError, Endpoints, Recipient, Sinch, text
from sinch_wrapper._http import httpx
from sinch_wrapper._transport.aiohttp_transport import AiohttpTransport
from sinch_wrapper._transport.pool import AsyncPooledTransport
from tests.helpers.core import CONNECTED, KEY_ID, KEY_SECRET, PROJECT, Flavour
from tests.helpers.fault_server import FaultServer, response, serving

KEY: dict[str, Any] = {"project_id": PROJECT, "key_id": KEY_ID, "key_secret": KEY_SECRET}
SENT = response(body=b'{"message_id": "M"}')
# The arguments are the URL and whether to warm up.
FIRST = """
import asyncio, sys, threading
from sinch_wrapper import AsyncSinch, Endpoints, Recipient, text

def note(event, arguments):
    if event in {"open", "import", "os.listdir"} and threading.get_ident() == loop_thread:
        found.append(f"{event} {arguments[0]}")

async def main():
    options = {"project_id": "p", "key_id": "k", "key_secret": "s"}
    async with AsyncSinch(**options, endpoints=Endpoints.sandbox(sys.argv[1]), proxy="") as sinch:
        if sys.argv[2] == "warm":
            await sinch.warm_up()
            found.clear()
        await sinch.send(app_id="a", to=Recipient.sms("+46700000001"), message=text("Hi"))
        # Modules of Python itself, of which asyncio loads some when it first needs them.
        ours = [each for each in found if "site-packages" in each or "sinch" in each]
        assert not ours, ours

found, loop_thread = [], threading.get_ident()
sys.addaudithook(note)
asyncio.run(main())
"""


@pytest.fixture
def server() -> Iterator[FaultServer]:
    """A server that accepts messages."""
    with serving(SENT) as running:
        yield running


@pytest.mark.parametrize("library", ["httpx", "httpx2", "aiohttp"])
@pytest.mark.parametrize("start", ["cold", "warm"])
def test_first_message_reads_no_file_in_the_event_loop(
    server: FaultServer, start: str, library: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Imports, metadata and certificates are read in a thread, with and without warm_up()."""
    pytest.importorskip(library)
    monkeypatch.setenv("SINCH_WRAPPER_HTTP", library)
    command = [sys.executable, "-c", FIRST, server.url, start]
    run = subprocess.run(command, capture_output=True, text=True, check=False)

    assert (0, "") == (run.returncode, run.stderr)
    assert ["POST"] == server.seen


@pytest.mark.parametrize("kind", [AsyncPooledTransport, AiohttpTransport])
def test_pool_is_opened_in_a_thread(kind: Any) -> None:
    """Opening reads the certificates; it is done once for all requests to a host."""
    threads = []

    class Watched(kind):  # type: ignore[misc]  # one of two
        def _open(self, scheme: str, proxy: str | None) -> Any:
            threads.append(threading.get_ident())
            return super()._open(scheme, proxy)

    async def scenario() -> None:
        transport = Watched("", 1)
        url = httpx.URL("https://api.example/v1")
        await asyncio.gather(*(transport.prepare(url) for _ in range(5)))
        await transport.aclose()

    asyncio.run(scenario())
    assert 1 == len(threads)
    assert threading.get_ident() not in threads


def client(flavour: Flavour, url: str, **options: Any) -> Any:
    """A client for the server at *url*."""
    kind: Any = Sinch if flavour.name == "sync" else AsyncSinch
    given = {"endpoints": Endpoints.sandbox(url), "proxy": "", "http": flavour.http}
    return kind(**KEY, **given, **options)


@CONNECTED
def test_warm_up_fetches_the_token_and_sends_nothing(flavour: Flavour, server: FaultServer) -> None:
    """The first message after it needs no other request, and the same connection carries it."""
    sinch = client(flavour, server.url)
    flavour.run(sinch.warm_up())
    assert (1, []) == (server.tokens_seen, server.seen)

    to, message = Recipient.sms("+46700000001"), text("Hi")
    flavour.run(sinch.send(app_id="A", to=to, message=message))
    flavour.run(sinch.warm_up())
    flavour.close(sinch)
    assert (1, ["POST"], 1) == (server.tokens_seen, server.seen, server.connections)


@CONNECTED
def test_warm_up_fails_as_the_token_does(flavour: Flavour, server: FaultServer) -> None:
    """A key that is refused is found when the program starts."""
    server.token_script = [response(401, b"{}")]
    sinch = client(flavour, server.url)
    with pytest.raises(AuthenticationError):
        flavour.run(sinch.warm_up())
    flavour.close(sinch)


@CONNECTED
def test_warm_up_without_tokens_makes_no_request(flavour: Flavour, server: FaultServer) -> None:
    """With Basic authentication there is none to fetch."""
    sinch = client(flavour, server.url, auth="basic")
    flavour.run(sinch.warm_up())
    flavour.close(sinch)

    assert 0 == server.connections
