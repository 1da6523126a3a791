"""Single messages from many threads of several processes, with one budget and no double sends.

python examples/many_workers.py numbers.txt 0 4   # worker 0 of 4, and so on
"""

import os
import sys
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path

from sinch_wrapper import APIConnectionError, RateLimits, Recipient, Sinch, text

PROJECT_LIMIT = 780  # requests per second, a little below what Sinch allows


def send(sinch: Sinch, number: str) -> str:
    """What became of one message."""
    try:
        sinch.send(
            app_id=os.environ["SINCH_APP_ID"], to=Recipient.sms(number), message=text("At nine")
        )
    except APIConnectionError as error:
        return error.outcome  # "unknown" is for a person: sent again, it may come twice
    return "accepted"


def main(path: str, worker: str, workers: str) -> int:
    """Send the share of this worker, at its share of the rate."""
    numbers = Path(path).read_text(encoding="utf-8").split()[int(worker) :: int(workers)]
    limits = RateLimits(requests_per_second=PROJECT_LIMIT / int(workers))
    with Sinch(limits=limits, connections=16) as sinch, ThreadPoolExecutor(16) as threads:
        outcomes = list(threads.map(partial(send, sinch), numbers))
    for outcome in sorted(set(outcomes)):
        print(f"{outcome}: {outcomes.count(outcome)}")
    return 0 if outcomes.count("accepted") == len(numbers) else 1


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:4]))
