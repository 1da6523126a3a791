"""Sinch and AsyncSinch: the three APIs behind one set of options."""

import importlib
import sys
from typing import TYPE_CHECKING, Final, Self, Unpack

from sinch_wrapper._auth.credentials import AccessToken
from sinch_wrapper._base_client import BaseClient, named_by_itself
from sinch_wrapper._connect import connect, connect_async
from sinch_wrapper._forget import forgetting
from sinch_wrapper._http import httpx
from sinch_wrapper._send_body import SendMessageFields, send_body
from sinch_wrapper._session import AsyncSession, Session
from sinch_wrapper._transport.http_client import AsyncHTTPClient, HTTPClient

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    import sinch_batch_api
    import sinch_conversation_api
    import sinch_template_api

    from sinch_wrapper._any_operation import APIName, Method
    from sinch_wrapper._json import JSON
    from sinch_wrapper._request import Response
    from sinch_wrapper._sent_message import SentMessage
    from sinch_wrapper.bulk import AsyncBulk, AsyncOutbox, Bulk, Outbox, OutboxOptions
    from sinch_wrapper.messages import Message, Recipient

    # Nobody may set one, and pyright lets only a property be one of a Protocol such as BulkClient.
    cached_property = property
else:
    from functools import cached_property

__all__ = ["AsyncSinch", "BaseClient", "Sinch"]

_SENDING: Final = "sinch_wrapper._sent_message"


@named_by_itself
class Sinch(BaseClient[httpx.BaseTransport, HTTPClient]):
    """The client for the Conversation, Batch and Template APIs, for threads.

    Use it in a `with` block or call `close()`. It may be shared by any number of threads.
    """

    def _connect(self, transport: httpx.BaseTransport | None) -> HTTPClient:
        return connect(self._options, transport)

    def _session(self, base_url: str) -> Session:
        return self._session_of(Session, base_url)

    @cached_property
    def conversation(self) -> "sinch_conversation_api.Client":
        """The Conversation API: a property for each tag, a method for each operation."""
        from sinch_conversation_api import Client

        return Client(self._conversation, self.project_id)

    @cached_property
    def _conversation(self) -> Session:
        return self._session(self._options.endpoints.conversation)

    @cached_property
    def bulk(self) -> "Bulk":
        """Jobs of any size, journalled and resumable: see sinch_wrapper.bulk (extra: bulk)."""
        from sinch_wrapper.bulk import Bulk

        return Bulk(self)

    def outbox(self, path: "str | Path", **options: "Unpack[OutboxOptions]") -> "Outbox":
        """Single messages, each sent once for its key, over the file at *path* (extra: bulk)."""
        from sinch_wrapper.bulk import Outbox

        return Outbox(self, path, **options)

    @cached_property
    def batch(self) -> "sinch_batch_api.Client":
        """The Conversation Batch API."""
        from sinch_batch_api import Client

        return Client(self._session(self._options.endpoints.batch), self.project_id)

    @cached_property
    def templates(self) -> "sinch_template_api.Client":
        """The Template Management API."""
        from sinch_template_api import Client

        return Client(self._session(self._options.endpoints.template), self.project_id)

    @forgetting
    def send(
        self,
        *,
        app_id: str,
        to: "Recipient",
        message: "Message",
        **options: Unpack[SendMessageFields],
    ) -> "SentMessage":
        """Send *message* to one recipient; returns once the API has accepted it.

        *app_id* is the app that sends, *to* who gets it: a Recipient.

        The *message_id* of what is returned is a string, also for type checkers.

        *options* are the other fields of the request: ttl (seconds, timedelta or string),
        message_metadata (string, or a mapping that becomes JSON), callback_url,
        channel_priority_order, channel_properties, queue, correlation_id, processing_strategy,
        message_content_type, conversation_metadata, conversation_metadata_update_strategy.

        Raises: ValueError or TypeError for obvious mistakes, SinchError for the rest, such as
        APIResponseValidationError when the message was accepted and the response has no id.
        """
        from sinch_wrapper._sent_message import send_operation

        body = send_body(app_id, to, message, options)
        response = self._conversation.request(send_operation(self.project_id, body))
        return response.parsed

    @forgetting
    def request(
        self,
        method: "Method",
        path: str,
        *,
        api: "APIName" = "conversation",
        params: "Mapping[str, object] | None" = None,
        body: "Mapping[str, object] | list[object] | None" = None,
    ) -> "Response[JSON]":
        """Send any request to one of the APIs, for an operation that has no method yet.

        It has the token, limits, retries and errors of all calls; *method* decides about repeating.

        Args:
            method: GET, POST, PUT, PATCH or DELETE.
            path: from the root of the API, encoded; {project_id} stands for the project.
            api: "conversation", "batch" or "templates".
            params: the query; None and UNSET are left out, a list is repeated.
            body: becomes the JSON body.

        Returns: status_code, headers, content, and the JSON in *parsed*, None when it is empty.

        Raises: ValueError or TypeError for what cannot be sent, SinchError for the rest.
        """
        from sinch_wrapper._any_operation import any_operation, base_url

        session = self._session(base_url(api, self._options.endpoints))
        return session.request(any_operation(self.project_id, method, path, params, body))

    def warm_up(self) -> None:
        """Do what the first message would wait for: load code and certificates, fetch a token.

        Raises: as fetch_token(); with `auth="basic"` there is no token to fetch.
        """
        importlib.import_module(_SENDING)
        self._http.prepare(httpx.URL(self._options.endpoints.conversation))
        if not self._options.basic:
            self.fetch_token()

    def fetch_token(self) -> AccessToken:
        """The access token that requests carry, and the seconds it still lasts.

        It is fetched when there is none, and renewed when it is due.

        Raises: AuthenticationError when the key is refused, ConfigurationError with
        `auth="basic"`, other SinchErrors when no token can be got.
        """
        return self._session(self._options.endpoints.auth).fetch_token()

    def close(self) -> None:
        """Close the connections; closing twice is harmless."""
        if not self._is_view:
            self._http.close()

    def __enter__(self) -> Self:
        self._http.check_open()
        return self

    def __exit__(self, *_error: object) -> None:
        self.close()


