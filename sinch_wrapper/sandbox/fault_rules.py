"""The rules that are in force, and the draw that decides whether one strikes."""

import random
from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from email.utils import formatdate
from fnmatch import fnmatchcase

from sinch_wrapper.sandbox.codec import encode
from sinch_wrapper.sandbox.errors import ErrorShape, Refusal
from sinch_wrapper.sandbox.faults import CALLBACK_OPERATION, FaultRule

_RETRY_INFO = "type.googleapis.com/google.rpc.RetryInfo"


class Faults:
    """The fault rules of one sandbox; they may be changed while it runs."""

    def __init__(self, rules: Iterable[FaultRule], rng: random.Random) -> None:
        self._rng = rng
        self._calls: list[tuple[FaultRule, Counter[str]]] = []
        self.struck: Counter[str] = Counter()
        self.replace(rules)

    @property
    def rules(self) -> list[FaultRule]:
        """The rules in force, in the order in which they are tried."""
        return [rule for rule, _ in self._calls]

    def replace(self, rules: Iterable[FaultRule]) -> None:
        """Put *rules* into force instead of the present ones; their calls count from now."""
        self._calls = [(rule, Counter()) for rule in rules]

    def add(self, rule: FaultRule) -> None:
        """Put one more rule into force."""
        self._calls = [*self._calls, (rule, Counter())]

    def strike(self, operation_id: str) -> FaultRule | None:
        """Count one call of *operation_id* and return the first rule that strikes it."""
        struck = None
        for rule, calls in self._calls:
            if _is_for(rule, operation_id):
                calls["all"] += 1
                if struck is None and self._hits(rule, calls["all"]):
                    struck = rule
        if struck is not None:
            self.struck[operation_id] += 1
        return struck

    def _hits(self, rule: FaultRule, number: int) -> bool:
        if rule.calls is not None:
            first, last = rule.calls
            return first <= number and (last is None or number <= last)
        return self._rng.random() < rule.rate


def fault_answer(
    rule: FaultRule, shape: ErrorShape, clock: Callable[[], float]
) -> tuple[int, bytes, Mapping[str, str]]:
    """Return status, body and headers of a status fault."""
    details = []
    headers = {"content-type": "application/json"}
    wish = rule.retry_after or ""
    if wish.startswith("info+"):
        details = [{"@type": _RETRY_INFO, "retryDelay": f"{wish.removeprefix('info+')}s"}]
    elif wish:
        headers["retry-after"] = _retry_after(wish, clock())
    refusal = Refusal(rule.status, "The sandbox was told to fail", details)
    body = encode(refusal.body(shape)) if rule.body is None else rule.body.encode()
    if rule.body is not None and not rule.body.lstrip().startswith(("{", "[")):
        headers["content-type"] = "text/html; charset=utf-8"
    return rule.status, body, headers | dict(rule.headers)


def _is_for(rule: FaultRule, operation_id: str) -> bool:
    # Wildcards are for what clients call; what the sandbox itself posts must be named.
    if operation_id == CALLBACK_OPERATION:
        return rule.operation == CALLBACK_OPERATION
    return fnmatchcase(operation_id, rule.operation)


def _retry_after(wish: str, now: float) -> str:
    if not wish.startswith(("date+", "date-")):
        return wish
    try:
        return formatdate(now + float(wish.removeprefix("date")), usegmt=True)
    except (ValueError, OverflowError, OSError):
        return wish
