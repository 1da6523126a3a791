"""The wire of a client: one pool, one token, one set of limits, opened by the first request.

It carries out the plans of the authentication itself. `httpx.Client` would log every URL, with
ids and, for consents, phone numbers; and its flows cannot see that a token request has failed.
"""

import threading
import weakref
from collections.abc import Callable
from typing import TYPE_CHECKING, Final, Generic, TypeVar

from sinch_wrapper._auth.credentials import AccessToken
from sinch_wrapper._auth.flow import Auth
from sinch_wrapper._auth.token_source import Plan, Question, Step
from sinch_wrapper._fork import renew_after_fork
from sinch_wrapper._http import httpx
from sinch_wrapper._request import FAILURES, Call
from sinch_wrapper.errors import SinchError

if TYPE_CHECKING:
    import asyncio  # 10 ms of start-up: imported when a task needs it


T = TypeVar("T")
TransportT = TypeVar("TransportT")

_CLOSED: Final = "this client is closed: make a new one, or use it inside its with block"
_NO_LOOP: Final = (
    "AsyncSinch runs in an event loop of asyncio: with another library, use Sinch in a thread"
)
_FOREIGN_LOOP: Final = (
    "this AsyncSinch was first used in another event loop: make one in each loop, "
    "for its connections belong to the loop that opened them"
)


class _LazyWire(Generic[TransportT]):
    """A transport that whoever needs it first opens, and the authentication of its requests."""

    def __init__(self, open_: Callable[[], TransportT], auth: Auth) -> None:
        self._open = open_
        self._auth = auth
        self._transport: TransportT | None = None
        self._opening = threading.Lock()
        self._closed = False
        renew_after_fork(self)

    def after_fork(self) -> None:
        """Drop the connections, which are still the parent's."""
        self._transport = None
        self._opening = threading.Lock()

    def check_open(self) -> None:
        """Raise SinchError when the client is closed."""
        if self._closed:
            raise SinchError(_CLOSED)

    def _opened(self) -> TransportT:
        self.check_open()
        if self._transport is None:
            with self._opening:
                if self._transport is None:
                    self._transport = self._open()
        return self._transport

    def _shut(self) -> TransportT | None:
        self._closed = True
        transport, self._transport = self._transport, None
        return transport


class Wire(_LazyWire[httpx.BaseTransport]):
    """Sends requests in threads."""

    def send(self, request: httpx.Request) -> httpx.Response:
        """Authenticate and send *request*; the body of the response has been read.

        Raises: SinchError when there is no token or the client is closed; else the HTTP
        library's exceptions.
        """
        return self._carry_out(self._auth.send(request))

    def fetch_token(self, cause: Call) -> AccessToken:
        """Get the token in use.

        Raises: SinchError when there is none.
        """
        return self._carry_out(self._auth.fetch_token(cause))

    def _carry_out(self, plan: Plan[T]) -> T:
        transport = self._opened()
        try:
            step = next(plan)
            while True:
                try:
                    response = self._take(step, transport)
                except (SinchError, *FAILURES) as error:
                    step = plan.throw(error)
                else:
                    step = plan.send(response)
        except StopIteration as end:
            return end.value  # type: ignore[no-any-return]  # the plan's T
        finally:
            plan.close()

    def _take(self, step: Step, transport: httpx.BaseTransport) -> httpx.Response | None:
        if isinstance(step, httpx.Request):
            return transport.handle_request(step)
        if isinstance(step, Question):
            step.ask()
        else:
            step.result()
        return None

    def close(self) -> None:
        """Close the connections; closing twice is harmless."""
        transport = self._shut()
        if transport is not None:
            transport.close()


class AsyncWire(_LazyWire[httpx.AsyncBaseTransport]):
    """Sends requests in tasks of one event loop."""

    _loop: "weakref.ref[asyncio.AbstractEventLoop] | None" = None

    def after_fork(self) -> None:
        """Drop the connections and the loop, which are still the parent's."""
        super().after_fork()
        self._loop = None

    async def send(self, request: httpx.Request) -> httpx.Response:
        """Authenticate and send *request*; the body of the response has been read.

        Raises: SinchError when there is no token, the client is closed or belongs to another
        event loop; else the HTTP library's exceptions.
        """
        return await self._carry_out(self._auth.send(request))

    async def fetch_token(self, cause: Call) -> AccessToken:
        """Get the token in use.

        Raises: SinchError when there is none.
        """
        return await self._carry_out(self._auth.fetch_token(cause))

    async def _carry_out(self, plan: Plan[T]) -> T:
        self._bind()
        transport = self._opened()
        try:
            step = next(plan)
            while True:
                try:
                    response = await self._take(step, transport)
                except (SinchError, *FAILURES) as error:
                    step = plan.throw(error)
                else:
                    step = plan.send(response)
        except StopIteration as end:
            return end.value  # type: ignore[no-any-return]  # the plan's T
        finally:
            plan.close()

    async def _take(self, step: Step, transport: httpx.AsyncBaseTransport) -> httpx.Response | None:
        if isinstance(step, httpx.Request):
            return await transport.handle_async_request(step)
        if isinstance(step, Question):
            await step.ask_async()
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
        transport = self._shut()
        if transport is not None and not lost:
            await transport.aclose()
