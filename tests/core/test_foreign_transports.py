"""Transports of others: what they say of a failure is no proof that nothing was sent."""

from collections.abc import Callable, Iterator
from typing import Any

import pytest

from sinch_wrapper import APIConnectionError, Endpoints, Recipient, RetryPolicy, text
from sinch_wrapper._http import httpx
from sinch_wrapper._transport.foreign import tells_what_was_sent
from sinch_wrapper._transport.pool import AsyncPooledTransport, PooledTransport
from tests.helpers.core import Flavour
from tests.helpers.fault_server import (
    DROP,
    RESET,
    Fault,
    FaultServer,
    closed_port,
    raw,
    response,
    serving,
)
from tests.helpers.planted import PHONE, TEXT

HALF = raw(b"HTTP/1.1 200 OK\r\nContent-Length: 99\r\n\r\n{")
SLOW = raw(b"HTTP/1.1 200 OK\r\n", b"X: y\r\n", pause=2)


class Mapping(httpx.BaseTransport, httpx.AsyncBaseTransport):
    """Reports whatever goes wrong as a failure to connect, as two public transports do."""

    said: Callable[..., Exception] = httpx.ConnectError

    def __init__(self) -> None:
        self.inner = httpx.HTTPTransport(trust_env=False)
        self.async_inner = httpx.AsyncHTTPTransport(trust_env=False)

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        """Send it, read the response, and report a failure in other words."""
        try:
            found = self.inner.handle_request(request)
            found.read()
        except httpx.TransportError as error:
            raise self.said("cannot connect") from error
        return found

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """Send it, read the response, and report a failure in other words."""
        try:
            found = await self.async_inner.handle_async_request(request)
            await found.aread()
        except httpx.TransportError as error:
            raise self.said("cannot connect") from error
        return found

    def close(self) -> None:
        """Close the connections."""
        self.inner.close()

    async def aclose(self) -> None:
        """Close the connections."""
        await self.async_inner.aclose()


class TimingOut(Mapping):
    """Reports a lost connection as a timeout while connecting."""

    said = httpx.ConnectTimeout


class Full(Mapping):
    """Reports whatever goes wrong as a pool without a free connection."""

    said = httpx.PoolTimeout


class ByProxy(Mapping):
    """Reports whatever goes wrong as a failure of the proxy."""

    said = httpx.ProxyError


class Unsendable(Mapping):
    """Reports whatever goes wrong as a request that cannot be sent at all."""

    said = httpx.LocalProtocolError


class Sub(httpx.HTTPTransport):
    """A subclass of the HTTP library's transport, which may do anything."""

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        """Report every failure as one to connect."""
        try:
            return super().handle_request(request)
        except httpx.TransportError as error:
            raise httpx.ConnectError("cannot connect") from error


class AsyncSub(httpx.AsyncHTTPTransport):
    """Sub for tasks."""

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """Report every failure as one to connect."""
        try:
            return await super().handle_async_request(request)
        except httpx.TransportError as error:
            raise httpx.ConnectError("cannot connect") from error


def altered(flavour: Flavour) -> Any:
    """The HTTP library's own transport, with a method of somebody else in the object."""
    mine, own = Mapping(), library_transport(flavour)
    own.handle_request = mine.handle_request
    own.handle_async_request = mine.handle_async_request
    return own


def with_another_pool(flavour: Flavour) -> Any:
    """The HTTP library's own transport over somebody else's connections."""
    own = library_transport(flavour)
    kind: Any = type(own._pool)  # noqa: SLF001 (what somebody else would do)

    class Pool(kind):  # type: ignore[misc]
        def handle_request(self, request: Any) -> Any:
            try:
                return super().handle_request(request)
            except Exception as error:
                raise httpx.ConnectError("cannot connect") from error

        async def handle_async_request(self, request: Any) -> Any:
            try:
                return await super().handle_async_request(request)
            except Exception as error:
                raise httpx.ConnectError("cannot connect") from error

    own._pool = Pool()  # noqa: SLF001 (as above)
    return own


