"""An AsyncBulk whose task is cancelled, at any moment, leaves nothing behind."""

import asyncio
import itertools
import threading
from collections.abc import Awaitable, Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from sinch_wrapper import AsyncSinch
from sinch_wrapper._http import httpx
from sinch_wrapper.bulk import AsyncBulk, JobOptions, Progress
from sinch_wrapper.bulk._journal_file import sending_lock
from tests.helpers.bulk import APP, MESSAGE, FakeBatchApi, rows
from tests.helpers.core import KEY_ID, KEY_SECRET, PROJECT

MOMENTS = 60
Handler = Callable[[httpx.Request], Any]


class Reports:
    """What the exception handler of a loop was called with."""

    def __init__(self) -> None:
        self.contexts: list[dict[str, Any]] = []

    def __call__(self, _loop: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
        """Keep *context*."""
        self.contexts.append(context)


def run(handler: Handler, work: Callable[[AsyncBulk], Awaitable[None]]) -> None:
    """Run *work* with an AsyncBulk over *handler* in a loop of its own; nothing may be left."""
    reports = Reports()

    async def main() -> None:
        asyncio.get_running_loop().set_exception_handler(reports)
        async with AsyncSinch(
            project_id=PROJECT,
            key_id=KEY_ID,
            key_secret=KEY_SECRET,
            region="eu",
            limits=None,
            transport=httpx.MockTransport(handler),
        ) as sinch:
            await work(AsyncBulk(sinch))
            assert {asyncio.current_task()} == asyncio.all_tasks()

    asyncio.run(main(), debug=False)
    assert [] == reports.contexts
    assert [] == [each.name for each in threading.enumerate() if "sinch-bulk" in each.name]


async def cancelled_after(work: Awaitable[Any], seconds: float) -> bool:
    """Cancel *work* after so many *seconds*; returns whether that was before its end."""
    task = asyncio.ensure_future(work)
    await asyncio.sleep(seconds)
    task.cancel()
    try:
        await task
    except asyncio.CancelledError:
        return True
    return False


def test_a_task_cancelled_at_any_moment_leaves_no_lock(tmp_path: Path) -> None:
    """Sixty moments, from opening the journal to the end of the job: the lock can be taken."""
    job, api, before = tmp_path / "job.db", FakeBatchApi(), []

    async def late(request: httpx.Request) -> httpx.Response:
        await asyncio.sleep(0.002)
        return api(request)

    async def work(bulk: AsyncBulk) -> None:
        for moment in range(MOMENTS):
            sending = bulk.send(
                app_id=APP, message=MESSAGE, recipients=rows(40), job=job, chunk_size=2, settle=0
            )
            before.append(await cancelled_after(sending, moment * 0.001))
            sending_lock(job).release()
        report = await bulk.send(
            app_id=APP, message=MESSAGE, recipients=rows(40), job=job, chunk_size=2, settle=0
        )
        assert (0, 0) == (report.pending, report.rejected)

    run(late, work)
    assert before[0]
    assert 1 == max(api.accepted.values(), default=1)


@pytest.mark.parametrize("method", ["resume", "status", "cancel", "report"])
def test_a_task_cancelled_while_it_opens_a_journal_leaves_no_lock(
    tmp_path: Path, method: str
) -> None:
    """A journal that cannot be read is an error that nobody waits for any more."""
    job = tmp_path / "job.db"
    job.write_bytes(b"not a journal" * 1000)

    async def work(bulk: AsyncBulk) -> None:
        for moment in range(MOMENTS):
            opening = asyncio.ensure_future(getattr(bulk, method)(job))
            await asyncio.sleep(moment * 0.0001)
            opening.cancel()
            await asyncio.gather(opening, return_exceptions=True)
            sending_lock(job).release()

    run(FakeBatchApi(), work)


def test_a_task_cancelled_again_waits_for_the_journal(tmp_path: Path) -> None:
    """A second cancellation does not leave the thread with the journal behind."""
    job, reading, go_on = tmp_path / "job.db", threading.Event(), threading.Event()

    def people() -> Iterator[dict[str, str]]:
        reading.set()
        go_on.wait()
        yield from rows(2000)

    async def work(bulk: AsyncBulk) -> None:
        sending = asyncio.ensure_future(
            bulk.send(app_id=APP, message=MESSAGE, recipients=people(), job=job)
        )
        await asyncio.to_thread(reading.wait)
        for _ in range(3):
            sending.cancel()
            await asyncio.sleep(0.01)
        assert not sending.done()
        go_on.set()
        with pytest.raises(asyncio.CancelledError):
            await sending
        sending_lock(job).release()

    run(FakeBatchApi(), work)


def test_a_cancelled_task_leaves_a_job_that_goes_on(tmp_path: Path) -> None:
    """Cancelling in the middle of a request loses nothing and doubles nothing."""
    job, api = tmp_path / "job.db", FakeBatchApi()
    reached, cancelled = asyncio.Event(), []

    async def slow(request: httpx.Request) -> httpx.Response:
        response = api(request)
        if request.method == "POST" and request.url.path.endswith("/messages") and not api.script:
            # Of what never left nobody could say so afterwards: both requests are on their way.
            if len(api.sent) == 2:
                reached.set()
            try:
                await asyncio.sleep(60)
            except asyncio.CancelledError:
                cancelled.append(request.url.path)
                raise
        return response

    async def work(bulk: AsyncBulk) -> None:
        sending = asyncio.ensure_future(
            bulk.send(app_id=APP, message=MESSAGE, recipients=rows(4), job=job, chunk_size=2)
        )
        await reached.wait()
        sending.cancel()
        with pytest.raises(asyncio.CancelledError):
            await sending
        assert len(cancelled) == len(api.sent)
        api.script = ["ok"] * 9
        report = await bulk.resume(job, settle=0.1)
        assert (4, 0) == (report.accepted, report.unknown)

    run(slow, work)
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

    async def work(bulk: AsyncBulk) -> None:
        sending = asyncio.ensure_future(
            bulk.send(app_id=APP, message=MESSAGE, recipients=people(), job=job)
        )
        await asyncio.to_thread(reading.wait)
        sending.cancel()
        with pytest.raises(asyncio.CancelledError):
            await sending
        report = await bulk.send(app_id=APP, message=MESSAGE, recipients=rows(3), job=job)
        assert 3 == report.accepted

    run(api, work)
    assert 1 == len(api.sent)


def test_progress_is_called_in_the_loop(tmp_path: Path) -> None:
    """A callback may use what belongs to the loop, and what it raises ends the job."""
    seen: list[Progress] = []

    async def work(bulk: AsyncBulk) -> None:
        queue: asyncio.Queue[Progress] = asyncio.Queue()

        def keep(progress: Progress) -> None:
            assert asyncio.get_running_loop() is not None
            queue.put_nowait(progress)

        def fail(_progress: Progress) -> None:
            message = "enough"
            raise LookupError(message)

        options: JobOptions = {"chunk_size": 2, "progress": keep}
        await bulk.send(app_id=APP, message=MESSAGE, recipients=rows(4), **options)
        while not queue.empty():
            seen.append(queue.get_nowait())
        options["progress"] = fail
        job = tmp_path / "job.db"
        with pytest.raises(LookupError, match="enough"):
            await bulk.send(app_id=APP, message=MESSAGE, recipients=rows(4), job=job, **options)
        sending_lock(job).release()

    run(FakeBatchApi(), work)
    assert (4, 4) == (seen[-1].total, seen[-1].accepted)


def test_many_jobs_at_once_leave_the_threads_of_the_loop_free(tmp_path: Path) -> None:
    """More jobs than the loop has threads, whose requests need one of these, still end."""
    api = FakeBatchApi()

    async def handler(request: httpx.Request) -> httpx.Response:
        return await asyncio.to_thread(api, request)

    async def work(bulk: AsyncBulk) -> None:
        reports = await asyncio.wait_for(
            asyncio.gather(
                *(
                    bulk.send(
                        app_id=APP,
                        message=MESSAGE,
                        recipients=rows(2),
                        job=tmp_path / f"{number}.db",
                    )
                    for number in range(40)
                )
            ),
            60,
        )
        assert [2] * 40 == [report.accepted for report in reports]

    run(handler, work)
