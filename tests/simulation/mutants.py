"""The rules, broken on purpose: `python -m tests.simulation.mutants NAME` says which seed finds it.

A mutant is one change in the source of one module, made while the module is imported, in a process
of its own.
"""

import importlib.util
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from importlib.abc import MetaPathFinder, SourceLoader
from importlib.machinery import ModuleSpec, PathFinder
from pathlib import Path
from types import ModuleType
from typing import Final

MOST: Final = 10_000
MOST_SHARED: Final = 200
_PACKAGE: Final = "sinch_wrapper"


@dataclass(frozen=True)
class Mutant:
    """A change in *module*: *old* becomes *new*; it shows in *models*, from seed *first* on.

    With *is_shared* it shows in a cluster. *more* are other changes in the same module.
    """

    module: str
    old: str
    new: str
    models: tuple[str, ...] = ()
    first: int = 0
    package: str = "bulk"
    is_shared: bool = False
    more: tuple[tuple[str, str], ...] = ()

    @property
    def changes(self) -> tuple[tuple[str, str], ...]:
        """All its changes."""
        return (self.old, self.new), *self.more

    @property
    def name(self) -> str:
        """The module with its packages."""
        return f"{_PACKAGE}.{self.package}.{self.module}"


def _of_cluster(module: str, old: str, new: str, first: int = 0) -> Mutant:
    return Mutant(module, old, new, package="cluster", first=first, is_shared=True)


MUTANTS: Final = {
    "what cannot be read is left out": Mutant(
        "_evidence",
        "            proves = False\n",
        "            proves = proves\n",
        ("o1",),
        first=50,
    ),
    "no witness": Mutant(
        "_evidence",
        "if not witnesses:\n",
        "witnesses = witnesses or accepted.keys() & roll.found.keys()\n    if not witnesses:\n",
        ("f1",),
        first=215,
    ),
    "a witness from before": Mutant(
        "_evidence", "self.last_left) > began", "1) > 0", ("f1",), first=215
    ),
    "no elder": Mutant(
        "_evidence",
        "if not elders:\n        return _wait(Lack.ELDER, hope=False)",
        "elders = elders or [0]",
        ("g",),
        first=700,
    ),
    "no time": Mutant("_evidence", "if evidence.waited < rules.settle:", "if False:", ("D2",)),
    "no margin": Mutant(
        "_evidence", "if evidence.waited < rules.margin(lags):", "if False:", ("c5",), first=80
    ),
    "never is forgotten": Mutant(
        "_evidence", "if rules.never else", "if False else", ("D4",), first=60
    ),
    "never looked long enough": Mutant(
        "_evidence", "if known.unchanged >= rules.patience(", "if -1 >= rules.patience("
    ),
    "times instead of numbers": Mutant(
        "_tracker",
        "self._event += 1\n",
        "self._event = int(self._journal.wall())\n",
        ("f1", "D1"),
    ),
    "a batch of two requests": Mutant(
        "_tracker", "if owner is None or owner == chunk.id:", "if True:"
    ),
    "sent before it is written": Mutant(
        "_tracker",
        "self._move(connection, chunk, ChunkState.SENDING, sent=chunk.sent + 1, **values)",
        "self._journal.set(connection, chunk.id, sent=chunk.sent + 1, **values)",
    ),
    "no flush": Mutant("_sender", "self._job.journal.flush()", "pass"),
    "doubts keep back for ever": Mutant(
        "_sender",
        "return None if is_over else self._planned(connection, NO_LIMIT, now)\n",
        "return None\n",
    ),
    "the queue is not counted": Mutant(
        "_tracker", "self._queue.add(chunk.count)\n        self.doubts.leave", "self.doubts.leave"
    ),
    "the list need not be complete": Mutant(
        "_evidence", "        return _wait(Lack.COMPLETE)\n", "        pass\n", ("s1",), first=110
    ),
    "a 2xx that cannot be read is none": Mutant(
        "_tracker", '{"certain": int(certain or chunk.certain)', '{"certain": 0', ("u1",)
    ),
    "no callback about a witness": Mutant(
        "_evidence",
        "if known.told is not None and witnesses.isdisjoint(known.told):",
        "if False:",
        ("q1",),
    ),
    "no lag": Mutant("_evidence", "if not lags.count:", "if False:", ("l1",), first=900),
    "attempts without end": Mutant(
        "_evidence", "if doubt.sent >= rules.attempts:", "if False:", ("n1",)
    ),
    "a resume goes on with its doubts": Mutant(
        "_tracker",
        "chunk = self._unknown(connection, chunk, doubted=self._number())\n        kind",
        "chunk = self._unknown(connection, chunk, doubted=chunk.last_left)\n        kind",
        ("q1",),
        first=340,
    ),
    "a refusal is about the first time": Mutant(
        "_tracker",
        "case Refused(error, shared) if not is_second:",
        "case Refused(error, shared):",
        ("r1",),
    ),
    "no last look for a callback": Mutant(
        "_tracker",
        "if chunk is None or not chunk.certain or not self._has_look_up:",
        "if True:",
        ("p1",),
        first=800,
    ),
    "a key for two messages": Mutant(
        "_keys", "number if digest == same else copy(used)", "number if True else copy(used)"
    ),
    "what other processes write is not seen": Mutant(
        "_sender", "and not self._job.is_outbox", "", first=540
    ),
    "the first of a request is retried": Mutant(
        "_retries", "items[each.position or 0]", "items[0]"
    ),
    "redirects are refusals": Mutant(
        "_responses",
        "if code == HTTPStatus.BAD_REQUEST:",
        "if code < HTTPStatus.INTERNAL_SERVER_ERROR:",
    ),
}


