"""Single messages exactly once: Outbox and AsyncOutbox, unique by the caller's key."""

import asyncio
import time
from collections.abc import Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Final, Self, TypedDict, Unpack, cast

from sinch_wrapper import _validate
from sinch_wrapper._forget import forgetting
from sinch_wrapper.bulk._callbacks import JournalFollower
from sinch_wrapper.bulk._driver import TaskCalls, ThreadCalls
from sinch_wrapper.bulk._job_url import JobAddress, JobPath, job_address
from sinch_wrapper.bulk._jobs import Jobs
from sinch_wrapper.bulk._keys import checked_key, find_key, keyed_message
from sinch_wrapper.bulk._options import RequestOptions, RunSettings, SendAgain, read_options
from sinch_wrapper.bulk._outbox_desk import Ticket
from sinch_wrapper.bulk._outbox_worker import OutboxWorker
from sinch_wrapper.bulk._queue import MessageLimits
from sinch_wrapper.bulk._results import RecipientResult, result_of
from sinch_wrapper.errors import BulkArgumentError, BulkError

if TYPE_CHECKING:
    from concurrent.futures import Future

    from sinch_wrapper.bulk._api import BulkClient
    from sinch_wrapper.bulk._async_api import AsyncBulkClient
    from sinch_wrapper.messages import Message

_WAIT: Final = 30.0


class OutboxOptions(TypedDict, total=False):
    """How an outbox sends; each as in RunOptions.

    *concurrency* is 16 when absent. Nothing of it is kept in the file.
    """

    concurrency: int
    settle: float
    attempts: int
    patience: int
    send_again: SendAgain
    limits: MessageLimits


class MessageFields(RequestOptions, total=False):
    """The optional fields of one message, as in RequestOptions of a job.

    *parameters* are the values of its placeholders. *ttl* is in seconds, a timedelta, or a string
    such as `"10s"`.
    """

    parameters: Mapping[str, str] | None


def _settings(options: OutboxOptions) -> RunSettings:
    found = read_options("outbox()", options, OutboxOptions).run
    return found if "concurrency" in options else replace(found, concurrency=16)


def _wait(wait: float) -> float:
    return _validate.seconds("wait", wait, error=BulkArgumentError)


class _BaseOutbox:
    """What both have in common: everything but how callers wait."""

    _path: JobAddress
    _worker: OutboxWorker

    def follower(self) -> JournalFollower:
        """What writes callbacks into this outbox: `receiver(secrets, job=outbox.follower())`."""
        return JournalFollower(self._path)

    def _ticket(
        self,
        key: str,
        app_id: str,
        to: object,
        message: Mapping[str, object],
        fields: MessageFields,
    ) -> Ticket:
        options = {name: value for name, value in fields.items() if name != "parameters"}
        parameters = fields.get("parameters")
        if parameters is not None:
            _validate.mapping("parameters", parameters, error=BulkArgumentError)
        made = keyed_message(key, app_id, to, message, parameters, cast("RequestOptions", options))
        ticket = Ticket(made.key, made)
        self._worker.submit(ticket)
        return ticket

    def _word(self, key: str) -> Ticket:
        ticket = Ticket(checked_key(key), is_word=True)
        self._worker.submit(ticket)
        return ticket

    def _get(self, key: str) -> RecipientResult | None:
        checked_key(key)
        job = self._worker.job()
        with job.journal.read() as connection:
            known = find_key(connection, key)
            chunk = None if known is None else job.journal.chunk(connection, known[0])
        return None if chunk is None else result_of(job, chunk)

    def _known(self, key: str) -> RecipientResult:
        found = self._get(key)
        if found is None:
            raise BulkError(f"journal {self._path.name}: the file was replaced")
        return found

    def _unknown(self) -> list[RecipientResult]:
        job = self._worker.job()
        return [result_of(job, chunk) for chunk in job.journal.in_doubt()]


