"""How fast the sandbox is: requests against a bare endpoint, and the check of a full batch.

`python benchmarks/sandbox_rate.py` serves both apps in turn, each in a process of its own with the
same server, and drives them over keep-alive connections. The ratio is that of the processor time
a request takes in the serving process, so it is the ratio of the rates on one core, whatever else
the machine does. Of several rounds the median counts.
"""

import base64
import http.client
import json
import multiprocessing
import resource
import statistics
import sys
import threading
import time
from multiprocessing.connection import Connection

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import Route

from sinch_wrapper.sandbox import BackgroundServer, Server, Settings
from sinch_wrapper.sandbox.documents import operations
from sinch_wrapper.sandbox.validation import checks

ROUNDS = 5
REQUESTS = 3000
CONNECTIONS = 4
APP = "01J0SANDB0X0APP00000000000"
IDENTITY = {"channel": "SMS", "identity": "+46700000001"}
MESSAGE = {
    "app_id": APP,
    "recipient": {"identified_by": {"channel_identities": [IDENTITY]}},
    "message": {"text_message": {"text": "Your parcel arrives tomorrow"}},
}
PATH = "/conversation/v1/projects/sandbox-project/messages:send"


async def _bare(request: Request) -> JSONResponse:
    await request.body()
    return JSONResponse({"message_id": APP, "accepted_time": "2026-01-01T00:00:00Z"})


def _server(kind: str) -> BackgroundServer:
    if kind == "bare":
        return BackgroundServer(Starlette(routes=[Route(PATH, _bare, methods=["POST"])]))
    return Server(Settings(request_rate=1e9, drain_rate=1e6))


def _cpu() -> float:
    used = resource.getrusage(resource.RUSAGE_SELF)
    return used.ru_utime + used.ru_stime


def _serve(kind: str, line: Connection) -> None:
    """Serve until told to stop; each message before that is answered with the CPU time so far."""
    with _server(kind) as server:
        line.send(server.port)
        while line.recv():
            line.send(_cpu())


def _drive(port: int, requests: int) -> float:
    """Return the requests per second over all connections."""
    body = json.dumps(MESSAGE)
    key = base64.b64encode(b"sandbox-key:sandbox-secret").decode()
    headers = {"authorization": f"Basic {key}", "content-type": "application/json"}

    def one() -> None:
        connection = http.client.HTTPConnection("127.0.0.1", port)
        for _ in range(requests // CONNECTIONS):
            connection.request("POST", PATH, body, headers)
            connection.getresponse().read()
        connection.close()

    threads = [threading.Thread(target=one) for _ in range(CONNECTIONS)]
    began = time.perf_counter()
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return requests / (time.perf_counter() - began)


def one_round(kind: str, requests: int = REQUESTS) -> tuple[float, float]:
    """Return requests per second, and microseconds of the server's processor time a request."""
    context = multiprocessing.get_context("spawn")
    ours, theirs = context.Pipe()
    process = context.Process(target=_serve, args=(kind, theirs))
    process.start()
    port = ours.recv()
    _drive(port, max(CONNECTIONS, requests // 10))
    ours.send(True)
    before = ours.recv()
    rate = _drive(port, requests)
    ours.send(True)
    used = ours.recv() - before
    ours.send(False)
    process.join()
    return rate, used / requests * 1e6


def batch_milliseconds(recipients: int = 1000) -> float:
    """Return the best time of checking a batch of so many recipients, from bytes to checked."""
    row = {"recipient": MESSAGE["recipient"], "parameters": {"name": "Ada", "day": "Monday"}}
    body = {"app_id": APP, "message": {"text_message": {"text": "Hi ${name}, see you ${day}"}}}
    raw = json.dumps(body | {"recipient_and_params": [row] * recipients}).encode()
    [spec] = [each for each in operations("batch") if each.id == "Batch_SendBatch"]
    check = checks(spec)
    times = []
    for _ in range(20):
        began = time.perf_counter()
        check.body(raw)
        times.append(time.perf_counter() - began)
    return min(times) * 1000


def main() -> None:
    """Measure and print; the first argument is the number of rounds."""
    count = int(sys.argv[1]) if len(sys.argv) > 1 else ROUNDS
    results: dict[str, list[tuple[float, float]]] = {"bare": [], "sandbox": []}
    for _ in range(count):
        for kind, rounds in results.items():
            rounds.append(one_round(kind))
    cpu = {}
    for kind, rounds in results.items():
        rate, cpu[kind] = (statistics.median(values) for values in zip(*rounds, strict=True))
        sys.stdout.write(f"{kind:8} {rate:6.0f} requests/s, {cpu[kind]:4.0f} us CPU a request\n")
    sys.stdout.write(f"ratio on one core: {cpu['bare'] / cpu['sandbox']:.2f}\n")
    sys.stdout.write(f"batch of 1000 recipients checked in {batch_milliseconds():.2f} ms\n")


if __name__ == "__main__":
    main()
