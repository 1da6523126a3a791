"""The calls of the Batch API that planners ask for, and how they end; pure."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final, Literal, Protocol, TypeAlias, cast

from sinch_wrapper._json import Encoded, encode
from sinch_wrapper.bulk._metadata import CHUNK_MARK, JOB_MARK
from sinch_wrapper.bulk._schema import unpack
from sinch_wrapper.errors import SinchError

if TYPE_CHECKING:
    from sqlalchemy import Connection

    from sinch_wrapper.bulk._queue import SendQueue

Purpose: TypeAlias = Literal["send", "look", "status", "cancel", "mode", "consents"]


@dataclass(frozen=True, slots=True)
class BatchCall:
    """One operation of an API: a method of a resource, and its arguments.

    *chunk* is the number of the request it is about, -1 for none; *begun* is when it was asked
    for, in monotonic seconds.
    """

    purpose: Purpose
    resource: str
    method: str
    arguments: Mapping[str, object] = field(repr=False)
    chunk: int
    begun: float


@dataclass(frozen=True, slots=True)
class Done:
    """How a call ended: with the value of the response, or with an error."""

    call: BatchCall
    value: object = field(default=None, repr=False)
    error: SinchError | None = None

    def result(self) -> object:
        """The value; raises the error."""
        if self.error is not None:
            raise self.error
        return self.value


@dataclass(frozen=True, slots=True)
class Step:
    """What to do next.

    Make *calls* at once. Then come back when a running call has ended, or after *wait* seconds
    when it is given. *finished* means that nothing is left to do or to wait for.
    """

    calls: tuple[BatchCall, ...] = ()
    wait: float | None = None
    finished: bool = False


class Planner(Protocol):
    """Hands out calls and takes how they ended; it never waits and never sends."""

    def step(self, now: float, done: list[Done], *, stopping: bool) -> Step:
        """Take what is *done* and say what comes next at *now*, in monotonic seconds."""
        ...


class OneCall:
    """The planner that makes one call; *done* is how it ended."""

    def __init__(self, call: BatchCall) -> None:
        self._calls: tuple[BatchCall, ...] = (call,)
        self.done: Done | None = None

    def step(
        self,
        now: float,  # noqa: ARG002 (it has no second call to make later)
        done: list[Done],
        *,
        stopping: bool,  # noqa: ARG002 (one call ends soon)
    ) -> Step:
        """Hand out the call, then take its end."""
        self.done = done[0] if done else None
        calls, self._calls = self._calls, ()
        return Step(calls, None, self.done is not None)


DoubtRule: TypeAlias = Literal["look_up", "repeat", "keep"]
"""How the doubt about a request is settled: look it up, repeat it (harmless), or keep it."""


@dataclass(frozen=True, slots=True)
class BatchOperation:
    """One batch operation.

    *items* is the field of the request that holds its items; *doubt* says what happens to a
    request whose outcome is unknown; *noun* is what people call the items.
    """

    name: str
    resource: str
    method: str
    items: str
    doubt: DoubtRule
    noun: str = "recipients"

    @property
    def is_messages(self) -> bool:
        """Whether its items are recipients of a message."""
        return self.resource == "messages"


_ALL: Final = (
    BatchOperation("messages", "messages", "send_batch", "recipient_and_params", "look_up"),
    # The older path has no look-up, so a doubt stays one.
    BatchOperation(
        "messages-v1beta", "messages", "send_batch_v1_beta", "recipient_and_params", "keep"
    ),
    # A contact that was perhaps created would exist twice.
    BatchOperation(
        "create-contacts", "contacts", "create_contacts", "contacts", "keep", "contacts"
    ),
    # Deleting again deletes nothing else.
    BatchOperation(
        "delete-contacts", "contacts", "delete_contacts", "contact_ids", "repeat", "contacts"
    ),
    # Documented: none or a part may be stored after a failure, repeat the request later.
    BatchOperation(
        "insert-consents", "consents", "insert_consents", "consent_records", "repeat", "records"
    ),
)

BATCH_OPERATIONS: Final[Mapping[str, BatchOperation]] = {kind.name: kind for kind in _ALL}


_SEPARATOR: Final = "-"
_MOST_DIGITS: Final = 16


def mark_of(job: str, chunk: int) -> str:
    """The value in metadata that names *chunk* of *job*; no other chunk ever has it."""
    return f"{job}{_SEPARATOR}{chunk}"


def read_mark(mark: object, job: str) -> int | None:
    """The chunk of *job* that *mark* names; None when it names another job, or nothing."""
    head, _, number = mark.rpartition(_SEPARATOR) if isinstance(mark, str) else ("", "", "")
    # A longer number would not fit into a column.
    is_number = len(number) <= _MOST_DIGITS and number.isascii() and number.isdigit()
    return int(number) if head == job and is_number else None


def send_call(  # noqa: PLR0913, PLR0917 (all that a request is made of)
    kind: BatchOperation,
    request: Mapping[str, object],
    job: str,
    chunk: int,
    items: bytes,
    now: float,
) -> BatchCall:
    """The request that sends the packed *items*."""
    body = dict(request)
    if kind.is_messages:
        mark = {CHUNK_MARK: mark_of(job, chunk)}
        for name, marks in (
            ("batch_metadata", {JOB_MARK: job, **mark}),
            ("message_metadata", mark),
        ):
            body[name] = {**cast("Mapping[str, object]", body.get(name, {})), **marks}
    shared = encode(body)
    tail = b"," + shared[1:] if body else b"}"
    content = b"".join((b"{", encode(kind.items), b":", unpack(items), tail))
    return BatchCall("send", kind.resource, kind.method, {"body": Encoded(content)}, chunk, now)


class Dispatch(Protocol):
    """How the requests of a sender are made, and what is written down with them.

    *running* has those that an earlier run has handed out, and whose end is still to come. *held*
    has those that may still leave although nobody waits for them: they do not leave again now.
    *concurrency* is how many may be on their way, None for what the settings say.
    """

    @property
    def running(self) -> Collection[int]:
        """The numbers of requests that are on their way when a run begins."""

    @property
    def held(self) -> Collection[int]:
        """The numbers of requests that must not leave again now."""

    @property
    def concurrency(self) -> int | None:
        """How many requests may be on their way."""

    def call(  # noqa: PLR0913, PLR0917 (those of send_call)
        self,
        kind: BatchOperation,
        request: Mapping[str, object],
        job: str,
        chunk: int,
        items: bytes,
        now: float,
    ) -> BatchCall:
        """The request that sends the packed *items*."""
        ...

    def enter(self, connection: "Connection", queue: "SendQueue", now: float) -> None:
        """Let *queue* know what other jobs have sent; the transaction has begun."""

    def leave(self, connection: "Connection", queue: "SendQueue", now: float) -> None:
        """Let other jobs know what *queue* knows; the transaction is about to end."""

    def note(
        self, connection: "Connection", done: Sequence[Done], calls: Sequence[BatchCall]
    ) -> None:
        """Write down what is *done* and which *calls* leave, in the transaction that moves them."""


class LocalDispatch:
    """Requests leave from this process: there is nothing to write down beside the journal."""

    running: Collection[int] = ()
    held: Collection[int] = ()
    concurrency: int | None = None
    call = staticmethod(send_call)

    def enter(self, connection: "Connection", queue: "SendQueue", now: float) -> None:
        """Do nothing: other jobs of the app are not known."""

    def leave(self, connection: "Connection", queue: "SendQueue", now: float) -> None:
        """Do nothing."""

    def note(
        self, connection: "Connection", done: Sequence[Done], calls: Sequence[BatchCall]
    ) -> None:
        """Write nothing."""


def look_call(job: str, now: float) -> BatchCall:
    """The look-up of all batches of a job by its mark."""
    arguments = {"metadata_key": JOB_MARK, "metadata_value": job}
    method = "get_batch_statuses_by_metadata"
    return BatchCall("look", "messages", method, arguments, -1, now)
