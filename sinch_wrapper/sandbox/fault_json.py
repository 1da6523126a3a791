"""Fault rules as JSON, for those who set them over HTTP."""

from dataclasses import asdict, fields

from sinch_wrapper.sandbox.faults import KINDS, FaultRule, check_target, parse_fault
from sinch_wrapper.sandbox.shapes import Json, JsonValue

_NAMES = tuple(each.name for each in fields(FaultRule))
_LOWEST, _HIGHEST = 200, 599


def rule_from_json(value: JsonValue) -> FaultRule:
    """Read a rule from its text form, or from an object with the fields of FaultRule.

    Raises: ValueError.
    """
    if isinstance(value, str):
        return parse_fault(value)
    if not isinstance(value, dict) or not isinstance(value.get("operation"), str):
        raise ValueError("not a text, nor an object with operation and kind")  # noqa: TRY004 (out of JSON)
    if value.get("kind") not in KINDS:
        raise ValueError(f"kind must be one of {', '.join(KINDS)}")
    check_target(value["operation"], value["kind"])
    if value["kind"] == "status" and not _is_status(value.get("status")):
        raise ValueError(f"status must be a number from {_LOWEST} to {_HIGHEST}")
    unknown = value.keys() - set(_NAMES)
    wrong = [name for name, fits in _CHECKS.items() if name in value and not fits(value[name])]
    if unknown or wrong:
        raise ValueError(f"a fault rule has no such {', '.join(sorted({*unknown, *wrong}))}")
    calls = value.get("calls")
    return FaultRule(**(value | {"calls": None if calls is None else (calls[0], calls[1])}))


def rule_to_json(rule: FaultRule) -> Json:
    """Return *rule* as an object; reading it gives the rule back."""
    return asdict(rule)


def _is_status(value: JsonValue) -> bool:
    return isinstance(value, int) and _LOWEST <= value <= _HIGHEST


def _is_number(value: JsonValue) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _is_text(value: JsonValue) -> bool:
    return value is None or isinstance(value, str)


def _is_span(value: JsonValue) -> bool:
    if value is None:
        return True
    pair = isinstance(value, list | tuple) and [type(each) for each in value]
    return pair in ([int, int], [int, type(None)])


def _is_headers(value: JsonValue) -> bool:
    return isinstance(value, dict) and all(isinstance(each, str) for each in value.values())


_CHECKS = {
    "rate": _is_number,
    "status": lambda value: value == 0 or _is_status(value),
    "seconds": _is_number,
    "retry_after": _is_text,
    "calls": _is_span,
    "body": _is_text,
    "headers": _is_headers,
}
