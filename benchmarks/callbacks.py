"""What taking callbacks costs: verifying and reading one, and receiving them durably.

Verify and parse: microseconds a call, next to `json.loads` and `hmac` alone. Receiving: next to a
bare Starlette endpoint that discards the body. Every callback is another one, signed, and on disk
before its answer.
"""

import asyncio
import hmac
import json
import statistics
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from benchmarks._plan import Plan
from benchmarks._report import Report, Target
from benchmarks._served import Serve, costs_in_turns
from sinch_wrapper.callbacks import Event, parse, receiver, sign
from sinch_wrapper.sandbox import BackgroundServer

CALLS = 3000
REQUESTS = 4000
CONNECTIONS = 64
SECRET = "benchmark-secret"  # noqa: S105 (opens nothing)
NONCE = "01JZZZZZZZZZZZZZZZZZZZZZZZ"
_PARSE = 2.5
_RATE = 0.75


def _receipt(number: int) -> bytes:
    """A delivery receipt of a batch message, as Sinch sends them."""
    metadata = {"_batch_id": "01JZZZZZZZZZZZZZZZZZZZZBAT", "customer": f"C{number:07}"}
    report = {
        "message_id": f"01JZZZZZZZZZZZZZZZZ{number:07}",
        "conversation_id": "01JZZZZZZZZZZZZZZZZZZZZCON",
        "status": "DELIVERED",
        "channel_identity": {"channel": "SMS", "identity": "46700000001", "app_id": ""},
        "contact_id": "01JZZZZZZZZZZZZZZZZZZZZTAC",
        "metadata": json.dumps(metadata),
        "processing_mode": "CONVERSATION",
    }
    envelope = {
        "app_id": "01JZZZZZZZZZZZZZZZZZZZZAPP",
        "accepted_time": "2026-01-02T03:04:05.123456789Z",
        "event_time": "2026-01-02T03:04:05.123Z",
        "project_id": "c36f3d3d-1513-4edd-ae42-11995557ff61",
        "message_delivery_report": report,
        "message_metadata": "",
        "correlation_id": f"order-{number}",
    }
    return json.dumps(envelope, separators=(",", ":")).encode()


def _headers(body: bytes) -> dict[str, str]:
    return {
        "host": "receiver.example",
        "user-agent": "sinch",
        "content-type": "application/json",
        "content-length": str(len(body)),
        **sign(body, SECRET, nonce=NONCE, timestamp=str(int(time.time()))),
    }


def _timed(work: Callable[[], object], calls: int) -> float:
    """Microseconds of processor time that *work* takes."""
    began = time.process_time()
    for _ in range(calls):
        work()
    return (time.process_time() - began) / calls * 1e6


def _reading(report: Report, rounds: int, calls: int) -> None:
    """Compare parse() with the least that verifying and reading can be."""
    bodies = {
        "compact": _receipt(1),
        "indented": json.dumps(json.loads(_receipt(1)), indent=2).encode(),
    }
    for name, body in bodies.items():
        headers = _headers(body)
        tail = f".{NONCE}.{headers['x-sinch-webhook-signature-timestamp']}".encode()

        def least(body: bytes = body, tail: bytes = tail) -> object:
            hmac.new(SECRET.encode(), body + tail, "sha256").digest()
            return json.loads(body)

        def ours(body: bytes = body, headers: dict[str, str] = headers) -> Event:
            return parse(body, headers, [SECRET])

        times = [(_timed(least, calls), _timed(ours, calls)) for _ in range(rounds)]
        base, cost = (statistics.median(each) for each in zip(*times, strict=True))
        text = f"json + hmac, {name} body of {len(body)} bytes"
        report.rows.append((text, f"{base:.1f}", "", ""))
        report.rows.append(("wrapper: verify and parse", f"{cost:.1f}", "", f"{cost / base:.2f}"))
        report.targets.append(Target(f"parse over json + hmac, {name}", cost / base, _PARSE))


async def _bare(request: Request) -> Response:
    await request.body()
    return Response()


def _serve_bare() -> BackgroundServer:
    return BackgroundServer(Starlette(routes=[Route("/", _bare, methods=["POST"])]))


