"""What a job is going to do, before it does it."""

import weakref
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from typing import Final, TypedDict, cast

from sqlalchemy import bindparam, func, select

from sinch_wrapper import _validate
from sinch_wrapper.bulk._damage import sound
from sinch_wrapper.bulk._journal import Journal
from sinch_wrapper.bulk._measuring import Measure, MessageKind
from sinch_wrapper.bulk._pieces import Entry, as_recipient, entries_of
from sinch_wrapper.bulk._queue import MessageLimits
from sinch_wrapper.bulk._rendering import SMS
from sinch_wrapper.bulk._schema import DUPLICATE, INVALID, SUPPRESSED, skipped
from sinch_wrapper.bulk._sms_parts import SmsParts, count_parts, not_gsm
from sinch_wrapper.bulk._states import ChunkState
from sinch_wrapper.errors import BulkArgumentError
from sinch_wrapper.parameters import fill

# Kinds of problems that are listed, the most frequent first, and lines of each.
_KINDS: Final = 20
_LINES: Final = 3
_REASON: Final = select(skipped.c.reason, skipped.c.column).where(
    skipped.c.line == bindparam("line")
)
_SAME: Final = "the same recipient as on a line before"


@dataclass(frozen=True, slots=True)
class InputProblem:
    """Rows that are left out for one *reason*: how many (*rows*), and the first *lines*.

    *column* is empty when the whole row is at fault.
    """

    reason: str
    column: str
    rows: int
    lines: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class SmsGroup:
    """SMS of one *encoding* and number of *parts*.

    *line* and *units* are those of the first one, *line* 0 when it is not at hand. *recipients* get
    it first, *fallbacks* only when another channel fails.
    """

    encoding: str
    parts: int
    recipients: int
    fallbacks: int
    line: int
    units: int


@dataclass(frozen=True, slots=True)
class Destination:
    """Messages of one *channel* to numbers that begin with *prefix*, at the same *price* each.

    *recipients* is how many there are; *is_fallback* says that they are tried when another channel
    fails. An SMS is as many messages as it has parts. *price* is None where the table has none.
    """

    channel: str
    prefix: str
    recipients: int
    messages: int
    price: Decimal | None
    is_fallback: bool = False

    @property
    def cost(self) -> Decimal:
        """The price of all these messages; 0 without a price."""
        return self.messages * (self.price or Decimal())


@dataclass(frozen=True, slots=True)
class MessagePreview:
    """The message of the recipient *key*, on *line*, over *channels* in the order of the attempts.

    *message* is what is sent, with its placeholders filled, *text* its text as SMS, and *sms* the
    parts of that; *text* is empty and *sms* None when SMS is not among the channels, or nobody but
    the API knows the text.
    """

    line: int
    key: str | None = field(repr=False)
    channels: tuple[str, ...]
    message: Mapping[str, object] = field(repr=False)
    text: str = field(repr=False)
    sms: SmsParts | None

    @property
    def not_gsm(self) -> str:
        """The characters that make its text UCS-2, each once."""
        return not_gsm(self.text)


@dataclass(frozen=True, slots=True)
class _Contents:
    """Where the messages of a preview are read."""

    journal: Journal
    request: Mapping[str, object]
    measure: Measure


