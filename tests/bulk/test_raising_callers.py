"""A caller's own code raises or forks in the middle of a job: what never left is not unknown."""

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from sinch_wrapper import BulkError
from sinch_wrapper.bulk import JobStage, Progress
from tests.helpers.bulk import ELSEWHERE, FakeBatchApi, MakeBulk, make_bulk, rows

__all__ = ["make_bulk"]

# The stages in which requests leave, or have left.
_OUT = {JobStage.SENDING, JobStage.DELIVERING}
# The older path ends on a day, and says so.
pytestmark = pytest.mark.filterwarnings("ignore:.*v1beta.*:DeprecationWarning")


def _start(bulk: Any, kind: str, people: Any = None, **options: Any) -> Any:
    if kind == "create_contacts":
        people = people or [
            {
                "language": "EN_US",
                "channel_identities": [{"channel": "SMS", "identity": f"+4670{number:07d}"}],
            }
            for number in range(20)
        ]
        return bulk.create_contacts(people, chunk_size=2, **options)
    return bulk.go(people or rows(20), api="v1beta" if kind == "v1beta" else "v1", **options)


@pytest.mark.parametrize("error", [LookupError, SystemExit])
@pytest.mark.parametrize("kind", ["send", "create_contacts", "v1beta"])
@pytest.mark.parametrize("nth", [1, 2, 4])
def test_progress_that_raises_leaves_nothing_unknown(
    make_bulk: MakeBulk, tmp_path: Path, kind: str, nth: int, error: type[BaseException]
) -> None:
    """What has left is taken in, what has not is pending; the exception comes through."""
    api, job, calls = FakeBatchApi(), tmp_path / "job.db", [0]
    bulk = make_bulk(api, endpoints=ELSEWHERE)

    def raising(progress: Progress) -> None:
        calls[0] += progress.stage in _OUT
        if calls[0] == nth:
            raise error("planted")

    with pytest.raises(error, match="planted"):
        _start(bulk, kind, job=job, progress=raising)
    report = bulk.report(job)
    sent = sum(len(next(value for value in body.values() if isinstance(value, list)))
               for body in api.sent)  # fmt: skip
    assert (0, sent, 20 - sent) == (report.unknown, report.accepted, report.pending)
    assert 20 == bulk.resume(job).accepted
    assert nth == calls[0]


@pytest.mark.parametrize("stage", [JobStage.READING, JobStage.CHECKING])
def test_progress_that_raises_while_reading_sends_nothing(
    make_bulk: MakeBulk, tmp_path: Path, stage: JobStage
) -> None:
    """The exception comes through, and the same call starts anew."""
    api, job = FakeBatchApi(), tmp_path / "job.db"
    bulk = make_bulk(api)

    def raising(progress: Progress) -> None:
        if progress.stage is stage:
            raise LookupError("planted")

    with pytest.raises(LookupError, match="planted"):
        bulk.go(rows(20), job=job, progress=raising)
    assert [] == api.sent
    assert 20 == bulk.go(rows(20), job=job).accepted


@pytest.mark.parametrize("kind", ["send", "create_contacts", "v1beta"])
def test_recipients_that_raise_send_nothing(make_bulk: MakeBulk, tmp_path: Path, kind: str) -> None:
    """A generator that fails in the middle comes through, and the same call starts anew."""
    api, job = FakeBatchApi(), tmp_path / "job.db"
    bulk = make_bulk(api, endpoints=ELSEWHERE)

    def people() -> Iterator[dict[str, Any]]:
        yield from rows(5)
        raise LookupError("planted")

    with pytest.raises(LookupError, match="planted"):
        _start(bulk, kind, people(), job=job)
    assert [] == api.sent
    with pytest.raises(BulkError, match="interrupted while reading"):
        bulk.resume(job)
    assert 20 == _start(bulk, kind, job=job).accepted


_FORKING = """
import os, sys
from pathlib import Path
from sinch_wrapper import BulkError, Sinch
from sinch_wrapper._http import httpx
from sinch_wrapper.bulk import Bulk
from tests.helpers.bulk import APP, MESSAGE, FakeBatchApi, rows
api = FakeBatchApi()
sinch = Sinch(project_id="p", key_id="k", key_secret="s", region="eu", limits=None,
              transport=httpx.MockTransport(api))
children = []
def fork(progress):
    if len(children) < 2 + (progress.stage == "sending"):
        children.append(os.fork())
try:
    report = Bulk(sinch).send(app_id=APP, message=MESSAGE, recipients=rows(40), chunk_size=2,
                              job=sys.argv[1], progress=fork)
except BulkError as error:
    assert "forked" in str(error), error
    os._exit(0 if 0 in children else 1)
assert 0 not in children
codes = [os.waitpid(child, 0)[1] for child in children]
print(report.accepted, report.unknown, len(api.sent), max(api.accepted.values()), *codes)
"""


@pytest.mark.skipif(not hasattr(os, "fork"), reason="a system without fork")
def test_a_fork_in_the_middle_sends_nothing_twice(tmp_path: Path) -> None:
    """The child gets an error in its first step; the job goes on in the parent as if alone."""
    done = subprocess.run(
        [sys.executable, "-c", _FORKING, str(tmp_path / "job.db")],
        check=False, capture_output=True, text=True, cwd=Path(__file__).parents[2], timeout=60,
    )  # fmt: skip
    assert ("40 0 20 1 0 0 0\n", 0) == (done.stdout, done.returncode), done.stderr