class Outbox(_BaseOutbox):
    """Single messages, each sent once for its key: `sinch.outbox("outbox.db")` is one.

    A key is taken for as long as the file lives. Who sends under it again, at the same time, from
    another process or after a crash, gets the same answer and no second message. Several
    processes may use one file. Safe for threads; use it in a `with` block or call `close()`.
    """

    def __init__(
        self, client: "BulkClient", path: JobPath, **options: Unpack[OutboxOptions]
    ) -> None:
        from sinch_wrapper.bulk._api import careful

        settings = _settings(options)
        self._path = job_address(path, "path").absolute()
        jobs = Jobs(careful(client, "a Sinch"), clock=time.monotonic)
        self._worker = OutboxWorker(
            jobs, self._path, settings, lambda: ThreadCalls(settings.concurrency)
        )

    @forgetting
    def send(
        self,
        *,
        key: str,
        app_id: str,
        to: Mapping[str, object],
        message: "Message",
        wait: float = _WAIT,
        **fields: Unpack[MessageFields],
    ) -> RecipientResult:
        """Send one message unless *key* was used before; returns what became of it.

        Args:
            key: your own name for this message, such as the number of an order.
            app_id: of the app that sends.
            to: a Recipient.
            message: see text() and the other builders.
            wait: seconds after which it returns what is known by then. The message is on disk:
                if `pending` or `unknown`, it is settled by this process or the next that uses it.
            **fields: see MessageFields.

        Raises: BulkError when the key was used for another message or the file cannot be used
        (BulkArgumentError, which is a ValueError, or TypeError for an argument), other SinchErrors
        when every message would be refused. In all cases the same call may be made again.
        """
        seconds = _wait(wait)
        return self._result(key, self._ticket(key, app_id, to, message, fields), seconds)

    def _result(self, key: str, ticket: Ticket, wait: float) -> RecipientResult:
        try:
            # However short the wait: what was handed over is on disk.
            ticket.written.result()
            return ticket.result.result(wait) or self._known(key)
        except TimeoutError:
            ticket.result.cancel()
            return self._known(key)

    @forgetting
    def get(self, key: str) -> RecipientResult | None:
        """What became of the message under *key*; None when there is none. Raises BulkError."""
        return self._get(key)

    @forgetting
    def unknown(self) -> list[RecipientResult]:
        """The messages that may or may not have been accepted, as far as is known."""
        return self._unknown()

    @forgetting
    def send_again(self, key: str, *, wait: float = _WAIT) -> RecipientResult | None:
        """Send an unknown message again: on your word, not on evidence; None for no such *key*.

        It returns after *wait* seconds at most.
        It is looked up once more before. If it was accepted after all, it is sent twice. A message
        with an outcome stays as it is.

        Raises: as send(), and BulkError while another process sends from the file.
        """
        seconds = _wait(wait)
        ticket = self._word(key)
        try:
            return ticket.result.result(seconds)
        except TimeoutError:
            ticket.result.cancel()
            return self._get(key)

    def close(self) -> None:
        """Wait for requests that are on their way; what is in doubt is settled by the next use."""
        self._worker.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_error: object) -> None:
        self.close()


class AsyncOutbox(_BaseOutbox):
    """Outbox for tasks: `sinch.outbox("outbox.db")` of an AsyncSinch is one.

    Files are read and written in a thread beside the event loop. Use it in an `async with` block
    or await `aclose()`.
    """

    def __init__(
        self, client: "AsyncBulkClient", path: JobPath, **options: Unpack[OutboxOptions]
    ) -> None:
        from sinch_wrapper.bulk._api import careful

        settings = _settings(options)
        self._path = job_address(path, "path").absolute()
        self._loop: asyncio.AbstractEventLoop | None = None
        jobs = Jobs(careful(client, "an AsyncSinch"), clock=time.monotonic)
        self._worker = OutboxWorker(jobs, self._path, settings, self._calls)

    def _calls(self) -> TaskCalls:
        if self._loop is None:
            raise RuntimeError("no event loop")
        return TaskCalls(self._loop)

    @forgetting
    async def send(
        self,
        *,
        key: str,
        app_id: str,
        to: Mapping[str, object],
        message: "Message",
        wait: float = _WAIT,
        **fields: Unpack[MessageFields],
    ) -> RecipientResult:
        """Send one message unless *key* was used before; see Outbox.send()."""
        seconds, self._loop = _wait(wait), asyncio.get_running_loop()
        ticket = self._ticket(key, app_id, to, message, fields)
        await asyncio.wrap_future(ticket.written)
        found = await self._result(ticket.result, seconds)
        return await asyncio.to_thread(self._known, key) if found is None else found

    async def _result(
        self, result: "Future[RecipientResult | None]", wait: float
    ) -> RecipientResult | None:
        try:
            return await asyncio.wait_for(asyncio.wrap_future(result), wait)
        except TimeoutError:
            return None

    @forgetting
    async def get(self, key: str) -> RecipientResult | None:
        """What became of the message under *key*; None when there is none. Raises BulkError."""
        return await asyncio.to_thread(self._get, key)

    @forgetting
    async def unknown(self) -> list[RecipientResult]:
        """The messages that may or may not have been accepted, as far as is known."""
        return await asyncio.to_thread(self._unknown)

    @forgetting
    async def send_again(self, key: str, *, wait: float = _WAIT) -> RecipientResult | None:
        """Send an unknown message again, on your word; see Outbox.send_again()."""
        seconds, self._loop = _wait(wait), asyncio.get_running_loop()
        found = await self._result(self._word(key).result, seconds)
        return await asyncio.to_thread(self._get, key) if found is None else found

    async def aclose(self) -> None:
        """Wait for requests that are on their way; what is in doubt is settled by the next use."""
        await asyncio.to_thread(self._worker.close)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_error: object) -> None:
        await self.aclose()
