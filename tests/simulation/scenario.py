"""What one seed says: the API, the jobs, how they are run, and when they are killed."""

from dataclasses import dataclass
from random import Random

from tests.simulation import models
from tests.simulation.models import Model

DAY = 86400.0
_LAST = ("", "resume", "cancel", "send-again", "retry")


@dataclass(frozen=True)
class JobScript:
    """One job: its size, how it is sent, and what happens to it.

    Each of *kills* is the number of writes into the journal, counted from the start of a run, after
    which the process is killed, or as a float the number of seconds; with *moved* its file is
    moved, and the log beside it is lost. *stop* is after how many seconds it is asked to stop.
    Afterwards it is resumed after *pause*, then *last* is done: nothing, resume, cancel,
    send-again, or retry. An outbox gets its keys while it runs.
    """

    recipients: int
    chunk_size: int
    concurrency: int
    send_again: str
    kills: tuple[float, ...]
    moved: bool
    stop: float | None
    pause: float
    last: str
    queue: int
    drain: float
    begins: float = 0.0
    attempts: int = 5
    is_outbox: bool = False


@dataclass(frozen=True)
class Scenario:
    """All that follows from a seed, but for the chances that the API takes."""

    seed: int
    model: Model
    stormy: bool
    receiver: bool
    clock_jumps: bool
    jobs: tuple[JobScript, ...]


def scenario_of(seed: int, model: Model | None = None, send_again: str = "") -> Scenario:
    """The scenario of *seed*; *model* and *send_again* may be given instead."""
    chance = Random(seed)  # noqa: S311 (repeatable)
    found = chance.choice(models.ALL)
    model = model or found
    moved = chance.random() < 0.04 and not model.spared and model.calls is None
    count = chance.choices((1, 2, 3), (80, 14, 6))[0]
    jobs = tuple(_job(chance, model, send_again, moved=moved) for _ in range(count))
    return Scenario(
        seed,
        model,
        stormy=chance.random() < 0.8,
        receiver=model.calls is not None or (not moved and chance.random() < 0.3),
        clock_jumps=chance.random() < 0.2,
        jobs=jobs,
    )


def _job(chance: Random, model: Model, send_again: str, *, moved: bool) -> JobScript:
    size = chance.choice((1, 5, 10, 20))
    chunks = chance.choice((1, 2, 4, 6, 8, 12))
    killed = model.killed or moved or (chance.random() < 0.4 and not model.spared)
    is_outbox = not moved and chance.random() < 0.15
    kills = [
        chance.choice((chance.randint(1, 60), chance.uniform(0, 5)))
        for _ in range(chance.randint(1, 3) if killed else 0)
    ]
    return JobScript(
        recipients=size if is_outbox else max(1, size * chunks - chance.randint(0, size - 1)),
        chunk_size=size,
        concurrency=chance.choice((1, 4, 8)),
        send_again=send_again or chance.choices(("evidence", "never"), (5, 1))[0],
        kills=tuple(kills),
        moved=moved,
        stop=chance.uniform(0, 60) if chance.random() < 0.15 and not is_outbox else None,
        pause=chance.choice((1.0, 60.0, 3600.0, DAY)),
        last="" if is_outbox else chance.choices(_LAST, (50, 20, 10, 10, 10))[0],
        queue=chance.choice((10**6, 10**6, 60)),
        drain=chance.choice((20.0, 2.0)),
        begins=chance.choice((0.0, chance.uniform(0, 300))),
        attempts=chance.choice((5, 5, 2)),
        is_outbox=is_outbox,
    )
