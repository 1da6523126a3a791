"""OAuth2 client credentials and Basic authentication, as flows that do no I/O themselves."""

import asyncio
import copy
from collections.abc import AsyncGenerator, Generator
from concurrent.futures import Future
from typing import Final, TypeAlias

from sinch_wrapper._call import call_of
from sinch_wrapper._credentials import Credentials
from sinch_wrapper._failures import connection_error
from sinch_wrapper._http import httpx
from sinch_wrapper._token import Flight, Token, Vault
from sinch_wrapper.errors import Outcome, SinchError

__all__ = ["ClientCredentials", "basic_auth"]

# What a plan yields: a request to send, or a flight of another caller to wait for.
_Step: TypeAlias = httpx.Request | Flight
_Plan: TypeAlias = Generator[_Step, httpx.Response, None]
_UNAUTHORIZED: Final = 401


def basic_auth(credentials: Credentials) -> httpx.Auth:
    """HTTP Basic authentication: for tests only, for the API limits it heavily."""
    return httpx.BasicAuth(credentials.key_id, credentials.key_secret)


class ClientCredentials(httpx.Auth):
    """Bearer tokens by the OAuth2 client credentials grant.

    One token request however many threads and tasks wait for it; renewed 60 s before it
    expires, while the old token serves on; a 401 renews it once and repeats the request once.
    One plan makes all decisions; the sync and the async flow only carry its steps out.

    Raises (while sending): AuthenticationError when the key is refused, APIConnectionError,
    RateLimitError and InternalServerError when no token can be had.
    Source: RFC 6749, 4.4; authentication pages of the Conversation API.
    """

    def __init__(
        self, credentials: Credentials, token_url: str, vault: Vault | None = None
    ) -> None:
        self._credentials = credentials
        self._token_url = token_url
        self._vault = vault or Vault()

    def __repr__(self) -> str:
        return "<ClientCredentials>"

    def sync_auth_flow(
        self, request: httpx.Request
    ) -> Generator[httpx.Request, httpx.Response, None]:
        """Yield the requests to send, in threads."""
        plan = self._plan(request)
        try:
            step = next(plan)
            while True:
                if isinstance(step, Future):
                    step.result()
                    step = next(plan)
                    continue
                try:
                    response = yield step
                    if step is not request:
                        response.read()
                except (httpx.RequestError, OSError) as error:
                    step = plan.throw(error)
                else:
                    step = plan.send(response)
        except StopIteration:
            return
        finally:
            plan.close()

    async def async_auth_flow(
        self, request: httpx.Request
    ) -> AsyncGenerator[httpx.Request, httpx.Response]:
        """Yield the requests to send, in tasks."""
        plan = self._plan(request)
        try:
            step = next(plan)
            while True:
                if isinstance(step, Future):
                    await asyncio.wrap_future(step)
                    step = next(plan)
                    continue
                try:
                    response = yield step
                    if step is not request:
                        await response.aread()
                except (httpx.RequestError, OSError) as error:
                    step = plan.throw(error)
                else:
                    step = plan.send(response)
        except StopIteration:
            return
        finally:
            plan.close()

    def _plan(self, request: httpx.Request) -> _Plan:
        token = yield from self._obtain(request)
        response = yield _signed(request, token)
        if response.status_code != _UNAUTHORIZED:
            self._vault.accept(token)
        elif self._vault.refuse(token):
            token = yield from self._obtain(request)
            response = yield _signed(request, token)
            if response.status_code != _UNAUTHORIZED:
                self._vault.accept(token)

    def _obtain(self, request: httpx.Request) -> Generator[_Step, httpx.Response, Token]:
        while True:
            claim = self._vault.claim()
            token = claim.token
            if claim.flight is not None and claim.leads:
                token = yield from self._lead(claim.flight, request, claim.token)
            elif claim.flight is not None:
                yield claim.flight
                token = _shared(claim.flight.result())
            if token is not None:
                return token

    def _lead(
        self, flight: Flight, request: httpx.Request, spare: Token | None
    ) -> Generator[_Step, httpx.Response, Token]:
        from sinch_wrapper._token_endpoint import (
            token_from,
            token_request,
        )

        end: Token | SinchError | None = None
        try:
            asking = token_request(
                self._credentials, self._token_url, request, urgent=spare is None
            )
            try:
                answer = yield asking
                end = token_from(asking, answer, self._vault.clock())
            except SinchError as error:
                end = error
            except (httpx.RequestError, OSError) as error:
                # Whatever became of the token request, the call itself did not leave.
                outcome: Outcome = "unknown" if call_of(request).doubtful else "not_sent"
                end = connection_error(call_of(asking), asking.url.host, error, outcome)
                end.__cause__ = error
        finally:
            self._vault.land(flight, end)
        return _token_or_raise(end if spare is None or isinstance(end, Token) else spare)


def _signed(request: httpx.Request, token: Token) -> httpx.Request:
    request.headers["Authorization"] = f"Bearer {token.value}"
    return request


def _token_or_raise(end: Token | SinchError | None) -> Token:
    if isinstance(end, Token):
        return end
    raise end or SinchError("no token was requested")


def _shared(end: Token | SinchError | None) -> Token | None:
    if isinstance(end, SinchError):
        # A copy, for each raise adds its own traceback.
        raise copy.copy(end) from None
    return end
