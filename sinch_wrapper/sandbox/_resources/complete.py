"""Fields that the API always writes, also when nobody has set them.

Source: the end-to-end steps and fixtures of the Node and Java SDKs, and the Python SDK 1.1.4, which
reads them without asking.
"""

from sinch_wrapper.sandbox._json import Json
from sinch_wrapper.sandbox._numbers import same_address

_OFF = {"enabled": False}
_CREDENTIALS = {"callback_secret": "", "channel_known_id": ""}
APP: Json = {
    "conversation_metadata_report_view": "NONE",
    "processing_mode": "DISPATCH",
    "retention_policy": {"retention_type": "MESSAGE_EXPIRE_POLICY", "ttl_days": 180},
    "dispatch_retention_policy": {"retention_type": "MESSAGE_EXPIRE_POLICY", "ttl_days": 0},
    "smart_conversation": _OFF,
    "persist_message_status": _OFF,
    "message_search": _OFF,
    "callback_settings": {"secret_for_overridden_callback_urls": ""},
    "delivery_report_based_fallback": _OFF | {"delivery_report_waiting_time": 0},
    "message_retry_settings": {"retry_duration": 3600},
}
CONTACT: Json = {"channel_priority": [], "email": "", "external_id": "", "metadata": ""}
CONVERSATION: Json = {
    "active": True,
    "last_received": "1970-01-01T00:00:00Z",
    "correlation_id": "",
    "metadata": "",
    "metadata_json": {},
}
WEBHOOK: Json = {"target_type": "DISMISS", "secret": "", "client_credentials": None}
TRANSLATION: Json = {"version": "1", "channel_template_overrides": {}, "variables": []}


def complete(fields: Json, defaults: Json) -> Json:
    """Return *fields* with what is missing of *defaults*, in their objects too."""
    return defaults | {
        name: defaults[name] | value if isinstance(value, dict) and defaults.get(name) else value
        for name, value in fields.items()
    }


def credentials(given: Json, state: str) -> Json:
    """Return the credentials of a channel, which is in *state*."""
    return _CREDENTIALS | given | {"state": {"status": state, "description": ""}}


def channel_identity(given: Json) -> Json:
    """Return an identity as the API writes it: a phone number without its plus."""
    plain = same_address(given["channel"], given["identity"])
    return {"app_id": ""} | given | {"identity": plain}
