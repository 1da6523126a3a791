"""Faults on demand: rules by operation id, and the draw that decides whether one strikes."""

import random
import re
from collections.abc import Iterable
from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import Literal

TOKEN_OPERATION = "Auth_Token"  # noqa: S105 (a name, no secret)

_RULE = re.compile(
    r"(?P<operation>[\w*?]+):(?P<kind>drop|slow|[45]\d\d)(?:=(?P<value>\d+(?:\.\d+)?))?"
    r"(?::(?P<percent>\d+(?:\.\d+)?)%)?"
)
_SLOW_SECONDS = 1.0


@dataclass(frozen=True, slots=True)
class FaultRule:
    """
    What goes wrong, where, and how often.

    *kind* ``"status"`` answers *status* instead of serving the request, ``"drop"`` serves it and
    then closes the connection without an answer, ``"slow"`` waits before serving. *value* is the
    wait in seconds of ``slow``, or the ``Retry-After`` of a status; None leaves it out.
    *operation* is an operation id in which ``*`` and ``?`` are wildcards.
    """

    operation: str
    kind: Literal["status", "drop", "slow"]
    rate: float = 1.0
    status: int = 0
    value: float | None = None


def parse_fault(text: str) -> FaultRule:
    """
    Read a rule such as ``Batch_SendBatch:503:5%``, ``*:429=2``, ``Batch_*:drop`` or ``*:slow=0.5``.

    Raises: ValueError when *text* is no such rule.
    """
    found = _RULE.fullmatch(text)
    if found is None:
        raise ValueError(
            f"{text!r} is no fault rule: write OPERATION:KIND[=VALUE][:PERCENT%], where KIND is "
            "drop, slow or a status such as 503"
        )
    rate = float(found["percent"] or 100) / 100
    value = float(found["value"]) if found["value"] else None
    match found["kind"]:
        case "drop":
            return FaultRule(found["operation"], "drop", rate)
        case "slow":
            wait = _SLOW_SECONDS if value is None else value
            return FaultRule(found["operation"], "slow", rate, value=wait)
        case status:
            return FaultRule(found["operation"], "status", rate, int(status), value)


def strike(rules: Iterable[FaultRule], operation_id: str, rng: random.Random) -> FaultRule | None:
    """Return the first rule for *operation_id* that strikes this time."""
    for rule in rules:
        if fnmatchcase(operation_id, rule.operation) and rng.random() < rule.rate:
            return rule
    return None
