"""Where tokens come from: the token endpoint, or a provider of the caller's own."""

import inspect
from collections.abc import Generator
from typing import Final, TypeAlias, TypeVar, cast

from sinch_wrapper._auth.credentials import AccessKey, AccessToken, AuthProvider
from sinch_wrapper._auth.token import Renewal
from sinch_wrapper._call import Call, call_of, host_of
from sinch_wrapper._failures import FAILURES, connection_error
from sinch_wrapper._http import httpx
from sinch_wrapper.errors import (
    APIConnectionError,
    ConfigurationError,
    Outcome,
    SinchError,
)

__all__ = ["ASYNCHRONOUS", "Plan", "Question", "Step", "TokenSource", "exchange"]

T = TypeVar("T")

ASYNCHRONOUS: Final = "auth= is asynchronous, and Sinch is not: use AsyncSinch or another provider"
_UNUSABLE: Final = "auth= must give a text, an AccessToken or an AccessKey"


class Question:
    """A question to the caller's own provider: asked by the wire, its answer taken by the plan."""

    def __init__(self, provider: AuthProvider) -> None:
        self._provider = provider
        self._answer: object = None

    def ask(self) -> None:
        """Ask in a thread.

        Raises: ConfigurationError for an asynchronous provider, APIConnectionError from what
        the provider raises, unless that is a SinchError.
        """
        answer = self._call()
        if inspect.isawaitable(answer):
            if inspect.iscoroutine(answer):
                answer.close()
            raise ConfigurationError(ASYNCHRONOUS)
        self._answer = answer

    async def ask_async(self) -> None:
        """Ask in a task; the same, awaited when it must be."""
        answer = self._call()
        try:
            self._answer = await answer if inspect.isawaitable(answer) else answer
        except SinchError:
            raise
        except Exception as error:  # the caller's code: anything may come
            raise _provider_error(error) from error

    def take(self) -> AccessKey | AccessToken:
        """The answer.

        Raises: ConfigurationError when it is neither a token nor a key.
        """
        if isinstance(self._answer, AccessKey | AccessToken):
            return self._answer
        if isinstance(self._answer, str):
            return AccessToken(self._answer)
        raise ConfigurationError(_UNUSABLE)

    def _call(self) -> object:
        try:
            return self._provider()
        except SinchError:
            raise
        except Exception as error:  # the caller's code: anything may come
            raise _provider_error(error) from error


def _provider_error(error: Exception) -> APIConnectionError:
    line = f"the provider in auth= failed ({type(error).__name__}): nothing was sent; see the cause"
    return APIConnectionError(line, "not_sent", 0)


# What a plan yields: a request to send, a question to ask, a renewal to wait for.
Step: TypeAlias = httpx.Request | Question | Renewal
# A plan does no I/O: it yields steps, gets the answers to its requests, and returns its result.
Plan: TypeAlias = Generator[Step, httpx.Response | None, T]


def exchange(request: httpx.Request) -> Plan[httpx.Response]:
    """Have *request* sent, and return its answer."""
    return cast("httpx.Response", (yield request))


class TokenSource:
    """Fetches tokens with an access key, or asks a provider for a token or for the key."""

    def __init__(self, origin: AccessKey | AuthProvider, token_url: str) -> None:
        self._origin = origin
        self._token_url = token_url

    def fetch(self, cause: Call, *, urgent: bool) -> Plan[AccessToken]:
        """Plan to fetch a token for *cause*.

        Raises: SinchError whenever there is none.
        """
        key = self._origin
        if not isinstance(key, AccessKey):
            question = Question(key)
            yield question
            found = question.take()
            if isinstance(found, AccessToken):
                return found
            key = found
        return (yield from self._grant(key, cause, urgent=urgent))

    def _grant(self, key: AccessKey, cause: Call, *, urgent: bool) -> Plan[AccessToken]:
        # Authlib takes 60 ms to load, which those who never fetch a token need not spend.
        from sinch_wrapper._auth.token_endpoint import token_from, token_request

        request = token_request(key, self._token_url, cause, urgent=urgent)
        try:
            answer = yield from exchange(request)
        except FAILURES as error:
            # Whatever became of the token request, the call itself did not leave.
            outcome: Outcome = "unknown" if cause.doubtful else "not_sent"
            raise connection_error(call_of(request), host_of(request), error, outcome) from error
        return token_from(request, answer)