# Those of the protocol between leaders and workers. Each must make a request that is accepted
# twice, or lost: see DOUBLES and LOSSES.
SHARED_MUTANTS: Final = {
    "a leader without a token": Mutant(
        "_register",
        "if token is not None and leader != token:",
        "if False:",
        first=5,
        is_shared=True,
    ),
    "a result without its worker": _of_cluster(
        "_call_table",
        "of = (calls.c.id == number, calls.c.state == CallState.LEFT, calls.c.worker == worker)",
        "of = (calls.c.id == number,)",
        first=55,
    ),
    "what has left is taken back": _of_cluster(
        "_call_table",
        "query = update(calls).where(calls.c.job == job, calls.c.state == CallState.HANDED)",
        "query = update(calls).where(calls.c.job == job)",
    ),
    "blind take-over": _of_cluster(
        "_desk", "lost.append(Done(call, LOST))", "lost.append(Done(call, NOT_LEFT))"
    ),
    "two workers take one call": _of_cluster(
        "_call_table",
        "query = update(calls).where(calls.c.id == number, calls.c.state == CallState.HANDED)\n"
        "    query = query.where(calls.c.token",
        "query = update(calls).where(calls.c.id == number)\n    query = query.where(calls.c.token",
    ),
    "silent is taken for dead": _of_cluster(
        "_life", "return WorkerLife.SILENT if has_session else", "return", first=20
    ),
    "a slept worker may send": _of_cluster(
        "_life", "return silence < lease / 2", "return True", first=35
    ),
    "held calls may leave": _of_cluster(
        "_desk", "self.held = frozenset(row.chunk for", "self.held = frozenset(-1 for", first=20
    ),
    "a worker takes its own ticket twice": _of_cluster(
        "_worker", "if prepared.number in seat.running:", "if False:", first=60
    ),
    "sent before it was taken": _of_cluster(
        "_worker",
        "        seat = None if self.is_outdated(prepared) else self.take(prepared)\n"
        "        if seat is None:\n"
        "            return\n"
        "        done = None\n"
        "        if isinstance(prepared.call, BatchCall) and self.may_leave(seat, looked):\n"
        "            left = self._clock()\n"
        "            done = _made(self._batch, prepared.call)\n",
        "        done = None\n"
        "        seats = self._seats\n"
        "        if isinstance(prepared.call, BatchCall) and self.may_leave(seats[-1], looked):\n"
        "            left = self._clock()\n"
        "            done = _made(self._batch, prepared.call)\n"
        "        seat = self.take(prepared)\n"
        "        if seat is None:\n"
        "            return\n"
        "        if done is not None:\n",
    ),
    "handed out before the move to sending is committed": Mutant(
        "_sender",
        "            self._dispatch.leave(connection, self._queue, now)\n",
        "            self._dispatch.leave(connection, self._queue, now)\n"
        "            moved = [each.chunk for each in calls if each.purpose == 'send']\n"
        "            for each in moved:\n"
        "                self._job.journal.set(connection, each, state=ChunkState.PLANNED)\n"
        "        with self._job.journal.write() as connection:\n"
        "            for each in moved:\n"
        "                self._job.journal.set(connection, each, state=ChunkState.SENDING)\n",
        first=35,
        is_shared=True,
    ),
    # By itself it does nothing: calls that have ended go in the transaction that takes their ends,
    # and what is lost never ends. So both guards are broken.
    "an earlier call's result taken for a later call": Mutant(
        "_desk",
        " and chunk.last_left == row.event",
        "",
        package="cluster",
        first=45,
        is_shared=True,
        more=(("        call_table.forget(connection, ended, *ENDED)\n", ""),),
    ),
    "a worker does not ask who has opted out": _of_cluster(
        "_worker", "if items is None or not", "if items is None or True or not", first=98
    ),
    # That a look at opt-outs does not count for long is held by
    # tests/cluster/test_opt_outs.py::test_a_look_at_opt_outs_does_not_count_for_long: here a worker
    # has to be stopped in the right moment, and be heard of before it goes on.
    "one clock is enough": _of_cluster(
        "_worker",
        "return self._clock(), self._wall()",
        "return self._clock(), self._clock()",
        first=100,
    ),
}
# What the ledger of the API and the journal show when a request is doubled, and, once the job has
# ended, lost.
DOUBLES: Final = ("was accepted as", "had opted out")
LOSSES: Final = ("but was", "never left", "is still being sent")
ALL_MUTANTS: Final = MUTANTS | SHARED_MUTANTS


