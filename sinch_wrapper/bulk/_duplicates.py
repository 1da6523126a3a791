"""Which recipients are repeated: in constant memory, at the cost of a hash each."""

import tempfile
from array import array
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from typing import IO, Final

from sinch_wrapper.bulk._calls import BatchOperation
from sinch_wrapper.bulk._journal import Journal
from sinch_wrapper.bulk._pieces import Entry, entries_of, request_of
from sinch_wrapper.bulk._rows import Item, ItemBuilder, Skip
from sinch_wrapper.bulk._rows_objects import identity_of
from sinch_wrapper.errors import BulkError

# Must be a power of two.
_PARTS: Final = 64
# Hashes in memory, 40 bytes each, before they go to temporary files, with 8 bytes each.
_IN_MEMORY: Final = 250_000
# Repeated hashes that are handed out together.
_GROUP: Final = 100_000
# Requests that are read together.
_PAGE: Final = 20


class SeenIdentities:
    """The 64-bit hashes of all identities so far, in parts by their last bits.

    At the end each part is searched for hashes that it holds twice. Two different identities
    share a hash with a probability of n^2 / 2^65, that is 1 in 370,000 for a job of ten million
    recipients; the second would be reported as a duplicate.
    """

    def __init__(self, in_memory: int = _IN_MEMORY) -> None:
        self._most = in_memory
        self._count = 0
        # Lists, because appending to an array takes twice as long.
        self._parts: list[list[int]] = [[] for _ in range(_PARTS)]
        self._files: list[IO[bytes]] = []
        self._stack = ExitStack()

    def add(self, identities: Sequence[str]) -> None:
        """Add *identities*; an empty one is never a duplicate.

        Raises: BulkError when temporary files cannot be written.
        """
        parts, last_bits = self._parts, _PARTS - 1
        # hash() is seeded per process, so nobody can choose identities that collide.
        for mark in map(hash, filter(None, identities)):
            parts[mark & last_bits].append(mark)
        self._count += len(identities)
        if self._count >= self._most:
            self._spill()

    def _spill(self) -> None:
        with _temporary_files():
            if not self._files:
                files = (tempfile.TemporaryFile() for _ in self._parts)  # noqa: SIM115 (the stack closes them)
                self._files = [self._stack.enter_context(file) for file in files]
            for part, file in zip(self._parts, self._files, strict=True):
                array("q", part).tofile(file)
                file.flush()
                part.clear()
        self._count = 0

    def repeated(self) -> Iterator[set[int]]:
        """The hashes that came more than once, in groups of bounded size."""
        group: set[int] = set()
        for number, part in enumerate(self._parts):
            if self._files:
                with _temporary_files():
                    file = self._files[number]
                    file.seek(0)
                    part.extend(array("q", file.read()))
            group |= _twice(part)
            part.clear()
            if len(group) >= _GROUP:
                yield group
                group = set()
        if group:
            yield group

    def close(self) -> None:
        """Remove the temporary files."""
        self._stack.close()


@contextmanager
def _temporary_files() -> Iterator[None]:
    try:
        yield
    except OSError as error:
        words = error.strerror or type(error).__name__
        raise BulkError(
            f"temporary files cannot be written, nothing was sent: {words}: free some space, or "
            "set TMPDIR to another folder"
        ) from error


def _twice(part: Sequence[int]) -> set[int]:
    known = set(part)
    if len(known) == len(part):
        return set()
    twice: set[int] = set()
    for mark in part:
        if mark in known:
            known.discard(mark)
        else:
            twice.add(mark)
    return twice


@dataclass(slots=True)
class _Part:
    """What stays of one request, and what is left out."""

    entries: list[Entry] = field(default_factory=list)
    gone: list[tuple[Skip, Item]] = field(default_factory=list)


def drop_repeated(
    journal: Journal, kind: BatchOperation, repeated: Iterator[set[int]]
) -> Iterator[tuple[Skip, Item]]:
    """Keep the first of each recipient whose hash is in *repeated*, and take out the others."""
    identity = _identity(kind)
    for marks in repeated:
        first: dict[int, int] = {}
        for chunk in journal.each(_PAGE):
            part = _sifted(journal, chunk.id, identity, marks, first)
            if part.gone:
                _replace(journal, chunk.id, kind, part)
                yield from part.gone


def _identity(kind: BatchOperation) -> Callable[[object], str]:
    if not kind.is_messages:
        builder = ItemBuilder(kind.name)
        return lambda item: builder(0, item).identity
    return lambda item: identity_of(item["recipient"])  # type: ignore[index]  # as it was built


def _sifted(
    journal: Journal,
    chunk: int,
    identity: Callable[[object], str],
    marks: set[int],
    first: dict[int, int],
) -> _Part:
    with journal.storage.read() as connection:
        content, places = journal.body(connection, chunk)
    part = _Part()
    for item, line, key in entries_of(content, places):
        mark = hash(identity(item))
        before = first.setdefault(mark, line) if mark in marks else line
        if before == line:
            part.entries.append((item, line, key))
        else:
            reason = f"the same recipient as on line {before}"
            part.gone.append((Skip(line, key, reason, duplicate=True), item))
    return part


def _replace(journal: Journal, chunk: int, kind: BatchOperation, part: _Part) -> None:
    with journal.write() as connection:
        left = request_of(chunk, part.entries, is_messages=kind.is_messages)
        journal.replace(connection, left)
        journal.skip(connection, [skip for skip, _ in part.gone])
