"""Callbacks: which webhook gets what, and the envelope around it."""

from collections.abc import Iterator
from dataclasses import dataclass

from sinch_wrapper.sandbox.clock import Clock
from sinch_wrapper.sandbox.codec import encode
from sinch_wrapper.sandbox.courier import Courier
from sinch_wrapper.sandbox.posting import Target
from sinch_wrapper.sandbox.shapes import Json, timestamp
from sinch_wrapper.sandbox.store import Store


@dataclass(frozen=True, slots=True)
class Callback:
    """One notification: its trigger, its payload, and what the envelope adds."""

    trigger: str
    key: str
    payload: Json
    app_id: str = ""
    message_metadata: str = ""
    correlation_id: str = ""
    override_url: str = ""
    dated: bool = True


class Notifier:
    """Hands the callbacks of one region to the courier, a copy for each webhook."""

    def __init__(self, project_id: str, store: Store, clock: Clock, courier: Courier) -> None:
        self._project_id = project_id
        self._store = store
        self._clock = clock
        self._courier = courier

    def emit(self, callback: Callback) -> None:
        """Send *callback* to each webhook that subscribed to it."""
        targets = list(self._targets(callback))
        if targets:
            body = encode(self._envelope(callback))
            for app_id, target in targets:
                self._courier.send(app_id, target, body)

    def _targets(self, callback: Callback) -> Iterator[tuple[str, Target]]:
        if callback.override_url:
            app = self._store.apps.get(callback.app_id, {})
            settings = app.get("callback_settings", {})
            secret = settings.get("secret_for_overridden_callback_urls", "")
            yield callback.app_id, Target(callback.override_url, secret)
            return
        for webhook in self._store.webhooks.values():
            wanted = callback.trigger in webhook.get("triggers", [])
            live = webhook.get("target_type") == "HTTP"
            if wanted and live and callback.app_id in ("", webhook["app_id"]):
                credentials = webhook.get("client_credentials")
                target = Target(webhook["target"], webhook.get("secret", ""), credentials)
                yield webhook["app_id"], target

    def _envelope(self, callback: Callback) -> Json:
        envelope: Json = {"app_id": callback.app_id, "project_id": self._project_id}
        if callback.dated:
            now = timestamp(self._clock())
            envelope |= {"accepted_time": now, "event_time": now}
        envelope |= {callback.key: callback.payload, "message_metadata": callback.message_metadata}
        if callback.correlation_id:
            envelope["correlation_id"] = callback.correlation_id
        return envelope
