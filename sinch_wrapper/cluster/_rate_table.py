"""The table of rates: one row a project, which all its processes book their slots in.

Each change begins with an update of the row: who wants to change it waits there for his turn, and
the time that the update returns is that of his turn.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import Connection, Row, select, update
from sqlalchemy.dialects.postgresql import insert as upsert

from sinch_wrapper import RateLimits
from sinch_wrapper._rate_limit import AdaptiveRate, Bucket
from sinch_wrapper.cluster._call_table import Clock
from sinch_wrapper.cluster._tables import rates


@dataclass(frozen=True, slots=True)
class KnownRate:
    """The rate of a project: *rate* requests per second now, of *full*.

    *ahead* is for how many seconds slots are booked, *slots* how many were ever booked, and
    *blocks* in how many transactions.
    """

    project: str
    rate: float
    full: float
    ahead: float
    slots: int
    blocks: int


def set_limits(connection: Connection, project: str, limits: RateLimits | None) -> None:
    """Set the *limits* of a project for all; without them it keeps its own, or has the usual."""
    known = limits or RateLimits()
    values = {"requests_per_second": known.requests_per_second, "burst": known.burst}
    query = upsert(rates).values(
        project=project, lowered_to=math.inf, lowered_at=-math.inf, cut=0.0, booked=0, slots=0,
        blocks=0, **values,
    )  # fmt: skip
    connection.execute(query.on_conflict_do_nothing(index_elements=["project"]))
    if limits is not None:
        connection.execute(update(rates).where(rates.c.project == project).values(values))


def turn(connection: Connection, project: str, many: int, time: Clock) -> tuple[Bucket, float]:
    """Wait for the turn to book *many* slots: the bucket then, and the time; `keep` ends it."""
    values = {"slots": rates.c.slots + many, "blocks": rates.c.blocks + 1}
    query = update(rates).where(rates.c.project == project).values(values)
    row = connection.execute(query.returning(rates, time.label("now"))).one()
    return _bucket(row), row.now


def keep(connection: Connection, project: str, bucket: Bucket) -> None:
    """Write the *bucket* of a project, which this transaction has read."""
    rate = bucket.rate
    query = update(rates).where(rates.c.project == project)
    connection.execute(
        query.values(
            booked=bucket.booked, lowered_to=rate.lowered_to, lowered_at=rate.lowered_at,
            cut=rate.cut,
        )
    )  # fmt: skip


def known_rates(connection: Connection, time: Clock) -> Sequence[KnownRate]:
    """The rates of all projects."""
    query = select(rates, time.label("now")).order_by(rates.c.project)
    found = []
    for row in connection.execute(query):
        rate, ahead = _bucket(row).rate, max(0.0, row.booked / 1e9 - row.now)
        now = rate.rate(row.now)
        found.append(KnownRate(row.project, now, rate.full, ahead, row.slots, row.blocks))
    return found


def _bucket(row: Row[tuple[object, ...]]) -> Bucket:
    rate = AdaptiveRate(row.requests_per_second, row.lowered_to, row.lowered_at, row.cut)
    return Bucket(rate, row.burst, row.booked)
