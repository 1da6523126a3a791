"""Each part that takes a client, made by hand: type checkers read this, nobody runs it."""

from sinch_wrapper import AsyncSinch, RateLimiter, Sinch, text
from sinch_wrapper.bulk import AsyncBulk, AsyncOutbox, Bulk, Outbox, Report
from sinch_wrapper.cluster import send, work


def in_threads(sinch: Sinch, limits: RateLimiter) -> list[Report]:
    """Views of a client are clients, too."""
    view = sinch.with_options(timeout=5, limits=limits)
    with Outbox(view, "box.db"):
        return [
            Bulk(sinch).send(app_id="a", message=text("Hi"), recipients="all.csv", job="a.db"),
            sinch.bulk.resume("a.db"),
            send(
                view, app_id="a", message=text("Hi"), recipients="all.csv",
                job="postgresql://host/db?job=a",
            ),
        ]  # fmt: skip


def as_a_worker(sinch: Sinch) -> None:
    """A worker takes a client as well."""
    work(sinch, "postgresql://host/db")


async def in_tasks(sinch: AsyncSinch) -> list[Report]:
    """The asynchronous parts take an asynchronous client."""
    async with AsyncOutbox(sinch.with_options(timeout=5), "box.db"):
        return [await AsyncBulk(sinch).resume("a.db"), await sinch.bulk.resume("b.db")]
