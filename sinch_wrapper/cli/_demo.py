"""The demo itself: a sandbox, a callback receiver, one message and a bulk job."""

# ruff: noqa: FBT001 (click passes each option as an argument)
import dataclasses
import json
import secrets
import time
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Final

import click

from sinch_wrapper import Endpoints, Recipient, Sinch, text
from sinch_wrapper.callbacks import Event, EventStore, Receiver, delivery_report
from sinch_wrapper.cli._demo_data import TEXT, TOTAL, Summary, write_people
from sinch_wrapper.cli._options import as_json
from sinch_wrapper.sandbox import BackgroundServer, Server, Settings, parse_fault

if TYPE_CHECKING:
    from collections.abc import Callable

    from sinch_wrapper.bulk import Progress, Report
    from sinch_wrapper.cli._demo_views import View


_TRIGGERS: Final = ["MESSAGE_DELIVERY", "BATCH_STATUS_UPDATE"]
_FAULTS: Final = ("Batch_SendBatch:drop:#2", "Batch_SendBatch:503:30%")
# Some come twice, some too late; many at once, for each is answered after a write to the disk.
_WORKERS: Final = 32
_CHUNK: Final = 500
# Until a request that was not found is sent again; the sandbox is quick.
_SETTLE: Final = 0.5
_TICK: Final = 0.5
_FIRST_NUMBER: Final = "+46700000001"


@dataclass(frozen=True, slots=True)
class Result:
    """How the demo ended; times are seconds."""

    summary: Summary
    first_status: str
    callbacks: int
    faults: int
    seconds: float


class _Desk:
    """Where the receiver keeps callbacks, and what the first message came to."""

    def __init__(self, folder: Path) -> None:
        self.job = folder / "demo.db"
        self.store = EventStore(folder / "callbacks.db")
        self.secret = secrets.token_urlsafe()
        self.receiver = Receiver(self.secret, store=self.store, job=self.job)
        self.receiver.on("MESSAGE_DELIVERY")(self.take)
        self.statuses: dict[str, str] = {}

    async def take(self, event: Event) -> None:
        """Keep the end of a single message; the journal has those of the job."""
        report = delivery_report(event)
        if report is not None and report.is_final:
            self.statuses[report.id] = report.status


def run_demo(view: "View", *, patience: float) -> Result:
    """Run the demo and show its progress in *view*.

    It ends when every recipient is accounted for, or *patience* seconds after the last was sent.
    Raises: SinchError when a call fails.
    """
    began = time.monotonic()
    with ExitStack() as stack:
        folder = Path(stack.enter_context(TemporaryDirectory(prefix="sinch-demo-")))
        desk = _Desk(folder)
        receiver = stack.enter_context(BackgroundServer(desk.receiver))
        faults = tuple(map(parse_fault, _FAULTS))
        settings = Settings(
            seed=1,
            faults=faults,
            callback_duplicates=0.02,
            callback_disorder=0.02,
            callback_workers=_WORKERS,
        )
        server = stack.enter_context(Server(settings))
        view.note(f"Sandbox at {server.url}, callback receiver at {receiver.url}")
        sinch = stack.enter_context(_client(server))
        app_id = _set_up(sinch, receiver.url, desk.secret)
        view.note("App and webhook registered; callbacks will be signed")
        to, message = Recipient.sms(_FIRST_NUMBER), text("Hello from the demo")
        first = str(sinch.send(app_id=app_id, to=to, message=message).message_id)
        view.note(f"Sent one message: {first}")
        write_people(folder / "people.csv")
        view.note(f"Sending people.csv, {TOTAL:,} rows, with the faults {', '.join(_FAULTS)}")
        report = _send_all(sinch, app_id, folder, desk.job, view)
        _wait(report, lambda: first in desk.statuses, view, time.monotonic() + patience)
        return Result(
            summary_of(report),
            desk.statuses.get(first, "PENDING"),
            desk.store.counts().stored,
            sum(server.struck.values()),
            time.monotonic() - began,
        )


def summary_of(report: "Report") -> Summary:
    """Count recipients by their end, as the journal has it."""
    ends = {str(state): count for state, count in report.by_state.items() if state != "failed"}
    return Summary(ends | {f"failed: {reason}": count for reason, count in report.reasons.items()})


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
        open_ = summary_of(sinch.bulk.report(job)).open
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


def _wait(
    report: "Report", first_is_there: "Callable[[], bool]", view: "View", deadline: float
) -> None:
    while time.monotonic() < deadline:
        open_ = summary_of(report.refresh()).open
        view.progress(report.accepted, report.total - open_, report.total)
        if not open_ and first_is_there():
            return
        time.sleep(_TICK)


_PATIENCE = 120.0


@click.command()
@as_json
def demo(as_json: bool) -> None:
    """Show it all at work: no account, no network, nothing left behind.

    Starts a sandbox and a callback receiver on this machine, sends one message and a bulk job of
    2,500 rows with faults switched on, receives the signed callbacks, and accounts for every row.
    """
    from sinch_wrapper.cli._demo_data import expected
    from sinch_wrapper.cli._demo_views import view_for

    with view_for(as_json=as_json) as view:
        result = run_demo(view, patience=_PATIENCE)
        view.result(result)
    if as_json:
        click.echo(json.dumps(dataclasses.asdict(result)))
    said = fault(result.summary, expected())
    if said:
        raise click.ClickException(said)


def fault(summary: "Summary", expected: "Summary") -> str:
    """Say what is wrong with *summary*, or nothing."""
    if summary.total != expected.total:
        return f"the counts do not add up to {expected.total}"
    if summary.open:
        return f"{summary.open} of them were not accounted for within {_PATIENCE:g} s"
    if summary != expected:
        return "the recipients did not end as the demo had planned"
    return ""