@contextmanager
def _serve_receiver() -> Iterator[BackgroundServer]:
    with tempfile.TemporaryDirectory() as folder:
        app = receiver(SECRET, store=Path(folder, "callbacks.db"))
        with BackgroundServer(app) as server:
            yield server


@contextmanager
def _serve_handler() -> Iterator[BackgroundServer]:
    with tempfile.TemporaryDirectory() as folder:
        app = receiver(SECRET, store=Path(folder, "callbacks.db"))

        @app.on("MESSAGE_DELIVERY")
        async def handle(event: Event) -> None:
            assert event.payload["status"] == "DELIVERED"  # noqa: S101 (a little work)

        with BackgroundServer(app) as server:
            yield server


class _Caller(asyncio.Protocol):
    """One connection: the next request follows the answer to the one before."""

    def __init__(self, requests: Iterator[bytes], done: "asyncio.Future[None]") -> None:
        self._requests = requests
        self._done = done
        self._transport: asyncio.Transport | None = None

    def itself(self) -> "_Caller":
        """What makes the protocol of a connection gives this one."""
        return self

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)  # noqa: S101 (narrows the type)
        self._transport = transport
        self._next()

    def data_received(self, data: bytes) -> None:
        if not data.startswith(b"HTTP/1.1 200 "):
            raise SystemExit(f"benchmarks: the server answered {data[:20]!r}")
        self._next()

    def _next(self) -> None:
        assert self._transport is not None  # noqa: S101 (narrows the type)
        request = next(self._requests, None)
        if request is not None:
            self._transport.write(request)
        elif not self._done.done():
            self._transport.close()
            self._done.set_result(None)


def _drive(port: int, first: int, count: int) -> float:
    return asyncio.run(_send_all(port, _requests(first, count)))


async def _send_all(port: int, requests: list[bytes]) -> float:
    """Return the requests per second over all connections."""
    loop, shared = asyncio.get_running_loop(), iter(requests)
    ends = [loop.create_future() for _ in range(CONNECTIONS)]
    began = time.perf_counter()
    callers = [_Caller(shared, end) for end in ends]
    for caller in callers:
        await loop.create_connection(caller.itself, "127.0.0.1", port)
    await asyncio.gather(*ends)
    return len(requests) / (time.perf_counter() - began)


def _requests(first: int, count: int) -> list[bytes]:
    found = []
    for number in range(first, first + count):
        body = _receipt(number)
        lines = "".join(f"{name}: {value}\r\n" for name, value in _headers(body).items())
        found.append(f"POST / HTTP/1.1\r\n{lines}\r\n".encode() + body)
    return found


def _receiving(report: Report, rounds: int, requests: int) -> None:
    """Compare the receiver with an endpoint that discards the body."""
    apps: dict[str, Serve] = {
        "bare Starlette endpoint": _serve_bare,
        "wrapper: receiver": _serve_receiver,
        "wrapper: receiver, one handler": _serve_handler,
    }
    costs = costs_in_turns(apps, _drive, rounds, requests)
    bare, ours, _ = costs.values()
    for name, cost in costs.items():
        share = "" if cost is bare else f"{cost.share:.2f}"
        report.rows.append((name, f"{cost.cpu:.0f}", f"{cost.rate:.0f}", share))
    # By processor time it is the ratio of the rates whatever else the machine does; by the clock
    # it has the waiting for the disk in it.
    for how, ratio in (
        ("processor time", ours.share),
        ("the clock", ours.by_clock),
    ):
        text = f"rate on one core, of a bare endpoint, by {how}"
        report.targets.append(Target(text, ratio, _RATE, at_least=True))


def measure(_environments: object, plan: Plan) -> Report:
    """Measure both in this environment, in turns."""
    report = Report("Callbacks", ("what", "CPU us a callback", "callbacks/s of a core", "ratio"))
    _reading(report, plan.rounds, plan.calls(CALLS))
    _receiving(report, min(plan.rounds, 5), max(CONNECTIONS, plan.calls(REQUESTS)))
    return report
