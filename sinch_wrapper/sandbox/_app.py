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
from sinch_wrapper.sandbox._documents import AUTH, PACKAGES, OperationSpec, operations, token_url
from sinch_wrapper.sandbox._doors import check_door
from sinch_wrapper.sandbox._errors import Refusal, invalid, unknown_method, unknown_path
from sinch_wrapper.sandbox._faults import TOKEN_OPERATION, FaultRule, fault_response
from sinch_wrapper.sandbox._http_server import LOOPBACK, HalfResponse, abort_connection
from sinch_wrapper.sandbox._json import encode
from sinch_wrapper.sandbox._region import OperationCall
from sinch_wrapper.sandbox._resources.table import HANDLERS
from sinch_wrapper.sandbox._routing import OperationRouter, RequestAddress, find_address
from sinch_wrapper.sandbox._settings import Settings, check_settings
from sinch_wrapper.sandbox._state import RunningSandbox, SandboxState
from sinch_wrapper.sandbox._synthesis import synthesise
from sinch_wrapper.sandbox._validation import checks

_JSON = "application/json"
_CHARSETS = {"utf-8", "utf8", "us-ascii"}
_CLIENT_GONE = 499


def create_app(settings: Settings | None = None) -> Starlette:
    """Return the sandbox with *settings* as an ASGI app.

    Its queues and callbacks run while its lifespan does.

    The APIs are under `/conversation`, `/batch` and `/template`, in another region under
    `/eu/conversation` and so on, the token endpoint is `/auth/oauth2/token`; or all of them
    under the real host names, by the header `Host`. `/_sandbox` is for the tests that use it.
    Other host names than these and those of this machine are refused, unless they are allowed.
    """
    check_settings(settings)
    return app_of(RunningSandbox(settings or Settings()))


def app_of(sandbox: RunningSandbox, listening: str = LOOPBACK) -> Starlette:
    """Return the ASGI app of *sandbox*, for a server that listens on the address *listening*."""

    @asynccontextmanager
    async def lifespan(_app: Starlette) -> AsyncIterator[None]:
        sandbox.start()
        try:
            yield
        finally:
            await sandbox.aclose()

    app = Starlette(lifespan=lifespan)
    # Not a route: no route of Starlette matches every path, such as one with a line break.
    app.router.default = _SandboxApp(sandbox, listening)
    app.state.sandbox = sandbox
    return app


class _SandboxApp:
    """Serves a request: door, address, fault, credentials, project, limit, checks, handler."""

    def __init__(self, sandbox: RunningSandbox, listening: str) -> None:
        self._sandbox = sandbox
        self._listening = listening
        self._routers = {str(api): OperationRouter(operations(api)) for api in PACKAGES}
        self._token_path = f"/{token_url().split('/', 3)[3]}"

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        response = await self._respond(Request(scope, receive))
        # From the clock of the sandbox: a client must cope with a server whose clock is off.
        response.headers.setdefault("date", _http_date(int(self._sandbox.state.clock())))
        await response(scope, receive, send)

    async def _respond(self, request: Request) -> Response:
        state = self._sandbox.state
        raw = request.scope.get("raw_path") or request.url.path.encode()
        path = raw.decode("latin-1").partition("?")[0]
        try:
            check_door(request, state.settings.allow_hosts, self._listening)
            if path.startswith(PREFIX):
                return await administer(self._sandbox, request, path.removeprefix(PREFIX))
            return await self._call(state, request, path)
        except Refusal as refusal:
            return _refused(state, refusal)
        except ClientDisconnect:
            return Response(status_code=_CLIENT_GONE)

    async def _call(self, state: SandboxState, request: Request, path: str) -> Response:
        address = find_address(request.headers.get("host", ""), path, state.settings.region)
        if address is None:
            raise unknown_path()
        if address.api == AUTH:
            self._require_token_path(request, address)
            rule = state.faults.strike(TOKEN_OPERATION)
            serve = partial(_token, state, request, rule)
        else:
            spec, parameters = self._routers[address.api].match(request.method, address.path)
            rule = state.faults.strike(spec.id)
            serve = partial(_operation, state, request, address, spec, parameters)
        if rule is None:
            return await serve()
        return await _under_fault(state, rule, request, serve)

    def _require_token_path(self, request: Request, address: RequestAddress) -> None:
        if address.path != self._token_path:
            raise unknown_path()
        if request.method != "POST":
            raise unknown_method("POST")


