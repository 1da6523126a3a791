"""The demo itself: a sandbox, a callback receiver, one message and a bulk job."""

import secrets
import time
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Final

from sinch_wrapper import Endpoints, Recipient, Sinch, text
from sinch_wrapper.bulk import JobStage, JournalFollower
from sinch_wrapper.callbacks import Event, EventStore, Receiver, delivery_report
from sinch_wrapper.cli._demo_data import PATIENCE, TEXT, TOTAL, DemoResult, Summary, write_people
from sinch_wrapper.sandbox import BackgroundServer, Server, Settings, parse_fault

if TYPE_CHECKING:
    from sinch_wrapper.bulk import Progress, Report
    from sinch_wrapper.cli._demo_views import View

_TRIGGERS: Final = ["MESSAGE_DELIVERY", "BATCH_STATUS_UPDATE"]
_FAULTS: Final = ("Batch_SendBatch:drop:#3", "Batch_SendBatch:503:#4", "Batch_SendBatch:503:#5")
# Some callbacks come twice, some out of order; many at once, because each is answered after a
# write to the disk.
_DUPLICATES: Final = 0.02
_DISORDER: Final = 0.02
_WORKERS: Final = 32
_CHUNK: Final = 100
# Seconds for which a request must be missing before it leaves again; the sandbox is quick.
_SETTLE: Final = 0.5
_TICK: Final = 0.5
_FIRST_NUMBER: Final = "+46700000001"


class _Inbox:
    """The callback receiver of the demo, and how its first message ended."""

    def __init__(self, folder: Path) -> None:
        self.job = folder / "demo.db"
        self.store = EventStore(folder / "callbacks.db")
        self.secret = secrets.token_urlsafe()
        self.receiver = Receiver(self.secret, store=self.store, job=JournalFollower(self.job))
        self.receiver.on("MESSAGE_DELIVERY")(self._take)
        self.statuses: dict[str, str] = {}

    async def _take(self, event: Event) -> None:
        report = delivery_report(event)
        if report is not None and report.is_final:
            self.statuses[report.id] = report.status


def run_demo(view: "View", page: Path | None = None) -> DemoResult:
    """Run the demo, show its progress in *view*, and write the report of the job to *page*.

    It ends when every recipient has a final state, or `PATIENCE` seconds after the last was sent.
    Raises: SinchError when a call fails.
    """
    began = time.monotonic()
    with ExitStack() as stack:
        folder = Path(stack.enter_context(TemporaryDirectory(prefix="sinch-demo-")))
        inbox = _Inbox(folder)
        receiver = stack.enter_context(BackgroundServer(inbox.receiver))
        server = stack.enter_context(Server(_sandbox_settings()))
        view.note(f"Sandbox at {server.url}, callback receiver at {receiver.url}")
        sinch = stack.enter_context(_client(server))
        app_id = _set_up(sinch, receiver.url, inbox.secret)
        view.note("App and webhook registered; callbacks will be signed")
        to, message = Recipient.sms(_FIRST_NUMBER), text("Hello from the demo")
        first = str(sinch.send(app_id=app_id, to=to, message=message).message_id)
        view.note(f"Sent one message: {first}")
        write_people(folder / "people.csv")
        view.note(f"Sending people.csv, {TOTAL:,} rows, with the faults {', '.join(_FAULTS)}")
        report = _send_all(sinch, app_id, folder, inbox.job, view)
        _wait(report, lambda: first in inbox.statuses, view)
        return DemoResult(
            _summary(report),
            inbox.statuses.get(first, "PENDING"),
            inbox.store.counts().stored,
            sum(server.struck.values()),
            time.monotonic() - began,
            "" if page is None else str(report.write_html(page)),
        )


def _sandbox_settings() -> Settings:
    return Settings(
        seed=1,
        faults=tuple(map(parse_fault, _FAULTS)),
        callback_duplicates=_DUPLICATES,
        callback_disorder=_DISORDER,
        callback_workers=_WORKERS,
    )


def _client(server: Server) -> Sinch:
    return Sinch(
        project_id=server.settings.project_id,
        key_id=server.settings.key_id,
        key_secret=server.settings.key_secret,
        endpoints=Endpoints.sandbox(server.url),
        proxy="",
    )


def _set_up(sinch: Sinch, target: str, secret: str) -> str:
    credentials = {"claimed_identity": "demo", "token": secret}
    channel = {"channel": "SMS", "static_bearer": credentials}
    app = sinch.conversation.app.create_app(
        body={"display_name": "Demo", "channel_credentials": [channel]}
    )
    webhook = {"target": target, "target_type": "HTTP", "secret": secret, "triggers": _TRIGGERS}
    sinch.conversation.webhooks.create_webhook(body=webhook | {"app_id": app.id})
    return str(app.id)


def _send_all(sinch: Sinch, app_id: str, folder: Path, job: Path, view: "View") -> "Report":
    def progress(step: "Progress") -> None:
        if step.stage in {JobStage.READING, JobStage.CHECKING}:
            return  # There is no report of a job whose recipients are not all known.
        open_ = _summary(sinch.bulk.report(job)).open
        view.progress(step.accepted, step.total - open_, step.total)

    return sinch.bulk.send(
        app_id=app_id,
        message=text(TEXT),
        recipients=folder / "people.csv",
        job=job,
        on_invalid="skip",
        on_duplicate="skip",
        chunk_size=_CHUNK,
        settle=_SETTLE,
        progress=progress,
    )


def _wait(report: "Report", is_first_done: Callable[[], bool], view: "View") -> None:
    deadline = time.monotonic() + PATIENCE
    while time.monotonic() < deadline:
        open_ = _summary(report.refresh()).open
        view.progress(report.accepted, report.total - open_, report.total)
        if not open_ and is_first_done():
            return
        time.sleep(_TICK)


def _summary(report: "Report") -> Summary:
    ends = {str(state): count for state, count in report.by_state.items() if state != "failed"}
    return Summary(ends | {f"failed: {reason}": count for reason, count in report.reasons.items()})
