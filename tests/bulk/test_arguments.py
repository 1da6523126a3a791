"""Every public option of bulk sending refuses values of other kinds, and names itself."""

import asyncio
import contextlib
import tempfile
from collections.abc import Callable, Mapping
from functools import cache, partial
from pathlib import Path
from typing import Any

import pytest

import sinch_wrapper.bulk
from sinch_wrapper import AsyncSinch, Sinch, text
from sinch_wrapper._http import httpx
from sinch_wrapper.bulk import (
    AsyncBulk,
    AsyncOutbox,
    Bulk,
    Columns,
    JobURL,
    JournalFollower,
    ListURL,
    MessageLimits,
    OptOutFollower,
    Outbox,
    RecipientState,
    Report,
    SendWindow,
    SuppressionList,
    list_jobs,
    prepare_database,
    preview,
    sms_parts,
)
from tests.helpers.arguments import (
    OPTIONAL_MAPPING,
    OPTIONAL_STRING,
    VALUES,
    PublicCall,
    public_calls,
)
from tests.helpers.bulk import FakeBatchApi
from tests.helpers.core import KEY_ID, KEY_SECRET, PROJECT
from tests.helpers.reports import sent_job, write_input

API = FakeBatchApi()
FOLDER = tempfile.TemporaryDirectory(prefix="sinch-bulk-arguments-")
REPORTS = tempfile.TemporaryDirectory(prefix="sinch-bulk-reports-")
JOB = Path(FOLDER.name, "job.db")
SECONDS = "zero whole fraction"
ITEMS = "list numbers no_items"

RUN = {
    "concurrency": "whole huge",
    "settle": SECONDS,
    "attempts": "whole huge",
    "patience": "whole huge",
    "send_again": "",
    "limits": "",
    "deadline": f"{SECONDS} none",
    "progress": "function none",
    "stop": "none",
    "send_now": "true",
    "go_on": "true",
}
JOB_OPTIONS = {
    **RUN,
    "on_invalid": "",
    "on_duplicate": "",
    "chunk_size": "",
    "chunk_bytes": "whole huge",
    "limit": "whole huge none",
    "encoding": "none",
    "delimiter": "none",
    "job": "string none",
}
SEND = {
    **JOB_OPTIONS,
    "app_id": "string",
    "message": "mapping numbered",
    "recipients": ITEMS,
    "columns": "none",
    "numbers": "",
    "default_country": "none",
    "defaults": "no_entries none",
    "send_after": "time none",
    "api": "",
    "exclude": "string no_items none",
    "consents": "true",
    "prices": "string no_entries none",
    "max_parts": "whole huge none",
    "max_cost": "zero whole fraction none",
    "approve": "function none",
    "window": "none",
    "pilot": "whole huge none",
    "pilot_delivered": "zero",
    "pilot_wait": SECONDS,
    "stop_if_failed": "zero none",
    "processing_strategy": OPTIONAL_STRING,
    "channel_priority_order": "list no_items none",
    "channel_properties": OPTIONAL_MAPPING,
    "callback_url": OPTIONAL_STRING,
    "ttl": "whole fraction none",
    "correlation_id": OPTIONAL_STRING,
    "batch_metadata": OPTIONAL_MAPPING,
    "message_metadata": OPTIONAL_MAPPING,
    "conversation_metadata": OPTIONAL_MAPPING,
}
RIGHT_SEND = {
    "app_id": "A", "message": text("Hi"), "recipients": [], "job": JOB, "prices": {"46": 1},
}  # fmt: skip
PREVIEW = {
    **{name: kinds for name, kinds in SEND.items() if name != "job"},
    "app_id": "string none",
}
RIGHT_PREVIEW = {"message": text("Hi"), "recipients": [], "prices": {"46": 1}}
RETRY = {
    **JOB_OPTIONS,
    "job": "string",
    "new_job": "string",
    "reasons": "string empty blank list no_items",
}


@cache
def made_report() -> Report:
    """The report of a job of one recipient."""
    folder = Path(REPORTS.name)
    return Report(sent_job(folder, write_input(folder / "people.csv", 1)))


