"""The calls of a job: requests that send, and look-ups that find them again; pure."""

from collections.abc import Mapping
from typing import Final, cast

from sinch_wrapper._json import Encoded, encode
from sinch_wrapper.bulk._journal.blobs import unpack
from sinch_wrapper.bulk._metadata import CHUNK_MARK
from sinch_wrapper.bulk._operations import BatchOperation
from sinch_wrapper.bulk._sending.calls import Call

__all__ = ["look_call", "mark_of", "read_mark", "send_call"]

_SEPARATOR: Final = "-"


def mark_of(job: str, chunk: int) -> str:
    """The value that names a chunk in metadata, unique for ever."""
    return f"{job}{_SEPARATOR}{chunk}"


def read_mark(mark: object, job: str) -> int | None:
    """The chunk that *mark* names; None when it is of another job."""
    head, _, number = mark.rpartition(_SEPARATOR) if isinstance(mark, str) else ("", "", "")
    return int(number) if head == job and number.isascii() and number.isdigit() else None


def send_call(  # noqa: PLR0913, PLR0917 (all that a request is made of)
    kind: BatchOperation,
    request: Mapping[str, object],
    job: str,
    chunk: int,
    items: bytes,
    now: float,
) -> Call:
    """The request that sends the packed *items*."""
    body = dict(request)
    if kind.is_messages:
        mark = {CHUNK_MARK: mark_of(job, chunk)}
        for name in ("batch_metadata", "message_metadata"):
            body[name] = {**cast("Mapping[str, object]", body.get(name, {})), **mark}
    shared = encode(body)
    tail = b"," + shared[1:] if body else b"}"
    content = b"".join((b"{", encode(kind.items), b":", unpack(items), tail))
    return Call("send", kind.resource, kind.method, {"body": Encoded(content)}, chunk, now)


def look_call(job: str, chunk: int, now: float) -> Call:
    """The look-up of a chunk by its mark."""
    arguments = {"metadata_key": CHUNK_MARK, "metadata_value": mark_of(job, chunk)}
    method = "get_batch_statuses_by_metadata"
    return Call("look", "messages", method, arguments, chunk, now)
