"""Faults on demand: the rules, their two notations, and when they strike."""

import math
import random
import re
from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from dataclasses import asdict, dataclass, field, fields
from difflib import get_close_matches
from email.utils import formatdate
from fnmatch import fnmatchcase
from functools import cache
from typing import Literal, TypeAlias, get_args

from sinch_wrapper.sandbox._arguments import (
    check_choice,
    check_kind,
    check_number,
    check_optional_text,
    check_share,
    check_text,
    check_whole,
    wrong_kind,
)
from sinch_wrapper.sandbox._documents import all_operations
from sinch_wrapper.sandbox._errors import ErrorShape, Refusal
from sinch_wrapper.sandbox._json import Json, JsonValue, encode

TOKEN_OPERATION = "Auth_Token"  # noqa: S105 (a name, not a secret)
CALLBACK_OPERATION = "Callback"

Kind: TypeAlias = Literal[
    "status", "drop", "drop-before", "reset", "reset-before", "half", "slow", "expire", "skew"
]
KINDS: tuple[Kind, ...] = get_args(Kind)

_RULE = re.compile(
    r"(?P<operation>[\w*?]+):(?P<kind>[a-z-]+|[2-5]\d\d)(?:=(?P<value>.+?))?"
    r"(?::(?P<percent>\d+(?:\.\d+)?)%|:#(?P<first>\d+)(?:-(?P<last>\d*))?)?"
    r"(?::body=(?P<body>.*))?",
    re.DOTALL,
)
_FORM = (
    "write OPERATION:KIND[=VALUE][:PERCENT%|:#N|:#N-M][:body=TEXT], where KIND is a status such "
    f"as 503, or {', '.join(KINDS[1:])}"
)
_OF_CALLBACKS = frozenset({"skew", "slow"})
_SECONDS: dict[str, float] = {"slow": 1.0, "expire": 0.0, "skew": 3600.0}


