"""A scripted Batch API for the bulk sender, and one interface to Bulk and AsyncBulk."""

import json
import time
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from sinch_wrapper import Endpoints, RetryPolicy, text
from sinch_wrapper._http import httpx
from sinch_wrapper.bulk import AsyncBulk, Bulk
from sinch_wrapper.bulk._metadata import CHUNK_MARK
from sinch_wrapper.callbacks import Event, read_event
from tests.helpers.core import Flavour, is_token_request, token_response

APP = "01J0SANDB0X0APP00000000000"
MESSAGE = text("Hi ${name}")
# Short enough for tests, long enough for a look-up or two.
SETTLE = 0.05


def rows(count: int) -> list[dict[str, str]]:
    """Recipients as flat objects."""
    return [{"phone": f"+4670{number:07d}", "name": f"N{number}"} for number in range(count)]


def csv_file(folder: Path, count: int) -> Path:
    """The same recipients as a CSV file with keys."""
    path = folder / "all.csv"
    lines = [f"k{number},{row['phone']},{row['name']}" for number, row in enumerate(rows(count))]
    path.write_text("\n".join(["key,phone,name", *lines, ""]), encoding="utf-8")
    return path


class FakeBatchApi:
    """Responds as the Batch API does; each send takes the next word of *script*, then "ok".

    `ok` accepts, `lost` accepts and then times out, `dropped` times out without accepting, a
    number responds with that status, `garbage` accepts with an unreadable response, `anonymous`
    accepts without an id, `refused` makes no connection.
    """

    def __init__(self, *script: str) -> None:
        self.script = list(script)
        self.sent: list[dict[str, Any]] = []
        self.batches: dict[str, dict[str, Any]] = {}
        self.statuses: dict[str, str] = {}
        self.looks = 0
        self.look_up_response: Callable[[], httpx.Response] | None = None
        self.on_send: Callable[[dict[str, Any], str], None] = lambda *_: None
        self.paths: list[str] = []
        self.app_mode = ""
        self.said = "too long"
        self.blamed = ["recipient_and_params[1].parameters.name"]

    def __call__(self, request: httpx.Request) -> httpx.Response:
        """Respond to *request*."""
        if is_token_request(request):
            return token_response()
        self.paths.append(f"{request.method} {request.url.path}")
        if request.method == "GET" and "metadataKey" in request.url.params:
            return self._look(request)
        if "/apps/" in request.url.path:
            return self._app()
        if request.method == "GET":
            return self._status(request.url.path.rpartition("/")[2])
        return self._change(request)

    def _change(self, request: httpx.Request) -> httpx.Response:
        try:
            body = json.loads(request.content)
        except ValueError:
            return self._refusal(400)
        if request.method == "DELETE" and "batch_id" in body:
            return self._cancel(body["batch_id"])
        return self._send(body)

    def _send(self, body: dict[str, Any]) -> httpx.Response:
        word = self.script.pop(0) if self.script else "ok"
        self.sent.append(body)
        if word == "refused":
            raise httpx.ConnectError("refused")
        if word == "dropped":
            raise httpx.ReadTimeout("late")
        if word.isdigit():
            return self._refusal(int(word))
        batch_id = f"B{len(self.batches) + 1}"
        self.batches[batch_id] = body
        self.on_send(body, batch_id)
        if word == "lost":
            raise httpx.ReadTimeout("late")
        if word == "garbage":
            return httpx.Response(200, content=b"{")
        return httpx.Response(200, json={} if word == "anonymous" else {"batch_id": batch_id})

    def _refusal(self, status: int) -> httpx.Response:
        violations = [{"field": field, "description": self.said} for field in self.blamed]
        details = [
            {"@type": "type.googleapis.com/google.rpc.BadRequest", "field_violations": violations}
        ]
        error = {"code": status, "message": "no", "status": "INVALID_ARGUMENT", "details": details}
        return httpx.Response(status, json={"error": error})

    def _look(self, request: httpx.Request) -> httpx.Response:
        self.looks += 1
        if self.look_up_response is not None:
            return self.look_up_response()
        key, value = (request.url.params[name] for name in ("metadataKey", "metadataValue"))
        found = [
            {"batch_id": batch_id, "meta_data": body["batch_metadata"], "status": "PROCESSED"}
            for batch_id, body in self.batches.items()
            if body.get("batch_metadata", {}).get(key) == value
        ]
        return httpx.Response(200, json=found)

    def _status(self, batch_id: str) -> httpx.Response:
        status = self.statuses.get(batch_id, "PROCESSED")
        return httpx.Response(200, json={"batch_id": batch_id, "status": status})

    def _app(self) -> httpx.Response:
        if not self.app_mode:
            return httpx.Response(503, json={})
        return httpx.Response(200, json={"id": APP, "processing_mode": self.app_mode})

    def _cancel(self, batch_id: str) -> httpx.Response:
        if self.statuses.get(batch_id) == "SCHEDULED":
            self.statuses[batch_id] = "CANCELLED"
        return httpx.Response(200, json={})

    @property
    def accepted(self) -> Counter[str]:
        """How often each identity was accepted."""
        return Counter(
            row["recipient"]["identified_by"]["channel_identities"][0]["identity"]
            for body in self.batches.values()
            for row in body["recipient_and_params"]
        )

    def marks(self) -> list[str]:
        """The marks of the requests, as they came."""
        return [body["batch_metadata"][CHUNK_MARK] for body in self.sent]


