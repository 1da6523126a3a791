"""The options of a job: what callers may write, and what they mean once they are checked; pure."""

import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, fields, replace
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any, Final, Literal, TypeAlias, TypedDict, TypeVar

from sinch_wrapper import _validate
from sinch_wrapper._lazy import Extra
from sinch_wrapper._numbers import NumberForm, number_plans
from sinch_wrapper.bulk._campaign import Campaign, Exclude, read_exclude, read_window
from sinch_wrapper.bulk._caps import Caps, cap
from sinch_wrapper.bulk._columns import Columns
from sinch_wrapper.bulk._metadata import metadata_fault
from sinch_wrapper.bulk._preview import Preview
from sinch_wrapper.bulk._prices import PriceTable, prices_of
from sinch_wrapper.bulk._queue import MessageLimits
from sinch_wrapper.bulk._states import Progress
from sinch_wrapper.bulk._windows import SendWindow
from sinch_wrapper.errors import BulkArgumentError

SendAgain: TypeAlias = Literal["evidence", "never"]
OnInvalid: TypeAlias = Literal["stop", "skip"]
OnDuplicate: TypeAlias = Literal["stop", "skip", "send"]

_MOST_ITEMS: Final = 1000
_PHONE: Final = Extra("default_country=", "phone", frozenset({"phonenumbers"}), BulkArgumentError)


class RunOptions(TypedDict, total=False):
    """How a job is sent, now.

    *concurrency* requests run at a time. *send_again* decides about a request whose outcome is
    unknown: with `"evidence"`, the default, it leaves again when a look-up proves that it was not
    accepted, at least *settle* seconds after it was last on its way, and at most *attempts* times
    in all; with `"never"` it does not leave again by itself. The job remembers the choice.
    *patience* is how many look-ups in a row may fail before it stays unknown. *limits* are those
    of the app's queue. *deadline* is the number of seconds, reading included, after which nothing
    more is sent; None for no limit.

    *progress* is called with a Progress after each step: by Bulk in the thread that sends, by
    AsyncBulk in the event loop. *stop* ends the job gently: requests that are running are
    finished, and the rest stays for `resume()`. *send_now* lets a job that is resumed after its
    `send_after` send the rest at once; without it, such a job is refused. *go_on* lets a job go on
    that has stopped for its pilot or for failures, without these rules from then on.
    """

    concurrency: int
    settle: float
    attempts: int
    patience: int
    send_again: SendAgain
    limits: MessageLimits
    deadline: float | None
    progress: Callable[[Progress], None] | None
    stop: threading.Event | None
    send_now: bool
    go_on: bool


class JobOptions(RunOptions, total=False):
    """How rows become requests, and how these are sent; see RunOptions too.

    *encoding* and *delimiter* are those of a text file; both are found out when they are not
    given.

    *on_invalid* decides about rows that cannot be sent: `"stop"` sends nothing at all, `"skip"`
    leaves them out and reports them. *on_duplicate* does the same for repeated recipients, or
    sends to them again. *chunk_size* is the number of recipients in a request, 1 to 1000;
    *chunk_bytes* limits its size. With *limit*, only that many rows are read, the first ones.
    """

    on_invalid: OnInvalid
    on_duplicate: OnDuplicate
    chunk_size: int
    chunk_bytes: int
    limit: int | None
    encoding: str | None
    delimiter: str | None


class RequestOptions(TypedDict, total=False):
    """The optional fields of a batch of messages; the same for all recipients.

    *ttl* is how long a channel may try: seconds, a timedelta, or a string such as `"10s"`.
    *channel_priority_order* names the channels to try, *channel_properties* options of a channel,
    *callback_url* where receipts go instead of to the webhooks; *processing_strategy*
    `"DISPATCH_ONLY"` makes no contacts and conversations, whatever the mode of the app.
    *correlation_id* comes back in callbacks, as do *message_metadata* and *conversation_metadata*;
    *batch_metadata* is for look-ups. None counts as not given.
    """

    processing_strategy: Literal["DEFAULT", "DISPATCH_ONLY"] | None
    channel_priority_order: Sequence[str] | None
    channel_properties: Mapping[str, str] | None
    callback_url: str | None
    ttl: float | timedelta | str | None
    correlation_id: str | None
    batch_metadata: Mapping[str, object] | None
    message_metadata: Mapping[str, object] | None
    conversation_metadata: Mapping[str, object] | None


