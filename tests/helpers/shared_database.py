"""What processes share, in a database in memory with a clock to move."""

from collections.abc import Iterator
from contextlib import contextmanager

from sqlalchemy import Connection

from sinch_wrapper import RateLimits
from sinch_wrapper.bulk._journal import Journal
from sinch_wrapper.bulk._register import SHARED
from sinch_wrapper.cluster._call_table import Clock
from sinch_wrapper.cluster._rate import SharedRateLimiter
from sinch_wrapper.cluster._rate_table import KnownRate, known_rates
from sinch_wrapper.cluster._tables import shared
from sinch_wrapper.cluster._worker_table import fixed
from sinch_wrapper.errors import BulkError

# The clock of the database, when that of all processes begins.
EPOCH = 1_790_000_000.0


class SharedDatabase:
    """A database in memory, its clock, and processes with clocks of their own."""

    def __init__(self) -> None:
        self.now = 0.0
        self.is_away = False
        self._journal = Journal(None)
        with self._journal.write() as connection:
            connection.execution_options(schema_translate_map={SHARED: None})
            shared.create_all(connection)

    @contextmanager
    def write(self) -> Iterator[Connection]:
        """A transaction."""
        if self.is_away:
            raise BulkError("database db at h: it cannot be reached")
        with self._journal.write() as connection:
            yield connection

    read = write

    def sleep(self, seconds: float) -> None:
        """Let time go by, and a little more than was asked for."""
        self.now += seconds + 1e-6

    def process(self, limits: RateLimits | None = None, ahead: float = 0.0) -> SharedRateLimiter:
        """The limiter of a process, whose clock is *ahead*."""
        return SharedRateLimiter(
            self, "P", limits, time=self.time,
            clock=lambda: self.now + ahead, sleep=self.sleep,
        )  # fmt: skip

    def time(self) -> Clock:
        """The clock of the database."""
        return fixed(EPOCH + self.now)

    def rate(self) -> KnownRate:
        """The row of the project."""
        with self.read() as connection:
            (found,) = known_rates(connection, self.time())
        return found

    def close(self) -> None:
        """Close it."""
        self._journal.close()