@named_by_itself
class AsyncSinch(BaseClient[httpx.AsyncBaseTransport, AsyncHTTPClient]):
    """The client for the Conversation, Batch and Template APIs, for tasks of one event loop.

    Use it in an `async with` block or await `aclose()`. It has the names of Sinch, awaited.
    """

    def _connect(self, transport: httpx.AsyncBaseTransport | None) -> AsyncHTTPClient:
        return connect_async(self._options, transport)

    def _session(self, base_url: str) -> AsyncSession:
        return self._session_of(AsyncSession, base_url)

    @cached_property
    def conversation(self) -> "sinch_conversation_api.AsyncClient":
        """The Conversation API: a property for each tag, a method for each operation."""
        from sinch_conversation_api import AsyncClient

        return AsyncClient(self._conversation, self.project_id)

    @cached_property
    def _conversation(self) -> AsyncSession:
        return self._session(self._options.endpoints.conversation)

    @cached_property
    def bulk(self) -> "AsyncBulk":
        """Jobs of any size, journalled and resumable: see sinch_wrapper.bulk (extra: bulk)."""
        from sinch_wrapper.bulk import AsyncBulk

        return AsyncBulk(self)

    def outbox(self, path: "str | Path", **options: "Unpack[OutboxOptions]") -> "AsyncOutbox":
        """Single messages, each sent once for its key, over the file at *path* (extra: bulk)."""
        from sinch_wrapper.bulk import AsyncOutbox

        return AsyncOutbox(self, path, **options)

    @cached_property
    def batch(self) -> "sinch_batch_api.AsyncClient":
        """The Conversation Batch API."""
        from sinch_batch_api import AsyncClient

        return AsyncClient(self._session(self._options.endpoints.batch), self.project_id)

    @cached_property
    def templates(self) -> "sinch_template_api.AsyncClient":
        """The Template Management API."""
        from sinch_template_api import AsyncClient

        return AsyncClient(self._session(self._options.endpoints.template), self.project_id)

    @forgetting
    async def send(
        self,
        *,
        app_id: str,
        to: "Recipient",
        message: "Message",
        **options: Unpack[SendMessageFields],
    ) -> "SentMessage":
        """Send *message* to one recipient; returns once the API has accepted it.

        *app_id* is the app that sends, *to* who gets it: a Recipient.

        The *message_id* of what is returned is a string, also for type checkers.

        *options* are the other fields of the request: ttl (seconds, timedelta or string),
        message_metadata (string, or a mapping that becomes JSON), callback_url,
        channel_priority_order, channel_properties, queue, correlation_id, processing_strategy,
        message_content_type, conversation_metadata, conversation_metadata_update_strategy.

        Raises: ValueError or TypeError for obvious mistakes, SinchError for the rest, such as
        APIResponseValidationError when the message was accepted and the response has no id.
        """
        await self._load_send()
        from sinch_wrapper._sent_message import send_operation

        body = send_body(app_id, to, message, options)
        response = await self._conversation.request(send_operation(self.project_id, body))
        return response.parsed

    @forgetting
    async def request(
        self,
        method: "Method",
        path: str,
        *,
        api: "APIName" = "conversation",
        params: "Mapping[str, object] | None" = None,
        body: "Mapping[str, object] | list[object] | None" = None,
    ) -> "Response[JSON]":
        """Send any request to one of the APIs, for an operation that has no method yet.

        It has the token, limits, retries and errors of all calls; *method* decides about repeating.

        Args:
            method: GET, POST, PUT, PATCH or DELETE.
            path: from the root of the API, encoded; {project_id} stands for the project.
            api: "conversation", "batch" or "templates".
            params: the query; None and UNSET are left out, a list is repeated.
            body: becomes the JSON body.

        Returns: status_code, headers, content, and the JSON in *parsed*, None when it is empty.

        Raises: ValueError or TypeError for what cannot be sent, SinchError for the rest.
        """
        from sinch_wrapper._any_operation import any_operation, base_url

        session = self._session(base_url(api, self._options.endpoints))
        return await session.request(any_operation(self.project_id, method, path, params, body))

    async def warm_up(self) -> None:
        """Do what the first message would wait for: load code and certificates, fetch a token.

        Files are read in a thread, so the event loop goes on. Without it the first `send()` does
        the same; the properties for the APIs load their code where they are first used.

        Raises: as fetch_token(); with `auth="basic"` there is no token to fetch.
        """
        await self._load_send()
        await self._http.prepare(httpx.URL(self._options.endpoints.conversation))
        if not self._options.basic:
            await self.fetch_token()

    async def _load_send(self) -> None:
        if _SENDING not in sys.modules:
            import asyncio

            await asyncio.to_thread(importlib.import_module, _SENDING)

    async def fetch_token(self) -> AccessToken:
        """The access token that requests carry, and the seconds it still lasts.

        It is fetched when there is none, and renewed when it is due.

        Raises: AuthenticationError when the key is refused, ConfigurationError with
        `auth="basic"`, other SinchErrors when no token can be got.
        """
        return await self._session(self._options.endpoints.auth).fetch_token()

    async def aclose(self) -> None:
        """Close the connections; closing twice is harmless."""
        if not self._is_view:
            await self._http.aclose()

    async def __aenter__(self) -> Self:
        self._http.check_open()
        return self

    async def __aexit__(self, *_error: object) -> None:
        await self.aclose()
