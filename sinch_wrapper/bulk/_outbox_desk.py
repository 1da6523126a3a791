"""What callers hand over to an outbox: written into its file, sent, and handed back when settled.

No threads and no waiting here: a step of the planner takes what is new and returns what is known.
"""

import threading
from collections.abc import Callable
from concurrent.futures import Future, InvalidStateError
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Final

from sinch_wrapper.bulk._calls import Done, Step
from sinch_wrapper.bulk._journal import Job
from sinch_wrapper.bulk._keys import KeyedMessage, enqueue, find_key, states_of
from sinch_wrapper.bulk._options import RunSettings
from sinch_wrapper.bulk._results import RecipientResult, results_of
from sinch_wrapper.bulk._sender import Sender
from sinch_wrapper.bulk._states import ChunkState
from sinch_wrapper.errors import BulkError

# Seconds: how long the lock is kept without work, and how often the file is looked at then.
_LINGER: Final = 0.5
POLL: Final = 0.05
"""Seconds after which the file is looked at again for what other processes have written."""
_PLANNED: Final = ChunkState.PLANNED
_IN_DOUBT: Final = (ChunkState.UNKNOWN, ChunkState.SENDING)


@dataclass(slots=True, eq=False)
class Ticket:
    """One message that somebody waits for, or a person's *word* that it may leave again.

    *written* ends when it is on disk, or never will be; *result* when its outcome is known.
    """

    key: str = field(repr=False)
    message: KeyedMessage | None = field(default=None, repr=False)
    is_word: bool = False
    number: int = -1
    result: "Future[RecipientResult | None]" = field(default_factory=Future, repr=False)

    written: "Future[None]" = field(default_factory=Future, repr=False)

    def end(self, found: RecipientResult | BaseException | None) -> None:
        """Hand over what became of it, to a caller who may have gone."""
        self.note()
        with suppress(InvalidStateError):
            if isinstance(found, BaseException):
                self.result.set_exception(found)
            else:
                self.result.set_result(found)

    def note(self) -> None:
        """Note that it is on disk."""
        with suppress(InvalidStateError):
            self.written.set_result(None)


class OutboxDesk:
    """The tickets of one process for one outbox; safe for threads."""

    def __init__(self) -> None:
        self.guard = threading.RLock()
        self._new: list[Ticket] = []
        self._waiting: list[Ticket] = []

    def add(self, ticket: Ticket) -> None:
        """Take a ticket; its result comes later."""
        with self.guard:
            self._new.append(ticket)

    @property
    def has_word(self) -> bool:
        """Whether a person wants something to leave again."""
        return any(each.is_word for each in self._new)

    @property
    def has_new(self) -> bool:
        """Whether something was handed over that nobody has looked at."""
        return bool(self._new)

    @property
    def waiting(self) -> int:
        """How many wait for their result."""
        return len(self._waiting)

    def forget_ended(self) -> bool:
        """Forget tickets that have their result; returns whether any is left."""
        with self.guard:
            self._waiting = [each for each in self._waiting if not each.result.done()]
            return bool(self._new or self._waiting)

    def fail(self, error: BaseException) -> None:
        """End all tickets with *error*."""
        with self.guard:
            left, self._new, self._waiting = self._new + self._waiting, [], []
        for ticket in left:
            ticket.end(error)

    def write(self, job: Job) -> tuple[int, list[Ticket]]:
        """Write the new messages in one transaction; returns how many, and the words."""
        with self.guard:
            new, self._new = self._new, []
            # From here on they are failed together with the others.
            self._waiting += new
        messages = [each for each in new if each.message is not None]
        if messages:
            with job.journal.write() as connection:
                found = enqueue(
                    job.journal, connection, [each.message for each in messages if each.message]
                )
            for ticket, number in zip(messages, found, strict=True):
                if isinstance(number, BulkError):
                    ticket.end(number)
                else:
                    ticket.number = number
                    ticket.note()
        return len(messages), [each for each in new if each.is_word]

    def look(self, job: Job, *, is_over: bool = False) -> None:
        """Hand over what is settled; when sending *is_over*, what is in doubt too."""
        self.forget_ended()
        with self.guard:
            waiting = [each for each in self._waiting if each.number >= 0]
        if not waiting:
            return
        open_states = {_PLANNED} if is_over else {_PLANNED, *_IN_DOUBT}
        keys = {each.number: each.key for each in waiting}
        with job.journal.read() as connection:
            known = states_of(connection, [*keys])
            ended = [number for number, state in known.items() if state not in open_states]
            found = job.journal.chunks(connection, ended).values() if ended else ()
            results = results_of(connection, list(found), keys) if ended else {}
        for ticket in waiting:
            if ticket.number in results or ticket.number not in known:
                ticket.end(results.get(ticket.number))


class OutboxPlanner:
    """The planner of a job to which messages are added at *desk* while it runs.

    *now* and *wall* are as in Sender.
    """

    def __init__(
        self,
        desk: OutboxDesk,
        job: Job,
        settings: RunSettings,
        now: float,
        wall: Callable[[], float],
    ) -> None:
        self.sender = Sender(job, settings, now, wall)
        self._desk = desk
        self._job = job
        self._busy = now

    def step(self, now: float, done: list[Done], *, stopping: bool) -> Step:
        """Write what is new, take what is *done*, and hand out what leaves."""
        many, words = (0, []) if stopping else self._desk.write(self._job)
        self.sender.add(many)
        for ticket in words:
            self._take_word(ticket, now)
        step = self.sender.step(now, done, stopping=stopping)
        if many or done or words:
            self._busy = now
        self._desk.look(self._job)
        lingers = now - self._busy < _LINGER or self._desk.has_new
        if step.finished and lingers and not stopping and self.sender.stopped_by is None:
            return Step(step.calls, POLL)
        return step

    def _take_word(self, ticket: Ticket, now: float) -> None:
        with self._job.journal.read() as connection:
            known = find_key(connection, ticket.key)
        if known is None:
            ticket.end(None)
        else:
            ticket.number = known[0]
            self.sender.take_word_for(known[0], now)