class Mutator(MetaPathFinder, SourceLoader):  # type: ignore[misc]  # they agree at run time
    """Imports one module with a change."""

    def __init__(self, mutant: Mutant) -> None:
        self._mutant = mutant
        self._path = ""

    def find_spec(
        self, fullname: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        """Find the module that is changed, and no other."""
        if fullname != self._mutant.name:
            return None
        found = PathFinder.find_spec(fullname, path, target)
        assert found is not None
        assert found.origin is not None
        self._path = found.origin
        return importlib.util.spec_from_loader(fullname, self, origin=found.origin)

    def get_filename(self, fullname: str) -> str:
        """Where its source is."""
        del fullname
        return self._path

    def get_data(self, path: str | bytes) -> bytes:
        """Its source, changed."""
        source = Path(str(path)).read_text(encoding="utf-8")
        for old, new in self._mutant.changes:
            assert 1 == source.count(old), f"the source has changed: {old}"
            source = source.replace(old, new)
        return source.encode()

    def path_stats(self, path: str) -> dict[str, float]:
        """Never from a cache."""
        raise OSError(path)


def find(name: str, most: int | None = None) -> tuple[int, str] | None:
    """The first seed that finds the mutant *name*, and what it finds; None when none below *most*.

    One in a cluster is found by a request that is accepted twice or lost, not by an exception.
    """
    mutant = ALL_MUTANTS[name]
    sys.meta_path.insert(0, Mutator(mutant))
    run = problems_of_cluster if mutant.is_shared else problems_of_job
    for seed in range(mutant.first, most or (MOST_SHARED if mutant.is_shared else MOST)):
        try:
            if problems := run(seed, mutant):
                return seed, problems[0]
        except Exception as error:  # noqa: BLE001 (a mutant may break anything)
            if not mutant.is_shared:
                return seed, f"{type(error).__name__}: {error}"
    return None


def problems_of_job(seed: int, mutant: Mutant) -> list[str]:
    """What the simulation of jobs finds with *seed*."""
    from tests.simulation.models import ALL, Model
    from tests.simulation.run import Simulation
    from tests.simulation.scenario import scenario_of

    named = [each for each in ALL if each.name.split()[0] in mutant.models]
    models: Sequence[Model | None] = named or [None]
    return Simulation(scenario_of(seed, models[seed % len(models)])).run().problems


def problems_of_cluster(seed: int, _mutant: Mutant) -> list[str]:
    """What the simulation of a cluster finds with *seed*."""
    from tests.simulation.cluster import ClusterSimulation
    from tests.simulation.cluster_scenario import cluster_scenario_of

    found = ClusterSimulation(cluster_scenario_of(seed)).run().problems
    harm = DOUBLES if "did not end" in found else DOUBLES + LOSSES
    return [each for each in found if any(words in each for words in harm)]


if __name__ == "__main__":
    found = find(sys.argv[1], int(sys.argv[2]) if len(sys.argv) > 2 else None)
    words = "not found" if found is None else f"seed {found[0]}: {found[1]}"
    sys.stdout.write(f"{sys.argv[1]}: {words}\n")
    sys.exit(found is None)
