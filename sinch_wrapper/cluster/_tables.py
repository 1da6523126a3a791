"""The tables that jobs share: which there are, who works on them, and what was handed out."""

from sqlalchemy import BigInteger, Column, Double, Index, Integer, String, Table, Text

from sinch_wrapper.bulk._register import jobs, shared
from sinch_wrapper.bulk._schema import Number

__all__ = ["app_queues", "assignments", "calls", "jobs", "rates", "shared", "workers"]

# One row for each time that a process took part. Times are Unix seconds of the database.
workers = Table(
    "workers",
    shared,
    Column("id", Number, primary_key=True),
    # Host and process.
    Column("name", String, nullable=False),
    # How many requests it sends at a time; 0 once it takes no more.
    Column("slots", Integer, nullable=False),
    Column("began_at", Double, nullable=False),
    Column("beat_at", Double, nullable=False),
    # A number is never given again: somebody may still mean the one that had it.
    sqlite_autoincrement=True,
)

# Requests that were handed out, until the journal has their ends.
calls = Table(
    "calls",
    shared,
    Column("id", Number, primary_key=True),
    Column("job", BigInteger, nullable=False),
    # What the journal calls the job: another one may take its place.
    Column("mark", String, nullable=False),
    Column("chunk", BigInteger, nullable=False),
    # The number in the journal of its leaving: a later one is another call.
    Column("event", BigInteger, nullable=False),
    # Of the leader that handed it out.
    Column("token", BigInteger, nullable=False),
    # JSON: the fields that differ from those of the job.
    Column("request", Text, nullable=False),
    Column("state", String, nullable=False),
    Column("worker", BigInteger),
    Column("handed_at", Double, nullable=False),
    Column("left_at", Double),
    # JSON: how it ended.
    Column("result", Text),
    sqlite_autoincrement=True,
)
Index("calls_by_job", calls.c.job, calls.c.state)

# The rate of each project; times are Unix seconds of the database.
rates = Table(
    "rates",
    shared,
    Column("project", String, primary_key=True),
    # RateLimits, and an AdaptiveRate.
    Column("requests_per_second", Double, nullable=False),
    Column("burst", Integer, nullable=False),
    Column("lowered_to", Double, nullable=False),
    Column("lowered_at", Double, nullable=False),
    Column("cut", Double, nullable=False),
    # Where the bookings end, in nanoseconds.
    Column("booked", BigInteger, nullable=False),
    # Slots and blocks of them that were booked, ever.
    Column("slots", BigInteger, nullable=False),
    Column("blocks", BigInteger, nullable=False),
)

# The estimate of the recipients in the queue of each app, as an Outstanding by Unix seconds.
app_queues = Table(
    "app_queues",
    shared,
    Column("app", String, primary_key=True),
    Column("recipients", Double, nullable=False),
    Column("at", Double, nullable=False),
)

# The jobs that were given to workers.
assignments = Table(
    "assignments",
    shared,
    Column("job", BigInteger, primary_key=True, autoincrement=False),
    Column("project", String, nullable=False),
    Column("stage", String, nullable=False),
    # JSON: how it is sent.
    Column("options", Text, nullable=False),
    # Who leads it, with which token, and when that was last so.
    Column("worker", BigInteger),
    Column("token", BigInteger),
    Column("led_at", Double),
    # What stopped it.
    Column("why", Text, nullable=False, server_default=""),
)
