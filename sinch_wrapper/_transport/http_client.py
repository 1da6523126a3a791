"""The HTTP client: the connections, the token and the rate limits of one Sinch or AsyncSinch.

It carries out the flows of the authentication. `httpx.Client` would log every URL, with ids and,
for consents, phone numbers; and its auth flows cannot see that a token request has failed.
"""

import weakref
from typing import TYPE_CHECKING, Final, TypeVar

from sinch_wrapper._auth.credentials import AccessToken
from sinch_wrapper._auth.flow import Auth, AuthFlow, Renewal
from sinch_wrapper._auth.token_source import ProviderCall
from sinch_wrapper._fork import renew_after_fork
from sinch_wrapper._http import httpx
from sinch_wrapper._request import FAILURES, APIRequest, Call
from sinch_wrapper._transport.retrying import AsyncRetryingTransport, RetryingTransport
from sinch_wrapper.errors import SinchError

if TYPE_CHECKING:
    import asyncio  # 10 ms of start-up: imported when a task needs it

T = TypeVar("T")

_CLOSED: Final = "this client is closed: make a new one, or use it inside its with block"
_NO_LOOP: Final = (
    "AsyncSinch runs in an event loop of asyncio: with another library, use Sinch in a thread"
)
_FOREIGN_LOOP: Final = (
    "this AsyncSinch was first used in another event loop: make one in each loop, "
    "because its connections belong to the loop that opened them"
)


class HTTPClient:
    """Authenticates and sends requests in threads."""

    def __init__(self, transport: RetryingTransport, auth: Auth) -> None:
        self._transport = transport
        self._auth = auth
        self._closed = False

    def check_open(self) -> None:
        """Raise SinchError when the client is closed."""
        if self._closed:
            raise SinchError(_CLOSED)

    def load(self) -> None:
        """Import what the first call needs."""
        self._auth.load()

    def prepare(self, url: httpx.URL) -> None:
        """Do what a first call to *url* does before it connects."""
        self.load()
        self._transport.prepare(url)

    def send(self, request: APIRequest) -> httpx.Response:
        """Authenticate and send *request*; the body of the response has been read.

        Raises: SinchError when there is no token or the client is closed; else the HTTP
        library's exceptions.
        """
        return self._run(self._auth.send(request))

    def fetch_token(self, cause: Call) -> AccessToken:
        """Get the token in use, with the timeouts and the retry policy of *cause*.

        Raises: SinchError when no token can be fetched.
        """
        return self._run(self._auth.fetch_token(cause))

    def _run(self, flow: AuthFlow[T]) -> T:
        self.check_open()
        try:
            step = next(flow)
            while True:
                try:
                    response = self._perform(step)
                except (SinchError, *FAILURES) as error:
                    step = flow.throw(error)
                else:
                    step = next(flow) if response is None else flow.send(response)
        except StopIteration as end:
            return end.value  # type: ignore[no-any-return]  # the result of the flow
        finally:
            flow.close()

    def _perform(self, step: APIRequest | ProviderCall | Renewal) -> httpx.Response | None:
        if isinstance(step, APIRequest):
            return self._transport.send(step)
        if isinstance(step, ProviderCall):
            step.run()
        else:
            step.result()
        return None

    def close(self) -> None:
        """Close the connections; closing twice is harmless."""
        if not self._closed:
            self._closed = True
            self._transport.close()


class AsyncHTTPClient:
    """Authenticates and sends requests in tasks of one event loop."""

    def __init__(self, transport: AsyncRetryingTransport, auth: Auth) -> None:
        self._transport = transport
        self._auth = auth
        self._closed = False
        self._is_loaded = False
        self._loop: weakref.ref[asyncio.AbstractEventLoop] | None = None
        renew_after_fork(self)

    def after_fork(self) -> None:
        """Forget the event loop, which is still the parent's."""
        self._loop = None

    def check_open(self) -> None:
        """Raise SinchError when the client is closed."""
        if self._closed:
            raise SinchError(_CLOSED)

    async def load(self) -> None:
        """Import what the first call needs, in a thread: reading files holds up the event loop."""
        if self._is_loaded:
            return
        self._bind()
        import asyncio

        await asyncio.to_thread(self._auth.load)
        self._is_loaded = True

    async def prepare(self, url: httpx.URL) -> None:
        """Do what a first call to *url* does before it connects."""
        await self.load()
        await self._transport.prepare(url)

    async def send(self, request: APIRequest) -> httpx.Response:
        """Authenticate and send *request*; the body of the response has been read.

        Raises: SinchError when there is no token, or the client is closed or belongs to another
        event loop; else the HTTP library's exceptions.
        """
        return await self._run(self._auth.send(request))

    async def fetch_token(self, cause: Call) -> AccessToken:
        """Get the token in use, with the timeouts and the retry policy of *cause*.

        Raises: SinchError when no token can be fetched.
        """
        return await self._run(self._auth.fetch_token(cause))

    async def _run(self, flow: AuthFlow[T]) -> T:
        self._bind()
        self.check_open()
        try:
            step = next(flow)
            while True:
                try:
                    response = await self._perform(step)
                except (SinchError, *FAILURES) as error:
                    step = flow.throw(error)
                else:
                    step = next(flow) if response is None else flow.send(response)
        except StopIteration as end:
            return end.value  # type: ignore[no-any-return]  # the result of the flow
        finally:
            flow.close()

    async def _perform(self, step: APIRequest | ProviderCall | Renewal) -> httpx.Response | None:
        if isinstance(step, APIRequest):
            return await self._transport.send(step)
        if isinstance(step, ProviderCall):
            await step.run_async()
        else:
            import asyncio

            await asyncio.wrap_future(step)
        return None

    def _bind(self) -> None:
        import asyncio

        try:
            loop = asyncio.get_running_loop()
        except RuntimeError:
            raise SinchError(_NO_LOOP) from None
        if self._loop is None:
            self._loop = weakref.ref(loop)
        elif self._loop() is not loop:
            raise SinchError(_FOREIGN_LOOP)

    async def aclose(self) -> None:
        """Close the connections, unless they ended with their event loop.

        Raises: SinchError when that loop still runs, and is another one.
        """
        loop = None if self._loop is None else self._loop()
        lost = self._loop is not None and (loop is None or loop.is_closed())
        if loop is not None and not lost:
            self._bind()
        if not self._closed:
            self._closed = True
            if not lost:
                await self._transport.aclose()
