"""Group commit: what arrives while one transaction is written goes into the next."""

import asyncio
import contextlib
import logging
import queue
import threading
from collections.abc import Callable
from typing import Final, Generic, TypeAlias, TypeVar

from sinch_wrapper.callbacks._records import place_of
from sinch_wrapper.errors import CallbackError, SinchError

T = TypeVar("T")

_LOG: Final = logging.getLogger(__name__)
# Items that are not held up for more.
_ENOUGH: Final = 500
_Item: TypeAlias = tuple[T, "asyncio.Future[None]"]


class Committer(Generic[T]):
    """Passes items to *write*, many at a time, from a thread of its own.

    The future of an item ends when the call of *write* that had it returns. At most *limit* wait.
    """

    def __init__(self, write: Callable[[list[T]], None], limit: int) -> None:
        self._write = write
        self._limit = limit
        # What came since the loop last had time; then what the thread has yet to write.
        self._fresh: list[_Item[T]] = []
        self._batches: queue.SimpleQueue[list[_Item[T]] | None] = queue.SimpleQueue()
        self._loop = asyncio.get_running_loop()
        self._open: set[asyncio.Future[None]] = set()
        self._is_closed = False
        self._thread = threading.Thread(target=self._run, name="sinch-callbacks", daemon=True)
        self._thread.start()

    def put(self, item: T, *, limited: bool = True) -> "asyncio.Future[None]":
        """Queue *item*; the future ends when the item is written, or with CallbackError.

        Raises: CallbackError when too many items wait, unless *limited* is False; or after
            `aclose`.
        """
        if self._is_closed:
            raise CallbackError("callback refused: the receiver is ending")
        if limited and len(self._open) >= self._limit:
            raise CallbackError("callback refused: write backlog is full")
        future = self._loop.create_future()
        self._open.add(future)
        if not self._fresh:
            # Once for all that come in this turn of the loop: waking the thread costs more.
            self._loop.call_soon(self._hand_over)
        self._fresh.append((item, future))
        return future

    def _hand_over(self) -> None:
        if self._fresh:
            self._batches.put(self._fresh)
            self._fresh = []

    async def aclose(self) -> None:
        """Refuse further items, write those that wait, and end the thread."""
        if not self._is_closed:
            self._is_closed = True
            self._hand_over()
            self._batches.put(None)
        await asyncio.to_thread(self._thread.join)
        # The loop ends the futures, after the thread has ended.
        if self._open:
            await asyncio.wait(self._open)

    def _run(self) -> None:
        while True:
            batch, is_last = self._gathered()
            if batch:
                self._finish([future for _, future in batch], self._written(batch))
            if is_last:
                return

    def _gathered(self) -> tuple[list[_Item[T]], bool]:
        found = self._batches.get()
        if found is None:
            return [], True
        while len(found) < _ENOUGH:
            try:
                more = self._batches.get_nowait()
            except queue.Empty:
                break
            if more is None:
                return found, True
            found += more
        return found, False

    def _written(self, batch: list[_Item[T]]) -> CallbackError | None:
        try:
            self._write([item for item, _ in batch])
        except SinchError as error:
            _LOG.error("%d callbacks not written: %s", len(batch), error)
            return CallbackError(str(error))
        except Exception as error:  # noqa: BLE001 (otherwise senders wait for a dead thread)
            _LOG.error("%d callbacks not written: %s", len(batch), place_of(error))
            return CallbackError("callback not written: see the log")
        return None

    def _finish(self, futures: "list[asyncio.Future[None]]", error: CallbackError | None) -> None:
        # Once for all of them: waking the loop costs more than writing.
        with contextlib.suppress(RuntimeError):  # the loop may be gone
            self._loop.call_soon_threadsafe(self._end_futures, futures, error)

    def _end_futures(
        self, futures: "list[asyncio.Future[None]]", error: CallbackError | None
    ) -> None:
        for future in futures:
            self._open.discard(future)
            if future.done():
                continue
            if error is None:
                future.set_result(None)
            else:
                future.set_exception(error)
