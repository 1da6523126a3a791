"""A program whose files may not grow beyond a size, as on a full disk: `bulk_full_disk FOLDER`.

It prints, as JSON, the errors of a job that meets the limit while it reads its recipients, while
it looks for duplicates and while it sends, what was sent until then, and how it ends once there is
room again.
"""

import json
import resource
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from sinch_wrapper import BulkError, RetryPolicy, Sinch
from sinch_wrapper._http import httpx
from sinch_wrapper.bulk import Bulk
from sinch_wrapper.bulk._duplicates import SeenIdentities
from tests.helpers.bulk import APP, MESSAGE, FakeBatchApi, rows

ROWS = 1200


@contextmanager
def room(size: int) -> Iterator[list[str]]:
    """Let no file grow beyond *size*; collects the error."""
    found: list[str] = []
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, hard))
    try:
        yield found
    except BulkError as error:
        found.append(str(error))
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


def main(folder: Path) -> dict[str, Any]:
    """Meet the limit at each stage."""
    api, job = FakeBatchApi(), folder / "job.db"
    known: Any = {"project_id": "p", "key_id": "k", "key_secret": "s"}
    said: dict[str, Any] = {}
    with Sinch(
        **known,
        region="eu",
        limits=None,
        retry=RetryPolicy(attempts=1),
        transport=httpx.MockTransport(api),
    ) as sinch:
        bulk = Bulk(sinch)
        todo: Any = {"app_id": APP, "message": MESSAGE, "recipients": rows(ROWS), "job": job}
        # Lags are measured in real time, and a busy machine makes them long.
        todo |= {"chunk_size": 5, "settle": 1.0}
        with room(60_000) as said["reading"]:
            bulk.send(**todo)
        said["sent_while_reading"] = len(api.sent)
        with room(1000) as said["duplicates"]:
            seen = SeenIdentities(in_memory=10)
            for number in range(100_000):
                seen.add([str(number)])
        bulk.send(**todo, deadline=0)
        with room(132_000) as said["sending"]:
            bulk.resume(job)
        said["sent_until_then"] = api.accepted.total()
        report = bulk.resume(job, settle=1.0)
        said["accepted"], said["most"] = report.accepted, max(api.accepted.values())
        said["different"] = len(api.accepted)
    return said


if __name__ == "__main__":
    sys.stdout.write(json.dumps(main(Path(sys.argv[1]))))
