"""Decides about a request whose outcome is unknown, and reads what the API says of it; pure.

A request that was sent twice is worse than one that is reported as unknown. So it is sent again
only when a look-up did not find it that was begun after everything on its way had time to settle.

All times are monotonic seconds.
"""

import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from enum import Enum, auto
from http import HTTPStatus
from typing import Final, Literal, TypeAlias

from sinch_wrapper._backoff import backoff
from sinch_wrapper.bulk._calls import Done
from sinch_wrapper.bulk._metadata import CHUNK_MARK
from sinch_wrapper.errors import (
    APIConnectionError,
    APIResponseValidationError,
    APIStatusError,
    SinchError,
)

LookUp: TypeAlias = Literal["found", "absent", "no_such_path", "failed"]
"""How a look-up ended; `no_such_path` is a 404: no such batch, or no such operation."""

_FIRST_LOOK: Final = 1.0
# How many times as long as the first pause the longest one is.
_MOST_TIMES: Final = 64


class DoubtVerdict(Enum):
    """What becomes of a request whose outcome is unknown."""

    ADOPT = auto()
    WAIT = auto()
    SEND_AGAIN = auto()
    REJECT = auto()
    GIVE_UP = auto()


@dataclass(frozen=True, slots=True)
class Doubt:
    """A request whose outcome is unknown: *since* when, and what was tried.

    *accepted* is True after a 2xx that could not be read: then it is never sent again. *sent*
    counts how often it left, *looks* the look-ups, *failed* the last of them that failed in a row.
    """

    since: float
    sent: int = 1
    accepted: bool = False
    looks: int = 0
    failed: int = 0


def judge(  # noqa: PLR0913 (all that a pure decision needs)
    doubt: Doubt,
    look_up: LookUp,
    *,
    asked_at: float,
    settle: float,
    trusted: bool,
    attempts: int,
    patience: int,
) -> DoubtVerdict:
    """Decide after a look-up that was begun at *asked_at*.

    Args:
        doubt: the request.
        look_up: how the look-up ended.
        asked_at: when it began.
        settle: seconds after which a request that is not found was not accepted.
        trusted: whether a look-up has found anything before in this run; a 404 of an operation
            that may not exist proves nothing.
        attempts: how often a request may leave.
        patience: how many look-ups in a row may fail.

    """
    if look_up == "found":
        return DoubtVerdict.ADOPT
    if look_up == "failed":
        return DoubtVerdict.GIVE_UP if doubt.failed + 1 >= patience else DoubtVerdict.WAIT
    if asked_at - doubt.since < settle:
        return DoubtVerdict.WAIT
    if doubt.accepted or (look_up == "no_such_path" and not trusted):
        return DoubtVerdict.GIVE_UP
    return DoubtVerdict.SEND_AGAIN if doubt.sent < attempts else DoubtVerdict.REJECT


def next_look(doubt: Doubt, now: float, settle: float) -> float:
    """When to look next: soon, then less often, and right after *settle*."""
    end = doubt.since + settle
    first = min(_FIRST_LOOK, settle / 4)
    pause = backoff(doubt.looks, first, first * _MOST_TIMES)
    return min(now + pause, end) if now < end else now + min(pause, max(settle, _FIRST_LOOK))


# Responses that every other request would get too: the job stops and can be resumed.
_FOR_ALL: Final = frozenset({401, 403, 404, 405})
_REQUEST_TIMEOUT: Final = 408
_ROOT: Final = re.compile(r"\w*")


@dataclass(frozen=True, slots=True)
class Accepted:
    """The API has accepted the request, as this batch; None for what it did not say."""

    batch_id: str | None = None
    send_after: str | None = None


@dataclass(frozen=True, slots=True)
class Refused:
    """The API has refused the request for its content; *error* is JSON, for the journal.

    *shared* says that it named nothing but fields that all requests of the job have in common.
    """

    error: str = field(repr=False)
    shared: bool = False


@dataclass(frozen=True, slots=True)
class Later:
    """The request certainly was not carried out: too many requests, or no connection."""

    retry_after: float
    unreachable: bool


@dataclass(frozen=True, slots=True)
class Doubtful:
    """The request may have been carried out; when *certain* it was, under an id that is lost."""

    certain: bool
    error: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class Stop:
    """The request was not carried out, and no other one would be."""


Sent: TypeAlias = Accepted | Refused | Later | Doubtful | Stop


def read_sent(done: Done, request: Mapping[str, object]) -> Sent:
    """Say what became of a request; *request* has the fields that all requests have in common."""
    error = done.error
    if error is None:
        batch_id, moment = (getattr(done.value, name, None) for name in ("batch_id", "send_after"))
        return Accepted(_text(batch_id), _text(moment))
    match error:
        case APIResponseValidationError():
            return Doubtful(True, describe(error))
        case APIConnectionError():
            if error.outcome == "not_sent":
                return Later(0.0, True)
            return Doubtful(False, describe(error))
        case APIStatusError():
            return _by_status(error, request)
    return Stop()


def _by_status(error: APIStatusError, request: Mapping[str, object]) -> Sent:
    code = error.status_code
    if code == HTTPStatus.TOO_MANY_REQUESTS:
        return Later(error.retry_after or 0.0, False)
    if code >= HTTPStatus.INTERNAL_SERVER_ERROR or code == _REQUEST_TIMEOUT:
        return Doubtful(False, describe(error))
    if code in _FOR_ALL or code < HTTPStatus.BAD_REQUEST:
        return Stop()
    return Refused(describe(error), _is_shared(error, request))


def _is_shared(error: APIStatusError, request: Mapping[str, object]) -> bool:
    fields = {_letters(name) for name in request}
    named = {_letters(_ROOT.match(each.field)[0]) for each in error.field_violations}  # type: ignore[index]  # it matches always
    return bool(named) and named <= fields


def _letters(name: str) -> str:
    # snake_case and camelCase of the same field.
    return name.replace("_", "").lower()


def describe(error: SinchError) -> str:
    """*error* as JSON: its line, its status, and its field violations."""
    known: dict[str, object] = {"line": str(error)}
    if isinstance(error, APIStatusError):
        known["status"] = error.status or str(error.status_code)
        known["violations"] = [
            [violation.field, violation.description] for violation in error.field_violations
        ]
    return json.dumps(known, ensure_ascii=False)


def found_batches(done: Done, mark: str) -> tuple[LookUp, tuple[Accepted, ...]]:
    """Read a look-up by metadata: how it ended, and the batches whose mark is *mark*.

    A server that ignores the query would respond with other batches, so the mark is compared.
    """
    if isinstance(done.error, APIStatusError) and done.error.status_code == HTTPStatus.NOT_FOUND:
        return "no_such_path", ()
    if done.error is not None:
        return "failed", ()
    statuses = done.value if isinstance(done.value, Iterable) else ()
    found = tuple(
        Accepted(batch_id, _text(getattr(status, "send_after", None)))
        for status in statuses
        if (batch_id := _text(getattr(status, "batch_id", None))) is not None
        and _has_mark(getattr(status, "meta_data", None), mark)
    )
    return ("found" if found else "absent"), found


def _has_mark(metadata: object, mark: str) -> bool:
    # No field of the response is promised; without metadata the query itself must be believed.
    return not isinstance(metadata, dict) or metadata.get(CHUNK_MARK) == mark


def _text(value: object) -> str | None:
    if hasattr(value, "isoformat"):
        return re.sub(r"\+00:00$", "Z", str(value.isoformat()))
    return value if isinstance(value, str) and value else None