def written(name: str, **options: object) -> object:
    """Write a report with these options."""
    if options.get("path") in ("x", VALUES["string"]):
        options["path"] = Path(REPORTS.name, name)
    return getattr(made_report(), name)(**options)


def touched() -> object:
    """What was sent, and the files that were made."""
    return [*API.paths, *Path(FOLDER.name).iterdir()]


def method(kind: type[Bulk] | type[AsyncBulk], name: str) -> Callable[..., object]:
    """The method *name* of a sender over the fake API, awaited when it must be."""
    given: Any = {"project_id": PROJECT, "key_id": KEY_ID, "key_secret": KEY_SECRET, "region": "eu"}

    def call(**options: object) -> object:
        transport = httpx.MockTransport(API)
        if kind is Bulk:
            with Sinch(**given, transport=transport) as sinch:
                return getattr(Bulk(sinch), name)(**options)

        async def run() -> object:
            async with AsyncSinch(**given, transport=transport) as client:
                return await getattr(AsyncBulk(client), name)(**options)

        return asyncio.run(run())

    return call


def calls(kind: type[Bulk] | type[AsyncBulk]) -> list[PublicCall]:
    """The table of all methods of *kind*."""
    table: dict[str, tuple[Mapping[str, str], Mapping[str, object]]] = {
        "send": (SEND, RIGHT_SEND),
        "preview": (PREVIEW, RIGHT_PREVIEW),
        "resume": ({**RUN, "job": "string"}, {"job": JOB}),
        "send_again": ({**RUN, "job": "string"}, {"job": JOB}),
        "create_contacts": ({**JOB_OPTIONS, "contacts": ITEMS}, {"contacts": [], "job": JOB}),
        "delete_contacts": ({**JOB_OPTIONS, "contact_ids": ITEMS}, {"contact_ids": [], "job": JOB}),
        "insert_consents": (
            {**JOB_OPTIONS, "records": ITEMS, "app_id": "string"},
            {"records": [], "app_id": "A", "job": JOB},
        ),
        "retry_failed": (RETRY, {"job": JOB, "new_job": f"{JOB}.new", "reasons": ["A"]}),
        "report": ({"job": "string"}, {}),
        "record": ({"events": "no_items", "job": "string none"}, {"events": []}),
        "status": ({**RUN, "job": "string"}, {"job": JOB}),
        "cancel": ({**RUN, "job": "string", "poll_for": SECONDS}, {"job": JOB}),
        "cancel_batches": ({**RUN, "metadata": "none", "poll_for": SECONDS}, {}),
        "probe": (
            {
                "app_id": "string",
                "recipient": "mapping numbered no_entries",
                "count": "whole",
                "patience": SECONDS,
                "words": "string",
            },
            {"app_id": "A", "recipient": {}},
        ),
    }
    return [
        PublicCall(f"{kind.__name__}.{name}", method(kind, name), *row, touched=touched)
        for name, row in table.items()
    ]


OUTBOX = {
    name: kinds
    for name, kinds in RUN.items()
    if name not in {"deadline", "progress", "stop", "send_now", "go_on"}
}
KEYED = {
    **{name: kinds for name, kinds in SEND.items() if name not in JOB_OPTIONS},
    "key": "string",
    "to": "",
    "parameters": "no_entries none",
    "wait": SECONDS,
}
_READING = ("numbers", "default_country", "defaults")
_FOR_LISTS = (
    "prices",
    "max_parts",
    "max_cost",
    "approve",
    "exclude",
    "consents",
    "window",
    "pilot",
    "pilot_delivered",
    "pilot_wait",
    "stop_if_failed",
)
for _name in ("recipients", "columns", "send_after", "api", *_FOR_LISTS, *_READING):
    KEYED.pop(_name, None)
RIGHT_KEYED = {
    "key": "k", "app_id": "A", "to": {"contact_id": "C"}, "message": text("Hi"), "wait": 0,
}  # fmt: skip


