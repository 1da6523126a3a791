"""One list, sent by as many processes as you like, on any machines, at one rate; from PostgreSQL.

python examples/many_workers.py work "postgresql://sinch@db/sinch?job=reminder"  # any number
python examples/many_workers.py send "postgresql://sinch@db/sinch?job=reminder" numbers.txt
"""

import os
import sys
import threading
from pathlib import Path

from sinch_wrapper import Recipient, Sinch, cluster, text


def send(job: str, path: str) -> int:
    """Give the list to the workers, and wait until it is sent; again, and it goes on."""
    numbers = Path(path).read_text(encoding="utf-8").split()
    with Sinch() as sinch:
        report = cluster.send(
            sinch,
            app_id=os.environ["SINCH_APP_ID"],
            message=text("At nine"),
            recipients=[Recipient.sms(number) for number in numbers],
            job=job,
        )
    for state, many in report.by_state.items():
        print(f"{state}: {many}")  # "unknown" is for a person: sent again, it may come twice
    return 0 if report.accepted == len(numbers) else 1


def work(job: str, stop: threading.Event | None = None) -> int:
    """Send what is there and what will come; each worker may be killed at any time."""
    with Sinch() as sinch:
        cluster.work(sinch, job, concurrency=8, say=print, stop=stop)
    return 0


def main(what: str, job: str, path: str = "numbers.txt") -> int:
    """Be one of the workers, or give them the list."""
    cluster.prepare(job)  # creates the tables; harmless when they are there
    return work(job) if what == "work" else send(job, path)


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:4]))
