"""Sinch and AsyncSinch: the three APIs behind one set of options."""

from functools import cached_property
from typing import TYPE_CHECKING, Self, Unpack

from sinch_wrapper._auth.credentials import AccessToken
from sinch_wrapper._base import BaseClient
from sinch_wrapper._http import httpx
from sinch_wrapper._sending import SendOptions, send_body
from sinch_wrapper._session import AsyncSession, Session
from sinch_wrapper._transport.wire import AsyncWire, Wire
from sinch_wrapper._wiring import connect, connect_async

if TYPE_CHECKING:
    import sinch_batch_api
    import sinch_conversation_api
    import sinch_template_api
    from sinch_conversation_api.models import SendMessageResponse

    from sinch_wrapper.bulk import AsyncBulk, Bulk
    from sinch_wrapper.messages import Message, Recipient

__all__ = ["AsyncSinch", "Sinch"]


class Sinch(BaseClient[httpx.BaseTransport, Wire]):
    """The client for the Conversation, Batch and Template APIs, for threads.

    Use it in a `with` block or call `close()`. It may be shared by any number of threads.
    """

    def _connect(self, transport: httpx.BaseTransport | None) -> Wire:
        return connect(self._options, transport)

    def _session(self, base_url: str) -> Session:
        return Session(self._wire, self._settings(base_url))

    @cached_property
    def conversation(self) -> "sinch_conversation_api.Client":
        """The Conversation API: a property for each tag, a method for each operation."""
        from sinch_conversation_api import Client

        session = self._session(self._options.endpoints.conversation)
        return Client(session, self._options.project_id)

    @cached_property
    def bulk(self) -> "Bulk":
        """Jobs of any size, journalled and resumable: see sinch_wrapper.bulk (extra: cli)."""
        from sinch_wrapper.bulk import Bulk

        return Bulk(self)

    @cached_property
    def batch(self) -> "sinch_batch_api.Client":
        """The Conversation Batch API."""
        from sinch_batch_api import Client

        session = self._session(self._options.endpoints.batch)
        return Client(session, self._options.project_id)

    @cached_property
    def templates(self) -> "sinch_template_api.Client":
        """The Template Management API."""
        from sinch_template_api import Client

        session = self._session(self._options.endpoints.template)
        return Client(session, self._options.project_id)

    def send(
        self, *, app_id: str, to: "Recipient", message: "Message", **options: Unpack[SendOptions]
    ) -> "SendMessageResponse":
        """Send one message to one recipient; returns its id once the API has accepted it.

        *options* are the other fields of the request: ttl (seconds, timedelta or text),
        message_metadata (text, or a mapping that becomes JSON), callback_url,
        channel_priority_order, channel_properties, queue, correlation_id, processing_strategy,
        message_content_type, conversation_metadata, conversation_metadata_update_strategy.

        Raises: ValueError or TypeError for obvious mistakes, SinchError for the rest.
        """
        body = send_body(app_id, to, message, options)
        # Not for a traceback that shows locals.
        del to, message, options
        return self.conversation.messages.send_message(body=body)

    def fetch_token(self) -> AccessToken:
        """The access token that requests carry, and the seconds it still lasts.

        It is fetched when there is none, and renewed when it is due.

        Raises: AuthenticationError when the key is refused, ConfigurationError with
        `auth="basic"`, other SinchErrors when no token can be had.
        """
        return self._session(self._options.endpoints.auth).fetch_token()

    def close(self) -> None:
        """Close the connections; closing twice is harmless."""
        if self._origin is None:
            self._wire.close()

    def __enter__(self) -> Self:
        self._wire.check_open()
        return self

    def __exit__(self, *_error: object) -> None:
        self.close()


class AsyncSinch(BaseClient[httpx.AsyncBaseTransport, AsyncWire]):
    """The client for the Conversation, Batch and Template APIs, for tasks of one event loop.

    Use it in an `async with` block or await `aclose()`. It has the names of Sinch, awaited.
    """

    def _connect(self, transport: httpx.AsyncBaseTransport | None) -> AsyncWire:
        return connect_async(self._options, transport)

    def _session(self, base_url: str) -> AsyncSession:
        return AsyncSession(self._wire, self._settings(base_url))

    @cached_property
    def conversation(self) -> "sinch_conversation_api.AsyncClient":
        """The Conversation API: a property for each tag, a method for each operation."""
        from sinch_conversation_api import AsyncClient

        session = self._session(self._options.endpoints.conversation)
        return AsyncClient(session, self._options.project_id)

    @cached_property
    def bulk(self) -> "AsyncBulk":
        """Jobs of any size, journalled and resumable: see sinch_wrapper.bulk (extra: cli)."""
        from sinch_wrapper.bulk import AsyncBulk

        return AsyncBulk(self)

    @cached_property
    def batch(self) -> "sinch_batch_api.AsyncClient":
        """The Conversation Batch API."""
        from sinch_batch_api import AsyncClient

        session = self._session(self._options.endpoints.batch)
        return AsyncClient(session, self._options.project_id)

    @cached_property
    def templates(self) -> "sinch_template_api.AsyncClient":
        """The Template Management API."""
        from sinch_template_api import AsyncClient

        session = self._session(self._options.endpoints.template)
        return AsyncClient(session, self._options.project_id)

    async def send(
        self, *, app_id: str, to: "Recipient", message: "Message", **options: Unpack[SendOptions]
    ) -> "SendMessageResponse":
        """Send one message to one recipient; returns its id once the API has accepted it.

        *options* are the other fields of the request: ttl (seconds, timedelta or text),
        message_metadata (text, or a mapping that becomes JSON), callback_url,
        channel_priority_order, channel_properties, queue, correlation_id, processing_strategy,
        message_content_type, conversation_metadata, conversation_metadata_update_strategy.

        Raises: ValueError or TypeError for obvious mistakes, SinchError for the rest.
        """
        body = send_body(app_id, to, message, options)
        # Not for a traceback that shows locals.
        del to, message, options
        return await self.conversation.messages.send_message(body=body)

    async def fetch_token(self) -> AccessToken:
        """The access token that requests carry, and the seconds it still lasts.

        It is fetched when there is none, and renewed when it is due.

        Raises: AuthenticationError when the key is refused, ConfigurationError with
        `auth="basic"`, other SinchErrors when no token can be had.
        """
        return await self._session(self._options.endpoints.auth).fetch_token()

    async def aclose(self) -> None:
        """Close the connections; closing twice is harmless."""
        if self._origin is None:
            await self._wire.aclose()

    async def __aenter__(self) -> Self:
        self._wire.check_open()
        return self

    async def __aexit__(self, *_error: object) -> None:
        await self.aclose()
