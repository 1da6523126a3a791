"""Which recipients come twice: in constant memory, and at the cost of a hash each."""

import tempfile
from array import array
from collections.abc import Iterable, Iterator
from contextlib import ExitStack, contextmanager
from typing import IO, Final

from sinch_wrapper.errors import BulkError

__all__ = ["SeenIdentities"]

_PARTS: Final = 64
# Hashes in memory, 8 bytes each, before they go to temporary files.
_IN_MEMORY: Final = 1_000_000
# Repeated hashes that are handed out together.
_GROUP: Final = 100_000


class SeenIdentities:
    """The 64-bit hashes of all identities so far, in parts by their last bits.

    Only at the end each part is looked through for hashes that are there twice. Two different
    identities share a hash with a probability of n^2 / 2^65, that is 1 in 370,000 for a job of ten
    million recipients; the second would be reported as a duplicate.
    """

    def __init__(self, in_memory: int = _IN_MEMORY) -> None:
        self._most = in_memory
        self._count = 0
        self._parts = [array("q") for _ in range(_PARTS)]
        self._files: list[IO[bytes]] = []
        self._stack = ExitStack()

    def add(self, identities: Iterable[str]) -> None:
        """Count *identities* in; an empty one is never a duplicate.

        Raises: BulkError when temporary files cannot be written.
        """
        adders = [part.append for part in self._parts]
        # hash() is seeded for each process, so nobody can choose identities that collide.
        marks = list(map(hash, filter(None, identities)))
        for mark in marks:
            adders[mark & 63](mark)
        self._count += len(marks)
        if self._count >= self._most:
            self._spill()

    def _spill(self) -> None:
        with _temporary_files():
            if not self._files:
                files = (tempfile.TemporaryFile() for _ in self._parts)  # noqa: SIM115 (the stack closes them)
                self._files = [self._stack.enter_context(file) for file in files]
            for part, file in zip(self._parts, self._files, strict=True):
                part.tofile(file)
                file.flush()
                del part[:]
        self._count = 0

    def repeated(self) -> Iterator[set[int]]:
        """The hashes that came more than once, in groups of bounded size."""
        group: set[int] = set()
        for number, part in enumerate(self._parts):
            if self._files:
                with _temporary_files():
                    file = self._files[number]
                    file.seek(0)
                    part.frombytes(file.read())
            group |= _twice(part)
            del part[:]
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
            f"temporary files cannot be written, nothing was sent: {words}: make room, or let "
            "TMPDIR name another folder"
        ) from error


def _twice(part: "array[int]") -> set[int]:
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
