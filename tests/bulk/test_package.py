"""The package as a whole: what importing costs, that the halves agree, how it ends early."""

import asyncio
import inspect
import itertools
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

import sinch_wrapper.bulk
from sinch_wrapper import AsyncSinch, BulkError
from sinch_wrapper._http import httpx
from sinch_wrapper.bulk import AsyncBulk, Bulk, BulkStoppedError
from sinch_wrapper.bulk._journal import sending_lock
from tests.helpers.bulk import APP, MESSAGE, FakeBatchApi, rows
from tests.helpers.core import KEY_ID, KEY_SECRET, PROJECT


def _python(code: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-W", "error", "-c", code], capture_output=True, text=True, check=False
    )


def test_importing_the_package_loads_nothing_heavy() -> None:
    """Neither SQLAlchemy nor pyarrow before a name is used, and pyarrow not even then."""
    heavy = "{'sqlalchemy', 'pyarrow'} & {name.partition('.')[0] for name in sys.modules}"
    code = (
        f"import sys, sinch_wrapper.bulk; assert not {heavy}; "
        f"from sinch_wrapper.bulk import Bulk; assert {heavy} == {{'sqlalchemy'}}"
    )
    assert "" == _python(code).stderr


@pytest.mark.parametrize(
    ("missing", "code", "words"),
    [
        (
            "sqlalchemy",
            "from sinch_wrapper.bulk import Bulk",
            'needs more packages: pip install "sinch-wrapper[bulk]"',
        ),
        (
            "pyarrow",
            (
                "from pathlib import Path\n"
                "from sinch_wrapper.bulk._sources import read_parquet\n"
                "read_parquet(Path('a'))"
            ),
            "needs pyarrow: pip install",
        ),
    ],
)
def test_a_missing_package_is_named(missing: str, code: str, words: str) -> None:
    """Without the extra the error says how to install it."""
    result = _python(f"import sys; sys.modules[{missing!r}] = None; {code}")
    assert words in result.stderr.splitlines()[-1]


@pytest.mark.parametrize("name", sinch_wrapper.bulk.__all__)
def test_every_name_loads(name: str) -> None:
    """Each public name is there and documented."""
    assert getattr(sinch_wrapper.bulk, name).__doc__


def test_an_unknown_name_is_an_attribute_error() -> None:
    """Lazy loading does not hide spelling mistakes."""
    with pytest.raises(AttributeError, match="Bluk"):
        sinch_wrapper.bulk.Bluk  # noqa: B018


def test_the_halves_have_the_same_methods_and_parameters() -> None:
    """Bulk and AsyncBulk differ in awaiting only."""

    def methods(kind: type) -> dict[str, Any]:
        found = inspect.getmembers(kind, inspect.isfunction)
        return {name: member for name, member in found if not name.startswith("_")}

    sync, twin = methods(Bulk), methods(AsyncBulk)
    assert sync.keys() == twin.keys()
    for name, member in sync.items():
        assert inspect.iscoroutinefunction(twin[name])
        ours, theirs = inspect.signature(member), inspect.signature(twin[name])
        assert ours.parameters == theirs.parameters
        assert ours.return_annotation == theirs.return_annotation


def test_the_error_can_be_pickled() -> None:
    """The text survives; the report belongs to its process."""
    import pickle

    copy = pickle.loads(pickle.dumps(BulkStoppedError("line", None)))  # noqa: S301 (our own)
    assert "line" == str(copy)


def test_a_cancelled_task_leaves_a_job_that_goes_on(tmp_path: Path) -> None:
    """Cancelling in the middle of a request loses nothing and doubles nothing."""
    job, api = tmp_path / "job.db", FakeBatchApi()
    reached = asyncio.Event()

    async def slow(request: httpx.Request) -> httpx.Response:
        answer = api(request)
        if request.method == "POST" and request.url.path.endswith("/messages") and not api.script:
            reached.set()
            await asyncio.sleep(60)
        return answer

    async def run() -> None:
        options: Any = {"project_id": PROJECT, "key_id": KEY_ID, "key_secret": KEY_SECRET}
        async with AsyncSinch(
            **options, region="eu", limits=None, transport=httpx.MockTransport(slow)
        ) as sinch:
            bulk = AsyncBulk(sinch)
            sending = asyncio.create_task(
                bulk.send(app_id=APP, message=MESSAGE, recipients=rows(4), job=job, chunk_size=2)
            )
            await reached.wait()
            sending.cancel()
            with pytest.raises(asyncio.CancelledError):
                await sending
            api.script = ["ok"] * 9
            report = await bulk.resume(job, settle=0.1)
            assert (4, 0) == (report.accepted, report.unknown)

    asyncio.run(run())
    assert set(api.accepted.values()) == {1}


def test_a_task_cancelled_while_reading_ends_soon(tmp_path: Path) -> None:
    """The thread that reads is told to stop, however much is left to read."""
    job, api = tmp_path / "job.db", FakeBatchApi()
    reading = threading.Event()

    def people() -> Iterator[dict[str, str]]:
        for number in itertools.count(46700000000):
            if number % 1000 == 0:
                reading.set()
            yield {"phone": f"+{number}", "name": "A"}

    async def run() -> None:
        options: Any = {"project_id": PROJECT, "key_id": KEY_ID, "key_secret": KEY_SECRET}
        async with AsyncSinch(
            **options, region="eu", limits=None, transport=httpx.MockTransport(api)
        ) as sinch:
            bulk = AsyncBulk(sinch)
            sending = asyncio.create_task(
                bulk.send(app_id=APP, message=MESSAGE, recipients=people(), job=job)
            )
            await asyncio.to_thread(reading.wait)
            sending.cancel()
            with pytest.raises(asyncio.CancelledError):
                await sending
            report = await bulk.send(app_id=APP, message=MESSAGE, recipients=rows(3), job=job)
            assert 3 == report.accepted

    asyncio.run(run())
    assert 1 == len(api.sent)


def test_another_process_is_locked_out_until_it_dies(tmp_path: Path) -> None:
    """The lock is one between processes, and a killed process leaves none."""
    job = tmp_path / "job.db"
    code = (
        "import sys, pathlib; from sinch_wrapper.bulk._journal import sending_lock; "
        "lock = sending_lock(pathlib.Path(sys.argv[1])); print('locked', flush=True); "
        "sys.stdin.read()"
    )
    with subprocess.Popen(
        [sys.executable, "-c", code, str(job)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as other:
        assert other.stdout is not None
        assert "locked\n" == other.stdout.readline()
        with pytest.raises(BulkError, match="another process is sending"):
            sending_lock(job)
        other.kill()
    sending_lock(job).release()
