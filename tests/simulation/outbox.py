"""Callers of an outbox in virtual time: they hand over keys, some again, from two processes."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from random import Random

from sinch_wrapper import Recipient, text
from sinch_wrapper.bulk._keys import KeyedMessage, keyed_message
from sinch_wrapper.bulk._outbox_desk import OutboxDesk, Ticket
from sinch_wrapper.bulk._results import RecipientResult
from tests.simulation.processes import Process

APP = "01J0SANDB0X0APP00000000000"


@cache
def message(number: int, words: str) -> KeyedMessage:
    """The message under the key with this number."""
    to = Recipient.sms(person(number))
    return keyed_message(f"k{number}", APP, to, text(words), None, {})


def person(number: int) -> str:
    """Who it is for."""
    return f"+4670{number:07d}"


@dataclass(frozen=True)
class HandOver:
    """A key that is handed over at *at*, by this process or another one."""

    at: float
    number: int
    words: str
    elsewhere: bool


def hand_overs(many: int, chance: Random) -> list[HandOver]:
    """Keys as callers come: most once, some again, a few with another message."""
    span = chance.choice((1.0, 30.0, 900.0))
    return [
        HandOver(
            chance.uniform(0, span),
            number,
            "Hi" if chance.random() < 0.95 else "Hello",
            chance.random() < 0.2,
        )
        for number in range(many)
        for _ in range(chance.choice((1, 1, 1, 2, 3)))
    ]


class Callers:
    """Those who use one outbox; *wake* lets its process go on."""

    def __init__(self, process: Process, wake: Callable[[], None]) -> None:
        self.process = process
        self._wake = wake
        self._elsewhere = OutboxDesk()
        self._tickets: list[tuple[HandOver, Ticket]] = []

    def come(self, what: HandOver) -> None:
        """Hand over one key."""
        process, found = self.process, message(what.number, what.words)
        ticket = Ticket(found.key, found)
        self._tickets.append((what, ticket))
        if what.elsewhere:
            assert process.job is not None
            left, process.journal.left = process.journal.left, None
            self._elsewhere.add(ticket)
            self._elsewhere.write(process.job)
            process.journal.left = left
        else:
            process.desk.add(ticket)
        self._wake()

    def die(self) -> list[HandOver]:
        """The process dies with its callers; returns what they will hand over again."""
        mine = [(what, each) for what, each in self._tickets if not what.elsewhere]
        lost = [what for what, ticket in mine if not ticket.result.done()]
        gone = {id(ticket) for what, ticket in mine if not ticket.result.done()}
        self._tickets = [each for each in self._tickets if id(each[1]) not in gone]
        return lost

    def look(self, *, is_over: bool) -> None:
        """Hand over what is settled."""
        assert self.process.job is not None
        for desk in (self.process.desk, self._elsewhere):
            desk.look(self.process.job, is_over=is_over)

    def problems(self, people: Mapping[str, set[str]]) -> Iterator[str]:
        """What is wrong with what callers were told; *people* has whom each batch was for."""
        answers: dict[int, set[tuple[int, str]]] = {}
        for what, ticket in self._tickets:
            if not ticket.result.done():
                yield f"nobody told what became of key {what.number}"
                continue
            error = ticket.result.exception()
            if error is not None:
                if "another message" not in str(error):
                    yield f"key {what.number}: {error}"
                continue
            found = ticket.result.result()
            answers.setdefault(what.number, set()).add((ticket.number, what.words))
            if found is None:
                yield f"key {what.number} is not known"
            else:
                yield from self._problem(what.number, found, people)
        for number, different in answers.items():
            if len(different) > 1:
                yield f"key {number} is {different}"

    def _problem(
        self, number: int, found: RecipientResult, people: Mapping[str, set[str]]
    ) -> Iterator[str]:
        if found.batch_id and people.get(found.batch_id) != {person(number)}:
            yield f"key {number} was told the batch of another"
        if found.key != f"k{number}":
            yield f"key {number} was told what became of {found.key}"