class OtherProject:
    """A client that belongs to another project."""

    def __init__(self, client: Any, project_id: str) -> None:
        self._client = client
        self.project_id = project_id

    def __getattr__(self, name: str) -> Any:
        """What the client itself has."""
        return getattr(self._client, name)


class VirtualTime:
    """The clock of a job, in which waiting takes no time."""

    def __init__(self) -> None:
        self._now = 0.0

    def clock(self) -> float:
        """Seconds."""
        return self._now

    def rest(self, seconds: float) -> float:
        """Let *seconds* pass at once, and wait for none."""
        self._now += seconds
        return 0.0


class BulkFace:
    """Bulk or AsyncBulk, called alike."""

    def __init__(
        self, flavour: Flavour, api: Callable[[httpx.Request], httpx.Response], **options: Any
    ) -> None:
        self.flavour = flavour
        # One attempt in the transport, so that the sender itself deals with each response.
        self.client = flavour.client(api, retry=RetryPolicy(attempts=1), **options)
        kind = AsyncBulk if flavour.name == "async" else Bulk
        self.bulk: Any = kind(self.client)
        self.moment: float | None = None
        self._replace(wall=lambda: self.moment or time.time())

    def __getattr__(self, name: str) -> Callable[..., Any]:
        """A method of it, awaited when it must be."""
        method = getattr(self.bulk, name)
        return lambda *args, **options: self.flavour.run(method(*args, **options))

    def at(self, moment: float) -> None:
        """Stop the time of day at *moment*."""
        self.moment = moment

    def in_virtual_time(self) -> "BulkFace":
        """Let time pass only while nothing is running, and then at once."""
        time = VirtualTime()
        self._replace(clock=time.clock, rest=time.rest)
        return self

    def of_project(self, project: str) -> "BulkFace":
        """Let it belong to another project."""
        self._replace(client=OtherProject(self.bulk._jobs.client, project))  # noqa: SLF001
        return self

    def _replace(self, **parts: Any) -> None:
        # What a caller cannot choose: the time of day, and the project of a client.
        self.bulk._jobs = replace(self.bulk._jobs, **parts)  # noqa: SLF001

    def go(self, recipients: Any, **options: Any) -> Any:
        """Send the usual message in small requests."""
        given = {"app_id": APP, "message": MESSAGE, "chunk_size": 2, "settle": SETTLE}
        return self.send(recipients=recipients, **{**given, **options})


MakeBulk = Callable[..., BulkFace]
ELSEWHERE = Endpoints("https://a.example.test/oauth2/token", *["https://b.example.test"] * 3)
"""Servers that are not those of the API, where nothing ends on a day."""
ENDING = "ends on 2026-12-16: use"


@pytest.fixture
def make_bulk(flavour: Flavour) -> Iterator[MakeBulk]:
    """Build a bulk sender over a fake API, for threads and then for tasks."""
    faces: list[BulkFace] = []

    def make(api: Callable[[httpx.Request], httpx.Response], **options: Any) -> BulkFace:
        faces.append(BulkFace(flavour, api, **options))
        return faces[-1]

    yield make
    for face in faces:
        flavour.close(face.client)


def sent_to(api: FakeBatchApi) -> list[str]:
    """Everybody to whom something was sent, in order."""
    return [
        row["recipient"]["identified_by"]["channel_identities"][0]["identity"]
        for body in api.sent
        for row in body["recipient_and_params"]
    ]


def positions(api: FakeBatchApi) -> list[list[str]]:
    """The positions that the recipients of each request have in their metadata."""
    return [
        [row["message_metadata"]["sinch_wrapper_index"] for row in body["recipient_and_params"]]
        for body in api.sent
    ]


def receipt(status: str, metadata: object = None, reason: str = "", **envelope: Any) -> Event:
    """A delivery receipt with *metadata* in it."""
    report: dict[str, Any] = {"message_id": "M1", "status": status}
    if metadata is not None:
        report["metadata"] = json.dumps(metadata)
    if reason:
        report["reason"] = {"code": reason, "description": "why"}
    body = {"app_id": "A", "project_id": "P", "message_delivery_report": report, **envelope}
    return read_event(json.dumps(body).encode())


def marked(api: FakeBatchApi, chunk: int, position: int, batch_id: str | None = None) -> Any:
    """The metadata with which the receipt of one recipient comes back."""
    body = api.sent[chunk]
    found = body["message_metadata"] | body["recipient_and_params"][position]["message_metadata"]
    return found | ({"_batch_id": batch_id} if batch_id else {})


def states(report: Any) -> list[str]:
    """The state of each recipient."""
    return [str(each.state) for each in report.recipients()]
