"""The sender of the test that kills processes on one outbox.

`outbox_kill URL FILE KEYS` sends under each key, and prints what became of each as it is known.
"""

import json
import sys

from sinch_wrapper import Endpoints, Recipient, RetryPolicy, Sinch, text
from sinch_wrapper.bulk import Outbox
from sinch_wrapper.errors import SinchError
from sinch_wrapper.sandbox import Settings
from tests.programs.bulk_chaos import SETTLE, TIMEOUT

# How often those are tried that had no outcome.
ROUNDS = 4


def send_one(outbox: Outbox, number: int, wait: float) -> bool:
    """Send under one key; returns whether its outcome is known, and prints it then."""
    try:
        found = outbox.send(
            key=f"order-{number}",
            app_id=Settings().app_id,
            to=Recipient.sms(f"+4670{number:07d}"),
            message=text(f"Order {number}"),
            wait=wait,
        )
    except SinchError as error:
        sys.stderr.write(f"{type(error).__name__}: {error}\n")
        return False
    if found.state in {"pending", "unknown"}:
        return False
    sys.stdout.write(json.dumps([number, found.state, found.batch_id]) + "\n")
    sys.stdout.flush()
    return True


def main(url: str, path: str, keys: str) -> None:
    """Send under all keys."""
    known = Settings()
    with (
        Sinch(
            project_id=known.project_id,
            key_id=known.key_id,
            key_secret=known.key_secret,
            endpoints=Endpoints.sandbox(url),
            timeout=TIMEOUT,
            retry=RetryPolicy(attempts=3, retry_deadline=5),
            proxy="",
        ) as sinch,
        sinch.outbox(path, settle=SETTLE) as outbox,
    ):
        left = list(range(int(keys)))
        for again in range(ROUNDS):
            left = [number for number in left if not send_one(outbox, number, 0.3 + 3 * again)]


if __name__ == "__main__":
    main(*sys.argv[1:])