@dataclass(frozen=True, slots=True)
class FaultRule:
    """What goes wrong, where, and how often.

    *operation* is an operation id in which ``*`` and ``?`` are wildcards; the token endpoint is
    ``Auth_Token`` and the posting of callbacks ``Callback``. Of the matching calls the rule
    strikes the share *rate*, or with *calls* the n-th to m-th (None: and all later ones).

    | *kind* | what happens |
    |---|---|
    | status | *status* with *body* and *headers*, instead of serving the request |
    | drop, reset, half | served, then the connection closes, is reset, or breaks in the body |
    | drop-before, reset-before | the connection closes or is reset; the request is not served |
    | slow | *seconds* pass (of the machine's time) before the request is served |
    | expire | the token of the call is revoked; of ``Auth_Token``: it lives *seconds* only |
    | skew | the ``Date`` of the response, or the timestamp of a callback, is *seconds* off |

    *retry_after* is sent with a status, as the header Retry-After, unchanged but for two forms:
    ``date+30`` and ``date-30`` become an HTTP date that many seconds from now, ``info+2.5`` a
    google.rpc RetryInfo in the body instead of a header.

    Raises: TypeError or ValueError that names the field, for a value it cannot have; ValueError
        for an operation that does not exist, because the rule could never strike.
    """

    operation: str
    kind: Kind
    rate: float = 1.0
    status: int = 0
    seconds: float = 0.0
    retry_after: str | None = None
    calls: tuple[int, int | None] | None = None
    body: str | None = None
    headers: Mapping[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        """Check every field."""
        check_text("operation", self.operation)
        check_choice("kind", self.kind, KINDS)
        _check_target(self.operation, self.kind)
        check_share("rate", self.rate)
        _check_status(self.kind, self.status)
        check_number("seconds", self.seconds, 0 if self.kind == "slow" else -math.inf)
        check_optional_text("retry_after", self.retry_after)
        check_optional_text("body", self.body)
        _check_calls(self.calls)
        check_kind("headers", self.headers, Mapping, "a mapping of strings")
        for each in (*self.headers, *self.headers.values()):
            check_kind("headers", each, str, "a mapping of strings")


_FIELDS = frozenset(each.name for each in fields(FaultRule))


def parse_fault(text: str) -> FaultRule:
    """Read a rule such as ``Batch_SendBatch:503:5%``, ``*:429=2``, ``Batch_*:drop:#3``.

    A rule is OPERATION:KIND[=VALUE], then optionally a share (``:5%``) or calls (``:#3``,
    ``:#1-3``, ``:#3-``), then optionally the body of a status (``:body=<html>``, to the end).
    The value is the seconds of slow, expire and skew, or the Retry-After of a status.

    Raises: ValueError when *text* is not such a rule, or names an operation that does not exist,
        so that it could never strike; TypeError when *text* is not a string.
    """
    check_kind("text", text, str, "a string")
    found = _RULE.fullmatch(text)
    if found is None or float(found["percent"] or 0) > 100 or found["first"] == "0":  # noqa: PLR2004 (percent)
        raise _no_rule(text)
    kind = found["kind"]
    status = int(kind) if kind.isdigit() else 0
    if not status and (kind not in KINDS[1:] or found["body"] is not None):
        raise _no_rule(text)
    seconds, retry_after = 0.0, found["value"] if status else None
    if not status:
        seconds = _read_seconds(text, kind, found["value"])
    return FaultRule(
        found["operation"],
        "status" if status else kind,  # type: ignore[arg-type]  # one of KINDS by the check above
        rate=float(found["percent"] or 100) / 100,
        status=status,
        seconds=seconds,
        retry_after=retry_after,
        calls=_calls(found["first"], found["last"]),
        body=found["body"],
    )


def rule_from_json(value: JsonValue) -> FaultRule:
    """Read a rule from its text form, or from an object with the fields of FaultRule.

    Raises: ValueError.
    """
    if isinstance(value, str):
        return parse_fault(value)
    if not isinstance(value, dict) or not {"operation", "kind"} <= value.keys():
        raise ValueError("a fault rule must be a string, or an object with operation and kind")
    if unknown := value.keys() - _FIELDS:
        raise ValueError(f"a fault rule has no field {', '.join(sorted(unknown))}")
    calls = value.get("calls")
    try:
        return FaultRule(**value | {"calls": tuple(calls) if isinstance(calls, list) else calls})
    except TypeError as error:
        raise ValueError(str(error)) from error


def rule_to_json(rule: FaultRule) -> Json:
    """Return *rule* as an object; reading it gives the rule back."""
    return asdict(rule)


def check_rule(option: str, value: object) -> None:
    """Check for a FaultRule."""
    check_kind(option, value, FaultRule, "a FaultRule; parse_fault() reads one from a string")


def _check_target(pattern: str, kind: str) -> None:
    """Raise ValueError, with a suggestion, when a rule could never strike."""
    if pattern == CALLBACK_OPERATION:
        if kind not in _OF_CALLBACKS:
            known = " and ".join(sorted(_OF_CALLBACKS))
            raise ValueError(f"{kind} has no effect on callbacks: {pattern} takes {known}")
        return
    names = _operation_ids()
    if any(fnmatchcase(name, pattern) for name in names):
        return
    close = get_close_matches(pattern, names, n=1)
    others = f"use an operation of the documents, {TOKEN_OPERATION} or {CALLBACK_OPERATION}"
    hint = f"did you mean {close[0]}?" if close else others
    raise ValueError(f"unknown operation {pattern!r}: {hint}")


def _check_status(kind: str, status: object) -> None:
    if kind == "status" or status != 0 or isinstance(status, bool):
        check_whole("status", status, 200, 599)


def _check_calls(calls: object) -> None:
    wanted = "a pair of whole numbers, such as (2, 4), or (2, None) for all from the second on"
    if calls is None:
        return
    if not isinstance(calls, tuple):
        raise wrong_kind("calls", wanted, calls)
    if len(calls) != 2:  # noqa: PLR2004 (first and last)
        raise ValueError(f"calls= must be {wanted}")
    first, last = calls
    check_whole("calls", first)
    if last is not None:
        check_whole("calls", last, first)


@cache
def _operation_ids() -> tuple[str, ...]:
    return (*(spec.id for spec in all_operations()), TOKEN_OPERATION)


def _read_seconds(text: str, kind: str, value: str | None) -> float:
    if value is None:
        return _SECONDS.get(kind, 0.0)
    try:
        seconds = float(value)
    except ValueError:
        raise _no_rule(text) from None
    if kind == "slow" and seconds < 0:
        raise _no_rule(text)
    if kind not in _SECONDS or not -1e9 < seconds < 1e9:  # noqa: PLR2004 (any sane time)
        raise _no_rule(text)
    return seconds


def _calls(first: str | None, last: str | None) -> tuple[int, int | None] | None:
    if first is None:
        return None
    if last is None:
        return int(first), int(first)
    return int(first), int(last) if last else None


def _no_rule(text: str) -> ValueError:
    return ValueError(f"{text!r} is not a fault rule: {_FORM}")


_RETRY_INFO = "type.googleapis.com/google.rpc.RetryInfo"


class FaultRules:
    """The fault rules of one sandbox; they can be changed while it runs."""

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
        """Put *rules* into force in place of all others; their calls count from now."""
        given = list(rules)
        for rule in given:
            check_rule("rules", rule)
        self._calls = [(rule, Counter()) for rule in given]

    def add(self, rule: FaultRule) -> None:
        """Put one more rule into force; raises TypeError when *rule* is not a FaultRule."""
        check_rule("rule", rule)
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


def fault_response(
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
    refusal = Refusal(rule.status, "A fault rule of the sandbox failed this request", details)
    body = encode(refusal.body(shape)) if rule.body is None else rule.body.encode()
    if rule.body is not None and not rule.body.lstrip().startswith(("{", "[")):
        headers["content-type"] = "text/html; charset=utf-8"
    return rule.status, body, headers | dict(rule.headers)


def _is_for(rule: FaultRule, operation_id: str) -> bool:
    # Wildcards match what clients call; a rule for the sandbox's own callbacks must name them.
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
