"""What the end of a call means for its request; pure."""

import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Final, TypeAlias

from sinch_wrapper.bulk._metadata import CHUNK_MARK
from sinch_wrapper.bulk._sending.calls import Done
from sinch_wrapper.bulk._sending.reconcile import Answer
from sinch_wrapper.errors import (
    APIConnectionError,
    APIResponseValidationError,
    APIStatusError,
    SinchError,
)

__all__ = ["Accepted", "Doubtful", "Later", "Refused", "Sent", "Stop", "found_batches", "read_sent"]

# Answers that every other request would get too: the job stops and can be resumed.
_FOR_ALL: Final = frozenset({401, 403, 404, 405})
_REQUEST_TIMEOUT: Final = 408
_ROOT: Final = re.compile(r"\w*")


@dataclass(frozen=True, slots=True)
class Accepted:
    """The API has it."""

    batch_id: str | None = None
    send_after: str | None = None


@dataclass(frozen=True, slots=True)
class Refused:
    """The API has refused it for what is in it; *error* is JSON, for the journal.

    *shared* says that it named nothing but fields that all requests of the job have in common.
    """

    error: str = field(repr=False)
    shared: bool = False


@dataclass(frozen=True, slots=True)
class Later:
    """It surely was not carried out: too many requests, or no connection."""

    retry_after: float
    unreachable: bool


@dataclass(frozen=True, slots=True)
class Doubtful:
    """It may have been carried out, or, when *certain*, surely was, under an id that is lost."""

    certain: bool
    error: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class Stop:
    """It was not carried out, and no other request would be."""


Sent: TypeAlias = Accepted | Refused | Later | Doubtful | Stop


def read_sent(done: Done, request: Mapping[str, object]) -> Sent:
    """Say what became of one that was sent; *request* has the fields that all have in common."""
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


def found_batches(done: Done, mark: str) -> tuple[Answer, tuple[Accepted, ...]]:
    """Read a look-up by metadata: what it says, and the batches whose mark is *mark*.

    A server that ignored the query would answer with batches of others, so the mark is compared.
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
    # No field of the answer is promised; without metadata the query itself must be believed.
    return not isinstance(metadata, dict) or metadata.get(CHUNK_MARK) == mark


def _text(value: object) -> str | None:
    if hasattr(value, "isoformat"):
        return re.sub(r"\+00:00$", "Z", str(value.isoformat()))
    return value if isinstance(value, str) and value else None
