"""What a user's type checker must understand; mypy reads this file, nothing runs it."""

from __future__ import annotations

from typing import assert_type

from sinch_conversation_api.models import Contact

from sinch_wrapper import AsyncSinch, Recipient, SentMessage, Sinch, paginate, text


def blocking(sinch: Sinch) -> None:
    """Results, items of pages and absence have their types."""
    sent = sinch.send(app_id="A", to=Recipient.sms("+46700000001"), message=text("Hi"))
    assert_type(sent, SentMessage)
    assert_type(sent.message_id, str)
    for contact in paginate(sinch.conversation.contact.list_contacts, page_size=20):
        assert_type(contact, Contact)
    for contact in sinch.conversation.contact.list_contacts():
        assert_type(contact, Contact)


async def asynchronous(sinch: AsyncSinch) -> None:
    """The asynchronous client has the same types, awaited."""
    sent = await sinch.send(app_id="A", to=Recipient.sms("+46700000001"), message=text("Hi"))
    assert_type(sent, SentMessage)
    async for contact in paginate(sinch.conversation.contact.list_contacts, page_size=20):
        assert_type(contact, Contact)
