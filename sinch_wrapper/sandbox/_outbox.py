"""The queue of each app: it drains at a rate, and each message ends in delivery receipts."""

import asyncio
from collections import Counter, deque
from dataclasses import dataclass, field

from sinch_wrapper.sandbox._background import BackgroundTasks
from sinch_wrapper.sandbox._clock import Clock
from sinch_wrapper.sandbox._errors import Refusal
from sinch_wrapper.sandbox._json import Json
from sinch_wrapper.sandbox._ledger import LedgerEntry
from sinch_wrapper.sandbox._numbers import digits_of, is_phone_channel
from sinch_wrapper.sandbox._settings import Settings
from sinch_wrapper.sandbox._store import RegionStore, serves
from sinch_wrapper.sandbox._webhook_delivery import Callback, CallbackEmitter

UNREACHABLE_SUFFIX = "000"
FALLBACK_SUFFIX = "777"
SILENT_SUFFIX = "999"

_TICK = 0.02
_SHORTEST_WAIT = 10
# What is known before the channel is asked.
_AT_ONCE = frozenset({"CHANNEL_CONFIGURATION_MISSING", "RECIPIENT_INVALID_CHANNEL_IDENTITY"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Outbound:
    """A message or an event on its way to a channel."""

    entry: LedgerEntry
    id: str
    identities: list[Json] = field(repr=False)
    metadata: str = field(repr=False)
    contact_id: str
    conversation_id: str
    processing_mode: str
    since: float
    correlation_id: str = ""
    callback_url: str = ""
    is_event: bool = False
    expires: float = float("inf")

    @property
    def app_id(self) -> str:
        """The app that sends the message or event."""
        return self.entry.request.app_id


@dataclass(frozen=True, slots=True)
class FailedMessage:
    """A message that fails before it is queued."""

    entry: LedgerEntry
    message_id: str
    contact_id: str
    reason: Json
    message_metadata: str
    correlation_id: str = ""
    callback_url: str = ""


class AppQueue:
    """The queues of all apps of a region.

    An identity that ends in 000 cannot be reached: the next channel is tried, and without one the
    message fails with RECIPIENT_NOT_REACHABLE. One that ends in 777 is reached on the last of
    several channels alone. One that ends in 999 is silent: its message stays at QUEUED_ON_CHANNEL,
    unless the app switches channels when no receipt comes (`delivery_report_based_fallback`). One
    that opted out of everything fails with RECIPIENT_NOT_OPTED_IN, one on a phone channel that is
    not a number with RECIPIENT_INVALID_CHANNEL_IDENTITY, one on a channel that the app lacks with
    CHANNEL_CONFIGURATION_MISSING, and a message beyond its `ttl` with DELIVERY_TIMED_OUT. All
    others are delivered.
    """

    def __init__(
        self,
        settings: Settings,
        clock: Clock,
        tasks: BackgroundTasks,
        store: RegionStore,
        callbacks: CallbackEmitter,
    ) -> None:
        self._settings = settings
        self._clock = clock
        self._tasks = tasks
        self._store = store
        self._callbacks = callbacks
        self._queues: dict[str, deque[Outbound]] = {}
        self._reserved: Counter[str] = Counter()

    def size(self, app_id: str) -> int:
        """Return how many messages wait in the queue of the app."""
        return len(self._queues.get(app_id, ())) + self._reserved[app_id]

    def require_room(self, app_id: str, messages: int) -> None:
        """Raise Refusal 429 when *messages* more would overflow the queue of the app."""
        if self.size(app_id) + messages > self._settings.queue_limit:
            raise Refusal(429, "The message queue of the app is full")

    def reserve(self, app_id: str, messages: int) -> None:
        """Count *messages* more as waiting: accepted, not yet queued; or fewer, when negative."""
        self._reserved[app_id] += messages

    def put(self, outbound: Outbound) -> None:
        """Queue a message; an empty queue starts to drain."""
        queue = self._queues.setdefault(outbound.app_id, deque())
        queue.append(outbound)
        if len(queue) == 1:
            self._tasks.spawn(self._drain(outbound.app_id))

    def fail(self, failure: FailedMessage) -> None:
        """Send the receipt of a message that failed before it was queued."""
        failure.entry.message_id = failure.message_id
        failure.entry.outcome, failure.entry.reason = "FAILED", failure.reason["code"]
        report = {
            "message_id": failure.message_id,
            "status": "FAILED",
            "contact_id": failure.contact_id,
            "reason": failure.reason,
        }
        self._callbacks.emit(
            Callback(
                "MESSAGE_DELIVERY",
                "message_delivery_report",
                report,
                app_id=failure.entry.request.app_id,
                message_metadata=failure.message_metadata,
                correlation_id=failure.correlation_id,
                override_url=failure.callback_url,
                dated=False,
            )
        )

    async def _drain(self, app_id: str) -> None:
        queue, rate = self._queues[app_id], self._settings.drain_rate
        burst = max(1, round(rate * _TICK))
        # Another drain that catches up may have emptied it already.
        due = queue[0].since if queue else 0.0
        while queue:
            # The head leaves the queue last: put() starts a second drain when the queue is empty.
            sent = min(burst, len(queue))
            # Counted from the time of sending, so that the queue catches up after a clock jump.
            due += sent / rate
            await self._clock.sleep_until(due)
            for _ in range(sent):
                self._hand_over(queue[0])
                queue.popleft()
            await asyncio.sleep(0)

    def _hand_over(self, outbound: Outbound, first: int = 0) -> None:
        """Try the identities from *first* on."""
        for place, identity in enumerate(outbound.identities[first:], first):
            # No other channel is tried beyond the ttl.
            if self._clock() > outbound.expires:
                self._receipt(outbound, identity, "FAILED", "DELIVERY_TIMED_OUT")
                return
            last = place == len(outbound.identities) - 1
            reason = self._fault(outbound, identity, last=last)
            if reason not in _AT_ONCE:
                self._receipt(outbound, identity, "QUEUED_ON_CHANNEL")
            if not reason:
                self._arrive(outbound, place, last=last)
                return
            self._receipt(outbound, identity, "FAILED" if last else "SWITCHING_CHANNEL", reason)

    def _fault(self, outbound: Outbound, identity: Json, *, last: bool) -> str:
        channel, address = identity["channel"], identity["identity"]
        if not serves(self._store.apps.get(outbound.app_id, {}), channel):
            return "CHANNEL_CONFIGURATION_MISSING"
        if is_phone_channel(channel) and not digits_of(address):
            return "RECIPIENT_INVALID_CHANNEL_IDENTITY"
        if self._store.opted_out(outbound.app_id, address):
            return "RECIPIENT_NOT_OPTED_IN"
        if address.endswith(UNREACHABLE_SUFFIX) or (address.endswith(FALLBACK_SUFFIX) and not last):
            return "RECIPIENT_NOT_REACHABLE"
        return ""

    def _arrive(self, outbound: Outbound, place: int, *, last: bool) -> None:
        identity = outbound.identities[place]
        if not identity["identity"].endswith(SILENT_SUFFIX):
            self._receipt(outbound, identity, "DELIVERED")
            return
        app = self._store.apps.get(outbound.app_id, {})
        fallback = app.get("delivery_report_based_fallback", {})
        if fallback.get("enabled") and not last:
            wait = max(_SHORTEST_WAIT, fallback.get("delivery_report_waiting_time", 0))
            self._tasks.spawn(self._switch_later(outbound, place, self._clock() + wait))

    async def _switch_later(self, outbound: Outbound, place: int, due: float) -> None:
        await self._clock.sleep_until(due)
        if self._clock() <= outbound.expires:
            identity = outbound.identities[place]
            self._receipt(outbound, identity, "SWITCHING_CHANNEL", "DELIVERY_TIMED_OUT")
        self._hand_over(outbound, place + 1)

    def _receipt(self, outbound: Outbound, identity: Json, status: str, reason: str = "") -> None:
        outbound.entry.reached(identity, status, reason)
        report: Json = {
            ("event_id" if outbound.is_event else "message_id"): outbound.id,
            "status": status,
            "channel_identity": identity,
            "contact_id": outbound.contact_id,
            "metadata": outbound.metadata,
            "processing_mode": outbound.processing_mode,
        }
        if not outbound.is_event:
            report["conversation_id"] = outbound.conversation_id
        if reason:
            report["reason"] = {
                "code": reason,
                "description": "The sandbox fails messages to such recipients.",
                "sub_code": "UNSPECIFIED_SUB_CODE",
            }
        self._callbacks.emit(
            Callback(
                "EVENT_DELIVERY" if outbound.is_event else "MESSAGE_DELIVERY",
                "event_delivery_report" if outbound.is_event else "message_delivery_report",
                report,
                app_id=outbound.app_id,
                correlation_id=outbound.correlation_id,
                override_url=outbound.callback_url,
            )
        )
