"""What travels with a request besides the wire: its name, its policy, and what became of it."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

from sinch_wrapper._http import httpx
from sinch_wrapper._retry import RetryPolicy

__all__ = ["CALL", "Call", "SealedRequest", "call_of", "host_of", "timeouts"]

CALL: Final = "sinch_wrapper.call"
_CONNECT_TIMEOUT: Final = 5.0


def timeouts(seconds: float) -> dict[str, float]:
    """The timeouts of the steps of a request: *seconds* for each, 5 at most for connecting."""
    connect = min(seconds, _CONNECT_TIMEOUT)
    return {"connect": connect, "read": seconds, "write": seconds, "pool": seconds}


@dataclass(slots=True)
class Call:
    """One call of a caller, through all its attempts.

    It rides in `request.extensions`, so that the session, the authentication and the transport
    need not know each other. *name* is the operation, for logs and errors; *method* is the row
    of the repeat rule that applies; *timeout* holds the seconds of each step; *token* marks a
    request for a token. The transport counts *attempts*, and sets *doubtful* when the server
    may have carried one out.
    """

    name: str
    method: str
    retry: RetryPolicy = field(default_factory=RetryPolicy)
    timeout: Mapping[str, float] = field(default_factory=lambda: timeouts(10.0))
    token: bool = False
    attempts: int = 0
    doubtful: bool = False

    @property
    def extensions(self) -> dict[str, object]:
        """What a request of this call carries for the transports."""
        return {"timeout": self.timeout, CALL: self}


class SealedRequest(httpx.Request):
    """A request that shows neither path nor query.

    Both hold ids, which for consents are phone numbers, and tools that print the locals of a
    traceback print the representation of every request in it.
    """

    def __repr__(self) -> str:
        return f"<Request {self.method} {host_of(self)}>"


def call_of(request: httpx.Request) -> Call:
    """The call that *request* belongs to; a plain one when it was built elsewhere."""
    call = request.extensions.get(CALL)
    return call if isinstance(call, Call) else Call("request", request.method)


def host_of(request: httpx.Request) -> str:
    """The host as it is sent; `url.host` decodes it, and fails for names that are no names."""
    return request.url.raw_host.decode("ascii", "replace")
