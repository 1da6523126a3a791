"""Running a planner: its steps in one thread, its calls in other threads or as tasks of a loop.

What is sent, when, and what its end means is the planner's business. Here a call starts, and its
end comes back to the thread of the planner.
"""

import asyncio
import contextvars
import os
import queue
import threading
import time
from collections.abc import Callable, Coroutine, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from typing import Final, Self, TypeAlias, TypeVar, cast

from sinch_wrapper._giving_up import GivingUp
from sinch_wrapper.bulk._calls import (
    BatchCall,
    Dispatch,
    Done,
    LocalDispatch,
    Planner,
    Step,
)
from sinch_wrapper.bulk._journal import Job
from sinch_wrapper.bulk._states import Progress
from sinch_wrapper.errors import BulkError, SinchError

T = TypeVar("T")
Ended: TypeAlias = Done | BaseException | None
"""How a call ended; an exception that is raised where the planner runs; None to wake it up."""

# How often a waiting planner looks whether it must stop, in seconds.
_TICK: Final = 0.2
# How long calls that are running when time is up may still take, in seconds.
_GRACE: Final = 0.3
# For the end of tasks that were cancelled, in seconds; a loop that was closed ends none of them.
_LAST_WAIT: Final = 10.0


class RunningCalls:
    """Starts the calls of a planner and receives how they end; used in a `with` block.

    *cancelled* is set when nobody waits for the planner any more. For *gather* seconds receive()
    waits for more once something has ended.
    """

    def __init__(self) -> None:
        self.gather = 0.0
        self.cancelled = threading.Event()
        self._ended: queue.SimpleQueue[Ended] = queue.SimpleQueue()
        self._running = 0

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_error: object) -> None:
        self._finish()

    def dispatch(self, job: Job) -> Dispatch:
        """Where the requests of *job* leave from: from here; raises BulkError when they may not."""
        job.journal.refuse_given()
        return LocalDispatch()

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
            if self.gather:
                # More will end in a moment, and are written down together.
                time.sleep(self.gather)
            while True:
                self._running -= item is not None
                if isinstance(item, BaseException):
                    raise item
                found += [] if item is None else [item]
                item = self._ended.get_nowait()
        return found

    @property
    def is_idle(self) -> bool:
        """Whether nothing is running, so that nothing can end."""
        return not self._running

    def notify(self, progress: Callable[[Progress], None], value: Progress) -> None:
        """Call *progress* with *value*."""
        progress(value)

    def wake(self) -> None:
        """End a receive() that waits, or the next one."""
        self._ended.put(None)

    def give_up(self) -> None:
        """Wait for nothing that is running: its ends are never received."""
        raise NotImplementedError

    def _begin(self, api: object, calls: Sequence[BatchCall]) -> None:
        raise NotImplementedError

    def _finish(self) -> None:
        raise NotImplementedError


class ThreadCalls(RunningCalls):
    """Runs each call in a thread; at the end it waits for those that are running.

    The threads do not keep the process alive: a call that was given up may take longer.
    """

    def __init__(self, concurrency: int) -> None:
        super().__init__()
        self._most = concurrency
        self._calls: queue.SimpleQueue[tuple[object, BatchCall] | None] = queue.SimpleQueue()
        self._threads: list[threading.Thread] = []
        self._waiting = GivingUp()

    def give_up(self) -> None:
        """Wait for nothing that is running, and cut its connections."""
        self._waiting.give_up()

    def _begin(self, api: object, calls: Sequence[BatchCall]) -> None:
        for call in calls:
            self._calls.put((api, call))
        while len(self._threads) < min(self._running, self._most):
            name = f"sinch-bulk-{len(self._threads)}"
            self._threads.append(threading.Thread(target=self._work, name=name, daemon=True))
            self._threads[-1].start()

    def _work(self) -> None:
        self._waiting.join()
        while (found := self._calls.get()) is not None:
            self._perform(*found)

    def _perform(self, api: object, call: BatchCall) -> None:
        try:
            self._ended.put(made(api, call))
        except BaseException as error:  # noqa: BLE001 (raised again in the thread of the planner)
            self._ended.put(error)

    def _finish(self) -> None:
        for _ in self._threads:
            self._calls.put(None)
        ends = time.monotonic() + _GRACE
        for thread in self._threads:
            thread.join(max(0.0, ends - time.monotonic()) if self._waiting.is_over else None)


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

    def give_up(self) -> None:
        """Leave what is running to be cancelled at the end."""

    def notify(self, progress: Callable[[Progress], None], value: Progress) -> None:
        """Call *progress* with *value* in the loop."""

        async def call() -> BaseException | None:
            try:
                progress(value)
            except BaseException as error:  # noqa: BLE001 (raised again in the thread of the planner)
                return error
            return None

        # An exit that is raised in the loop would end it before the job.
        error = asyncio.run_coroutine_threadsafe(call(), self._loop).result()
        if error is not None:
            raise error

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


