"""Receivers of a simulated cluster: two processes that write callbacks, of which some come twice.

Both may be killed, stopped or cut off while they write. Some callbacks are opt-outs.
"""

import json
from collections.abc import Callable, Iterable
from contextlib import closing, nullcontext, suppress
from dataclasses import replace
from pathlib import Path

from sqlalchemy import func, select

from sinch_wrapper.bulk import OptOutFollower
from sinch_wrapper.bulk._callbacks import record
from sinch_wrapper.bulk._journal import Job
from sinch_wrapper.bulk._schema import chunks, early, outcomes, skipped
from sinch_wrapper.callbacks import Event, read_event
from sinch_wrapper.errors import BulkError
from tests.simulation.nodes import Fault, Node, NodeJournal, NodeStorage, World

# The share of callbacks whose response is lost, so that they come again.
_LOST = 0.2


def opt_out(identity: str) -> Event:
    """The message by which somebody opts out."""
    message = {
        "id": f"M-{identity}",
        "direction": "TO_APP",
        "contact_message": {"text_message": {"text": "STOP"}},
        "channel_identity": {"channel": "SMS", "identity": identity},
    }
    envelope = {"app_id": "A1", "event_time": "2026-01-01T08:00:00Z", "message": message}
    return read_event(json.dumps(envelope).encode())


class Receivers:
    """They write into *job* what comes, and who opts out into the list at *path*, if there is one.

    `gone` says since when it is on disk that somebody has opted out.
    """

    def __init__(
        self, world: World, job: Job, path: Path | None, is_over: Callable[[], bool]
    ) -> None:
        self._world = world
        self._job = job
        self._path = path
        self._is_over = is_over
        self._inbox: list[Event] = []
        self._taken: list[Event] = []
        self.gone: dict[str, float] = {}
        self.nodes: list[Node] = []

    def begin(self, faults: Iterable[Fault] = ()) -> None:
        """Start one."""
        name = f"receiver {len(self.nodes)}"
        node = Node(self._world, name, list(faults), self.begin)
        self.nodes.append(node)
        node.begin(lambda: self._receive(node), "receive")

    def expect(self, event: Event) -> None:
        """Let *event* come, until one of them has responded to it."""
        self._inbox.append(event)

    def left_out(self) -> int:
        """How many recipients the job has left out."""
        with self._job.journal.read() as connection:
            return int(connection.execute(select(func.count()).select_from(skipped)).scalar_one())

    def is_idempotent(self) -> bool:
        """Whether all that was written changes nothing when it comes once more, backwards."""
        before = self._rows()
        record(self._job, self._taken[::-1])
        return before == self._rows()

    def _rows(self) -> list[list[tuple[object, ...]]]:
        with self._job.journal.read() as connection:
            tables = (chunks, outcomes, early)
            return [sorted(map(tuple, connection.execute(select(each)))) for each in tables]

    def _receive(self, node: Node) -> None:
        journal = NodeJournal(NodeStorage(node), self._job.journal.now)
        job, chance = replace(self._job, journal=journal), self._world.chance
        with (
            nullcontext() if self._path is None else closing(OptOutFollower(self._path)) as follower
        ):
            while not self._is_over():
                if self._inbox:
                    event = self._inbox[0]
                    with suppress(BulkError):
                        self._write(job, follower, event)
                        if chance.random() > _LOST and event in self._inbox:
                            self._inbox.remove(event)
                node.sleep(chance.uniform(0, 0.2) if self._inbox else 2.0)

    def _write(self, job: Job, follower: OptOutFollower | None, event: Event) -> None:
        if follower is not None and event.kind == "message":
            follower.take([event])
            identity = event.payload["channel_identity"]["identity"]  # type: ignore[index]  # as above
            self.gone.setdefault(str(identity), self._world.time.now)
            self._world.note(f"{identity} has opted out")
        record(job, [event])
        self._taken.append(event)
