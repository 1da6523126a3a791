"""The processes that `cluster` measures: `_cluster_work.py MODE DATABASE SERVER [RATE]`.

`work` is one worker, until its standard input ends; it prints how many requests it sent. `alone`
sends the same job from a file of SQLite, and prints seconds by the clock. Both print seconds of
processor time as well.
"""

import re
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

from sinch_wrapper import Endpoints, RateLimits, Sinch, cluster
from sinch_wrapper.bulk import MessageLimits
from sinch_wrapper.messages import text

__all__ = ["CONCURRENCY", "client", "job", "people"]

CONCURRENCY: Final = 8
_SENT: Final = re.compile(r"stopped; (\d+) request")
_UNLIMITED: Final = 10**9


def client(server: str) -> Sinch:
    """A client of the server that costs nothing."""
    return Sinch(
        project_id="P", auth=lambda: "token", endpoints=Endpoints.sandbox(server), proxy="",
        limits=None,
    )  # fmt: skip


def people(count: int) -> Iterator[dict[str, str]]:
    """That many recipients."""
    return ({"key": f"k{n}", "phone": f"+4670{n:07d}"} for n in range(count))


def job(requests: int, size: int) -> dict[str, Any]:
    """A job of *requests* requests to *size* recipients each."""
    return {
        "app_id": "A",
        "message": text("Hi"),
        "recipients": people(requests * size),
        "chunk_size": size,
        "limits": MessageLimits(_UNLIMITED, _UNLIMITED),
    }


def _work(database: str, server: str, rate: str) -> None:
    stop, lines = threading.Event(), list[str]()

    def wait() -> None:
        sys.stdin.read()
        stop.set()

    threading.Thread(target=wait, daemon=True).start()
    began = time.process_time()
    with client(server) as sinch:
        cluster.work(
            sinch, database, concurrency=CONCURRENCY, limits=RateLimits(float(rate)), stop=stop,
            say=lines.append,
        )  # fmt: skip
    sent = next(found[1] for line in reversed(lines) if (found := _SENT.search(line)))
    print(sent, time.process_time() - began)


def _alone(server: str, requests: str, size: str) -> None:
    with tempfile.TemporaryDirectory() as folder, client(server) as sinch:
        began, cpu = time.monotonic(), time.process_time()
        path = Path(folder, "job.db")
        report = sinch.bulk.send(**job(int(requests), int(size)), job=path, concurrency=CONCURRENCY)
        assert report.complete  # noqa: S101 (else the figures say nothing)
        print(time.monotonic() - began, time.process_time() - cpu)


if __name__ == "__main__":
    {"work": _work, "alone": _alone}[sys.argv[1]](*sys.argv[2:])
