"""`/_sandbox`: what a test asks and tells the sandbox itself, in any language."""

from collections.abc import Awaitable, Callable
from dataclasses import asdict, fields
from itertools import islice
from typing import TypeAlias

from starlette.requests import Request
from starlette.responses import Response

from sinch_wrapper.sandbox._errors import (
    Json,
    JsonValue,
    Refusal,
    decode,
    encode,
    invalid,
    seconds,
    timestamp,
)
from sinch_wrapper.sandbox._faults import KINDS, FaultRule, check_target, parse_fault
from sinch_wrapper.sandbox._state import Holder

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


PREFIX = "/_sandbox"
_FIELDS = ("operation", "region", "app_id", "batch_id", "identity", "message_id", "outcome")

Action: TypeAlias = Callable[[Holder, Request], Awaitable[Json]]


async def administer(holder: Holder, request: Request, path: str) -> Response:
    """Answer a request below the prefix; raises Refusal."""
    methods = _ACTIONS.get(path.rstrip("/"))
    if methods is None:
        raise Refusal(404, "There is no such path: see /_sandbox")
    action = methods.get(request.method)
    if action is None:
        allowed = ", ".join(sorted(methods))
        raise Refusal(405, "This path has no such method", headers={"allow": allowed})
    return Response(encode(await action(holder, request)), media_type="application/json")


async def _about(holder: Holder, _request: Request) -> Json:
    settings = holder.hub.settings
    names = ("project_id", "key_id", "key_secret", "app_id", "region")
    paths = [f"{method} {PREFIX}{path}" for path, methods in _ACTIONS.items() for method in methods]
    return {name: getattr(settings, name) for name in names} | {"paths": paths}


async def _ledger(holder: Holder, request: Request) -> Json:
    ledger, query = holder.hub.ledger, dict(request.query_params)
    unknown = query.keys() - {*_FIELDS, "skip", "limit"}
    if unknown:
        raise invalid(min(unknown), f"Filters are {', '.join(_FIELDS)}, skip and limit.")
    skip, limit = (_whole(query.pop(name, None), name) for name in ("skip", "limit"))
    end = None if limit is None else (skip or 0) + limit
    entries = islice(ledger.entries(query), skip, end)
    summary = ledger.summary() | {"faults": dict(holder.hub.faults.struck)}
    return summary | {"recipients": list(entries)}


def _whole(text: str | None, name: str) -> int | None:
    if text is None:
        return None
    if not (text.isascii() and text.isdigit()):
        raise invalid(name, "Must be a whole number.")
    return int(text)


async def _reset(holder: Holder, _request: Request) -> Json:
    await holder.reset()
    return {}


async def _show_clock(holder: Holder, _request: Request) -> Json:
    clock = holder.hub.clock
    return {"now": timestamp(clock()), "unix": clock(), "frozen": clock.frozen}


async def _set_clock(holder: Holder, request: Request) -> Json:
    clock, body = holder.hub.clock, await _body(request)
    try:
        match body:
            case {"advance": int() | float() as length}:
                clock.advance(length)
            case {"to": str() as moment}:
                clock.advance(seconds(moment) - clock())
            case {"frozen": bool() as frozen}:
                (clock.freeze if frozen else clock.run)()
            case _:
                raise invalid("body", "Give advance (seconds), to (RFC 3339) or frozen (boolean).")
    except ValueError as error:
        raise invalid("body", str(error)) from error
    return await _show_clock(holder, request)


async def _show_faults(holder: Holder, _request: Request) -> Json:
    faults = holder.hub.faults
    rules = [rule_to_json(rule) for rule in faults.rules]
    return {"faults": rules, "struck": dict(faults.struck)}


async def _add_faults(holder: Holder, request: Request) -> Json:
    for rule in await _rules(request):
        holder.hub.faults.add(rule)
    return await _show_faults(holder, request)


async def _replace_faults(holder: Holder, request: Request) -> Json:
    holder.hub.faults.replace(await _rules(request))
    return await _show_faults(holder, request)


async def _clear_faults(holder: Holder, request: Request) -> Json:
    holder.hub.faults.replace([])
    return await _show_faults(holder, request)


async def _rules(request: Request) -> list[FaultRule]:
    body = await _body(request)
    if not (isinstance(body, dict) and isinstance(body.get("faults"), list)):
        raise invalid("faults", "Give a list of rules, as texts or objects.")
    try:
        return [rule_from_json(each) for each in body["faults"]]
    except ValueError as error:
        raise invalid("faults", str(error)) from error


async def _body(request: Request) -> JsonValue:
    try:
        return decode(await request.body())
    except ValueError as error:
        raise invalid("body", "The body is not JSON.") from error


_ACTIONS: dict[str, dict[str, Action]] = {
    "": {"GET": _about},
    "/ledger": {"GET": _ledger},
    "/reset": {"POST": _reset},
    "/clock": {"GET": _show_clock, "POST": _set_clock},
    "/faults": {
        "GET": _show_faults,
        "POST": _add_faults,
        "PUT": _replace_faults,
        "DELETE": _clear_faults,
    },
}
