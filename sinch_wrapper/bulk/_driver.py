"""Running a planner: its steps in one thread, its calls in other threads or as tasks of a loop.

What is sent, when, and what its end means is the planner's business. Here a call starts, and its
end comes back to the thread of the planner.
"""

import asyncio
import contextvars
import queue
import threading
from collections.abc import Callable, Coroutine, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from typing import Final, Self, TypeAlias, TypeVar, cast

from sinch_wrapper.bulk._calls import BatchCall, Done, Planner
from sinch_wrapper.bulk._states import Progress
from sinch_wrapper.errors import SinchError

T = TypeVar("T")
Ended: TypeAlias = Done | BaseException | None
"""How a call ended; an exception that is raised where the planner runs; None to wake it up."""

# How often a waiting planner looks whether it must stop, in seconds.
_TICK: Final = 0.2
# For the end of tasks that were cancelled, in seconds; a loop that was closed ends none of them.
_LAST_WAIT: Final = 10.0


class RunningCalls:
    """Starts the calls of a planner and receives how they end; used in a `with` block.

    *cancelled* is set when nobody waits for the planner any more.
    """

    def __init__(self) -> None:
        self.cancelled = threading.Event()
        self._ended: queue.SimpleQueue[Ended] = queue.SimpleQueue()
        self._running = 0

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_error: object) -> None:
        self._finish()

    def start(self, api: object, calls: Sequence[BatchCall]) -> None:
        """Start *calls*, each of a method of a resource of *api*."""
        if calls:
            self._running += len(calls)
            self._begin(api, calls)

    def receive(self, wait: float) -> list[Done]:
        """The calls that have ended; waits up to *wait* seconds for the first one.

        Raises: what ended a call and is not an error of the API.
        """
        found: list[Done] = []
        with suppress(queue.Empty):
            item = self._ended.get(timeout=wait)
            while item is not None:
                self._running -= 1
                if isinstance(item, BaseException):
                    raise item
                found.append(item)
                item = self._ended.get_nowait()
        return found

    def notify(self, progress: Callable[[Progress], None], value: Progress) -> None:
        """Call *progress* with *value*."""
        progress(value)

    def _begin(self, api: object, calls: Sequence[BatchCall]) -> None:
        raise NotImplementedError

    def _finish(self) -> None:
        raise NotImplementedError


class ThreadCalls(RunningCalls):
    """Runs each call in a thread; at the end it waits for those that are running."""

    def __init__(self, concurrency: int) -> None:
        super().__init__()
        self._pool = ThreadPoolExecutor(concurrency, "sinch-bulk")

    def _begin(self, api: object, calls: Sequence[BatchCall]) -> None:
        for call in calls:
            self._pool.submit(self._perform, api, call)

    def _perform(self, api: object, call: BatchCall) -> None:
        try:
            self._ended.put(Done(call, _method(api, call)(**call.arguments)))
        except SinchError as error:
            self._ended.put(Done(call, error=error))
        except BaseException as error:  # noqa: BLE001 (raised again in the thread of the planner)
            self._ended.put(error)

    def _finish(self) -> None:
        self._pool.shutdown()


class TaskCalls(RunningCalls):
    """Runs each call as a task of *loop*, in which cancel() must be called.

    One serves for several planners, one after the other.
    """

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        super().__init__()
        self._loop = loop
        # For the thread of the loop alone.
        self._tasks: set[asyncio.Task[Done]] = set()

    def cancel(self) -> None:
        """Cancel what is running, and let the planner end: nobody waits for it any more."""
        self.cancelled.set()
        self._cancel_tasks()
        self._ended.put(None)

    def notify(self, progress: Callable[[Progress], None], value: Progress) -> None:
        """Call *progress* with *value* in the loop."""

        async def call() -> None:
            progress(value)

        asyncio.run_coroutine_threadsafe(call(), self._loop).result()

    def _begin(self, api: object, calls: Sequence[BatchCall]) -> None:
        self._loop.call_soon_threadsafe(self._create_tasks, api, calls)

    def _create_tasks(self, api: object, calls: Sequence[BatchCall]) -> None:
        for call in calls:
            if self.cancelled.is_set():
                self._ended.put(asyncio.CancelledError())
                continue
            task = self._loop.create_task(_performed(api, call))
            self._tasks.add(task)
            task.add_done_callback(self._end)

    def _end(self, task: "asyncio.Task[Done]") -> None:
        self._tasks.discard(task)
        if task.cancelled():
            self._ended.put(asyncio.CancelledError())
        else:
            self._ended.put(task.exception() or task.result())

    def _cancel_tasks(self) -> None:
        for task in self._tasks:
            task.cancel()

    def _finish(self) -> None:
        if not self._running:
            return
        # The journal is closed after this: what is running must not outlive it.
        with suppress(RuntimeError, queue.Empty):
            self._loop.call_soon_threadsafe(self._cancel_tasks)
            while self._running:
                self._running -= self._ended.get(timeout=_LAST_WAIT) is not None


def _method(api: object, call: BatchCall) -> Callable[..., object]:
    return cast("Callable[..., object]", getattr(getattr(api, call.resource), call.method))


async def _performed(api: object, call: BatchCall) -> Done:
    method = cast("Callable[..., Coroutine[object, object, object]]", _method(api, call))
    try:
        return Done(call, await method(**call.arguments))
    except SinchError as error:
        return Done(call, error=error)


def drive(  # noqa: PLR0913 (keyword-only, the parts of a loop)
    planner: Planner,
    api: object,
    running: RunningCalls,
    *,
    clock: Callable[[], float],
    stopping: Callable[[], bool],
    after_step: Callable[[], None] = lambda: None,
) -> None:
    """Run *planner* to its end: its calls are methods of the resources of *api*.

    *clock* gives monotonic seconds; once *stopping* returns True no new call is asked for.

    Raises: asyncio.CancelledError when nobody waits for it any more.
    """
    with running:
        done: list[Done] = []
        while not running.cancelled.is_set():
            step = planner.step(clock(), done, stopping=stopping())
            after_step()
            running.start(api, step.calls)
            if step.finished:
                return
            done = running.receive(_TICK if step.wait is None else min(step.wait, _TICK))
    raise asyncio.CancelledError


async def in_thread(work: Callable[[], T], cancel: Callable[[], object]) -> T:
    """Run *work* in a thread of its own.

    A caller that is cancelled calls *cancel*, which should end *work* soon, and waits for its end:
    what *work* holds, such as a lock, is released by then.
    """
    loop = asyncio.get_running_loop()
    # Not the threads of the loop, which it needs for looking up hosts.
    pool = ThreadPoolExecutor(1, "sinch-bulk-job")
    running = loop.run_in_executor(pool, contextvars.copy_context().run, work)
    cancelled: asyncio.CancelledError | None = None
    try:
        while not running.done():
            try:
                await asyncio.wait([running])
            except asyncio.CancelledError as error:
                cancelled = error
                cancel()
        if cancelled is None:
            return running.result()
        # Asked for, so that the loop does not report an exception that nobody has seen.
        running.exception()
        raise cancelled
    finally:
        if not running.done():
            cancel()
        pool.shutdown(wait=running.done())
