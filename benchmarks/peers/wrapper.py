"""The wrapper: free, with limits that never hold it up but are booked, or paced as by default."""

from typing import Final

from benchmarks.peers.sample import APP_ID, KEY_ID, KEY_SECRET, NUMBER, PROJECT_ID, TEXT
from sinch_wrapper import AsyncSinch, Endpoints, RateLimits, Recipient, Sinch, text
from sinch_wrapper._http import httpx

__all__ = ["AsyncDoubled", "AsyncPaced", "AsyncWrapper", "Double", "Paced", "Wrapper"]

_FREE: Final = RateLimits(requests_per_second=1_000_000, burst=1_000)
_MESSAGE: Final = text(TEXT)


def _client(url: str, limits: RateLimits) -> Sinch:
    return Sinch(
        project_id=PROJECT_ID,
        key_id=KEY_ID,
        key_secret=KEY_SECRET,
        endpoints=Endpoints.sandbox(url),
        limits=limits,
    )


def _async_client(
    url: str, limits: RateLimits, transport: httpx.AsyncBaseTransport | None = None
) -> AsyncSinch:
    return AsyncSinch(
        project_id=PROJECT_ID,
        key_id=KEY_ID,
        key_secret=KEY_SECRET,
        endpoints=Endpoints.sandbox(url),
        limits=limits,
        transport=transport,
    )


class Wrapper:
    """Sends in threads, as fast as it can."""

    limits = _FREE

    def __init__(self, url: str) -> None:
        self._client = _client(url, self.limits)

    def send(self) -> bool:
        """Send a message; returns True; anything else is an exception."""
        sent = self._client.send(app_id=APP_ID, to=Recipient.sms(NUMBER), message=_MESSAGE)
        return bool(sent.message_id)


class Paced(Wrapper):
    """Sends in threads, within the default limits."""

    limits = RateLimits()


class AsyncWrapper:
    """Sends in tasks, as fast as it can."""

    limits = _FREE

    def __init__(self, url: str) -> None:
        self._client = _async_client(url, self.limits)

    async def send(self) -> bool:
        """Send a message; returns True; anything else is an exception."""
        sent = await self._client.send(app_id=APP_ID, to=Recipient.sms(NUMBER), message=_MESSAGE)
        return bool(sent.message_id)


class AsyncPaced(AsyncWrapper):
    """Sends in tasks, within the default limits."""

    limits = RateLimits()


_HEADERS: Final = httpx.Headers({"content-type": "application/json"})
_TOKEN: Final = b'{"access_token":"t","expires_in":3600}'
_SENT: Final = b'{"message_id":"01HZX8Q4T6W2N9V7B5K3M1R0PD","accepted_time":"2026-01-02T03:04:05Z"}'


class _Ready(httpx.AsyncBaseTransport):
    """In place of the HTTP library and a server: it responds at once."""

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        content = _TOKEN if b"/oauth2/" in request.url.raw_path else _SENT
        return httpx.Response(200, headers=_HEADERS, stream=httpx.ByteStream(content))


class AsyncDoubled(AsyncWrapper):
    """Sends in tasks, to a double: what it costs is the share of the wrapper, and the double."""

    def __init__(self, url: str) -> None:
        self._client = _async_client(url, self.limits, _Ready())


class Double:
    """The double alone, with a request that is ready, in tasks."""

    def __init__(self, url: str) -> None:
        self._transport = _Ready()
        self._request = httpx.Request("POST", url, json={})

    async def send(self) -> bool:
        """Hand it the request, and read the response; returns True."""
        response = await self._transport.handle_async_request(self._request)
        return bool(await response.aread())
