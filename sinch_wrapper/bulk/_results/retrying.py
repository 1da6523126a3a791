"""A new job for those recipients of an old one that failed for chosen reasons."""

from collections.abc import Collection, Iterator, Mapping
from pathlib import Path

from sinch_wrapper.bulk._journal.blobs import unpack_items
from sinch_wrapper.bulk._journal.job import Job, open_job
from sinch_wrapper.bulk._journal.journal import Journal
from sinch_wrapper.bulk._metadata import INDEX_MARK
from sinch_wrapper.bulk._results.stream import stream
from sinch_wrapper.bulk._states import RecipientState
from sinch_wrapper.errors import BulkError

__all__ = ["failed_recipients", "old_request", "pointer"]

_AGAIN = frozenset({RecipientState.FAILED, RecipientState.REJECTED})


def old_request(path: Path) -> tuple[Mapping[str, object], str, str]:
    """The request fields, the kind and the pointer of the job at *path*.

    Raises: BulkError when it is no job of messages.
    """
    journal = Journal(path, must_exist=True)
    try:
        job = open_job(journal)
        if not job.kind.is_messages:
            raise BulkError(f"journal {journal.name}: only messages can be retried")
        return job.request, job.kind.name, pointer(job, path)
    finally:
        journal.close()


def pointer(job: Job, path: Path) -> str:
    """What a new job remembers of *job*."""
    return f"{job.id} {path.name}"


def failed_recipients(path: Path, reasons: Collection[str]) -> Iterator[Mapping[str, object]]:
    """The recipients of the job at *path* that failed or were rejected for one of *reasons*.

    They keep their keys; those without one get their line in the old input as key.
    """
    # A text is a collection too: of each text that is a part of it.
    wanted = {reasons} if isinstance(reasons, str) else set(reasons)
    journal = Journal(path, must_exist=True)
    try:
        job = open_job(journal)
        items: list[dict[str, object]] = []
        number: int | None = None
        for result in stream(job, _AGAIN):
            if result.reason not in wanted or result.chunk is None or result.position is None:
                continue
            if result.chunk != number:
                number = result.chunk
                items = _items(job, number)
            yield _shaped(items[result.position], result.key)
    finally:
        journal.close()


def _items(job: Job, chunk: int) -> list[dict[str, object]]:
    with job.journal.storage.read() as connection:
        content, _ = job.journal.body(connection, chunk)
    return unpack_items(content)


def _shaped(item: Mapping[str, object], key: str) -> Mapping[str, object]:
    metadata = item.get("message_metadata")
    pairs = metadata.items() if isinstance(metadata, Mapping) else ()
    own = {name: value for name, value in pairs if name != INDEX_MARK}
    fields = {name: value for name, value in item.items() if name != "message_metadata"}
    return {**fields, "key": key} | ({"message_metadata": own} if own else {})
