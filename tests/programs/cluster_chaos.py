"""The programs of the chaos test of a cluster, each a process of its own.

`cluster_chaos work URL DATABASE LEASE` sends the jobs in DATABASE to the sandbox at URL until it
is stopped or killed. `cluster_chaos give URL CSV JOB CHUNK SETTLE` reads the recipients, and leaves
the job to workers.
"""

import signal
import sys
import threading
from collections.abc import Callable

from sinch_wrapper import Sinch, cluster, text
from sinch_wrapper.sandbox import Settings
from tests.programs.bulk_chaos import options

SLOTS = 4


def work(url: str, database: str, lease: str) -> None:
    """Be a worker."""
    stop = threading.Event()
    signal.signal(signal.SIGTERM, lambda *_: stop.set())
    with Sinch(**options(url)) as sinch:
        cluster.work(sinch, database, concurrency=SLOTS, lease=float(lease), stop=stop, say=_say)


def _say(line: str) -> None:
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


def give(url: str, source: str, job: str, chunk_size: str, settle: str) -> None:
    """Give a job to workers."""
    with Sinch(**options(url)) as sinch:
        cluster.send(
            sinch,
            app_id=Settings().app_id,
            message=text("Hi ${name}"),
            recipients=source,
            job=job,
            chunk_size=int(chunk_size),
            settle=float(settle),
            wait=False,
        )


if __name__ == "__main__":
    programs: dict[str, Callable[..., None]] = {"work": work, "give": give}
    programs[sys.argv[1]](*sys.argv[2:])
