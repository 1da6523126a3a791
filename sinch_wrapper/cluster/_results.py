"""How a request of a worker ended, as the text that its leader reads; without recipients."""

import json
from collections.abc import Mapping
from dataclasses import asdict
from typing import Final

from sinch_wrapper.bulk._calls import BatchCall, Done
from sinch_wrapper.bulk._responses import Accepted, Doubtful, Later, NotLeft, Refused, Sent, Stop
from sinch_wrapper.errors import BulkError

_KINDS: Final[Mapping[str, type[Sent]]] = {
    kind.__name__: kind for kind in (Accepted, Refused, Later, Doubtful, Stop, NotLeft)
}
NOT_LEFT: Final = NotLeft()
LOST: Final = Doubtful(False, '{"line": "the worker that sent it has died or was stopped"}')
_UNREADABLE: Final = Doubtful(False, '{"line": "its worker wrote a result that is unreadable"}')


def as_text(sent: Sent, error: Exception | None = None) -> str:
    """What became of a request, and the line of the *error* that said so."""
    found = {"is": type(sent).__name__, **asdict(sent)}
    return json.dumps(found | ({"said": str(error)} if error is not None else {}))


def read_text(call: BatchCall, text: str | None) -> Done:
    """How *call* ended; an unreadable *text* leaves its outcome unknown."""
    try:
        found = json.loads(text or "")
        said = found.pop("said", None)
        sent = _KINDS[found.pop("is")](**found)
    except (ValueError, TypeError, KeyError, AttributeError):
        return Done(call, _UNREADABLE)
    return Done(call, sent, None if said is None else BulkError(said))
