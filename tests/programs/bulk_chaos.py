"""The two programs of the chaos test, each a process of its own: a sandbox, and a sender.

`bulk_chaos serve [FAULT ...]` prints its URL and serves until stdin is closed; its ledger says
what was accepted, whatever the client knows. `bulk_chaos send URL CSV JOURNAL CHUNK` sends
until done, or until it is killed; `bulk_chaos send_again URL JOURNAL` sends what is unknown.
"""

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from sinch_wrapper import Endpoints, RetryPolicy, Sinch, text
from sinch_wrapper.bulk import Bulk
from sinch_wrapper.sandbox import Server, Settings, parse_fault

TIMEOUT = 0.6
# Longer than the slowest response takes beyond the timeout, with room for a busy machine.
SETTLE = 1.5


def serve(*faults: str) -> None:
    """Serve a sandbox."""
    settings = Settings(drain_rate=1e6, seed=7, faults=tuple(map(parse_fault, faults)))
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
    with client(url) as bulk:
        bulk.send(
            app_id=Settings().app_id,
            message=text("Hi ${name}"),
            recipients=source,
            job=journal,
            chunk_size=int(chunk_size),
            settle=SETTLE,
        )


def send_again(url: str, journal: str) -> None:
    """Send what is unknown, by a person's word."""
    with client(url) as bulk:
        bulk.send_again(journal, settle=SETTLE)


if __name__ == "__main__":
    programs: dict[str, Callable[..., None]] = {
        "serve": serve, "send": send, "send_again": send_again,
    }  # fmt: skip
    programs[sys.argv[1]](*sys.argv[2:])
