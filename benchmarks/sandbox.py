"""What a request costs the sandbox, beside an endpoint that checks nothing and keeps nothing."""

import base64
import http.client
import json
import threading
import time
from typing import Final

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import Route

from benchmarks._environments import Environments
from benchmarks._plan import Plan
from benchmarks._report import Report, Target
from benchmarks._served import costs_in_turns
from sinch_wrapper.sandbox import BackgroundServer, Server, Settings
from sinch_wrapper.sandbox._documents import operations
from sinch_wrapper.sandbox._validation import checks

__all__ = ["measure"]

_REQUESTS: Final = 3000
_CONNECTIONS: Final = 4
_SHARE: Final = 0.4
_BATCH: Final = 5.0
"""Milliseconds."""
_APP: Final = "01J0SANDB0X0APP00000000000"
_IDENTITY: Final = {"channel": "SMS", "identity": "+46700000001"}
_MESSAGE: Final = {
    "app_id": _APP,
    "recipient": {"identified_by": {"channel_identities": [_IDENTITY]}},
    "message": {"text_message": {"text": "Your parcel arrives tomorrow"}},
}
_TEXT: Final = "rate on one core, of that of the bare endpoint"
_PATH: Final = "/conversation/v1/projects/sandbox-project/messages:send"


def measure(_environments: Environments, plan: Plan) -> Report:
    """Measure both in this environment."""
    report = Report("Sandbox: messages:send", ("server", "requests/s", "CPU us a request"))
    apps = {"bare Starlette endpoint": _serve_bare, "sandbox of the wrapper": _serve_sandbox}
    requests = max(_CONNECTIONS, plan.calls(_REQUESTS))
    costs = costs_in_turns(apps, _drive, min(plan.rounds, 5), requests)
    report.rows += [(name, f"{cost.rate:.0f}", f"{cost.cpu:.0f}") for name, cost in costs.items()]
    _bare, sandbox = costs.values()
    report.targets += [
        Target(
            "rate on one core, of that of the bare endpoint", sandbox.share, _SHARE, at_least=True
        ),
        Target("ms to check a batch of 1000 recipients", _batch_milliseconds(), _BATCH),
    ]
    return report


async def _answer(request: Request) -> JSONResponse:
    await request.body()
    return JSONResponse({"message_id": _APP, "accepted_time": "2026-01-01T00:00:00Z"})


def _serve_bare() -> BackgroundServer:
    return BackgroundServer(Starlette(routes=[Route(_PATH, _answer, methods=["POST"])]))


def _serve_sandbox() -> BackgroundServer:
    return Server(Settings(request_rate=1e9, drain_rate=1e6))


def _drive(port: int, _first: int, requests: int) -> float:
    body = json.dumps(_MESSAGE)
    key = base64.b64encode(b"sandbox-key:sandbox-secret").decode()
    headers = {"authorization": f"Basic {key}", "content-type": "application/json"}

    def send_some() -> None:
        connection = http.client.HTTPConnection("127.0.0.1", port)
        for _ in range(max(1, requests // _CONNECTIONS)):
            connection.request("POST", _PATH, body, headers)
            connection.getresponse().read()
        connection.close()

    threads = [threading.Thread(target=send_some) for _ in range(_CONNECTIONS)]
    began = time.perf_counter()
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return requests / (time.perf_counter() - began)


def _batch_milliseconds() -> float:
    """The best time of checking a batch of 1000 recipients, from bytes to checked."""
    row = {"recipient": _MESSAGE["recipient"], "parameters": {"name": "Ada", "day": "Monday"}}
    body = {"app_id": _APP, "message": {"text_message": {"text": "Hi ${name}, see you ${day}"}}}
    raw = json.dumps(body | {"recipient_and_params": [row] * 1000}).encode()
    [spec] = [each for each in operations("batch") if each.id == "Batch_SendBatch"]
    check = checks(spec)
    times = []
    for _ in range(20):
        began = time.perf_counter()
        check.body(raw)
        times.append(time.perf_counter() - began)
    return min(times) * 1000
