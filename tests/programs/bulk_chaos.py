"""The programs of the chaos tests, each a process of its own: a sandbox, senders, a reader.

`bulk_chaos serve [FAULT ...]` prints its URL and serves until stdin is closed; its ledger says
what was accepted, whatever the client knows. `bulk_chaos send URL CSV JOURNAL CHUNK` sends
until done, or until it is killed, and prints a line per step; it opens the journal a second time
while it sends. `bulk_chaos send_again URL JOURNAL` sends what is unknown.
`bulk_chaos read JOURNAL STORE` opens, reads and closes both until it is killed, and prints what
is wrong with them.
"""

import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from itertools import count

from sinch_wrapper import BulkError, CallbackError, Endpoints, RetryPolicy, Sinch, text
from sinch_wrapper.bulk import Bulk, JobStage, Progress, Report
from sinch_wrapper.callbacks import EventStore
from sinch_wrapper.sandbox import Server, Settings, parse_fault

TIMEOUT = 0.6
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


@contextmanager
def client(url: str) -> Iterator[Bulk]:
    """A sender for the sandbox at *url*."""
    known = Settings()
    with Sinch(
        project_id=known.project_id,
        key_id=known.key_id,
        key_secret=known.key_secret,
        endpoints=Endpoints.sandbox(url),
        timeout=TIMEOUT,
        retry=RetryPolicy(attempts=3, retry_deadline=5),
        proxy="",
    ) as sinch:
        yield Bulk(sinch)


def send(url: str, source: str, journal: str, chunk_size: str) -> None:
    """Send or go on."""
    steps = count()

    def progress(step: Progress) -> None:
        if step.stage in {JobStage.READING, JobStage.CHECKING}:
            return
        sys.stdout.write("step\n")
        sys.stdout.flush()
        if not next(steps) % 10:
            Report(journal).refresh()

    with client(url) as bulk:
        bulk.send(
            app_id=Settings().app_id,
            message=text("Hi ${name}"),
            recipients=source,
            job=journal,
            chunk_size=int(chunk_size),
            settle=SETTLE,
            progress=progress,
        )


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
    with client(url) as bulk:
        bulk.send_again(journal, settle=SETTLE)


if __name__ == "__main__":
    programs: dict[str, Callable[..., None]] = {
        "serve": serve, "send": send, "send_again": send_again, "read": read,
    }  # fmt: skip
    programs[sys.argv[1]](*sys.argv[2:])
