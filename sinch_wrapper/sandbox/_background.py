"""The background tasks of one sandbox: queues, scheduled batches, callbacks."""

import asyncio
import logging
from collections.abc import Coroutine

_log = logging.getLogger("sinch_wrapper.sandbox")


class BackgroundTasks:
    """The running tasks; a failing one is logged, and closing ends them all.

    asyncio keeps only weak references to tasks, so a task that nobody holds may vanish in the
    middle of its work. They are held here.
    """

    def __init__(self) -> None:
        self._tasks: set[asyncio.Task[None]] = set()

    def spawn(self, work: Coroutine[object, object, None]) -> "asyncio.Task[None]":
        """Start *work* on the running event loop."""
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._done)
        return task

    async def aclose(self) -> None:
        """Cancel the tasks that still run and wait until they have ended."""
        tasks = list(self._tasks)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    def _done(self, task: asyncio.Task[None]) -> None:
        self._tasks.discard(task)
        if not task.cancelled() and (error := task.exception()) is not None:
            _log.error("a background task of the sandbox failed", exc_info=error)
