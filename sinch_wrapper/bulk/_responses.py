"""What the response to a request says about it; pure."""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Final, TypeAlias

from sinch_wrapper.bulk._calls import Done
from sinch_wrapper.errors import (
    APIConnectionError,
    APIResponseValidationError,
    APIStatusError,
    SinchError,
)

# Responses that every other request would get too: the job stops and can be resumed.
_FOR_ALL: Final = frozenset({401, 403, 404})
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


@dataclass(frozen=True, slots=True)
class NotLeft:
    """The request certainly did not leave: nobody had begun with it."""


Sent: TypeAlias = Accepted | Refused | Later | Doubtful | Stop | NotLeft


def read_sent(done: Done, request: Mapping[str, object]) -> Sent:
    """Say what became of a request; *request* has the fields that all requests have in common."""
    error = done.error
    if error is None:
        batch_id, moment = (getattr(done.value, name, None) for name in ("batch_id", "send_after"))
        return Accepted(text_of(batch_id), text_of(moment))
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
    if code in _FOR_ALL:
        return Stop()
    if code == HTTPStatus.BAD_REQUEST:
        return Refused(describe(error), _is_shared(error, request))
    # Redirects, conflicts, 5xx and all that no document names: it may have been carried out.
    return Doubtful(False, describe(error))


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


def text_of(value: object) -> str | None:
    """A string or a time as the journal keeps it; None for what is neither, or empty."""
    if hasattr(value, "isoformat"):
        return re.sub(r"\+00:00$", "Z", str(value.isoformat()))
    return value if isinstance(value, str) and value else None
