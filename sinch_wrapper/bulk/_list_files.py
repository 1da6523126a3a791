"""A list as bytes: a file, or what comes through a pipe; its format, its encoding, its lines."""

import codecs
import gzip
import hashlib
import io
import itertools
import os
import re
import shutil
import stat
import tempfile
import weakref
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, AnyStr, Final, cast

from sinch_wrapper.errors import BulkError

FORMATS: Final = {
    **dict.fromkeys((".csv", ".tsv", ".txt"), "csv"),
    **dict.fromkeys((".jsonl", ".ndjson"), "lines"),
    ".parquet": "parquet",
    ".xlsx": "xlsx",
}
"""The format of a list by its suffix; text may be compressed, with .gz after it."""

_TEXT: Final = frozenset({"csv", "lines"})
_GZIP_FAULTS: Final = (gzip.BadGzipFile, EOFError, zlib.error)
_GZIP: Final = b"\x1f\x8b"
_BEGINNINGS: Final = {b"PAR1": "parquet", b"PK\x03\x04": "xlsx"}
_MARKS: Final = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
# Bytes that are read together.
_BLOCK: Final = 1 << 20
_SAMPLE: Final = 4096
# Bytes of a line, which is read as a whole: thousands of times what a recipient takes. Small files
# may hold huge lines when they are compressed.
_LONGEST_LINE: Final = 16 << 20
# How many characters are read together; and what ends a line for `splitlines()` and not in a file.
_CHARACTERS: Final = 1 << 16
_NO_ENDS: Final = "\v\f\x1c\x1d\x1e"
_LINE: Final = re.compile(r"[^\r\n]*(?:\r\n|\r|\n)|[^\r\n]+")
# Lists of people are five to fifty times as large as their compressed form; what was made to fill
# memory or disk, a thousand times.
_HIGHEST_RATIO: Final = 200
_SURELY_FINE: Final = 64 << 20


