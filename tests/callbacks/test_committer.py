"""Group commit: items that arrive while one transaction is written go into the next."""

import asyncio
import threading

import pytest

from sinch_wrapper import BulkError, CallbackError
from sinch_wrapper.callbacks._committer import Committer


class Disk:
    """Writes when it is allowed to; remembers which items came together."""

    def __init__(self) -> None:
        self.batches: list[list[int]] = []
        self.free = threading.Event()
        self.entered = threading.Event()
        self.error: Exception | None = None

    def write(self, items: list[int]) -> None:
        """Write *items*, or fail."""
        self.entered.set()
        assert self.free.wait(60)
        if self.error is not None:
            raise self.error
        self.batches.append(items)


async def begun(disk: Disk, limit: int = 100) -> tuple[Committer[int], "asyncio.Future[None]"]:
    """A committer that is busy with item 0."""
    committer = Committer(disk.write, limit)
    first = committer.put(0)
    await asyncio.to_thread(disk.entered.wait, 10)
    return committer, first


def test_items_that_gather_are_written_together() -> None:
    """While one write is running the other items queue, and share the next one."""

    async def use() -> None:
        disk = Disk()
        committer, first = await begun(disk)
        others = [committer.put(number) for number in range(1, 6)]
        assert not [each for each in (first, *others) if each.done()]
        disk.free.set()
        await asyncio.gather(first, *others)
        await committer.aclose()
        assert [[0], [1, 2, 3, 4, 5]] == disk.batches

    asyncio.run(use())


@pytest.mark.parametrize("error", [CallbackError("full"), BulkError("full"), OverflowError("+467")])
def test_failed_write_is_told_to_all_of_it(
    error: Exception, caplog: pytest.LogCaptureFixture
) -> None:
    """Whatever a write raises, the future of each item ends, and the next write works."""

    async def use() -> None:
        disk = Disk()
        committer, first = await begun(disk)
        disk.error = error
        others = [committer.put(number) for number in (1, 2)]
        disk.free.set()
        for each in (first, *others):
            with pytest.raises(CallbackError):
                await each
        disk.error = None
        await committer.put(3)
        await committer.aclose()
        assert [[3]] == disk.batches

    asyncio.run(use())
    assert "+467" not in caplog.text


def test_closing_writes_what_waits_and_takes_no_more() -> None:
    """At the end no accepted item is lost, and later ones are refused."""

    async def use() -> None:
        disk = Disk()
        committer, first = await begun(disk)
        second = committer.put(1)
        closing = asyncio.create_task(committer.aclose())
        await asyncio.sleep(0)
        with pytest.raises(CallbackError, match="is ending"):
            committer.put(2)
        disk.free.set()
        await asyncio.gather(first, second, closing)
        await committer.aclose()
        assert [[0], [1]] == disk.batches

    asyncio.run(use())


def test_queue_is_bounded_but_for_verdicts() -> None:
    """Too many waiting items are refused, but for those that must not be."""

    async def use() -> None:
        disk = Disk()
        committer, first = await begun(disk, limit=2)
        second = committer.put(1)
        with pytest.raises(CallbackError, match="backlog is full"):
            committer.put(2)
        third = committer.put(3, limited=False)
        disk.free.set()
        await asyncio.gather(first, second, third)
        await committer.aclose()

    asyncio.run(use())


def test_item_whose_sender_left_is_written() -> None:
    """A request that is cancelled while it waits changes nothing for the others."""

    async def use() -> None:
        disk = Disk()
        committer, first = await begun(disk)
        second = committer.put(1)
        second.cancel()
        disk.free.set()
        await first
        await committer.aclose()
        assert [[0], [1]] == disk.batches

    asyncio.run(use())
