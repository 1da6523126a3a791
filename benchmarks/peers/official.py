"""The official SDK, pointed at the server."""

import importlib

from benchmarks.peers.sample import APP_ID, KEY_ID, KEY_SECRET, NUMBER, PROJECT_ID, TEXT

__all__ = ["Official"]


class Official:
    """Sends in threads."""

    def __init__(self, url: str) -> None:
        # By name, because it is not in the environment in which types are checked.
        sinch = importlib.import_module("sinch")
        client = sinch.SinchClient(
            project_id=PROJECT_ID,
            key_id=KEY_ID,
            key_secret=KEY_SECRET,
            conversation_region="eu",
        )
        client.configuration.auth_origin = f"{url}/auth"
        client.configuration.conversation_origin = f"{url}/conversation"
        self._messages = client.conversation.messages

    def send(self) -> bool:
        """Send a message; returns True; anything else is an exception."""
        identities = [{"channel": "SMS", "identity": NUMBER}]
        sent = self._messages.send_text_message(
            app_id=APP_ID, text=TEXT, recipient_identities=identities
        )
        return bool(sent.message_id)