@dataclass(frozen=True, slots=True, weakref_slot=True)
class Preview:
    """What a job is going to do.

    *source* names the list, *warnings* what to know before. *understood* says which column means
    what. *total* recipients are sent in *requests*; *invalid* rows, *duplicates* and those
    *suppressed* by now are left out, and *problems* say why. *channels* counts recipients by the
    channel that is tried first, `""` for contact ids. *sms* counts texts by encoding and parts;
    *sms_unknown* says why they cannot be counted, empty when they can. *destinations* are there
    when the prices are. *to_accept* is how many seconds the queue of the app makes the last request
    wait, *to_deliver* how many the queue needs for all, counted from *send_after* when there is
    one; with a window, *last_at* is when the last message goes out, and both count until then.
    *refusals* say why the job would not begin.
    """

    source: str
    understood: str
    total: int
    invalid: int
    duplicates: int
    suppressed: int
    requests: int
    channels: Mapping[str, int]
    problems: tuple[InputProblem, ...]
    sms: tuple[SmsGroup, ...]
    sms_unknown: str
    destinations: tuple[Destination, ...] | None
    send_after: str
    to_accept: float
    to_deliver: float
    warnings: tuple[str, ...]
    _contents: _Contents = field(repr=False, compare=False)
    last_at: datetime | None = None
    refusals: tuple[str, ...] = ()

    @property
    def parts(self) -> int:
        """Parts of all SMS that are tried first."""
        return sum(each.parts * each.recipients for each in self.sms)

    @property
    def most_parts(self) -> int:
        """Parts of all SMS, those included that only follow when another channel fails."""
        return sum(each.parts * (each.recipients + each.fallbacks) for each in self.sms)

    @property
    def cost(self) -> Decimal | None:
        """What the messages on the channels that are tried first cost; None without prices."""
        if self.destinations is None:
            return None
        return sum((each.cost for each in self.destinations if not each.is_fallback), Decimal())

    @property
    def most_cost(self) -> Decimal | None:
        """What it costs when each recipient gets the message on every channel that he has."""
        if self.destinations is None:
            return None
        return sum((each.cost for each in self.destinations), Decimal())

    @property
    def unpriced(self) -> int:
        """Messages without a price, on all channels."""
        found = self.destinations or ()
        return sum(each.recipients for each in found if each.price is None)

    def recipient(self, line: int) -> Mapping[str, object]:
        """The recipient on *line*, as `recipients=` takes one; in the form of the API.

        Raises: BulkArgumentError when the line has none that can be sent to, and why.
        """
        wanted = _validate.whole("line", line, error=BulkArgumentError)
        journal = self._contents.journal
        for item, at, key in entries_in(journal):
            if at == wanted:
                return as_recipient(item, key)
        with journal.read() as connection:
            found = connection.execute(_REASON, {"line": wanted}).first()
        reason = "no recipient begins there" if found is None else found.reason
        column = f", {found.column}" if found is not None and found.column else ""
        raise BulkArgumentError(f"{self.source}, line {wanted}{column}: {reason}")

    def messages(self) -> Iterator[MessagePreview]:
        """The message of each recipient, in the order of the input; in constant memory."""
        measure, message = self._contents.measure, self._contents.request.get("message")
        order, form = measure.in_order, measure.form
        for item, line, key in entries_in(self._contents.journal):
            identities, parameters = order(item)
            channels = tuple(dict.fromkeys(channel for channel, _ in identities))
            text = form.fill(parameters) if form is not None and SMS in channels else ""
            yield MessagePreview(
                line,
                key,
                channels,
                cast("Mapping[str, object]", fill(message, parameters)),
                text,
                count_parts(text) if text else None,
            )


def preview_of(  # noqa: PLR0913, PLR0917 (all that a preview is made of)
    source: str,
    understood: str,
    journal: Journal,
    request: Mapping[str, object],
    measure: Measure,
    limits: MessageLimits,
    warnings: Iterable[str],
) -> Preview:
    """What the job in *journal* is going to do, of which *measure* has seen all recipients."""
    requests, total = journal.totals().get(ChunkState.PLANNED, (0, 0))
    counts = measure.counts
    uses_sms = any(kind.channel == SMS for kind in counts)
    warnings = (*warnings, *_text_warnings(measure, uses_sms=uses_sms))
    return Preview(
        source=source,
        understood=understood,
        total=total,
        requests=requests,
        channels=_channels(counts),
        **_problems(journal),
        sms=tuple(_sms(measure, counts)),
        sms_unknown=measure.reason if uses_sms else "",
        destinations=None if measure.prices is None else tuple(destinations_of(measure, counts)),
        send_after=str(request.get("send_after") or ""),
        to_accept=max(0.0, (total - limits.queue) / limits.drain),
        to_deliver=total / limits.drain,
        warnings=warnings,
        _contents=_Contents(journal, request, measure),
    )