def opened(is_async: bool, name: str = "") -> Callable[..., object]:  # noqa: FBT001 (a test)
    """The method *name* of an outbox over the fake API, else what opens one."""
    given: Any = {"project_id": PROJECT, "key_id": KEY_ID, "key_secret": KEY_SECRET, "region": "eu"}

    def call(**options: Any) -> object:
        kind: Any = AsyncOutbox if is_async else Outbox
        client: Any = AsyncSinch if is_async else Sinch
        with contextlib.ExitStack() as stack:
            sinch = client(**given, transport=httpx.MockTransport(API))
            if not is_async:
                stack.enter_context(sinch)
            if not name:
                return kind(**{"client": sinch, **options})
            outbox = kind(sinch, Path(FOLDER.name, "outbox.db"))
            found = getattr(outbox, name)(**options)
            return asyncio.run(found) if is_async else found

    return call


def outbox_calls() -> list[PublicCall]:
    """The table of both kinds of outboxes."""
    rows: dict[str, tuple[Mapping[str, str], Mapping[str, object]]] = {
        "send": (KEYED, RIGHT_KEYED),
        "get": ({"key": "string"}, {}),
        "send_again": ({"key": "string", "wait": SECONDS}, {"key": "k"}),
    }
    found = []
    for is_async in (False, True):
        kind = "AsyncOutbox" if is_async else "Outbox"
        options = {**OUTBOX, "client": "", "path": "string"}
        right = {"path": JOB}
        found.append(PublicCall(kind, opened(is_async), options, right, touched=touched))
        found += [
            PublicCall(f"{kind}.{name}", opened(is_async, name), *row, touched=touched)
            for name, row in rows.items()
        ]
    return found


def suppression_calls() -> list[PublicCall]:
    """The table of a suppression list."""
    folder = tempfile.TemporaryDirectory(prefix="sinch-suppression-arguments-")

    def call(name: str) -> Callable[..., object]:
        def run(**options: Any) -> object:
            # It keeps the folder.
            with SuppressionList(Path(folder.name, "stop.db")) as found:
                return getattr(found, name)(**options)

        return run

    def opened(**options: Any) -> object:
        return SuppressionList(**{"path": Path(FOLDER.name, "none.db"), **options})

    rows: dict[str, tuple[Mapping[str, str], Mapping[str, object]]] = {
        "add": ({"addresses": "no_items"}, {}),
        "remove": ({"addresses": "no_items"}, {}),
        "holds": ({"address": ""}, {}),
        "load_file": ({"path": "string"}, {}),
        "doubtful": ({"limit": "whole"}, {}),
        "decide": ({"text_id": "whole", "meaning": ""}, {"text_id": 1, "meaning": "out"}),
    }
    named = {"address": "addresses"}
    options = {"path": "string", "must_exist": "true", "now": "function"}
    right = {"must_exist": True}
    return [
        PublicCall("SuppressionList", opened, options, right),
        *(
            PublicCall(f"SuppressionList.{name}", call(name), *row, named=named)
            for name, row in rows.items()
        ),
    ]


CALLS = [
    *outbox_calls(),
    *calls(Bulk),
    *calls(AsyncBulk),
    PublicCall("Bulk", Bulk, {"client": ""}),
    PublicCall("AsyncBulk", AsyncBulk, {"client": ""}),
    PublicCall(
        "Columns",
        Columns,
        {
            "to": "mapping no_entries no_items",
            "contact_id": "string",
            "key": "string none",
            "parameters": "mapping no_entries",
            "message_metadata": "mapping no_entries",
            "conversation_metadata": "mapping no_entries",
            "timezone": "string none",
        },
    ),
    PublicCall("JournalFollower", JournalFollower, {"jobs": "string list"}),
    PublicCall(
        "OptOutFollower", OptOutFollower, {"path": "string", "words": "none"}, {"path": JOB}
    ),
    *suppression_calls(),
    PublicCall("MessageLimits", MessageLimits, {"queue": "whole", "drain": "whole fraction"}),
    PublicCall("preview", preview, PREVIEW, RIGHT_PREVIEW),
    PublicCall(
        "Preview.recipient",
        lambda line: preview(message=text("Hi"), recipients=[]).recipient(line),
        {"line": "whole huge"},
    ),
    PublicCall("prepare_database", prepare_database, {"address": ""}),
    PublicCall("list_jobs", list_jobs, {"place": "string"}),
    *(
        PublicCall(f"{kind.__name__}.read", kind.read, {"address": ""})
        for kind in (JobURL, ListURL)
    ),
    PublicCall("sms_parts", sms_parts, {"text": "string blank"}),
    PublicCall("RecipientState", RecipientState, {"value": ""}, named={"value": "state"}),
    PublicCall("Report", Report, {"path": "string"}),
    *(
        PublicCall(f"Report.{name}", partial(written, name), options, {"path": "x"})
        for name, options in {
            "write_html": {"path": "string", "numbers": "true", "prices": "string no_entries none"},
            "write_csv": {"path": "string", "source": "none", "numbers": "true"},
        }.items()
    ),
    PublicCall(
        "SendWindow",
        SendWindow,
        {"hours": "", "default_timezone": "none", "quiet_days": "no_items", "schedule": "true"},
        {"hours": "09:00-20:00"},
        named={"hours": "window"},
    ),
]

