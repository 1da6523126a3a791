"""The two ways to run a planner: with threads, and with tasks.

They differ in `await`; what is sent, when, and what its end means is the planner's business.
"""

import asyncio
import queue
from collections.abc import Callable, Coroutine
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import TYPE_CHECKING, ParamSpec, TypeVar

from sinch_wrapper.bulk._calls import Call, Done, Planner
from sinch_wrapper.bulk._options import Run
from sinch_wrapper.bulk._sender import Sender
from sinch_wrapper.errors import SinchError

if TYPE_CHECKING:
    import sinch_batch_api


P = ParamSpec("P")
T = TypeVar("T")

# How often somebody who waits looks whether it shall stop.
_TICK = 0.2


@dataclass(frozen=True, slots=True)
class DriveSettings:
    """What both drivers need: *clock* gives monotonic seconds, *stopping* ends the job gently.

    *notice* is called after each step.
    """

    concurrency: int
    clock: Callable[[], float]
    stopping: Callable[[], bool]
    notice: Callable[[], None] = lambda: None


def drive_settings(
    run: Run, clock: Callable[[], float], began: float | None = None, sender: Sender | None = None
) -> DriveSettings:
    """How *run* turns, that *began* then, else begins now; *sender* is whose progress it tells."""
    began = clock() if began is None else began
    deadline = None if run.how.deadline is None else began + run.how.deadline

    def stopping() -> bool:
        return run.stop.is_set() or (deadline is not None and clock() >= deadline)

    def notice() -> None:
        if sender is not None:
            run.progress(sender.progress(clock()))

    return DriveSettings(run.how.concurrency, clock, stopping, notice)


def drive(planner: Planner, batch: "sinch_batch_api.Client", settings: DriveSettings) -> None:
    """Run *planner* to its end with a thread for each running call."""
    inbox: queue.SimpleQueue[Done | BaseException] = queue.SimpleQueue()

    def perform(call: Call) -> None:
        try:
            method = getattr(getattr(batch, call.resource), call.method)
            try:
                inbox.put(Done(call, method(**call.arguments)))
            except SinchError as error:
                inbox.put(Done(call, error=error))
        except BaseException as error:  # noqa: BLE001 (raised again in the thread that waits)
            inbox.put(error)

    with ThreadPoolExecutor(settings.concurrency, "sinch-bulk") as pool:
        done: list[Done] = []
        while True:
            step = planner.step(settings.clock(), done, stopping=settings.stopping())
            settings.notice()
            for call in step.calls:
                pool.submit(perform, call)
            if step.finished:
                return
            done = _received(inbox, _TICK if step.wait is None else min(step.wait, _TICK))


def _received(inbox: "queue.SimpleQueue[Done | BaseException]", wait: float) -> list[Done]:
    found: list[Done] = []
    try:
        while True:
            item = inbox.get(timeout=wait) if not found else inbox.get_nowait()
            if isinstance(item, BaseException):
                raise item
            found.append(item)
    except queue.Empty:
        return found


async def in_thread(work: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
    """Run *work* in a thread; a cancelled caller still waits for its end."""
    return await until_halted(lambda: None, work, *args, **kwargs)


async def until_halted(
    halt: Callable[[], object], work: Callable[P, T], *args: P.args, **kwargs: P.kwargs
) -> T:
    """Run *work* in a thread; a cancelled caller calls *halt*, and waits for its end."""
    running = asyncio.ensure_future(asyncio.to_thread(work, *args, **kwargs))
    try:
        return await asyncio.shield(running)
    except asyncio.CancelledError:
        halt()
        await asyncio.wait([running])
        raise


async def drive_async(
    planner: Planner, batch: "sinch_batch_api.AsyncClient", settings: DriveSettings
) -> None:
    """Run *planner* to its end with a task for each running call."""
    inbox: asyncio.Queue[Done | BaseException] = asyncio.Queue()
    tasks: set[asyncio.Task[None]] = set()

    async def perform(call: Call) -> None:
        try:
            inbox.put_nowait(await _performed(batch, call))
        except BaseException as error:
            inbox.put_nowait(error)
            raise

    try:
        done: list[Done] = []
        while True:
            now, stopping = settings.clock(), settings.stopping()
            step = await in_thread(planner.step, now, done, stopping=stopping)
            settings.notice()
            for call in step.calls:
                task = asyncio.create_task(perform(call))
                tasks.add(task)
                task.add_done_callback(tasks.discard)
            if step.finished:
                return
            done = await _awaited(inbox, _TICK if step.wait is None else min(step.wait, _TICK))
    finally:
        for task in list(tasks):
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


async def _performed(batch: "sinch_batch_api.AsyncClient", call: Call) -> Done:
    method: Callable[..., Coroutine[object, object, object]]
    method = getattr(getattr(batch, call.resource), call.method)
    try:
        return Done(call, await method(**call.arguments))
    except SinchError as error:
        return Done(call, error=error)


async def _awaited(inbox: "asyncio.Queue[Done | BaseException]", wait: float) -> list[Done]:
    found: list[Done] = []
    try:
        # Not wait_for: in Python 3.11 it loses a cancellation that comes with an item.
        async with asyncio.timeout(wait):
            item = await inbox.get()
    except TimeoutError:
        return found
    while True:
        if isinstance(item, BaseException):
            raise item
        found.append(item)
        if inbox.empty():
            return found
        item = inbox.get_nowait()
