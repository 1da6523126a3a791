"""A job for tomorrow, and its withdrawal.

python examples/scheduled_and_cancelled.py schedule invitation.db +46700000001 +46700000002
python examples/scheduled_and_cancelled.py cancel invitation.db
"""

import os
import sys
from datetime import UTC, datetime, timedelta

from sinch_wrapper import Recipient, Sinch, text


def schedule(job: str, numbers: list[str]) -> None:
    """Hand the batch over now; it leaves Sinch in a day."""
    with Sinch() as sinch:
        report = sinch.bulk.send(
            app_id=os.environ["SINCH_APP_ID"],
            message=text("The doors open at nine"),
            recipients=[Recipient.sms(number) for number in numbers],
            job=job,
            send_after=datetime.now(UTC) + timedelta(days=1),
        )
        for batch in report.batches():
            print(f"{batch.batch_id} leaves at {batch.send_after}")


def cancel(job: str) -> None:
    """Cancel what is still here, and say what was too late."""
    with Sinch() as sinch:
        result = sinch.bulk.cancel(job)
    print(f"cancelled: {result.recipients} recipients; too late: {len(result.too_late)} batches")


if __name__ == "__main__":
    action, path, *rest = sys.argv[1:]
    if action == "schedule":
        schedule(path, rest)
    else:
        cancel(path)
