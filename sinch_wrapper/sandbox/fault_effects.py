"""What a fault rule does to a request and to its answer."""

import asyncio
from collections.abc import Awaitable, Callable
from email.utils import formatdate

from starlette.requests import Request
from starlette.responses import Response

from sinch_wrapper.sandbox.abort import HalfResponse, abort_connection
from sinch_wrapper.sandbox.fault_rules import fault_answer
from sinch_wrapper.sandbox.faults import FaultRule
from sinch_wrapper.sandbox.hub import Hub
from sinch_wrapper.sandbox.intake import read_body

_GONE = 499


async def under_fault(
    hub: Hub, rule: FaultRule, request: Request, serve: Callable[[], Awaitable[Response]]
) -> Response:
    """Serve *request* under *rule*, or do not serve it."""
    match rule.kind:
        case "status":
            await read_body(request, hub.settings.body_limit)
            status, body, headers = fault_answer(rule, hub.settings.error_shape, hub.clock)
            return Response(body, status_code=status, headers=dict(headers))
        case "drop-before" | "reset-before":
            return await _severed(request, reset=rule.kind == "reset-before")
        case "slow":
            # The machine's time, for that is what the caller's timeout runs on.
            await asyncio.sleep(rule.seconds)
        case "expire":
            hub.authority.revoke(request.headers.get("authorization", ""))
    return await _spoiled(hub, rule, request, await serve())


async def _spoiled(hub: Hub, rule: FaultRule, request: Request, answer: Response) -> Response:
    match rule.kind:
        case "drop" | "reset":
            return await _severed(request, reset=rule.kind == "reset")
        case "half":
            return HalfResponse(answer.body, answer.status_code, dict(answer.headers))
        case "skew":
            answer.headers["date"] = formatdate(hub.clock() + rule.seconds, usegmt=True)
    return answer


async def _severed(request: Request, *, reset: bool) -> Response:
    await abort_connection(request, reset=reset)
    return Response(status_code=_GONE)