class SendOptions(JobOptions, RequestOptions, total=False):
    """All options of a job that sends messages; see JobOptions and RequestOptions too.

    *columns* says what the columns of a table mean. *numbers* says what digits without `+` or
    `00` are: with `"e164"`, the default, such rows are invalid; with `"msisdn"` they begin with a
    country code; `"as-given"` checks and cleans no number, for short codes. *default_country*, two
    letters, is where numbers without a country code are dialled (extra: phone). *defaults* has
    the text for placeholders that a row leaves empty. *send_after* must have a time zone; the
    report has the time that the server settles on. *api* `"v1beta"` sends through the older path,
    which has no look-up, so that doubtful requests stay unknown; it ends on 2026-12-16.

    *exclude* names those who must not be written to: the path of a SuppressionList (`.db`) or of a
    file of numbers, addresses, or several of these. They are looked up when each request is built.
    *consents* asks the API for the opt-outs of the app first. *window* is a SendWindow, or its
    hours, such as `"09:00-20:00"`, in the recipient's own time. The first *pilot* recipients leave
    alone, and the others when the share *pilot_delivered* of them is delivered (0.9), for which it
    waits *pilot_wait* seconds (900). When more than the share *stop_if_failed* of those whose end
    is known have failed, the job stops. Both need callbacks in the journal, and can be resumed.

    A new job does not begin when an SMS has more than *max_parts* parts, when its messages may cost
    more than *max_cost* (in the money of the table *prices*), or when *approve*, called with
    the Preview in the thread that reads, returns False. What cannot be known is refused as well.
    """

    columns: Columns
    numbers: NumberForm
    default_country: str | None
    defaults: Mapping[str, str] | None
    send_after: datetime | None
    api: Literal["v1", "v1beta"]
    exclude: Exclude | None
    consents: bool
    prices: PriceTable | None
    max_parts: int | None
    max_cost: Decimal | float | None
    approve: Callable[[Preview], bool] | None
    window: SendWindow | str | Sequence[str] | None
    pilot: int | None
    pilot_delivered: float
    pilot_wait: float
    stop_if_failed: float | None


@dataclass(frozen=True, slots=True)
class RunSettings:
    """How a job is sent, now: RunOptions with their defaults."""

    concurrency: int = 4
    settle: float = 600.0
    attempts: int = 5
    patience: int = 10
    # As the job remembers it.
    send_again: str = ""
    limits: MessageLimits = field(default_factory=MessageLimits)
    deadline: float | None = None
    progress: Callable[[Progress], None] | None = None
    stop: threading.Event = field(default_factory=threading.Event)
    send_now: bool = False
    go_on: bool = False


@dataclass(frozen=True, slots=True)
class CuttingRules:
    """How rows become requests: the other JobOptions with their defaults."""

    on_invalid: OnInvalid = "stop"
    on_duplicate: OnDuplicate = "skip"
    chunk_size: int = _MOST_ITEMS
    chunk_bytes: int = 5_000_000
    limit: int | None = None


@dataclass(frozen=True, slots=True)
class ReadingRules:
    """How a list is read: the options of JobOptions and SendOptions about it."""

    numbers: NumberForm = "e164"
    default_country: str | None = None
    defaults: Mapping[str, str] = field(default_factory=dict, repr=False)
    encoding: str | None = None
    delimiter: str | None = None

    def as_json(self) -> dict[str, object]:
        """What differs from the defaults, for the journal."""
        plain = ReadingRules()
        values = {each.name: getattr(self, each.name) for each in fields(self)}
        return {
            name: dict(value) if isinstance(value, Mapping) else value
            for name, value in values.items()
            if value != getattr(plain, name)
        }


