"""The jobs that workers send: which are ready for a leader, who leads each, and how each ended."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from sqlalchemy import Connection, case, delete, insert, null, select, update

from sinch_wrapper.cluster._call_table import Clock
from sinch_wrapper.cluster._tables import assignments, calls, jobs


class AssignmentStage(StrEnum):
    """Whether a job is to be led."""

    READY = "ready"
    ENDED = "ended"


@dataclass(frozen=True, slots=True)
class Assignment:
    """A job for workers: how it is sent (*options*), the *worker* that leads it, and for how long.

    *token* is that of its last leader, and *led* that of the last one that was a worker. *silence*
    is the seconds since a worker led it, None for never. *why* is what stopped it, empty for
    nothing.
    """

    job: int
    name: str
    stage: str
    token: int
    options: Mapping[str, Any] = field(repr=False)
    worker: int | None = None
    led: int | None = None
    silence: float | None = None
    why: str = ""


def assign(connection: Connection, job: int, project: str, options: Mapping[str, object]) -> None:
    """Give a job to workers, with *options* from now on."""
    connection.execute(delete(assignments).where(assignments.c.job == job))
    connection.execute(update(jobs).where(jobs.c.number == job).values(given=1))
    connection.execute(
        insert(assignments).values(
            job=job, project=project, stage=AssignmentStage.READY, options=json.dumps(options)
        )
    )


def assignments_of(
    connection: Connection, time: Clock, *, project: str | None = None, job: int | None = None
) -> Sequence[Assignment]:
    """The jobs that were given to workers: all, those of a *project*, or one."""
    known = assignments.c
    query = select(
        known.job, jobs.c.name, known.stage, jobs.c.leader, known.options, known.worker,
        known.token, time - known.led_at, known.why,
    ).join(jobs, jobs.c.number == known.job)  # fmt: skip
    if project is not None:
        query = query.where(known.project == project)
    if job is not None:
        query = query.where(known.job == job)
    return [
        Assignment(job, name, stage, token, json.loads(options), worker, led, silence, why)
        for job, name, stage, token, options, worker, led, silence, why in connection.execute(
            query.order_by(known.job)
        )
    ]


def lead(connection: Connection, job: int, worker: int, token: int, time: Clock) -> None:
    """Note that *worker* leads a job with this *token*, which it has to say again and again."""
    query = update(assignments).where(assignments.c.job == job)
    connection.execute(query.values(worker=worker, token=token, led_at=time))


def step_down(connection: Connection, job: int, worker: int) -> None:
    """Note that *worker* does not lead a job any more."""
    mine = (assignments.c.job == job, assignments.c.worker == worker)
    connection.execute(update(assignments).where(*mine).values(worker=null()))


def withdraw(connection: Connection, job: int) -> None:
    """Let workers have a job no longer: its leader stops."""
    query = update(assignments).where(assignments.c.job == job)
    connection.execute(query.values(stage=AssignmentStage.ENDED))


def end(connection: Connection, job: int, token: int, why: str) -> bool:
    """Note that a job has ended, unless another leader than the one with *token* came later.

    As long as some worker may still send from it, nobody else may.
    """
    open_calls = select(calls.c.id).where(calls.c.job == job).exists()
    is_over = case((open_calls, 1), else_=0)
    mine = (jobs.c.number == job, jobs.c.leader == token)
    if not connection.execute(update(jobs).where(*mine).values(given=is_over)).rowcount:
        return False
    query = update(assignments).where(assignments.c.job == job)
    connection.execute(query.values(stage=AssignmentStage.ENDED, worker=null(), why=why))
    return True
