"""The ASGI app of the sandbox: three APIs and the token endpoint under one address."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from email.utils import formatdate
from functools import lru_cache, partial
from http import HTTPStatus

from starlette.applications import Starlette
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from sinch_wrapper.sandbox._admin import PREFIX, administer
from sinch_wrapper.sandbox._auth import TokenRefusal
from sinch_wrapper.sandbox._documents import (
    AUTH,
    PACKAGES,
    Address,
    OperationSpec,
    Router,
    find_address,
    operations,
    synthesise,
    token_url,
)
from sinch_wrapper.sandbox._errors import Refusal, encode, invalid
from sinch_wrapper.sandbox._faults import TOKEN_OPERATION, FaultRule, fault_answer
from sinch_wrapper.sandbox._http_server import HalfResponse, abort_connection
from sinch_wrapper.sandbox._region import Call
from sinch_wrapper.sandbox._resources.table import HANDLERS
from sinch_wrapper.sandbox._settings import Settings
from sinch_wrapper.sandbox._state import Holder, Hub
from sinch_wrapper.sandbox._validation import checks

_JSON = "application/json"
_CHARSETS = {"utf-8", "utf8", "us-ascii"}


async def read_body(request: Request, limit: int) -> bytes | None:
    """Read the whole body; None when it is longer than *limit* bytes.

    Also what is too long is read to its end, so that the caller gets to hear the answer.
    """
    chunks, size = [], 0
    async for chunk in request.stream():
        size += len(chunk)
        if size <= limit:
            chunks.append(chunk)
    return None if size > limit else b"".join(chunks)


def require_json(request: Request, body: bytes | None) -> bytes:
    """Return *body*.

    Raises: Refusal 413 for one that was too long, 415 for one that does not say it is JSON in
    UTF-8 as it stands.
    """
    if body is None:
        raise Refusal(413, "The request body is too large")
    if not body:
        return body
    kind, _, rest = request.headers.get("content-type", _JSON).partition(";")
    _, _, charset = rest.partition("charset=")
    coding = request.headers.get("content-encoding", "identity").strip().lower()
    plain = not charset or charset.strip().strip('"').lower() in _CHARSETS
    if kind.strip().lower() != _JSON or not plain or coding != "identity":
        raise Refusal(415, "The request body must be application/json in UTF-8, not compressed")
    return body


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


_GONE = 499


def create_app(settings: Settings | None = None) -> Starlette:
    """Return the sandbox as an ASGI app; its queues and callbacks run while its lifespan does.

    The APIs are under `/conversation`, `/batch` and `/template`, in another region under
    `/eu/conversation` and so on, the token endpoint is `/auth/oauth2/token`; or all of them
    under the real host names, by the header `Host`. `/_sandbox` is for whoever runs the tests.
    """
    holder = Holder(settings or Settings())

    @asynccontextmanager
    async def lifespan(_app: Starlette) -> AsyncIterator[None]:
        holder.start()
        try:
            yield
        finally:
            await holder.aclose()

    app = Starlette(lifespan=lifespan)
    # No route of Starlette matches every path: one with a line break fits none.
    app.router.default = _Front(holder)
    app.state.holder = holder
    return app


class _Front:
    """The way of a request: address, fault, credentials, project, limit, checks, handler."""

    def __init__(self, holder: Holder) -> None:
        self._holder = holder
        self._routers = {str(api): Router(operations(api)) for api in PACKAGES}
        self._token_path = f"/{token_url().split('/', 3)[3]}"

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        answer = await self._answer(Request(scope, receive))
        # By the clock of the sandbox: one that was moved is a server whose clock is wrong.
        answer.headers.setdefault("date", _http_date(int(self._holder.hub.clock())))
        await answer(scope, receive, send)

    async def _answer(self, request: Request) -> Response:
        hub = self._holder.hub
        raw = request.scope.get("raw_path") or request.url.path.encode()
        path = raw.decode("latin-1").partition("?")[0]
        try:
            if path.startswith(PREFIX):
                return await administer(self._holder, request, path.removeprefix(PREFIX))
            return await self._call(hub, request, path)
        except Refusal as refusal:
            return _refused(hub, refusal)
        except ClientDisconnect:
            return Response(status_code=_GONE)

    async def _call(self, hub: Hub, request: Request, path: str) -> Response:
        address = find_address(request.headers.get("host", ""), path, hub.settings.region)
        if address is None:
            raise Refusal(404, "There is no such path")
        if address.api == AUTH:
            self._require_token_path(request, address)
            rule = hub.faults.strike(TOKEN_OPERATION)
            serve = partial(_token, hub, request, rule)
        else:
            spec, parameters = self._routers[address.api].match(request.method, address.path)
            rule = hub.faults.strike(spec.id)
            serve = partial(_operation, hub, request, address, spec, parameters)
        if rule is None:
            return await serve()
        return await under_fault(hub, rule, request, serve)

    def _require_token_path(self, request: Request, address: Address) -> None:
        if address.path != self._token_path:
            raise Refusal(404, "There is no such path")
        if request.method != "POST":
            raise Refusal(405, "This path has no such method", headers={"allow": "POST"})


async def _token(hub: Hub, request: Request, rule: FaultRule | None) -> Response:
    form = await read_body(request, hub.settings.body_limit) or b""
    lives = rule.seconds if rule is not None and rule.kind == "expire" else None
    try:
        authorization = request.headers.get("authorization", "")
        answer = _json(200, hub.authority.issue(authorization, form, lives))
    except TokenRefusal as refusal:
        answer = _json(refusal.code, {"error": refusal.error})
        if refusal.code == HTTPStatus.UNAUTHORIZED:
            answer.headers["www-authenticate"] = 'Basic realm="sinch-sandbox"'
    hub.ledger.answers[TOKEN_OPERATION][answer.status_code] += 1
    return answer


async def _operation(
    hub: Hub, request: Request, address: Address, spec: OperationSpec, path: dict[str, str]
) -> Response:
    try:
        answer = _json(200, await _served(hub, request, address, spec, path))
    except Refusal as refusal:
        answer = _refused(hub, refusal)
    hub.ledger.answers[spec.id][answer.status_code] += 1
    return answer


async def _served(
    hub: Hub, request: Request, address: Address, spec: OperationSpec, path: dict[str, str]
) -> object:
    raw = await read_body(request, hub.settings.body_limit)
    hub.authority.check(request.headers.get("authorization", ""))
    if path.get("project_id") != hub.settings.project_id:
        raise Refusal(403, "The credentials are not those of this project")
    hub.meter.take()
    check = checks(spec)
    check.path(path)
    query = check.query(request.query_params.multi_items())
    if not check.takes_body:
        raw = b""
    try:
        call = Call(path, query, check.body(require_json(request, raw)))
        handler = HANDLERS.get(spec.id)
        return handler(hub.worlds[address.region], call) if handler else synthesise(spec)
    except RecursionError:
        raise invalid("body", "The body is nested too deep.") from None


@lru_cache(maxsize=8)
def _http_date(moment: int) -> str:
    return formatdate(moment, usegmt=True)


def _json(status: int, value: object) -> Response:
    return Response(encode(value), status_code=status, media_type="application/json")


def _refused(hub: Hub, refusal: Refusal) -> Response:
    answer = _json(refusal.code, refusal.body(hub.settings.error_shape))
    answer.headers.update(refusal.headers)
    return answer
