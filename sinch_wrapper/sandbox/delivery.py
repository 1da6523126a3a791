"""The queue of each app: it drains at a rate, and each message ends in delivery receipts."""

from collections import deque
from dataclasses import dataclass, field

from sinch_wrapper.sandbox.background import Background
from sinch_wrapper.sandbox.errors import Refusal
from sinch_wrapper.sandbox.notify import Callback, Notifier
from sinch_wrapper.sandbox.settings import Settings
from sinch_wrapper.sandbox.shapes import Json
from sinch_wrapper.sandbox.store import Store

UNREACHABLE_SUFFIX = "000"
SILENT_SUFFIX = "999"

_TICK = 0.02


@dataclass(frozen=True, slots=True)
class Outbound:
    """A message or an event on its way to a channel."""

    app_id: str
    id: str
    correlation_id: str
    callback_url: str
    channel_identity: Json = field(repr=False)
    metadata: str = field(repr=False)
    contact_id: str
    conversation_id: str
    processing_mode: str
    is_event: bool


@dataclass(frozen=True, slots=True)
class Failure:
    """A message that ends before it is queued."""

    app_id: str
    message_id: str
    contact_id: str
    reason: Json
    message_metadata: str
    correlation_id: str = ""
    callback_url: str = ""


class Outbox:
    """
    The queues of all apps.

    An identity that ends in 000 cannot be reached: its message fails with RECIPIENT_NOT_REACHABLE.
    One that ends in 999 is silent: its message stays at QUEUED_ON_CHANNEL. One that opted out of
    everything fails with RECIPIENT_NOT_OPTED_IN. All others are delivered.
    """

    def __init__(
        self, settings: Settings, store: Store, tasks: Background, notifier: Notifier
    ) -> None:
        self._settings = settings
        self._store = store
        self._tasks = tasks
        self._notifier = notifier
        self._queues: dict[str, deque[Outbound]] = {}

    def size(self, app_id: str) -> int:
        """Return how many messages wait in the queue of the app."""
        return len(self._queues.get(app_id, ()))

    def require_room(self, app_id: str, messages: int) -> None:
        """Raise Refusal 429 when *messages* more would overflow the queue of the app."""
        if self.size(app_id) + messages > self._settings.queue_limit:
            raise Refusal(429, "The message queue of the app is full")

    def put(self, outbound: Outbound) -> None:
        """Queue a message; the queue starts to drain if it stood still."""
        queue = self._queues.setdefault(outbound.app_id, deque())
        queue.append(outbound)
        if len(queue) == 1:
            self._tasks.spawn(self._drain(outbound.app_id))

    def fail(self, failure: Failure) -> None:
        """Send the receipt of a message that failed before it was queued (batch-api.md 10)."""
        report = {
            "message_id": failure.message_id,
            "status": "FAILED",
            "contact_id": failure.contact_id,
            "reason": failure.reason,
        }
        self._notifier.emit(
            Callback(
                "MESSAGE_DELIVERY",
                "message_delivery_report",
                report,
                app_id=failure.app_id,
                message_metadata=failure.message_metadata,
                correlation_id=failure.correlation_id,
                override_url=failure.callback_url,
                dated=False,
            )
        )

    async def _drain(self, app_id: str) -> None:
        queue = self._queues[app_id]
        burst = max(1, round(self._settings.drain_rate * _TICK))
        while queue:
            # The head leaves the queue last: while it is there, put() starts no second drain.
            sent = min(burst, len(queue))
            await self._settings.sleep(sent / self._settings.drain_rate)
            for _ in range(sent):
                self._hand_over(queue[0])
                queue.popleft()

    def _hand_over(self, outbound: Outbound) -> None:
        self._receipt(outbound, "QUEUED_ON_CHANNEL")
        identity = outbound.channel_identity["identity"]
        if self._store.opted_out(outbound.app_id, identity):
            self._receipt(outbound, "FAILED", "RECIPIENT_NOT_OPTED_IN")
        elif identity.endswith(UNREACHABLE_SUFFIX):
            self._receipt(outbound, "FAILED", "RECIPIENT_NOT_REACHABLE")
        elif not identity.endswith(SILENT_SUFFIX):
            self._receipt(outbound, "DELIVERED")

    def _receipt(self, outbound: Outbound, status: str, reason: str = "") -> None:
        report: Json = {
            ("event_id" if outbound.is_event else "message_id"): outbound.id,
            "status": status,
            "channel_identity": outbound.channel_identity,
            "contact_id": outbound.contact_id,
            "metadata": outbound.metadata,
            "processing_mode": outbound.processing_mode,
        }
        if not outbound.is_event:
            report["conversation_id"] = outbound.conversation_id
        if reason:
            report["reason"] = {
                "code": reason,
                "description": "The sandbox was told to fail this message.",
                "sub_code": "UNSPECIFIED_SUB_CODE",
            }
        self._notifier.emit(
            Callback(
                "EVENT_DELIVERY" if outbound.is_event else "MESSAGE_DELIVERY",
                "event_delivery_report" if outbound.is_event else "message_delivery_report",
                report,
                app_id=outbound.app_id,
                correlation_id=outbound.correlation_id,
                override_url=outbound.callback_url,
            )
        )