async def _token(state: SandboxState, request: Request, rule: FaultRule | None) -> Response:
    form = await _read_body(request, state.settings.body_limit) or b""
    lives = rule.seconds if rule is not None and rule.kind == "expire" else None
    try:
        authorization = request.headers.get("authorization", "")
        response = _json(200, state.authority.issue(authorization, form, lives))
    except TokenRefusal as refusal:
        response = _json(refusal.code, refusal.body)
        if refusal.code == HTTPStatus.UNAUTHORIZED:
            response.headers["www-authenticate"] = 'Basic realm="sinch-sandbox"'
    state.ledger.responses[TOKEN_OPERATION][response.status_code] += 1
    return response


async def _operation(
    state: SandboxState,
    request: Request,
    address: RequestAddress,
    spec: OperationSpec,
    path: dict[str, str],
) -> Response:
    try:
        response = _json(200, await _served(state, request, address, spec, path))
    except Refusal as refusal:
        response = _refused(state, refusal)
    state.ledger.responses[spec.id][response.status_code] += 1
    return response


async def _served(
    state: SandboxState,
    request: Request,
    address: RequestAddress,
    spec: OperationSpec,
    path: dict[str, str],
) -> object:
    raw = await _read_body(request, state.settings.body_limit)
    state.authority.check(request.headers.get("authorization", ""))
    if path.get("project_id") != state.settings.project_id:
        raise Refusal(403, "The credentials do not belong to this project")
    state.limiter.take()
    check = checks(spec)
    check.path(path)
    query = check.query(request.query_params.multi_items())
    if not check.takes_body:
        raw = b""
    try:
        call = OperationCall(path, query, check.body(_require_json(request, raw)))
        handler = HANDLERS.get(spec.id)
        return handler(state.regions[address.region], call) if handler else synthesise(spec)
    except RecursionError:
        raise invalid("body", "The body is nested too deeply.") from None


async def _under_fault(
    state: SandboxState, rule: FaultRule, request: Request, serve: Callable[[], Awaitable[Response]]
) -> Response:
    """Do to *request* what *rule* says; *serve* serves it."""
    match rule.kind:
        case "status":
            await _read_body(request, state.settings.body_limit)
            status, body, headers = fault_response(rule, state.settings.error_shape, state.clock)
            return Response(body, status_code=status, headers=dict(headers))
        case "drop-before" | "reset-before":
            return await _severed(request, reset=rule.kind == "reset-before")
        case "slow":
            # The machine's time, because the caller's timeout runs on it.
            await asyncio.sleep(rule.seconds)
        case "expire":
            state.authority.revoke(request.headers.get("authorization", ""))
    return await _spoiled(state, rule, request, await serve())


async def _spoiled(
    state: SandboxState, rule: FaultRule, request: Request, response: Response
) -> Response:
    match rule.kind:
        case "drop" | "reset":
            return await _severed(request, reset=rule.kind == "reset")
        case "half":
            return HalfResponse(response.body, response.status_code, dict(response.headers))
        case "skew":
            response.headers["date"] = formatdate(state.clock() + rule.seconds, usegmt=True)
    return response


async def _severed(request: Request, *, reset: bool) -> Response:
    await abort_connection(request, reset=reset)
    return Response(status_code=_CLIENT_GONE)


async def _read_body(request: Request, limit: int) -> bytes | None:
    """Read the whole body; None when it is longer than *limit* bytes.

    A longer one is still read to its end, so that the caller receives the response.
    """
    chunks, size = [], 0
    async for chunk in request.stream():
        size += len(chunk)
        if size <= limit:
            chunks.append(chunk)
    return None if size > limit else b"".join(chunks)


def _require_json(request: Request, body: bytes | None) -> bytes:
    """Return *body*.

    Raises: Refusal 413 for a body that was too long, 415 for one that is not declared as plain
        JSON in UTF-8.
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


@lru_cache(maxsize=8)
def _http_date(moment: int) -> str:
    return formatdate(moment, usegmt=True)


def _json(status: int, value: object) -> Response:
    return Response(encode(value), status_code=status, media_type="application/json")


def _refused(state: SandboxState, refusal: Refusal) -> Response:
    response = _json(refusal.code, refusal.body(state.settings.error_shape))
    response.headers.update(refusal.headers)
    return response