@dataclass(frozen=True, slots=True)
class CheckedOptions:
    """The options of one call, checked, by who needs them; *request* holds fields of the batch."""

    run: RunSettings
    rules: CuttingRules = field(default_factory=CuttingRules)
    reading: ReadingRules = field(default_factory=ReadingRules)
    columns: Columns = field(default_factory=Columns)
    send_after: datetime | None = None
    api: str = "v1"
    campaign: Campaign = field(default_factory=Campaign)
    caps: Caps = field(default_factory=Caps)
    request: Mapping[str, object] = field(default_factory=dict, repr=False)


Check: TypeAlias = Callable[[str, Any], object]
T = TypeVar("T")


def _or_none(check: Check) -> Check:
    return lambda name, value: None if value is None else check(name, value)


def _whole(most: int | None = None) -> Check:
    return lambda name, value: _validate.whole(name, value, 1, most, error=BulkArgumentError)


def _seconds(name: str, value: object) -> object:
    return _validate.seconds(name, value, error=BulkArgumentError)


def _one_of(*choices: str) -> Check:
    return lambda name, value: _validate.one_of(name, value, choices, error=BulkArgumentError)


def _instance(kind: type) -> Check:
    return lambda name, value: _validate.instance(name, value, kind, error=BulkArgumentError)


def _event(name: str, value: object) -> object:
    # Not by class: the events of other libraries will do.
    if not callable(getattr(value, "is_set", None)):
        raise _validate.wrong_kind(name, "a threading.Event", value, BulkArgumentError)
    return value


def _metadata(name: str, value: object) -> object:
    found = _validate.mapping(name, value, error=BulkArgumentError)
    if fault := metadata_fault(name, found):
        raise BulkArgumentError(fault)
    return found


def _share(name: str, value: object) -> object:
    return _validate.number(name, value, 0, 1, error=BulkArgumentError)


def _boolean(name: str, value: object) -> object:
    return _validate.boolean(name, value, error=BulkArgumentError)


def _country(name: str, value: object) -> object:
    wanted = 'the two letters of a country, such as "SE"'
    if not isinstance(value, str):
        raise _validate.wrong_kind(name, wanted, value, BulkArgumentError)
    plans = number_plans()
    if plans is None:
        raise _PHONE.missing()
    if not plans.has_country(value.upper()):
        raise _validate.out_of_range(name, wanted, BulkArgumentError)
    return value.upper()


def _defaults(name: str, value: object) -> object:
    found = _validate.string_mapping(name, value, error=BulkArgumentError)
    if not all(str(text).strip() for text in found.values()):
        raise _validate.out_of_range(name, "texts that are not empty", BulkArgumentError)
    return found


def _encoding(name: str, value: object) -> object:
    found = _validate.string(name, value, error=BulkArgumentError)
    try:
        "".encode(found)
    except (LookupError, UnicodeError, ValueError):
        wanted = 'the name of an encoding, such as "cp1252"'
        raise _validate.out_of_range(name, wanted, BulkArgumentError) from None
    return found


def _delimiter(name: str, value: object) -> object:
    wanted = 'one character, such as ";", or "tab"'
    if not isinstance(value, str):
        raise _validate.wrong_kind(name, wanted, value, BulkArgumentError)
    found = "\t" if value.lower() in {"tab", "\\t"} else value
    if len(found) != 1 or found.isalnum() or found in '"\n\r\0 +':
        raise _validate.out_of_range(name, wanted, BulkArgumentError)
    return found


def _field(name: str, value: object) -> object:
    return _validate.request_field(name, value, error=BulkArgumentError)


