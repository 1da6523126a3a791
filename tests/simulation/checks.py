"""Compares what a journal says in the end with the ledger of the API."""

from collections.abc import Iterator

from sinch_wrapper.bulk._chunks import Chunk
from sinch_wrapper.bulk._states import ChunkState
from tests.simulation.api import SimulatedApi
from tests.simulation.processes import Process


class Ledger:
    """What the *api* accepted; *covered* says that nothing at all may be accepted twice."""

    def __init__(self, api: SimulatedApi, *, covered: bool) -> None:
        self._api = api
        self._covered = covered

    def problems(self, process: Process) -> Iterator[str]:
        """What is wrong with the job of *process*."""
        if process.error or not process.is_over:
            yield process.error or "did not end"
        chunks = process.journal.after(-1, 10_000)
        yield from self._totals(process, chunks)
        for chunk in chunks:
            yield from self._states(process, chunk)
            yield from self._doubles(process, chunk)
        by_itself = [
            chunk.id
            for chunk, evidence in process.journal.sent_again()
            if evidence is not None and process.script.send_again == "never"
        ]
        if by_itself:
            yield f"requests {by_itself} left again by themselves"

    def batches(self, process: Process, chunk: Chunk) -> list[str]:
        """What a request became."""
        return self._api.accepted.get((process.number, chunk.id), [])

    def is_twice(self, process: Process, chunk: Chunk) -> bool:
        """Whether it became two batches, without a person's word."""
        return len(self.batches(process, chunk)) > 1 and chunk.id not in process.forced

    def _totals(self, process: Process, chunks: list[Chunk]) -> Iterator[str]:
        total = sum(chunk.count for chunk in chunks)
        wanted = process.script.recipients - process.left_out
        if process.old is not None:
            yield from self._retried(process, total)
        elif total != wanted and not (process.script.is_outbox and total < wanted):
            yield f"{wanted} recipients, {total} in requests"

    def _retried(self, process: Process, total: int) -> Iterator[str]:
        """A retry is for those alone of whom it is known that they did not get it."""
        assert process.old is not None
        old = process.old.number
        ids = [id_ for (job, _), all_ in self._api.accepted.items() if job == old for id_ in all_]
        had = {each for id_ in ids for each in self._api.people_of(id_)}
        if wrong := self._api.people[process.number] & (had - self._api.failed):
            yield f"a retry is for {len(wrong)} that had it"
        refused = process.old.journal.after(-1, 10_000, state=ChunkState.REJECTED)
        least = sum(chunk.count for chunk in refused if '"400"' in (chunk.error or ""))
        if total < least:
            yield f"a retry is for {total} of {least} that were refused"

    def _states(self, process: Process, chunk: Chunk) -> Iterator[str]:
        batches, name = self.batches(process, chunk), f"request {chunk.id}"
        if chunk.state is ChunkState.ACCEPTED and chunk.batch_id not in batches:
            yield f"{name} is {chunk.batch_id}, but was {batches}"
        if chunk.state in {ChunkState.REJECTED, ChunkState.PLANNED} and batches:
            yield f"{name} is {chunk.state}, but was {batches}"
        if chunk.state is ChunkState.SENDING:
            yield f"{name} is still being sent"
        if chunk.state is ChunkState.PLANNED and not process.stopped_by:
            yield f"{name} never left"

    def _doubles(self, process: Process, chunk: Chunk) -> Iterator[str]:
        batches, name = self.batches(process, chunk), f"request {chunk.id}"
        is_covered = self._covered or process.script.send_again == "never"
        if self.is_twice(process, chunk) and is_covered:
            yield f"{name} was accepted as {batches}"
        if chunk.twice and (len(batches) < 2 or chunk.twice not in batches):
            yield f"{name} is told to be {chunk.twice} too"
        if chunk.sent > process.script.attempts and chunk.id not in process.forced:
            yield f"{name} left {chunk.sent} times of {process.script.attempts}"
