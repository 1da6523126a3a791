"""Whoever writes gets an answer, on the channel that they wrote on.

uvicorn inbound_auto_reply:app --app-dir examples --port 8080

The webhook of the app needs the trigger MESSAGE_INBOUND and the secret in SINCH_CALLBACK_SECRETS.
"""

import os

from sinch_conversation_api.models import MessageInboundEvent

from sinch_wrapper import UNSET, Recipient, Sinch, text
from sinch_wrapper.callbacks import Event, receiver

app = receiver(os.environ["SINCH_CALLBACK_SECRETS"].split(), store="auto-reply.db")
sinch = Sinch()


def sender(event: Event) -> Recipient | None:
    """Who wrote, on which channel."""
    model = event.model
    if not isinstance(model, MessageInboundEvent) or model.message is UNSET:
        return None
    who = model.message.channel_identity
    if not who or not who.identity:
        return None
    return Recipient.on(str(who.channel), who.identity)


@app.on("MESSAGE_INBOUND")
def answer(event: Event) -> None:
    """Answer; a failure is tried again later, so a lost response may answer twice."""
    if to := sender(event):
        sinch.send(app_id=event.app_id, to=to, message=text("Thank you! We open at nine."))
