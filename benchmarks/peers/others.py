"""Clients of other APIs, pointed at the server: what their users pay for a call like ours."""

import importlib
from typing import Any

from benchmarks.peers.sample import KEY_ID, KEY_SECRET, NUMBER, PATH, TEXT, body

__all__ = ["AiohttpAsync", "Openai", "Twilio"]

# By name, because they are not in the environment in which types are checked.


class Twilio:
    """Sends in threads, by the SDK of Twilio."""

    def __init__(self, url: str) -> None:
        rest = importlib.import_module("twilio.rest")
        client = rest.Client(KEY_ID, KEY_SECRET)
        client.api.base_url = url
        self._messages = client.messages

    def send(self) -> bool:
        """Send a message; returns True; anything else is an exception."""
        self._messages.create(to=NUMBER, from_=NUMBER, body=TEXT)
        return True


class Openai:
    """Sends in threads, by the SDK of OpenAI, over httpx2: a post of our body, read as JSON."""

    def __init__(self, url: str) -> None:
        openai = importlib.import_module("openai")
        self._client = openai.OpenAI(api_key=KEY_SECRET, base_url=url, timeout=10.0)

    def send(self) -> bool:
        """Send a message; returns whether it was accepted."""
        sent = self._client.post(PATH, body=body(), cast_to=object)
        return bool(sent["message_id"])


class AiohttpAsync:
    """Sends in tasks, by aiohttp alone."""

    def __init__(self, url: str) -> None:
        self._aiohttp = importlib.import_module("aiohttp")
        self._url = url + PATH
        self._session: Any = None

    async def send(self) -> bool:
        """Send a message; returns whether it was accepted."""
        if self._session is None:
            connector = self._aiohttp.TCPConnector(limit=32)
            self._session = self._aiohttp.ClientSession(
                connector=connector, headers={"Authorization": "Bearer token"}
            )
        async with self._session.post(self._url, json=body()) as response:
            return bool(response.ok and (await response.json())["message_id"])

    async def aclose(self) -> None:
        """Close the connections, which aiohttp insists on."""
        if self._session is not None:
            await self._session.close()
