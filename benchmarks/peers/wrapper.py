"""The wrapper: free, with limits that never hold it up but are booked, or paced as by default."""

from typing import Final

from benchmarks.peers.sample import APP_ID, KEY_ID, KEY_SECRET, NUMBER, PROJECT_ID, TEXT
from sinch_wrapper import AsyncSinch, Endpoints, RateLimits, Recipient, Sinch, text

__all__ = ["AsyncPaced", "AsyncWrapper", "Paced", "Wrapper"]

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


def _async_client(url: str, limits: RateLimits) -> AsyncSinch:
    return AsyncSinch(
        project_id=PROJECT_ID,
        key_id=KEY_ID,
        key_secret=KEY_SECRET,
        endpoints=Endpoints.sandbox(url),
        limits=limits,
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
