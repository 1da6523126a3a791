"""The simulated Batch API: it accepts, refuses, loses, delays, calls back, and keeps a ledger."""

import json
from collections import defaultdict
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from random import Random
from types import SimpleNamespace
from typing import Any

from sinch_wrapper import APIConnectionError, APIResponseValidationError, APIStatusError, SinchError
from sinch_wrapper.bulk._calls import read_mark
from sinch_wrapper.bulk._metadata import CHUNK_MARK, INDEX_MARK, JOB_MARK
from sinch_wrapper.callbacks import Event, read_event
from sinch_wrapper.errors import RawResponse
from tests.simulation.models import Model

TIMEOUT = 10.0
FAILURE = "RECIPIENT_NOT_REACHABLE"
# What becomes of a POST, and how often out of a hundred: in a storm, and on a calm day.
STORM = {
    "ok": 70.0, "unreadable": 1, "stale": 0.5, "refused": 1, "busy": 2, "unreachable": 2,
    "timeout": 19, "cut": 4, "odd": 1,
}  # fmt: skip
CALM = {"ok": 98.0, "unreadable": 0.2, "busy": 0.5, "refused": 0.3, "timeout": 1}
STATUSES_OF_DOUBT = (500, 502, 504, 408, 302, 303, 307, 409, 425, 499, 418)


def status_error(code: int) -> APIStatusError:
    """The error of a response with this status."""
    return APIStatusError(f"the API responded {code}", RawResponse(code))


@dataclass
class Post:
    """A request as it came: which of which job, and when; *truth* is what became of it."""

    job: int
    chunk: int
    at: float
    count: int
    truth: str = ""


@dataclass
class Ending:
    """How a call ends for the client: after *wait* seconds, with a value or an error."""

    wait: float
    value: object = None
    error: SinchError | None = None


