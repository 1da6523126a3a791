"""The ASGI app of the sandbox: three APIs and the token endpoint under one address."""

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from http import HTTPStatus

from starlette.applications import Starlette
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response
from starlette.routing import Route

from sinch_wrapper.sandbox.abort import abort_connection
from sinch_wrapper.sandbox.auth import TokenRefusal
from sinch_wrapper.sandbox.documents import PACKAGES, OperationSpec, operations
from sinch_wrapper.sandbox.errors import Refusal
from sinch_wrapper.sandbox.faults import TOKEN_OPERATION, FaultRule, strike
from sinch_wrapper.sandbox.resources._table import HANDLERS
from sinch_wrapper.sandbox.routing import Router
from sinch_wrapper.sandbox.settings import Settings
from sinch_wrapper.sandbox.synthesis import synthesise
from sinch_wrapper.sandbox.validation import checks
from sinch_wrapper.sandbox.world import Call, World

_METHODS = ["GET", "PUT", "POST", "PATCH", "DELETE"]


def create_app(settings: Settings | None = None) -> Starlette:
    """Return the sandbox as an ASGI app; its queues and callbacks run while its lifespan does.

    The APIs are under `/conversation`, `/batch` and `/template`, the token endpoint is
    `/auth/oauth2/token`: `Endpoints.sandbox(base_url)` knows them.
    """
    world = World(settings or Settings())
    sandbox = _Sandbox(world)

    @asynccontextmanager
    async def lifespan(_app: Starlette) -> AsyncIterator[None]:
        world.start()
        try:
            yield
        finally:
            await world.aclose()

    routes = [
        Route("/auth/oauth2/token", sandbox.token, methods=["POST"]),
        Route("/{rest:path}", sandbox.call, methods=_METHODS),
    ]
    app = Starlette(routes=routes, lifespan=lifespan)
    app.state.world = world
    return app


class _Sandbox:
    """The way of a request: fault, credentials, project, limit, checks, handler."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._routers = {api: Router(operations(api)) for api in PACKAGES}

    async def token(self, request: Request) -> Response:
        rule = self._strike(TOKEN_OPERATION)
        try:
            await self._before(rule)
            authorization = request.headers.get("authorization", "")
            answer = _json(200, self._world.authority.issue(authorization, await request.body()))
        except TokenRefusal as refusal:
            answer = _json(refusal.code, {"error": refusal.error})
            if refusal.code == HTTPStatus.UNAUTHORIZED:
                answer.headers["www-authenticate"] = 'Basic realm="sinch-sandbox"'
        except Refusal as refusal:
            return _refused(refusal)
        return await self._after(rule, request, answer)

    async def call(self, request: Request) -> Response:
        try:
            spec, path = self._match(request)
            rule = self._strike(spec.id)
            await self._before(rule)
            answer = await self._serve(request, spec, path)
        except Refusal as refusal:
            return _refused(refusal)
        except ClientDisconnect:
            return Response(status_code=499)
        return await self._after(rule, request, answer)

    async def _serve(self, request: Request, spec: OperationSpec, path: dict[str, str]) -> Response:
        world = self._world
        world.authority.check(request.headers.get("authorization", ""))
        if path.get("project_id") != world.settings.project_id:
            raise Refusal(403, "The credentials are not those of this project")
        world.meter.take()
        check = checks(spec)
        check.path(path)
        query = check.query(request.query_params.multi_items())
        call = Call(path, query, check.body(await request.body()))
        handler = HANDLERS.get(spec.id)
        return _json(200, handler(world, call) if handler else synthesise(spec))

    def _match(self, request: Request) -> tuple[OperationSpec, dict[str, str]]:
        raw = request.scope.get("raw_path") or request.url.path.encode()
        prefix, _, rest = raw.decode("latin-1").split("?")[0].lstrip("/").partition("/")
        for api, router in self._routers.items():
            if prefix == api:
                return router.match(request.method, f"/{rest}")
        raise Refusal(404, "There is no such path")

    def _strike(self, operation_id: str) -> FaultRule | None:
        rule = strike(self._world.settings.faults, operation_id, self._world.chance)
        if rule is not None:
            self._world.struck[operation_id] += 1
        return rule

    async def _before(self, rule: FaultRule | None) -> None:
        if rule is None:
            return
        if rule.kind == "slow":
            await self._world.settings.sleep(rule.value or 0)
        elif rule.kind == "status":
            headers = {} if rule.value is None else {"retry-after": f"{rule.value:g}"}
            raise Refusal(rule.status, "The sandbox was told to fail", headers=headers)

    async def _after(self, rule: FaultRule | None, request: Request, answer: Response) -> Response:
        if rule is not None and rule.kind == "drop":
            await abort_connection(request)
        return answer


def _json(status: int, value: object) -> Response:
    content = json.dumps(value, ensure_ascii=False, separators=(",", ":"))
    return Response(content, status_code=status, media_type="application/json")


def _refused(refusal: Refusal) -> Response:
    answer = _json(refusal.code, refusal.body())
    answer.headers.update(refusal.headers)
    return answer
