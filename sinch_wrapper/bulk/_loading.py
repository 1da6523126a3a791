"""From a source into requests: every row checked, duplicates found, cut and packed."""

import hashlib
from collections.abc import Callable, Sequence
from typing import Final, Protocol, TypeAlias, cast

from sinch_wrapper._json import encode
from sinch_wrapper.bulk._blobs import pack, pack_places
from sinch_wrapper.bulk._builders import opened_rows
from sinch_wrapper.bulk._chunks import by_bytes
from sinch_wrapper.bulk._dedupe import drop_repeated
from sinch_wrapper.bulk._entries import Entry, InvalidError, Skip
from sinch_wrapper.bulk._journal import Journal
from sinch_wrapper.bulk._metadata import INDEX_MARK
from sinch_wrapper.bulk._plan import Plan
from sinch_wrapper.bulk._seen import Seen
from sinch_wrapper.bulk._sources import Source
from sinch_wrapper.errors import BulkError

__all__ = ["Loader", "Sink"]

_MARKS: Final = [{INDEX_MARK: str(index)} for index in range(1000)]
_SHOWN: Final = 5
_Json: TypeAlias = dict[str, object]
_CONTACT: Final = b'"contact_id":'


class Sink(Protocol):
    """Where requests go."""

    def add(self, count: int, items: bytes, places: bytes) -> None:
        """Take a request, packed."""

    def skip(self, skips: list[Skip]) -> None:
        """Take rows that are not sent."""


class Loader:
    """Reads a source once, as a plan says; afterwards it knows the counts and a digest."""

    def __init__(self, plan: Plan, source: Source, sink: Sink, stopped: Callable[[], bool]) -> None:
        self._plan = plan
        self._source = source
        self._sink = sink
        self._stopped = stopped
        self._hash = hashlib.sha256()
        self._skips: list[Skip] = []
        self._seen = Seen() if plan.rules.on_duplicate != "send" else None
        self.total = 0
        self.invalid = 0
        self.duplicates = 0
        self.first: list[Skip] = []
        self.by_contact = False
        self.unused: frozenset[str] = frozenset()

    def run(self) -> None:
        """Read it all.

        Raises: BulkError for what cannot be read, or when it is stopped.
        """
        build, rows = opened_rows(self._plan, self._source)
        size = self._plan.rules.chunk_size
        chunk: list[Entry] = []
        for line, value in rows:
            try:
                chunk.append(build(line, value))
            except InvalidError as error:
                self._refuse(Skip(line, error.key, error.reason, error.column))
                continue
            if len(chunk) == size:
                self._flush(chunk)
                chunk = []
        self._flush(chunk)
        self.unused = frozenset(build.unused)

    def take_out(self, journal: Journal) -> None:
        """Take repeated recipients out of *journal*, into which all was read."""
        if self._seen is not None:
            for skip in drop_repeated(journal, self._plan.kind, self._seen.repeated()):
                self.duplicates += 1
                if len(self.first) < _SHOWN:
                    self.first.append(skip)

    def close(self) -> None:
        """Remove temporary files."""
        if self._seen is not None:
            self._seen.close()

    def digest(self) -> str:
        """SHA-256 of all requests, for sources that have no digest of their own."""
        return self._hash.hexdigest()

    def refuse_if_needed(self) -> None:
        """Raise BulkError when the rules stop the job for what was found."""
        rules, found = self._plan.rules, []
        if rules.on_invalid == "stop" and self.invalid:
            found.append(f"{self.invalid} rows cannot be sent")
        if rules.on_duplicate == "stop" and self.duplicates:
            found.append(f"{self.duplicates} rows repeat a recipient")
        if found:
            places = "; ".join(_place(skip) for skip in self.first)
            raise BulkError(
                f"{self._source.name}: {' and '.join(found)}, nothing was sent ({places}): "
                "correct them, or choose skip"
            )

    def _refuse(self, skip: Skip) -> None:
        self._skips.append(skip)
        self.invalid += 1
        if len(self.first) < _SHOWN:
            self.first.append(skip)
        if len(self._skips) >= self._plan.rules.chunk_size:
            self._pass_skips()

    def _pass_skips(self) -> None:
        self._sink.skip(self._skips)
        self._skips = []

    def _flush(self, chunk: list[Entry]) -> None:
        if self._stopped():
            raise BulkError(f"{self._source.name}: stopped while reading, nothing was sent")
        if self._seen is not None:
            self._seen.add([entry.identity for entry in chunk])
        if chunk:
            self._pack(chunk)
        self._pass_skips()

    def _pack(self, chunk: list[Entry]) -> None:
        limit = self._plan.rules.chunk_bytes
        try:
            parts = list(by_bytes(chunk, self._encode, limit))
        except (TypeError, ValueError):
            sound = [entry for entry in chunk if self._is_json(entry)]
            parts = list(by_bytes(sound, self._encode, limit)) if sound else []
        for entries, content in parts:
            if len(content) > limit:
                self._refuse(Skip(entries[0].line, entries[0].key, "is too large for a request"))
                continue
            if self._source.path is None:
                self._hash.update(content)
            self.by_contact = self.by_contact or _CONTACT in content
            lines = [entry.line for entry in entries]
            keys = [entry.key for entry in entries]
            self.total += len(entries)
            self._sink.add(len(entries), pack(content), pack_places(lines, keys))

    def _encode(self, entries: Sequence[Entry]) -> bytes:
        items = [entry.item for entry in entries]
        if self._plan.kind.is_messages:
            for mark, item in zip(_MARKS, cast("list[_Json]", items), strict=False):
                own = item.get("message_metadata")
                item["message_metadata"] = mark if own is None else {**cast("_Json", own), **mark}
        return encode(items)

    def _is_json(self, entry: Entry) -> bool:
        try:
            encode(entry.item)
        except (TypeError, ValueError):
            self._refuse(Skip(entry.line, entry.key, "holds what JSON cannot express"))
            return False
        return True


def _place(skip: Skip) -> str:
    column = f", {skip.column}" if skip.column else ""
    return f"line {skip.line}{column}: {skip.reason}"