class opened:  # noqa: N801 (reads like the function it stands for)
    """Translates the failures of opening and reading *path*."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def __enter__(self) -> None:
        pass

    def __exit__(self, kind: object, error: BaseException | None, _traceback: object) -> None:
        if isinstance(error, _GZIP_FAULTS):
            raise BulkError(f"{self._path.name}: not a gzip file, or truncated") from error
        if isinstance(error, OSError):
            words = error.strerror or type(error).__name__
            raise BulkError(f"{self._path.name}: cannot be read: {words}") from error


class ListFile:
    """A list on disk at *path*; or in *stream*, whose content is kept in a temporary file.

    A named pipe, or a file such as `/dev/fd/63`, is a stream too. The content of a stream says
    what it is, that of a file its suffix. Both can be read several times.
    """

    def __init__(self, path: Path, stream: IO[bytes] | None = None) -> None:
        self.path = path
        self._stream = stream
        self._kept: IO[bytes] | None = None

    @property
    def name(self) -> str:
        """The name for messages."""
        return self.path.name

    @property
    def format(self) -> str:
        """One of the values of FORMATS. Raises: BulkError when a stream cannot be read."""
        known = format_of(self.path)
        if known or not self._is_stream():
            return known
        with self.open() as file:
            start = file.read(_SAMPLE)
        for beginning, name in _BEGINNINGS.items():
            if start.startswith(beginning):
                return name
        with self.unpacked() as file:
            text = file.read(_SAMPLE).decode(encoding_of(self), "replace")
        return "lines" if text.lstrip("\ufeff\r\n\t ").startswith("{") else "csv"

    def digest(self) -> str:
        """SHA-256 of the content; raises BulkError when it cannot be read."""
        found = hashlib.sha256()
        with opened(self.path), self.open() as file:
            while block := file.read(_BLOCK):
                found.update(block)
        return found.hexdigest()

    @contextmanager
    def open(self) -> Iterator[IO[bytes]]:
        """The content, from its beginning."""
        if not self._is_stream():
            with self.path.open("rb") as file:
                yield file
            return
        kept = self._keep()
        kept.seek(0)
        yield kept

    @contextmanager
    def unpacked(self) -> Iterator[IO[bytes]]:
        """The content, decompressed where it is compressed."""
        with self.open() as file:
            is_packed = self.path.suffix.lower() == ".gz"
            if not is_packed and self._is_stream():
                is_packed = file.read(2) == _GZIP
                file.seek(0)
            if is_packed:
                with gzip.open(file, "rb") as inner:
                    yield cast("IO[bytes]", inner)
            else:
                yield file

    def budget(self) -> int:
        """How many bytes the list in a compressed file may have."""
        # Without a seek: somebody may be reading.
        known = os.fstat(self._keep().fileno()) if self._is_stream() else self.path.stat()
        size = known.st_size
        return max(_SURELY_FINE, _HIGHEST_RATIO * size)

    def bomb(self) -> BulkError:
        """The error for a compressed file that is far larger than it seems."""
        return BulkError(
            f"{self.name}: unpacks to more than {_HIGHEST_RATIO} times its size, so it is not a "
            "list"
        )

    def _is_stream(self) -> bool:
        return self._stream is not None or is_stream(self.path)

    def _keep(self) -> IO[bytes]:
        """The file into which a stream is copied, once."""
        if self._kept is None:
            self._kept = cast("IO[bytes]", tempfile.TemporaryFile())  # noqa: SIM115 (it lives as long as the list)
            weakref.finalize(self, self._kept.close)
            if self._stream is not None:
                shutil.copyfileobj(self._stream, self._kept, _BLOCK)
            else:
                with self.path.open("rb") as pipe:
                    shutil.copyfileobj(pipe, self._kept, _BLOCK)
            self._kept.flush()
        return self._kept


def is_stream(path: Path) -> bool:
    """Whether *path* is a named pipe, a terminal or the like, which can be read once only."""
    try:
        mode = path.stat().st_mode
    except (OSError, ValueError):
        return False
    return stat.S_ISFIFO(mode) or stat.S_ISCHR(mode) or stat.S_ISSOCK(mode)


def format_of(path: Path) -> str:
    """The format that the name of *path* says; empty for none."""
    suffixes = [suffix.lower() for suffix in path.suffixes]
    if suffixes[-1:] == [".gz"]:
        found = FORMATS.get(suffixes[-2], "") if len(suffixes) > 1 else ""
        return found if found in _TEXT else ""
    return FORMATS.get(suffixes[-1], "") if suffixes else ""


def encoding_of(file: ListFile) -> str:
    """The encoding of a text file: by its mark, by the zeros of UTF-16, else UTF-8."""
    with file.unpacked() as content:
        start = content.read(_SAMPLE)
    for mark, name in _MARKS:
        if start.startswith(mark):
            return name
    zeros = start[0::2].count(0), start[1::2].count(0)
    if max(zeros) * 4 > len(start):
        return "utf-16-le" if zeros[1] > zeros[0] else "utf-16-be"
    return "utf-8"


@contextmanager
def decoded(file: ListFile, encoding: str | None) -> Iterator[io.TextIOWrapper]:
    """The content of a text file as text, with the ends of its lines."""
    found = encoding or encoding_of(file)
    found = "utf-8-sig" if codecs.lookup(found).name == "utf-8" else found
    with file.unpacked() as content:
        text = io.TextIOWrapper(content, found, newline="")
        try:
            yield text
        finally:
            # The file beneath is closed by who has opened it.
            text.detach()


def lines(file: ListFile, content: IO[AnyStr]) -> Iterator[AnyStr]:
    """The lines of *content*, that of *file*.

    Raises: BulkError for one that is too long to be a recipient, or for too many of them.
    """
    number, left = 0, file.budget()
    while line := content.readline(_LONGEST_LINE + 1):
        number += 1
        if len(line) > _LONGEST_LINE:
            raise _endless(file, number)
        left -= len(line)
        if left < 0:
            raise file.bomb()
        yield line


def text_lines(file: ListFile, text: IO[str], size: int = _CHARACTERS) -> Iterator[str]:
    """lines() of *text*, read in blocks of *size* characters, at a fifth of the cost."""
    return itertools.chain.from_iterable(map(lines_of, text_blocks(file, text, size)))


def text_blocks(file: ListFile, text: IO[str], size: int = _CHARACTERS) -> Iterator[str]:
    """*text* in blocks of about *size* characters, each of which ends where a line does.

    Raises: as lines().
    """
    left, rest = file.budget(), [""]
    while block := text.read(size):
        left -= len(block)
        if left < 0:
            raise file.bomb()
        has_end = "\n" in block or "\r" in block or rest[-1].endswith("\r")
        rest.append(block)
        if has_end:
            whole = "".join(rest)
            # A "\r" at its end may be half of one.
            end = max(whole.rfind("\n"), whole.rfind("\r", 0, -1)) + 1
            rest = [whole[end:]]
            if end:
                yield whole[:end]
        if (begun := sum(map(len, rest))) > _LONGEST_LINE:
            raise _endless(file, _line_at(text, file.budget() - left - begun))
    if any(rest):
        yield "".join(rest)


def _line_at(text: IO[str], place: int) -> int:
    """The line of *text* that begins with the character at *place*; it is read once more."""
    text.seek(0)
    number = 1
    while place > 0:
        place -= len(text.readline())
        number += 1
    return number


def count_lines(block: str) -> int:
    """How many lines end in *block*."""
    found = block.count("\n")
    return found + block.count("\r") - block.count("\r\n") if "\r" in block else found


def lines_of(block: str) -> list[str]:
    """The lines of *block* with their ends, which are those of RFC 4180 and of old machines."""
    if block.isascii() and not any(map(block.__contains__, _NO_ENDS)):
        return block.splitlines(keepends=True)
    return _LINE.findall(block)


def _endless(file: ListFile, number: int) -> BulkError:
    return BulkError(
        f"{file.name}, line {number}: longer than {_LONGEST_LINE >> 20} MiB, so it is not a "
        "recipient"
    )


def undecodable(file: ListFile, encoding: str) -> BulkError:
    """The error for a file that is not in *encoding*, with the first line that is not."""
    with file.unpacked() as content:
        line = _first_wrong(content, encoding)
    names = {"utf-8": "UTF-8", "utf-8-sig": "UTF-8"}
    if encoding not in names:
        return BulkError(f"{file.name}, line {line}: not {encoding}: give another encoding=")
    return BulkError(
        f'{file.name}, line {line}: not UTF-8: save it as "CSV UTF-8", or say what it is, such as '
        'encoding="cp1252"'
    )


def _first_wrong(content: IO[bytes], encoding: str) -> int:
    number = 0
    decoder = codecs.getincrementaldecoder(encoding)()
    for number, line in enumerate(content, 1):
        try:
            decoder.decode(line)
        except UnicodeDecodeError:
            return number
    return number


def check_ratio(file: ListFile, size: int) -> None:
    """Raise BulkError when *file* says that it unpacks to a *size* that no list has."""
    if size > file.budget():
        raise file.bomb()
