"""What every peer sends, and as whom."""

from typing import Final

__all__ = ["APP_ID", "KEY_ID", "KEY_SECRET", "NUMBER", "PATH", "PROJECT_ID", "TEXT", "body"]

PROJECT_ID: Final = "8f5c1f1e-2f7a-4a0c-9d6e-0c7a3c1b2d4e"
APP_ID: Final = "01HZX8Q4T6W2N9V7B5K3M1R0PD"
KEY_ID: Final = "benchmark-key"
KEY_SECRET: Final = "benchmark-secret"  # noqa: S105 (of no account)
NUMBER: Final = "+46700000001"
TEXT: Final = "Your parcel is on its way and arrives today between 10 and 12."
PATH: Final = f"/conversation/v1/projects/{PROJECT_ID}/messages:send"


def body() -> dict[str, object]:
    """A text message, built for each call as by hand."""
    identities = [{"channel": "SMS", "identity": NUMBER}]
    return {
        "app_id": APP_ID,
        "recipient": {"identified_by": {"channel_identities": identities}},
        "message": {"text_message": {"text": TEXT}},
    }