_CHECKS: Final[Mapping[str, Check]] = {
    "concurrency": _whole(),
    "settle": _seconds,
    "attempts": _whole(),
    "patience": _whole(),
    "send_again": _one_of("evidence", "never"),
    "limits": _instance(MessageLimits),
    "deadline": _or_none(_seconds),
    "progress": _or_none(
        lambda name, value: _validate.function(name, value, error=BulkArgumentError)
    ),
    "stop": _or_none(_event),
    "send_now": _boolean,
    "go_on": _boolean,
    "on_invalid": _one_of("stop", "skip"),
    "on_duplicate": _one_of("stop", "skip", "send"),
    "chunk_size": _whole(_MOST_ITEMS),
    "chunk_bytes": _whole(),
    "limit": _or_none(_whole()),
    "encoding": _or_none(_encoding),
    "delimiter": _or_none(_delimiter),
    "columns": _or_none(_instance(Columns)),
    "numbers": _one_of("e164", "msisdn", "as-given"),
    "default_country": _or_none(_country),
    "defaults": _or_none(_defaults),
    "send_after": _or_none(
        lambda name, value: _validate.timestamp(name, value, error=BulkArgumentError)
    ),
    "api": _one_of("v1", "v1beta"),
    "exclude": _or_none(read_exclude),
    "consents": _boolean,
    "prices": _or_none(prices_of),
    "max_parts": _or_none(_whole()),
    "max_cost": _or_none(cap),
    "approve": _or_none(
        lambda name, value: _validate.function(name, value, error=BulkArgumentError)
    ),
    "window": _or_none(read_window),
    "pilot": _or_none(_whole()),
    "pilot_delivered": _share,
    "pilot_wait": _seconds,
    "stop_if_failed": _or_none(_share),
    **dict.fromkeys(RequestOptions.__annotations__, _or_none(_field)),
    **dict.fromkeys(
        ("batch_metadata", "message_metadata", "conversation_metadata"), _or_none(_metadata)
    ),
}
# None means that these were not given.
_OPTIONAL: Final = frozenset(
    {"stop", "columns", "defaults", "exclude", "window", "pilot", *RequestOptions.__annotations__}
)


def read_options(call: str, options: Mapping[str, object], known: type) -> CheckedOptions:
    """Check the *options* of *call*, which may be those of the TypedDict *known*.

    Raises: TypeError for an unknown option, BulkArgumentError for a value that is not usable.
    """
    _validate.no_unknown(call, options, known.__annotations__)
    values = {name: _CHECKS[name](name, value) for name, value in options.items()}
    values = {
        name: value for name, value in values.items() if value is not None or name not in _OPTIONAL
    }
    others = {name: values[name] for name in ("columns", "send_after", "api") if name in values}
    request = {name: values[name] for name in RequestOptions.__annotations__ if name in values}
    return CheckedOptions(
        run=_picked(RunSettings, values),
        rules=_picked(CuttingRules, values),
        caps=_picked(Caps, values),
        reading=_reading(values),
        request=request,
        campaign=_campaign(values),
        **others,  # type: ignore[arg-type]  # as the checks have seen
    )


def _campaign(values: Mapping[str, object]) -> Campaign:
    found = _picked(Campaign, values)
    consents = bool(values.get("consents", False))
    return replace(found, exclude=replace(found.exclude, consents=consents))


def _reading(values: Mapping[str, object]) -> ReadingRules:
    found = _picked(ReadingRules, values)
    if found.numbers == "as-given" and found.default_country is not None:
        fault = 'default_country= reads numbers, and "as-given" does not: give one of them'
        raise BulkArgumentError(fault)
    return found


def _picked(kind: type[T], values: Mapping[str, object]) -> T:
    names = [each.name for each in fields(kind)]  # type: ignore[arg-type]  # a dataclass
    return kind(**{name: values[name] for name in names if name in values})
