"""The bare HTTP library that the wrapper uses in this environment, with a token from nowhere."""

from typing import Final

from benchmarks.peers.sample import PATH, body
from sinch_wrapper._http import httpx

__all__ = ["AsyncBare", "Bare", "UntunedBare"]

_HEADERS: Final = {"Authorization": "Bearer token"}
# As many kept alive as open, like the wrapper: else most calls connect anew.
_LIMITS: Final = httpx.Limits(max_connections=32, max_keepalive_connections=32)
_TIMEOUT: Final = 10.0


def _is_sent(response: httpx.Response) -> bool:
    return response.is_success and bool(response.json()["message_id"])


class Bare:
    """Sends in threads."""

    def __init__(self, url: str) -> None:
        self._url = f"{url}{PATH}"
        self._client = httpx.Client(headers=_HEADERS, timeout=_TIMEOUT, limits=_LIMITS)

    def send(self) -> bool:
        """Send a message; returns whether it was accepted."""
        return _is_sent(self._client.post(self._url, json=body()))


class UntunedBare(Bare):
    """Sends in threads, with the connection limits that the library has by default."""

    def __init__(self, url: str) -> None:
        super().__init__(url)
        self._client = httpx.Client(headers=_HEADERS, timeout=_TIMEOUT)


class AsyncBare:
    """Sends in tasks."""

    def __init__(self, url: str) -> None:
        self._url = f"{url}{PATH}"
        self._client = httpx.AsyncClient(headers=_HEADERS, timeout=_TIMEOUT, limits=_LIMITS)

    async def send(self) -> bool:
        """Send a message; returns whether it was accepted."""
        return _is_sent(await self._client.post(self._url, json=body()))