FOREIGN: dict[str, Callable[[Flavour], Any]] = {
    "connect error": lambda _: Mapping(),
    "connect timeout": lambda _: TimingOut(),
    "pool timeout": lambda _: Full(),
    "proxy error": lambda _: ByProxy(),
    "local protocol error": lambda _: Unsendable(),
    "subclass": lambda flavour: Sub() if flavour.name == "sync" else AsyncSub(),
    "altered": altered,
    "another pool": with_another_pool,
}
LOST: dict[str, Fault] = {"drop": DROP, "reset": RESET, "slow": SLOW}


@pytest.fixture
def server() -> Iterator[FaultServer]:
    """A server whose faults the test scripts."""
    with serving() as running:
        yield running


def client_of(flavour: Flavour, url: str, transport: Any) -> Any:
    """A client with a transport of its own and a token, which repeats at once."""
    return flavour.client(
        None,  # type: ignore[arg-type]  # there is no handler: the transport is given
        endpoints=Endpoints.sandbox(url),
        transport=transport,
        timeout=0.5,
        auth=lambda: "token",
        key_id=None,
        key_secret=None,
        retry=RetryPolicy(attempts=2),
    )


def library_transport(flavour: Flavour) -> Any:
    """The HTTP library's own transport."""
    if flavour.name == "sync":
        return httpx.HTTPTransport(trust_env=False)
    return httpx.AsyncHTTPTransport(trust_env=False)


def send(flavour: Flavour, client: Any) -> Any:
    """Send one message."""
    return flavour.run(client.send(app_id="A", to=Recipient.sms(PHONE), message=text(TEXT)))


@pytest.mark.parametrize("fault", LOST)
@pytest.mark.parametrize("name", FOREIGN)
def test_lost_response_is_unknown_whatever_a_transport_says(
    flavour: Flavour, server: FaultServer, name: str, fault: str
) -> None:
    """One send is one POST, and nobody is told that it was not sent."""
    server.script = [LOST[fault], response(200, b'{"message_id": "second"}')]
    client = client_of(flavour, server.url, FOREIGN[name](flavour))
    with pytest.raises(APIConnectionError) as caught:
        send(flavour, client)
    server.wait_until_seen(1)
    assert ("unknown", 1, ["POST"]) == (caught.value.outcome, caught.value.attempts, server.seen)
    flavour.close(client)


def test_reads_are_repeated_with_any_transport(flavour: Flavour, server: FaultServer) -> None:
    """What does no harm is repeated as ever."""
    server.script = [DROP, response()]
    client = client_of(flavour, server.url, Mapping())
    flavour.run(client.conversation.app.list_apps())
    assert ["GET", "GET"] == server.seen
    flavour.close(client)


def test_transports_of_the_http_library_are_believed(flavour: Flavour) -> None:
    """A refused connection is repeated, and nothing was sent."""
    with closed_port() as url:
        client = client_of(flavour, url, library_transport(flavour))
        with pytest.raises(APIConnectionError) as caught:
            send(flavour, client)
    assert ("not_sent", 2) == (caught.value.outcome, caught.value.attempts)
    flavour.close(client)


def test_lost_response_is_unknown_with_the_library_itself(
    flavour: Flavour, server: FaultServer
) -> None:
    """Half a response leaves doubt with the HTTP library's own transport."""
    server.script = [HALF]
    client = client_of(flavour, server.url, library_transport(flavour))
    with pytest.raises(APIConnectionError) as caught:
        send(flavour, client)
    assert ("unknown", ["POST"]) == (caught.value.outcome, server.seen)
    flavour.close(client)


def test_only_exact_classes_are_believed() -> None:
    """Our pools and three classes of the HTTP library; an application is somebody's code."""
    believed: list[Any] = [
        PooledTransport("", 1), AsyncPooledTransport("", 1), httpx.HTTPTransport(),
        httpx.AsyncHTTPTransport(), httpx.HTTPTransport(proxy="http://127.0.0.1:1"),
        httpx.MockTransport(lambda _: httpx.Response(200)),
    ]  # fmt: skip
    doubted: list[Any] = [
        Mapping(), Sub(), AsyncSub(), httpx.WSGITransport(lambda *_: []),
        httpx.ASGITransport(lambda *_: None),  # type: ignore[arg-type]
        type("Mock", (httpx.MockTransport,), {})(lambda _: httpx.Response(200)),
    ]  # fmt: skip
    assert [True] * 6 == [tells_what_was_sent(each) for each in believed]
    assert [False] * 6 == [tells_what_was_sent(each) for each in doubted]