def keep_open(preview: Preview, journal: Journal) -> Preview:
    """Let *journal*, which is in memory, live as long as *preview*."""
    weakref.finalize(preview, journal.close)
    return preview


def entries_in(journal: Journal) -> Iterator[Entry]:
    """The recipients in *journal*, in order."""
    for chunk in journal.each():
        with sound(journal.name, chunk.id), journal.storage.read() as connection:
            entries = entries_of(*journal.body(connection, chunk.id))
        yield from entries


class _Problems(TypedDict):
    problems: tuple[InputProblem, ...]
    invalid: int
    duplicates: int
    suppressed: int


def _problems(journal: Journal) -> _Problems:
    """What is wrong with rows, by kind, and how many are invalid, repeated or suppressed."""
    reason = func.iif(skipped.c.duplicate == DUPLICATE, _SAME, skipped.c.reason)
    kind = (reason, skipped.c.column)
    many = func.count()
    by_kind = (
        select(*kind, skipped.c.duplicate, many)
        .group_by(*kind)
        .order_by(many.desc(), func.min(skipped.c.line))
    )
    found: list[InputProblem] = []
    counts = Counter[int]()
    with journal.read() as connection:
        for words, column, duplicate, rows in connection.execute(by_kind).all():
            counts[duplicate] += rows
            if len(found) < _KINDS:
                lines = select(skipped.c.line).where(reason == words, skipped.c.column == column)
                first = connection.execute(lines.order_by(skipped.c.line).limit(_LINES))
                found.append(InputProblem(words, column, rows, tuple(first.scalars())))
    return {
        "problems": tuple(found),
        "invalid": counts[INVALID],
        "duplicates": counts[DUPLICATE],
        "suppressed": counts[SUPPRESSED],
    }


def _channels(counts: Mapping[MessageKind, int]) -> Mapping[str, int]:
    """How many recipients have each channel first."""
    found = Counter[str]()
    for kind, many in counts.items():
        found[kind.channel] += 0 if kind.is_fallback else many
    return {name: many for name, many in found.most_common() if many}


def _sms(measure: Measure, counts: Mapping[MessageKind, int]) -> Iterator[SmsGroup]:
    people = Counter[tuple[str, int, bool]]()
    for kind, many in counts.items():
        if kind.parts:
            people[kind.encoding, kind.parts, kind.is_fallback] += many
    for encoding, parts in sorted({key[:2] for key in people}, key=lambda key: (key[1], key[0])):
        line, units = measure.first.get((encoding, parts), (0, 0))
        first, later = people[encoding, parts, False], people[encoding, parts, True]
        yield SmsGroup(encoding, parts, first, later, line, units)


def destinations_of(measure: Measure, counts: Mapping[MessageKind, int]) -> Iterator[Destination]:
    """The messages that *measure* has counted, by channel and prefix of the price table."""
    people = Counter[tuple[str, str | None, bool]]()
    messages = Counter[tuple[str, str | None, bool]]()
    for kind, many in counts.items():
        # An SMS that cannot be counted has no price, whatever its number.
        is_counted = kind.channel != SMS or kind.parts
        key = kind.channel, kind.prefix if is_counted else None, kind.is_fallback
        people[key] += many
        messages[key] += many * (kind.parts or 1)
    for (channel, prefix, is_fallback), many in people.most_common():
        price = None
        if measure.prices is not None and prefix is not None:
            price = measure.prices.price(channel, prefix)
        some = messages[channel, prefix, is_fallback]
        yield Destination(channel, prefix or "", many, some, price, is_fallback)


def _text_warnings(measure: Measure, *, uses_sms: bool) -> Iterator[str]:
    """What of the message itself, whoever gets it, makes its SMS longer."""
    fixed = measure.form.fixed if uses_sms and measure.form is not None else ""
    if odd := not_gsm(fixed):
        named = ", ".join(f"{each!r} (U+{ord(each):04X})" for each in odd[:5])
        yield (
            f"every SMS is UCS-2, with 70 units in a part instead of 160, because of {named} in "
            "the text"
        )