@dataclass
class SimulatedApi:
    """Follows *model*; *schedule* runs something later, *receiver* takes callbacks if there is one.

    `accepted` is the ledger: for each request of each job, the batches that it became.
    """

    chance: Random
    model: Model
    weather: dict[str, float]
    schedule: Callable[[float, Callable[[float], None]], None]
    receiver: Callable[[int, Event], None] | None = None
    jobs: list[str] = field(default_factory=list)
    odd: set[str] = field(default_factory=set)
    accepted: dict[tuple[int, int], list[str]] = field(default_factory=dict)
    posts: list[Post] = field(default_factory=list)
    bodies: dict[str, dict[str, Any]] = field(default_factory=dict)
    answered: dict[int, list[str]] = field(default_factory=dict)
    seen: set[tuple[int, int]] = field(default_factory=set)
    # Those whom each job has tried to reach, and those who were reported as failed.
    people: defaultdict[int, set[str]] = field(default_factory=lambda: defaultdict(set))
    failed: set[str] = field(default_factory=set)

    def __post_init__(self) -> None:
        self.index = self.model.index(self.chance)
        self.pipeline = self.model.calls(self.chance) if self.model.calls else None

    def post(self, body: dict[str, Any], now: float) -> tuple[Post, Ending]:
        """Take a request; returns what became of it, and how it ends for the client."""
        marks = body["batch_metadata"]
        job = self.jobs.index(marks[JOB_MARK])
        chunk = read_mark(marks[CHUNK_MARK], marks[JOB_MARK])
        assert chunk is not None
        post = Post(job, chunk, now, len(body["recipient_and_params"]))
        self.posts.append(post)
        weather = {**self.weather, **(self.model.weather if self.weather is STORM else {})}
        post.truth = self.chance.choices([*weather], [*weather.values()])[0]
        if self.model.again and (job, chunk) in self.seen:
            post.truth = self.model.again
        self.seen.add((job, chunk))
        self.people[job] |= {identity_of(item) for item in body["recipient_and_params"]}
        quick = self.chance.uniform(0.05, 1.0)
        return post, getattr(self, f"_{post.truth}")(post, body, quick)

    def _accept(self, post: Post, body: dict[str, Any], wait: float) -> str:
        batch_id = f"B{len(self.bodies)}"
        self.bodies[batch_id] = body
        if self.chance.random() < self.model.odd:
            self.odd.add(batch_id)

        def accept(at: float) -> None:
            self.accepted.setdefault((post.job, post.chunk), []).append(batch_id)
            self.index.add(post.job, batch_id, at, post.truth)
            if self.receiver is not None:
                self._call_back(post, body, batch_id, at)

        self.schedule(wait, accept)
        return batch_id

    def _ok(self, post: Post, body: dict[str, Any], quick: float) -> Ending:
        batch_id = self._accept(post, body, quick * self.chance.random())
        return Ending(quick, SimpleNamespace(batch_id=batch_id, send_after=None))

    def _unreadable(self, post: Post, body: dict[str, Any], quick: float) -> Ending:
        self._accept(post, body, quick / 2)
        error = APIResponseValidationError("unreadable", RawResponse(200))
        return Ending(quick, error=error)

    def _stale(self, post: Post, body: dict[str, Any], quick: float) -> Ending:
        """The response to an earlier request of the run comes once more, on the same connection."""
        mine = self.answered.get(post.job)
        if self.chance.random() < 0.5:
            self._accept(post, body, quick / 2)
        if not mine:
            return Ending(quick, error=status_error(502))
        return Ending(quick, SimpleNamespace(batch_id=self.chance.choice(mine), send_after=None))

    def _refused(self, _post: Post, _body: dict[str, Any], quick: float) -> Ending:
        return Ending(quick, error=status_error(400))

    def _busy(self, _post: Post, _body: dict[str, Any], quick: float) -> Ending:
        return Ending(quick, error=status_error(429))

    def _unreachable(self, _post: Post, _body: dict[str, Any], quick: float) -> Ending:
        return Ending(quick, error=APIConnectionError("no connection", outcome="not_sent"))

    def _doubtful(self, post: Post, body: dict[str, Any], end: float) -> None:
        late = self.model.late
        if late is not None and self.chance.random() < 0.2:
            # Counted from when it was last on its way.
            self._accept(post, body, end + late(self.chance))
        elif self.chance.random() < 0.5:
            self._accept(post, body, end * self.chance.random())

    def _timeout(self, post: Post, body: dict[str, Any], _quick: float) -> Ending:
        self._doubtful(post, body, TIMEOUT)
        return Ending(TIMEOUT, error=APIConnectionError("no response", outcome="unknown"))

    def _cut(self, post: Post, body: dict[str, Any], quick: float) -> Ending:
        self._doubtful(post, body, quick)
        return Ending(quick, error=APIConnectionError("cut off", outcome="unknown"))

    def _mute(self, _post: Post, _body: dict[str, Any], _quick: float) -> Ending:
        return Ending(TIMEOUT, error=APIConnectionError("no response", outcome="unknown"))

    def _odd(self, post: Post, body: dict[str, Any], quick: float) -> Ending:
        self._doubtful(post, body, quick)
        return Ending(quick, error=status_error(self.chance.choice(STATUSES_OF_DOUBT)))

    def look(self, mark: str, now: float) -> Ending:
        """Respond to a look-up by the mark of a job."""
        wait = self.chance.uniform(*self.model.look)
        listed = self.index.look(self.jobs.index(mark), now + wait / 2)
        if listed is None:
            return Ending(wait, error=status_error(self.chance.choice((404, 500, 503))))
        metadata = [
            {} if batch_id in self.odd else self.bodies[batch_id]["batch_metadata"]
            for batch_id in listed
        ]
        return Ending(
            wait,
            [
                SimpleNamespace(batch_id=batch_id, meta_data=each, send_after=None)
                for batch_id, each in zip(listed, metadata, strict=True)
            ],
        )

    def people_of(self, batch_id: str) -> set[str]:
        """Whom a batch was for."""
        return {identity_of(item) for item in self.bodies[batch_id]["recipient_and_params"]}

    def _call_back(self, post: Post, body: dict[str, Any], batch_id: str, at: float) -> None:
        """Receipts of a few recipients: early, late, twice, in any order, some never."""
        for event, identity in receipts(body, batch_id, self.chance):
            waits = [
                self.chance.choice((0.01, self.chance.uniform(0, 30), 400.0))
                for _ in range(self.chance.choice((0, 1, 1, 1, 2)))
            ]
            if self.pipeline is not None:
                waits = [self.pipeline.delay(post.job, at)]
            for wait in waits:
                self.schedule(wait, lambda _at, told=(event, identity): self._tell(post.job, *told))  # type: ignore[misc]  # bound here

    def _tell(self, job: int, event: Event, identity: str) -> None:
        assert self.receiver is not None
        if "reason" in event.payload:
            self.failed.add(identity)
        self.receiver(job, event)


def identity_of(item: dict[str, Any]) -> str:
    """The number of the recipient in an item of a request."""
    return str(item["recipient"]["identified_by"]["channel_identities"][0]["identity"])


def receipts(body: dict[str, Any], batch_id: str, chance: Random) -> Iterator[tuple[Event, str]]:
    """What callbacks say about the first two recipients of a batch, and who they are."""
    for item in body["recipient_and_params"][:2]:
        place = {CHUNK_MARK: body["batch_metadata"][CHUNK_MARK], "_batch_id": batch_id}
        place[INDEX_MARK] = item["message_metadata"][INDEX_MARK]
        report: dict[str, object] = {
            "message_id": "M1",
            "status": chance.choice(("QUEUED_ON_CHANNEL", "DELIVERED", "FAILED")),
            "metadata": json.dumps(place),
        }
        if report["status"] == "FAILED":
            report["reason"] = {"code": FAILURE, "description": "no"}
        raw = {"app_id": "A", "project_id": "P", "message_delivery_report": report}
        yield read_event(json.dumps(raw).encode()), identity_of(item)
