"""What travels with a request besides the wire: its name, its policy, and what became of it."""

from dataclasses import dataclass, field
from typing import Final

from sinch_wrapper._http import httpx
from sinch_wrapper._retry import RetryPolicy

__all__ = ["CALL", "Call", "call_of"]

CALL: Final = "sinch_wrapper.call"


@dataclass(slots=True)
class Call:
    """One call of a caller, through all its attempts.

    It rides in `request.extensions`, so that the session, the authentication and the transport
    need not know each other. *name* is the operation, for logs and errors; *method* is the row
    of the repeat rule that applies; *token* marks a request for a token. The transport counts
    *attempts*, and sets *doubtful* when the server may have carried one out.
    """

    name: str
    method: str
    retry: RetryPolicy = field(default_factory=RetryPolicy)
    token: bool = False
    attempts: int = 0
    doubtful: bool = False


def call_of(request: httpx.Request) -> Call:
    """The call that *request* belongs to; a plain one when it was built elsewhere."""
    call = request.extensions.get(CALL)
    return call if isinstance(call, Call) else Call("request", request.method)
