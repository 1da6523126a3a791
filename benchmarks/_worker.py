"""The measured process: one peer that sends on command and says what it cost.

A command is a line `CALLS WAYS` on standard input; the answer is a line of JSON with the calls
made and accepted, the CPU time of this process and the time passed, both in seconds.
"""

import asyncio
import importlib
import json
import sys
import time
from collections.abc import Awaitable, Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Final, Protocol, TypeAlias

_PEERS: Final = {
    "bare": "bare:Bare",
    "bare-untuned": "bare:UntunedBare",
    "bare-async": "bare:AsyncBare",
    "bare-aiohttp-async": "others:AiohttpAsync",
    "official": "official:Official",
    "openai": "others:Openai",
    "twilio": "others:Twilio",
    "wrapper": "wrapper:Wrapper",
    "double-async": "wrapper:Double",
    "wrapper-async": "wrapper:AsyncWrapper",
    "wrapper-doubled-async": "wrapper:AsyncDoubled",
    "wrapper-paced": "wrapper:Paced",
    "wrapper-paced-async": "wrapper:AsyncPaced",
}


class _Peer(Protocol):
    send: Callable[[], bool]


class _AsyncPeer(Protocol):
    send: Callable[[], Awaitable[bool]]


# Makes that many calls, that many at once; returns how many were accepted.
_Run: TypeAlias = Callable[[int, int], int]


def _in_threads(peer: _Peer) -> _Run:
    def some(calls: int) -> int:
        return sum(peer.send() for _ in range(calls))

    def run(calls: int, ways: int) -> int:
        if ways == 1:
            return some(calls)
        with ThreadPoolExecutor(ways) as threads:
            return sum(threads.map(some, [calls // ways] * ways))

    return run


def _in_tasks(peer: _AsyncPeer, runner: asyncio.Runner) -> _Run:
    async def some(calls: int) -> int:
        return sum([await peer.send() for _ in range(calls)])

    async def all_ways(calls: int, ways: int) -> int:
        return sum(await asyncio.gather(*(some(calls // ways) for _ in range(ways))))

    return lambda calls, ways: runner.run(all_ways(calls, ways))


def _obey(run: _Run) -> None:
    for line in sys.stdin:
        calls, ways = map(int, line.split())
        passed, cpu = time.perf_counter(), time.process_time()
        accepted = run(calls, ways)
        cpu, passed = time.process_time() - cpu, time.perf_counter() - passed
        made = calls // ways * ways
        answer = {"calls": made, "accepted": accepted, "cpu": cpu, "passed": passed}
        print(json.dumps(answer), flush=True)


def main(name: str, url: str) -> None:
    """Be the peer *name* until standard input ends."""
    module, _, kind = _PEERS[name].partition(":")
    peer = getattr(importlib.import_module(f"benchmarks.peers.{module}"), kind)(url)
    if name.endswith("-async"):
        # One loop for all rounds, because its connections belong to it.
        with asyncio.Runner() as runner:
            _obey(_in_tasks(peer, runner))
            if hasattr(peer, "aclose"):
                runner.run(peer.aclose())
    else:
        _obey(_in_threads(peer))


if __name__ == "__main__":
    main(*sys.argv[1:])
