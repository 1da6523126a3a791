"""What a job sends, before it has recipients: its request, its rules, its schedule; pure.

*now* is an aware datetime in this file.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import Final, cast

from sinch_wrapper import _validate
from sinch_wrapper._json import decode, encode
from sinch_wrapper._numbers import NumberRules, number_plans
from sinch_wrapper.bulk._calls import BATCH_OPERATIONS, BatchOperation
from sinch_wrapper.bulk._campaign import Campaign
from sinch_wrapper.bulk._cells import RowRules
from sinch_wrapper.bulk._columns import Columns
from sinch_wrapper.bulk._metadata import TIMEZONE_MARK, static_limits
from sinch_wrapper.bulk._options import CheckedOptions, CuttingRules, ReadingRules
from sinch_wrapper.errors import BulkArgumentError
from sinch_wrapper.parameters import lookalikes, placeholders

_HORIZON: Final = timedelta(days=7)
_OPERATIONS: Final = {"v1": "messages", "v1beta": "messages-v1beta"}
_ENDS: Final = {"v1beta": "2026-12-16"}


@dataclass(frozen=True, slots=True)
class JobSpec:
    """A job without its recipients; *request* holds the fields that all its requests share.

    *parent* points to the job that it retries, empty for none; *damage* has a line about each
    request of that one which cannot be read, as soon as its recipients have been read.
    """

    kind: BatchOperation
    request: Mapping[str, object] = field(repr=False)
    columns: Columns = field(default_factory=Columns)
    rules: CuttingRules = field(default_factory=CuttingRules)
    reading: ReadingRules = field(default_factory=ReadingRules)
    parent: str = ""
    damage: list[str] = field(default_factory=list, repr=False)
    campaign: Campaign = field(default_factory=Campaign)

    @property
    def columns_read(self) -> Columns:
        """The columns with that of time zones, which is read like metadata and never leaves."""
        if self.campaign.window is None or self.columns.timezone is None:
            return self.columns
        metadata = {**self.columns.message_metadata, TIMEZONE_MARK: self.columns.timezone}
        return replace(self.columns, message_metadata=metadata)

    @property
    def needed(self) -> frozenset[str]:
        """The placeholders that each recipient must fill."""
        return placeholders(self.request.get("message"))


def message_spec(app_id: str, message: Mapping[str, object], options: CheckedOptions) -> JobSpec:
    """Put together a job that sends *message*.

    Raises: BulkArgumentError or TypeError for what the API would refuse.
    """
    request: dict[str, object] = {
        "app_id": checked_app_id(app_id),
        "message": _validate.message(
            message, error=BulkArgumentError if isinstance(message, Mapping) else None
        ),
        **options.request,
    }
    if options.send_after is not None:
        request["send_after"] = _api_time(options.send_after)
    if any(not name.strip() for name in placeholders(message)):
        raise BulkArgumentError("message= has a placeholder without a name: ${}")
    if not options.reading.defaults.keys() <= placeholders(message):
        known = ", ".join(sorted(placeholders(message))) or "none"
        raise BulkArgumentError(f"defaults= must name placeholders of the message: {known}")
    if options.columns.timezone is not None and options.campaign.window is None:
        raise BulkArgumentError("timezone= goes with window=")
    kind = BATCH_OPERATIONS[_OPERATIONS[options.api]]
    return JobSpec(
        kind,
        _as_json(request),
        options.columns,
        options.rules,
        options.reading,
        campaign=options.campaign,
    )


def row_rules(spec: JobSpec) -> RowRules:
    """What makes a row of a job of messages right."""
    reading = spec.reading
    plans = None if reading.numbers == "as-given" else number_plans()
    return RowRules(
        static_limits(spec.request),
        NumberRules(reading.numbers, reading.default_country, plans),
        reading.defaults,
        is_strict=_may_be_whatsapp_template(spec.request.get("message")),
        lookalikes=lookalikes(spec.request.get("message")),
    )


def _may_be_whatsapp_template(message: object) -> bool:
    template = message.get("template_message") if isinstance(message, Mapping) else None
    if not isinstance(template, Mapping):
        return False
    by_channel = template.get("channel_template")
    return "omni_template" in template or (
        isinstance(by_channel, Mapping) and "WHATSAPP" in by_channel
    )


def warn_of_end(options: Mapping[str, object]) -> None:
    """Warn the caller when the *options* of a job choose a version whose end is announced."""
    api = str(options.get("api"))
    if api in _ENDS:
        _validate.deprecated(f'api="{api}" ends on {_ENDS[api]}: use api="v1"')


def checked_app_id(app_id: object) -> str:
    """Check *app_id*: BulkArgumentError for an empty one, TypeError for what is not a string."""
    error = BulkArgumentError if isinstance(app_id, str) else None
    return _validate.app_id(app_id, error=error)


def _as_json(request: Mapping[str, object]) -> Mapping[str, object]:
    """The request as JSON would give it back, so that it can be compared with a stored one."""
    try:
        return cast("dict[str, object]", decode(encode(request)))
    except (TypeError, ValueError) as error:
        message = "message= and the options must hold values that JSON can express"
        raise BulkArgumentError(message) from error


def _api_time(moment: datetime) -> str:
    return moment.astimezone(UTC).isoformat().replace("+00:00", "Z")


def check_schedule(request: Mapping[str, object], now: datetime) -> None:
    """Check the `send_after` of *request* against *now*.

    Source: Sinch documentation: Batch API, send a batch (at most 7 days ahead).
    Raises: BulkError when it is in the past or too far ahead.
    """
    if "send_after" not in request:
        return
    if is_due(request, now):
        raise BulkArgumentError("send_after= is in the past")
    if datetime.fromisoformat(str(request["send_after"])) > now + _HORIZON:
        raise BulkArgumentError("send_after= is more than 7 days ahead")


def is_due(request: Mapping[str, object], now: datetime) -> bool:
    """Whether the `send_after` of *request* has passed."""
    moment = request.get("send_after")
    return isinstance(moment, str) and datetime.fromisoformat(moment) <= now


def in_time(request: Mapping[str, object], now: datetime) -> Mapping[str, object]:
    """*request* without a `send_after` that has passed: the API would refuse it."""
    if not is_due(request, now):
        return request
    return {name: value for name, value in request.items() if name != "send_after"}