# The library makes these itself, and calls these itself.
INTERNAL = {
    "Batch",
    "Breakdown",
    "Cancellation",
    "Destination",
    "DoubtfulText",
    "InputProblem",
    "JobEntry",
    "JobStage",
    "JobURL",
    "JobURL.shares_database_with",
    "JournalFollower.take",
    "ListURL",
    "ListURL.shares_database_with",
    "MessagePreview",
    "OptOutFollower.take",
    "Preview",
    "ProbeResult",
    "Progress",
    "RecipientResult",
    "SentAgain",
    "SlowRequest",
    "SmsGroup",
    "SmsParts",
    "StopReason",
    "SuppressionList.among",
    "SuppressionList.load",
    "SuppressionList.take",
    "TimelinePoint",
}


def test_table_has_every_public_option() -> None:
    """A new public call, or a new option of one, needs a row."""
    found = public_calls(sinch_wrapper.bulk)
    assert {name: set(options) for name, options in found.items() if name not in INTERNAL} == {
        call.name: set(call.options) for call in CALLS
    }


@pytest.mark.parametrize(
    ("call", "option"),
    [
        pytest.param(call, option, id=f"{call.name}-{option}")
        for call in CALLS
        for option in call.options
    ],
)
def test_option_refuses_other_kinds(call: PublicCall, option: str) -> None:
    """The error names the option and quotes nothing; nothing is opened or sent."""
    assert [] == call.faults(option)


@pytest.mark.parametrize(
    ("metadata", "ids"),
    [(("key",), ()), (("key", 1), ()), (("key", ""), ()), (None, (1,)), (None, ("",))],
)
def test_batches_are_named_by_strings(metadata: Any, ids: Any) -> None:
    """An id is a string, and metadata are a key and its value."""
    with (
        Sinch(
            project_id=PROJECT,
            key_id=KEY_ID,
            key_secret=KEY_SECRET,
            region="eu",
            transport=httpx.MockTransport(API),
        ) as sinch,
        pytest.raises(ValueError, match=r"metadata= must|batch_ids= must"),
    ):
        Bulk(sinch).cancel_batches(*ids, metadata=metadata)
    assert [] == touched()


@pytest.mark.parametrize("name", ["Bulk", "AsyncBulk"])
def test_the_mistakes_of_a_newcomer_are_refused_by_name(name: str) -> None:
    """A message that is a string is a TypeError, as for send(); numbers and times are checked."""
    send = method(getattr(sinch_wrapper.bulk, name), "send")
    with pytest.raises(
        TypeError, match=r"message= must be a message, such as text\(...\), not str"
    ):
        send(**RIGHT_SEND | {"message": "Hi"})
    for option, value in (
        ("chunk_size", 1.5),
        ("concurrency", "4"),
        ("attempts", 2.5),
        ("send_after", "2026-12-01T09:00:00Z"),
        ("settle", "1"),
    ):
        with pytest.raises(ValueError, match=f"{option}= must be"):
            send(**RIGHT_SEND, **{option: value})
    assert [] == touched()
