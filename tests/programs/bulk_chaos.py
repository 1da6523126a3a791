"""The programs of the chaos tests, each a process of its own: a sandbox, senders, a reader.

`bulk_chaos serve [FAULT ...]` prints its URL and serves until stdin is closed; its ledger says
what was accepted, whatever the client knows. `bulk_chaos send URL CSV JOURNAL CHUNK` sends
until done, or until it is killed, and prints a line per step; it opens the journal a second time
while it sends; `send_in_tasks` does the same over aiohttp. `bulk_chaos send_again URL JOURNAL`
sends what is unknown. `bulk_chaos read JOURNAL STORE` opens, reads and closes both until it is
killed, and prints what is wrong with them.
"""

import asyncio
import sys
import time
from collections.abc import Callable
from itertools import count
from typing import Any

from sinch_wrapper import (
    AsyncSinch,
    BulkError,
    CallbackError,
    Endpoints,
    RetryPolicy,
    Sinch,
    text,
)
from sinch_wrapper.bulk import AsyncBulk, Bulk, JobStage, Progress, Report
from sinch_wrapper.callbacks import EventStore
from sinch_wrapper.sandbox import Server, Settings, parse_fault

TIMEOUT = 3.0
# Longer than the slowest response takes beyond the timeout, with room for a busy machine.
SETTLE = 1.5


def serve(*faults: str) -> None:
    """Serve a sandbox."""
    settings = Settings(
        drain_rate=1e6, seed=7, faults=tuple(map(parse_fault, faults)), callback_attempts=1000,
        callback_backoff=0.1, callback_duplicates=0.05, callback_disorder=0.05,
    )  # fmt: skip
    with Server(settings) as server:
        sys.stdout.write(f"{server.url}\n")
        sys.stdout.flush()
        sys.stdin.read()


def options(url: str) -> dict[str, Any]:
    """The options of a client for the sandbox at *url*."""
    known = Settings()
    return {
        "project_id": known.project_id,
        "key_id": known.key_id,
        "key_secret": known.key_secret,
        "endpoints": Endpoints.sandbox(url),
        "timeout": TIMEOUT,
        "retry": RetryPolicy(attempts=3, retry_deadline=5),
        "proxy": "",
    }


def _job(source: str, journal: str, chunk_size: str) -> dict[str, Any]:
    """The arguments of a job that prints its steps."""
    steps = count()

    def progress(step: Progress) -> None:
        if step.stage in {JobStage.READING, JobStage.CHECKING}:
            return
        sys.stdout.write("step\n")
        sys.stdout.flush()
        if not next(steps) % 10:
            Report(journal).refresh()

    return {
        "app_id": Settings().app_id,
        "message": text("Hi ${name}"),
        "recipients": source,
        "job": journal,
        "chunk_size": int(chunk_size),
        "settle": SETTLE,
        "progress": progress,
    }


def send(url: str, *job: str) -> None:
    """Send or go on."""
    with Sinch(**options(url)) as sinch:
        Bulk(sinch).send(**_job(*job))


def send_in_tasks(url: str, *job: str) -> None:
    """send() with an AsyncSinch over aiohttp."""

    async def use() -> None:
        async with AsyncSinch(**options(url), http="aiohttp") as sinch:
            await AsyncBulk(sinch).send(**_job(*job))

    asyncio.run(use())


def read(journal: str, store: str) -> None:
    """Read both files again and again."""
    while True:
        time.sleep(0.05)
        try:
            for _ in Report(journal).recipients():
                pass
            events = EventStore(store, must_exist=True)
            events.counts()
            events.close()
        except (BulkError, CallbackError) as error:
            if "no such file" not in str(error) and "interrupted" not in str(error):
                sys.stdout.write(f"{error}\n")
                sys.stdout.flush()


def send_again(url: str, journal: str) -> None:
    """Send what is unknown, by a person's word."""
    with Sinch(**options(url)) as sinch:
        Bulk(sinch).send_again(journal, settle=SETTLE)


if __name__ == "__main__":
    programs: dict[str, Callable[..., None]] = {
        "serve": serve, "send": send, "send_in_tasks": send_in_tasks, "send_again": send_again,
        "read": read,
    }  # fmt: skip
    programs[sys.argv[1]](*sys.argv[2:])
