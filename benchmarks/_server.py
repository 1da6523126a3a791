"""A server that costs next to nothing: fixed responses for tokens, messages:send, and batches.

It runs in a process of its own, prints its port, and ends when its standard input does.
"""

import argparse
import asyncio
import json
import re
import sys
import time
from collections import deque
from typing import Final

_LENGTH: Final = re.compile(rb"\r\ncontent-length: *(\d+)", re.IGNORECASE)
_END: Final = b"\r\n\r\n"
_WINDOW: Final = 1.0


def _answer(status: str, body: object) -> bytes:
    content = json.dumps(body).encode()
    head = (
        f"HTTP/1.1 {status}\r\n"
        "content-type: application/json\r\n"
        "date: Sat, 21 Nov 2026 12:00:00 GMT\r\n"
        "x-request-id: 0a1b2c3d-4e5f-6071-8293-a4b5c6d7e8f9\r\n"
        f"content-length: {len(content)}\r\n"
        "\r\n"
    )
    return head.encode() + content


_SENT: Final = _answer(
    "200 OK",
    {"message_id": "01HZX8Q4T6W2N9V7B5K3M1R0PD", "accepted_time": "2026-11-21T12:00:00.123456Z"},
)
_TOKEN: Final = _answer(
    "200 OK",
    {"access_token": "token", "expires_in": 3600, "token_type": "bearer", "scope": ""},
)
_LIMITED: Final = _answer(
    "429 Too Many Requests",
    {"error": {"code": 429, "status": "RESOURCE_EXHAUSTED", "message": "quota exceeded"}},
)


class _Desk:
    """What all connections share: the settings and the counts."""

    def __init__(self, delay: float, limit: int | None) -> None:
        self.delay = delay
        self._limit = limit
        self._accepted: deque[float] = deque()
        self.counts = {"connections": 0, "sent": 0, "limited": 0, "busiest": 0}

    def answer(self, path: bytes) -> bytes:
        """The answer to a request for *path*."""
        if path.endswith(b"/token"):
            return _TOKEN
        if path == b"/counts":
            return _answer("200 OK", self.counts)
        if self._is_full():
            self.counts["limited"] += 1
            return _LIMITED
        self.counts["sent"] += 1
        if path.startswith(b"/batch/"):
            return _answer("200 OK", {"batch_id": f"B{self.counts['sent']}"})
        return _SENT

    def _is_full(self) -> bool:
        """Whether the last second already holds as many requests as the limit allows."""
        now, accepted = time.monotonic(), self._accepted
        while accepted and accepted[0] <= now - _WINDOW:
            accepted.popleft()
        if self._limit is not None and len(accepted) >= self._limit:
            return True
        accepted.append(now)
        self.counts["busiest"] = max(self.counts["busiest"], len(accepted))
        return False


class _Connection(asyncio.Protocol):
    def __init__(self, desk: _Desk) -> None:
        self._runner = desk
        self._pending = b""
        self._has_sent = False

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)  # noqa: S101 (narrows the type)
        self._transport = transport

    def data_received(self, data: bytes) -> None:
        self._pending += data
        while (end := self._pending.find(_END)) >= 0:
            head = self._pending[:end]
            length = _LENGTH.search(head)
            after = end + len(_END) + (int(length[1]) if length else 0)
            if len(self._pending) < after:
                return
            self._pending = self._pending[after:]
            self._reply(head.split(b" ", 2)[1])

    def _reply(self, path: bytes) -> None:
        if not self._has_sent and path.endswith(b":send"):
            self._has_sent = True
            self._runner.counts["connections"] += 1
        answer = self._runner.answer(path)
        if self._runner.delay:
            asyncio.get_running_loop().call_later(self._runner.delay, self._transport.write, answer)
        else:
            self._transport.write(answer)


async def _serve(desk: _Desk) -> None:
    loop = asyncio.get_running_loop()
    server = await loop.create_server(lambda: _Connection(desk), "127.0.0.1", 0, backlog=512)
    print(server.sockets[0].getsockname()[1], flush=True)
    async with server:
        await loop.run_in_executor(None, sys.stdin.read)


def main() -> None:
    """Serve until standard input ends."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--delay", type=float, default=0.0, help="seconds before each answer")
    parser.add_argument("--limit", type=int, help="messages in any second; the rest gets 429")
    chosen = parser.parse_args()
    asyncio.run(_serve(_Desk(chosen.delay, chosen.limit)))


if __name__ == "__main__":
    main()