def made(api: object, call: BatchCall) -> Done:
    """Make *call* with *api*, and say how it ended; raises what is not an error of the API."""
    try:
        return Done(call, _method(api, call)(**call.arguments))
    except SinchError as error:
        return Done(call, error=error)


async def _performed(api: object, call: BatchCall) -> Done:
    method = cast("Callable[..., Coroutine[object, object, object]]", _method(api, call))
    try:
        return Done(call, await method(**call.arguments))
    except SinchError as error:
        return Done(call, error=error)


def brief(seconds: float) -> float:
    """How long to wait at once of *seconds* in which nothing can happen."""
    return min(seconds, _TICK)


def drive(  # noqa: PLR0913 (keyword-only, the parts of a loop)
    planner: Planner,
    api: object,
    running: RunningCalls,
    *,
    clock: Callable[[], float],
    stopping: Callable[[], bool],
    is_late: Callable[[], bool] = lambda: False,
    after_step: Callable[[], None] = lambda: None,
    rest: Callable[[float], float] = brief,
) -> None:
    """Run *planner* to its end: its calls are methods of the resources of *api*.

    *clock* gives monotonic seconds; once *stopping* returns True no new call is asked for, and
    once *is_late* does, those that are running are given up. What *after_step* raises is raised
    when what is running has ended, so that its outcome is known. *rest* turns seconds in which
    nothing can happen into a shorter wait. Raises: asyncio.CancelledError when nobody waits for it
    any more; BulkError in a process that was forked from the one that runs it.
    """
    loop = _Loop(planner, running, clock, rest, os.getpid())
    with running, loop.interruptible():
        while not running.cancelled.is_set():
            step = loop.step(stopping=stopping() or loop.failed is not None)
            running.start(api, step.calls)
            loop.note(after_step)
            if step.finished:
                return loop.end()
            loop.wait(step, is_late=is_late())
            if loop.is_over:
                running.give_up()
                return loop.end()
    raise asyncio.CancelledError


class _Loop:
    """The steps of one planner: what has ended since the last one, and what went wrong."""

    def __init__(
        self,
        planner: Planner,
        running: RunningCalls,
        clock: Callable[[], float],
        rest: Callable[[float], float],
        process: int,
    ) -> None:
        self._planner = planner
        self._running = running
        self._clock = clock
        self._rest = rest
        self._process = process
        self._done: list[Done] = []
        self._late: float | None = None
        self.is_over = False
        self.failed: BaseException | None = None

    def step(self, *, stopping: bool) -> Step:
        if os.getpid() != self._process:
            raise BulkError("this process was forked from the one that runs the job: end it")
        done, self._done = self._done, []
        return self._planner.step(self._clock(), done, stopping=stopping)

    def note(self, after_step: Callable[[], None]) -> None:
        if self.failed is None:
            try:
                after_step()
            except (Exception, SystemExit) as error:  # noqa: BLE001 (raised at the end)
                self.failed = error

    def wait(self, step: Step, *, is_late: bool) -> None:
        wait = _TICK if step.wait is None else step.wait
        rest = self._rest if self._running.is_idle else brief
        self._done = self._running.receive(rest(wait))
        if is_late:
            self._late = self._clock() if self._late is None else self._late
            self.is_over = not self._done and self._clock() - self._late >= _GRACE

    @contextmanager
    def interruptible(self) -> Iterator[None]:
        """Keep what has come back when an interrupt comes, which is the second one.

        The rest is looked up by a resume.
        """
        try:
            yield
        except KeyboardInterrupt:
            self._running.give_up()
            if os.getpid() == self._process:
                self._done += self._running.receive(0.0)
                self.step(stopping=True)
            raise

    def end(self) -> None:
        if self.failed is not None:
            raise self.failed


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
