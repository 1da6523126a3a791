"""FastAPI: an endpoint that sends, the receiver of callbacks, and an endpoint that says the state.

uvicorn fastapi_with_callbacks:api --app-dir examples

The webhook goes to /sinch/, with the trigger MESSAGE_DELIVERY and the secret in
SINCH_CALLBACK_SECRETS.
"""

import os
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager

from fastapi import FastAPI, HTTPException
from pydantic import BaseModel

from sinch_wrapper import APIConnectionError, AsyncSinch, Recipient, text
from sinch_wrapper.callbacks import DeliveryState, Event, advance, delivery_report, receiver

callbacks = receiver(os.environ["SINCH_CALLBACK_SECRETS"].split(), store="fastapi.db")
states: dict[str, DeliveryState] = {}  # a table of your database


class Reminder(BaseModel):
    """Whom to remind, and of what."""

    phone: str
    words: str


@callbacks.on("MESSAGE_DELIVERY")
async def note(event: Event) -> None:
    """Keep the furthest state; receipts come in any order."""
    if (report := delivery_report(event)) and report.state:
        states[report.id] = advance(states.get(report.id), report.state)


@asynccontextmanager
async def lifespan(app: FastAPI) -> AsyncGenerator[None, None]:
    """One client for all requests, and the receiver while the server runs."""
    async with AsyncSinch() as sinch, callbacks:
        app.state.sinch = sinch
        yield


api = FastAPI(lifespan=lifespan)
api.mount("/sinch", callbacks)


@api.post("/reminders", status_code=202)
async def remind(reminder: Reminder) -> dict[str, str]:
    """Send; a number that is not one is the caller's mistake, an unknown outcome is said."""
    try:
        to = Recipient.sms(reminder.phone)
    except ValueError as error:
        raise HTTPException(422, str(error)) from None
    sinch: AsyncSinch = api.state.sinch
    try:
        sent = await sinch.send(
            app_id=os.environ["SINCH_APP_ID"], to=to, message=text(reminder.words)
        )
    except APIConnectionError as error:
        raise HTTPException(503, f"the outcome is {error.outcome}") from None
    return {"id": sent.message_id}


@api.get("/reminders/{message_id}")
async def state(message_id: str) -> dict[str, str]:
    """What is known about a message."""
    return {"id": message_id, "state": states.get(message_id, "accepted")}
