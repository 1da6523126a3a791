"""`/_sandbox`: how a test, in any language, reads and steers the sandbox itself."""

from collections.abc import Awaitable, Callable
from functools import partial
from itertools import islice
from typing import TypeAlias

from starlette.requests import Request
from starlette.responses import Response

from sinch_wrapper.sandbox._errors import Refusal, invalid, unknown_method
from sinch_wrapper.sandbox._faults import FaultRule, rule_from_json, rule_to_json
from sinch_wrapper.sandbox._json import Json, JsonValue, decode, encode, timestamp, unix_seconds
from sinch_wrapper.sandbox._region import RegionState
from sinch_wrapper.sandbox._resources.inbound import opt, receive, say
from sinch_wrapper.sandbox._state import RunningSandbox

PREFIX = "/_sandbox"
_FIELDS = ("operation", "region", "app_id", "batch_id", "identity", "message_id", "outcome")

Action: TypeAlias = Callable[[RunningSandbox, Request], Awaitable[Json]]


async def administer(sandbox: RunningSandbox, request: Request, path: str) -> Response:
    """Return the response to a request below the prefix; raises Refusal."""
    methods = _ACTIONS.get(path.rstrip("/"))
    if methods is None:
        raise Refusal(404, "This path does not exist: see GET /_sandbox")
    action = methods.get(request.method)
    if action is None:
        raise unknown_method(", ".join(sorted(methods)))
    return Response(encode(await action(sandbox, request)), media_type="application/json")


async def _about(sandbox: RunningSandbox, _request: Request) -> Json:
    settings = sandbox.state.settings
    names = ("project_id", "key_id", "key_secret", "app_id", "region")
    paths = [f"{method} {PREFIX}{path}" for path, methods in _ACTIONS.items() for method in methods]
    return {name: getattr(settings, name) for name in names} | {"paths": paths}


async def _ledger(sandbox: RunningSandbox, request: Request) -> Json:
    ledger, query = sandbox.state.ledger, dict(request.query_params)
    unknown = query.keys() - {*_FIELDS, "skip", "limit"}
    if unknown:
        raise invalid(
            min(unknown), f"Unknown filter. Filters are {', '.join(_FIELDS)}, skip and limit."
        )
    skip, limit = (_whole(query.pop(name, None), name) for name in ("skip", "limit"))
    end = None if limit is None else (skip or 0) + limit
    entries = islice(ledger.entries(query), skip, end)
    summary = ledger.summary() | {"faults": dict(sandbox.state.faults.struck)}
    return summary | {"recipients": list(entries)}


def _whole(text: str | None, name: str) -> int | None:
    if text is None:
        return None
    if not (text.isascii() and text.isdigit()):
        raise invalid(name, "Must be a whole number.")
    return int(text)


async def _reset(sandbox: RunningSandbox, _request: Request) -> Json:
    await sandbox.reset()
    return {}


async def _show_clock(sandbox: RunningSandbox, _request: Request) -> Json:
    clock = sandbox.state.clock
    return {"now": timestamp(clock()), "unix": clock(), "frozen": clock.frozen}


async def _set_clock(sandbox: RunningSandbox, request: Request) -> Json:
    clock, body = sandbox.state.clock, await _body(request)
    try:
        match body:
            case {"advance": int() | float() as length}:
                clock.advance(length)
            case {"to": str() as moment}:
                clock.advance(unix_seconds(moment) - clock())
            case {"frozen": bool() as frozen}:
                (clock.freeze if frozen else clock.run)()
            case _:
                raise invalid("body", "Give advance (seconds), to (RFC 3339) or frozen (boolean).")
    except ValueError as error:
        raise invalid("body", str(error)) from error
    return await _show_clock(sandbox, request)


async def _show_faults(sandbox: RunningSandbox, _request: Request) -> Json:
    faults = sandbox.state.faults
    rules = [rule_to_json(rule) for rule in faults.rules]
    return {"faults": rules, "struck": dict(faults.struck)}


async def _add_faults(sandbox: RunningSandbox, request: Request) -> Json:
    for rule in await _rules(request):
        sandbox.state.faults.add(rule)
    return await _show_faults(sandbox, request)


async def _replace_faults(sandbox: RunningSandbox, request: Request) -> Json:
    sandbox.state.faults.replace(await _rules(request))
    return await _show_faults(sandbox, request)


async def _clear_faults(sandbox: RunningSandbox, request: Request) -> Json:
    sandbox.state.faults.replace([])
    return await _show_faults(sandbox, request)


async def _rules(request: Request) -> list[FaultRule]:
    body = await _body(request)
    if not (isinstance(body, dict) and isinstance(body.get("faults"), list)):
        raise invalid("faults", "Give a list of rules, as strings or objects.")
    try:
        return [rule_from_json(each) for each in body["faults"]]
    except ValueError as error:
        raise invalid("faults", str(error)) from error


async def _body(request: Request) -> JsonValue:
    try:
        return decode(await request.body())
    except ValueError as error:
        raise invalid("body", "The body is not JSON.") from error


# What people and receivers do; the body of the request is all it takes.
PARTS: dict[str, Callable[[RegionState, JsonValue], Json]] = {
    "/inbound": say,
    "/opt-out": partial(opt, out=True),
    "/opt-in": partial(opt, out=False),
    "/webhooks": receive,
}


def _played(part: Callable[[RegionState, JsonValue], Json]) -> Action:
    async def play(sandbox: RunningSandbox, request: Request) -> Json:
        return part(sandbox.region, await _body(request))

    return play


_ACTIONS: dict[str, dict[str, Action]] = {
    "": {"GET": _about},
    "/ledger": {"GET": _ledger},
    **{path: {"POST": _played(part)} for path, part in PARTS.items()},
    "/reset": {"POST": _reset},
    "/clock": {"GET": _show_clock, "POST": _set_clock},
    "/faults": {
        "GET": _show_faults,
        "POST": _add_faults,
        "PUT": _replace_faults,
        "DELETE": _clear_faults,
    },
}
