"""What a job shall do, before it has recipients: its request, its rules, its checks; pure."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Final, Literal, TypeAlias, TypedDict, cast

from sinch_wrapper._json import decode, encode
from sinch_wrapper._send_body import ttl_text
from sinch_wrapper.bulk._calls import BATCH_OPERATIONS, BatchOperation
from sinch_wrapper.bulk._columns import Columns
from sinch_wrapper.bulk._metadata import metadata_fault
from sinch_wrapper.errors import BulkError
from sinch_wrapper.parameters import placeholders

OnInvalid: TypeAlias = Literal["stop", "skip"]

_HORIZON: Final = timedelta(days=7)
_MOST: Final = 1000


class RequestOptions(TypedDict, total=False):
    """The optional fields of a batch of messages; the same for all recipients.

    *ttl* is in seconds, a timedelta, or a text such as `"10s"`. None counts as not given.
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


@dataclass(frozen=True, slots=True)
class CuttingRules:
    """How rows become requests.

    *on_invalid* decides about rows that cannot be sent: `"stop"` sends nothing at all, `"skip"`
    leaves them out and reports them. *on_duplicate* does the same for repeated recipients, or
    sends to them again. *chunk_size* counts the recipients of a request, 1 to 1000;
    *chunk_bytes* bounds its size.
    """

    on_invalid: OnInvalid = "stop"
    on_duplicate: Literal["stop", "skip", "send"] = "skip"
    chunk_size: int = _MOST
    chunk_bytes: int = 5_000_000

    def __post_init__(self) -> None:
        if self.on_invalid not in {"stop", "skip"}:
            raise BulkError('on_invalid must be "stop" or "skip"')
        if self.on_duplicate not in {"stop", "skip", "send"}:
            raise BulkError('on_duplicate must be "stop", "skip" or "send"')
        if not 1 <= self.chunk_size <= _MOST:
            raise BulkError(f"chunk_size must be 1 to {_MOST}")
        if self.chunk_bytes < 1:
            raise BulkError("chunk_bytes must be 1 or more")


@dataclass(frozen=True, slots=True)
class Plan:
    """A job without its recipients; *request* holds the fields that all requests share."""

    kind: BatchOperation
    request: Mapping[str, object] = field(repr=False)
    columns: Columns = field(default_factory=Columns)
    rules: CuttingRules = field(default_factory=CuttingRules)
    parent: str = ""
    warnings: tuple[str, ...] = ()

    @property
    def needed(self) -> frozenset[str]:
        """The placeholders that each recipient must fill."""
        return placeholders(self.request.get("message"))


def schedule(send_after: datetime | None) -> str | None:
    """Write *send_after* as the API wants it: in UTC.

    Raises: BulkError when it has no time zone.
    """
    if send_after is None:
        return None
    if send_after.tzinfo is None:
        raise BulkError("send_after has no time zone: add one, such as datetime.UTC")
    return send_after.astimezone(UTC).isoformat().replace("+00:00", "Z")


def check_schedule(request: Mapping[str, object], now: datetime) -> None:
    """Check the `send_after` of *request* against *now*.

    Source: Sinch documentation: Batch API, send a batch (at most 7 days ahead).
    Raises: BulkError when it is past or too far.
    """
    if not is_due(request, now) and "send_after" in request:
        if datetime.fromisoformat(str(request["send_after"])) > now + _HORIZON:
            raise BulkError("send_after is more than 7 days ahead")
    elif "send_after" in request:
        raise BulkError("send_after is in the past")


def is_due(request: Mapping[str, object], now: datetime) -> bool:
    """Whether the `send_after` of *request* has passed."""
    moment = request.get("send_after")
    return isinstance(moment, str) and datetime.fromisoformat(moment) <= now


def in_time(request: Mapping[str, object], now: datetime) -> Mapping[str, object]:
    """*request* without a `send_after` that has passed: the API would refuse it."""
    if not is_due(request, now):
        return request
    return {name: value for name, value in request.items() if name != "send_after"}


def message_plan(  # noqa: PLR0913 (keyword-only, the parts of a plan)
    *,
    app_id: str,
    message: Mapping[str, object],
    options: RequestOptions,
    api: str,
    columns: Columns,
    rules: CuttingRules,
    send_after: datetime | None,
) -> Plan:
    """Put together a job that sends *message*.

    Raises: BulkError for what the API would refuse.
    """
    names = {"v1": "messages", "v1beta": "messages-v1beta"}
    if api not in names:
        raise BulkError('api must be "v1" or "v1beta"')
    _check_app(app_id)
    if not message:
        raise BulkError("message must not be empty: build one, such as text(...)")
    request: dict[str, object] = {"app_id": app_id, "message": message}
    request.update((name, value) for name, value in options.items() if value is not None)
    known = {"app_id", "message", *RequestOptions.__annotations__}
    if unknown := sorted(request.keys() - known):
        raise TypeError(f"unknown option {unknown[0]}")
    if "ttl" in request:
        request["ttl"] = _lifetime(request["ttl"])
    for name in ("batch_metadata", "message_metadata", "conversation_metadata"):
        if name in request and (fault := metadata_fault(name, request[name])):
            raise BulkError(fault)
    if moment := schedule(send_after):
        request["send_after"] = moment
    if any(not name.strip() for name in placeholders(message)):
        raise BulkError("the message has a placeholder without a name: ${}")
    return Plan(BATCH_OPERATIONS[names[api]], _plain(request), columns, rules)


def _check_app(app_id: object) -> None:
    if not isinstance(app_id, str):
        raise TypeError("app_id must be a text")
    if not app_id.strip():
        raise BulkError("app_id must not be empty")


def _lifetime(ttl: object) -> str:
    try:
        return ttl_text(ttl)
    except (TypeError, ValueError) as error:
        raise BulkError(str(error)) from None


def _plain(request: Mapping[str, object]) -> Mapping[str, object]:
    """The request as JSON would give it back, so that it can be compared with a stored one."""
    try:
        return cast("dict[str, object]", decode(encode(request)))
    except (TypeError, ValueError) as error:
        raise BulkError("message and options must hold JSON values only") from error
