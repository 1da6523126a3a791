"""Secrets to plant, and where a log, a traceback or a representation would show them."""

import base64
import pprint
import reprlib
import traceback
from collections.abc import Iterator
from pathlib import Path

from rich.pretty import pretty_repr
from rich.traceback import Traceback

from tests.helpers.core import KEY_ID, KEY_SECRET

PHONE = "+46700000001"
TEXT = "planted message text"
TOKEN = "planted-token"
BASIC = base64.b64encode(f"{KEY_ID}:{KEY_SECRET}".encode()).decode()
SECRETS = (PHONE[1:], TEXT, TOKEN, KEY_ID, KEY_SECRET, BASIC, "planted=1")
# Their frames contain the planted values.
_NOT_OURS = str(Path(__file__).parents[1])


def shown(value: object) -> Iterator[str]:
    """How printers of variables show *value*: those of Python and of rich, which structlog uses."""
    yield repr(value)
    yield reprlib.repr(value)
    yield pprint.pformat(value)
    yield pretty_repr(value, max_length=50, max_string=500)


def printed(error: BaseException) -> str:
    """Collect what loggers that show locals print of *error* and of all it is chained to.

    Frames of the tests are left out.
    """
    found: list[str] = []
    following = [error]
    while following:
        link = following.pop()
        found += [*traceback.format_exception_only(link), repr(link), repr(link.args)]
        for frame, _ in traceback.walk_tb(link.__traceback__):
            if not frame.f_code.co_filename.startswith(_NOT_OURS):
                found += [
                    f"{frame.f_code.co_name}: {name} = {line}"
                    for name, value in frame.f_locals.items()
                    for text in shown(value)
                    for line in text.split("\n")
                ]
        following += [one for one in (link.__cause__, link.__context__) if one is not None]
    return "\n".join([*found, *_printed_by_rich(error)])


def _printed_by_rich(error: BaseException) -> Iterator[str]:
    """The same by the traceback of rich, which reads the variables in its own way."""
    trace = Traceback.extract(type(error), error, error.__traceback__, show_locals=True)
    for stack in trace.stacks:
        yield stack.exc_value
        for frame in stack.frames:
            if not frame.filename.startswith(_NOT_OURS):
                yield from (f"{frame.name}: {n} = {v}" for n, v in (frame.locals or {}).items())


def leaks(shown: str) -> list[str]:
    """Find the lines of *shown* that contain a planted value."""
    return [line for line in shown.split("\n") if any(secret in line for secret in SECRETS)]
