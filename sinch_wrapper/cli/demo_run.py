"""The demo itself: a sandbox, a callback receiver, one message and three batches."""

import secrets
import threading
import time
from contextlib import ExitStack
from dataclasses import dataclass
from typing import TYPE_CHECKING

from sinch_wrapper import Endpoints, Recipient, RetryPolicy, Sinch, text
from sinch_wrapper.callbacks import Event, delivery_report
from sinch_wrapper.callbacks.receiver import receiver_app
from sinch_wrapper.cli.demo_data import TEXT, TOTAL, chunks
from sinch_wrapper.cli.ledger import Ledger, Summary
from sinch_wrapper.sandbox import BackgroundServer, Server, Settings, parse_fault

if TYPE_CHECKING:
    from sinch_wrapper.cli.demo_views import View

__all__ = ["Result", "run_demo"]

_TRIGGERS = ["MESSAGE_DELIVERY", "BATCH_STATUS_UPDATE"]
_FAULT = "Batch_SendBatch:503:40%"
_SEED = 1
_RATE = 1000
_TICK = 0.05
_FIRST_NUMBER = "+46700000001"


@dataclass(frozen=True, slots=True)
class Result:
    """How the demo ended; times are seconds."""

    summary: Summary
    first_status: str
    callbacks: int
    faults: int
    seconds: float


class _Desk:
    """Takes the callbacks, in the thread of the receiver, for the thread that waits."""

    def __init__(self) -> None:
        self.ledger = Ledger(TOTAL)
        self.callbacks = 0
        self.statuses: dict[str, str] = {}
        self.lock = threading.Lock()

    async def take(self, event: Event) -> None:
        with self.lock:
            self.callbacks += 1
            self.ledger.take(event)
            report = delivery_report(event)
            if report is not None and report.is_final and not event.message_metadata:
                self.statuses.setdefault(report.id, report.status)


def run_demo(view: "View", *, patience: float) -> Result:
    """Run the demo and show its progress in *view*.

    It ends when every recipient is accounted for, or after *patience* seconds.
    Raises: SinchError when a call fails.
    """
    began = time.monotonic()
    desk, secret = _Desk(), secrets.token_urlsafe()
    with ExitStack() as stack:
        receiver = BackgroundServer(receiver_app(desk.take, secrets=[secret]))
        stack.enter_context(receiver)
        settings = Settings(drain_rate=_RATE, seed=_SEED, faults=(parse_fault(_FAULT),))
        server = stack.enter_context(Server(settings))
        view.note(f"Sandbox at {server.url}, callback receiver at {receiver.url}")
        sinch = stack.enter_context(_client(server, patience))
        app_id = _set_up(sinch, receiver.url, secret)
        view.note("App and webhook registered; callbacks will be signed")
        message_id = _send_one(sinch, app_id)
        view.note(f"Sent one message: {message_id}")
        view.note(f"Sending {TOTAL:,} more in batches, with the fault {_FAULT} switched on")
        _send_all(sinch, app_id, desk, view)
        _wait(desk, message_id, view, began + patience)
        return Result(
            desk.ledger.summary(),
            desk.statuses.get(message_id, "PENDING"),
            desk.callbacks,
            sum(server.struck.values()),
            time.monotonic() - began,
        )


def _client(server: Server, patience: float) -> Sinch:
    return Sinch(
        project_id=server.settings.project_id,
        key_id=server.settings.key_id,
        key_secret=server.settings.key_secret,
        endpoints=Endpoints.sandbox(server.url),
        retry=RetryPolicy(attempts=8, retry_deadline=patience),
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


def _send_one(sinch: Sinch, app_id: str) -> str:
    message = text("Hello from the demo")
    sent = sinch.send(app_id=app_id, to=Recipient.sms(_FIRST_NUMBER), message=message)
    return str(sent.message_id)


def _send_all(sinch: Sinch, app_id: str, desk: _Desk, view: "View") -> None:
    accepted = 0
    for first, recipients in chunks():
        body = {"app_id": app_id, "message": text(TEXT), "recipient_and_params": recipients}
        batch = sinch.batch.messages.send_batch(body=body)
        accepted += len(recipients)
        with desk.lock:
            desk.ledger.adopt(str(batch.batch_id), first)
            settled = desk.ledger.settled
        view.progress(accepted, settled)


def _wait(desk: _Desk, message_id: str, view: "View", deadline: float) -> None:
    while time.monotonic() < deadline:
        with desk.lock:
            settled, first = desk.ledger.settled, message_id in desk.statuses
        view.progress(TOTAL, settled)
        if settled == TOTAL and first:
            return
        time.sleep(_TICK)
