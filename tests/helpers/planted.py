"""Secrets to plant, and where a log, a traceback or a representation would show them."""

import base64
import traceback
from pathlib import Path

from tests.helpers.core import KEY_ID, KEY_SECRET

PHONE = "+46700000001"
TEXT = "planted message text"
TOKEN = "planted-token"
BASIC = base64.b64encode(f"{KEY_ID}:{KEY_SECRET}".encode()).decode()
SECRETS = (PHONE[1:], TEXT, TOKEN, KEY_ID, KEY_SECRET, BASIC, "planted=1")
# Their frames contain the planted values, and the arguments of generated methods.
_NOT_OURS = (str(Path(__file__).parents[1]),)


def printed(error: BaseException) -> str:
    """Collect what a logger that shows locals prints of *error* and of all it is chained to.

    Frames of the tests and of generated code are left out.
    """
    found: list[str] = []
    following = [traceback.TracebackException.from_exception(error, capture_locals=True)]
    while following:
        link = following.pop()
        found += link.format_exception_only()
        for frame in link.stack:
            if not frame.filename.startswith(_NOT_OURS):
                found += [
                    f"{frame.name}: {name} = {value}"
                    for name, value in (frame.locals or {}).items()
                ]
        following += [one for one in (link.__cause__, link.__context__) if one is not None]
    return "\n".join([*found, repr(error), repr(error.args)])


def leaks(shown: str) -> list[str]:
    """Find the lines of *shown* that contain a planted value."""
    return [line for line in shown.split("\n") if any(secret in line for secret in SECRETS)]
