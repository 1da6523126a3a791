"""Bulk sending: any number of recipients, journalled, resumable, each accounted for (extra: bulk).

Names are loaded when they are first asked for: the journal needs SQLAlchemy.
"""

from typing import TYPE_CHECKING

from sinch_wrapper._lazy import Extra, lazy
from sinch_wrapper.errors import BulkError

if TYPE_CHECKING:
    from sinch_wrapper.bulk._api import Bulk, preview
    from sinch_wrapper.bulk._async_api import AsyncBulk
    from sinch_wrapper.bulk._breakdown import Breakdown, SlowRequest, TimelinePoint
    from sinch_wrapper.bulk._callbacks import JournalFollower
    from sinch_wrapper.bulk._columns import Columns
    from sinch_wrapper.bulk._job_url import JobURL, ListURL
    from sinch_wrapper.bulk._listing import JobEntry, list_jobs
    from sinch_wrapper.bulk._opt_outs import OptOutFollower
    from sinch_wrapper.bulk._options import JobOptions, RunOptions, SendOptions
    from sinch_wrapper.bulk._outbox import AsyncOutbox, MessageFields, Outbox, OutboxOptions
    from sinch_wrapper.bulk._polling import Cancellation
    from sinch_wrapper.bulk._preview import (
        Destination,
        InputProblem,
        MessagePreview,
        Preview,
        SmsGroup,
    )
    from sinch_wrapper.bulk._prices import PriceTable
    from sinch_wrapper.bulk._probe import ProbeOptions, ProbeResult
    from sinch_wrapper.bulk._queue import MessageLimits
    from sinch_wrapper.bulk._register import prepare_database
    from sinch_wrapper.bulk._report import (
        BulkInterruptedError,
        BulkStoppedError,
        Report,
    )
    from sinch_wrapper.bulk._report_values import Batch, SentAgain
    from sinch_wrapper.bulk._results import RecipientResult
    from sinch_wrapper.bulk._sms_parts import SmsParts, sms_parts
    from sinch_wrapper.bulk._sources import Items
    from sinch_wrapper.bulk._states import JobStage, Progress, RecipientState, StopReason
    from sinch_wrapper.bulk._suppression import DoubtfulText, SuppressionList
    from sinch_wrapper.bulk._windows import SendWindow

__all__ = [
    "AsyncBulk",
    "AsyncOutbox",
    "Batch",
    "Breakdown",
    "Bulk",
    "BulkInterruptedError",
    "BulkStoppedError",
    "Cancellation",
    "Columns",
    "Destination",
    "DoubtfulText",
    "InputProblem",
    "Items",
    "JobEntry",
    "JobOptions",
    "JobStage",
    "JobURL",
    "JournalFollower",
    "ListURL",
    "MessageFields",
    "MessageLimits",
    "MessagePreview",
    "OptOutFollower",
    "Outbox",
    "OutboxOptions",
    "Preview",
    "PriceTable",
    "ProbeOptions",
    "ProbeResult",
    "Progress",
    "RecipientResult",
    "RecipientState",
    "Report",
    "RunOptions",
    "SendOptions",
    "SendWindow",
    "SentAgain",
    "SlowRequest",
    "SmsGroup",
    "SmsParts",
    "StopReason",
    "SuppressionList",
    "TimelinePoint",
    "list_jobs",
    "prepare_database",
    "preview",
    "sms_parts",
]

__getattr__ = lazy(
    __name__,
    {
        "_api": ("Bulk", "preview"),
        "_async_api": ("AsyncBulk",),
        "_breakdown": ("Breakdown", "SlowRequest", "TimelinePoint"),
        "_callbacks": ("JournalFollower",),
        "_columns": ("Columns",),
        "_job_url": ("JobURL", "ListURL"),
        "_listing": ("JobEntry", "list_jobs"),
        "_opt_outs": ("OptOutFollower",),
        "_options": ("JobOptions", "RunOptions", "SendOptions"),
        "_outbox": ("AsyncOutbox", "MessageFields", "Outbox", "OutboxOptions"),
        "_polling": ("Cancellation",),
        "_preview": (
            "Destination",
            "InputProblem",
            "MessagePreview",
            "Preview",
            "SmsGroup",
        ),
        "_prices": ("PriceTable",),
        "_probe": ("ProbeOptions", "ProbeResult"),
        "_queue": ("MessageLimits",),
        "_register": ("prepare_database",),
        "_report": ("BulkInterruptedError", "BulkStoppedError", "Report"),
        "_report_values": ("Batch", "SentAgain"),
        "_results": ("RecipientResult",),
        "_sms_parts": ("SmsParts", "sms_parts"),
        "_sources": ("Items",),
        "_states": ("JobStage", "Progress", "RecipientState", "StopReason"),
        "_suppression": ("DoubtfulText", "SuppressionList"),
        "_windows": ("SendWindow",),
    },
    extra=Extra("bulk sending", "bulk", frozenset({"sqlalchemy"}), BulkError),
)
