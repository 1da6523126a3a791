"""The bytes of a document from an address or a file, or the reason why there are none."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import httpx

from codegen.document import Refused

_NOT_FOUND = frozenset({404, 410})


@dataclass(frozen=True, slots=True)
class Limits:
    """How large a document may be, in bytes, and how long fetching it may take, in seconds."""

    size: int = 20_000_000
    seconds: float = 120.0
    idle: float = 30.0


@dataclass(frozen=True, slots=True)
class Fetched:
    """A document as it came; without content where the server says that it is the known one."""

    place: str
    content: bytes | None
    etag: str = ""


class Downloader:
    """Fetches documents; *clock* and *transport* are those of a test."""

    def __init__(
        self,
        limits: Limits | None = None,
        *,
        clock: Callable[[], float] = time.monotonic,
        transport: httpx.BaseTransport | None = None,
    ) -> None:
        self._limits = limits or Limits()
        self._clock = clock
        self._transport = transport

    def get(self, place: str, *, etag: str = "", page: str = "") -> Fetched:
        """
        Fetch a document from an address, or read it from a file.

        Args:
            place: http or https address, or a path.
            etag: of the document at hand; the server then sends a newer one only.
            page: documentation page on which the link to the document stands, for the message.

        Raises: Refused for whatever is not a whole document of a size that can be.
        """
        if not place.startswith(("http://", "https://")):
            return Fetched(place, _file(place, self._limits.size))
        try:
            return self._fetch(place, etag, page)
        except (httpx.HTTPError, httpx.InvalidURL) as error:
            reason = str(error).splitlines()[0] if str(error) else type(error).__name__
            raise Refused(place, f"cannot be fetched ({reason})", "check the address") from error

    def _fetch(self, place: str, etag: str, page: str) -> Fetched:
        headers = {"If-None-Match": etag} if etag else {}
        client = httpx.Client(
            transport=self._transport, follow_redirects=True, timeout=self._limits.idle
        )
        with client, client.stream("GET", place, headers=headers) as response:
            _check_way(place, response)
            if response.status_code == httpx.codes.NOT_MODIFIED and etag:
                return Fetched(place, None, etag)
            if response.status_code in _NOT_FOUND:
                raise Refused(place, f"is not there ({response.status_code})", _remedy(page))
            if response.status_code != httpx.codes.OK:
                status = f"{response.status_code} {response.reason_phrase}".strip()
                raise Refused(place, f"cannot be fetched ({status})", "try again later")
            content = self._body(place, response)
            _check_kind(place, content, page)
            return Fetched(place, content, response.headers.get("ETag", ""))

    def _body(self, place: str, response: httpx.Response) -> bytes:
        content, end = bytearray(), self._clock() + self._limits.seconds
        for part in response.iter_bytes():
            content += part
            if len(content) > self._limits.size:
                raise Refused(place, _too_large(self._limits.size), "check the address")
            if self._clock() > end:
                problem = f"took longer than {self._limits.seconds:g} seconds"
                raise Refused(place, problem, "try again later")
        return bytes(content)


def _file(place: str, size: int) -> bytes:
    try:
        if Path(place).stat().st_size > size:
            raise Refused(place, _too_large(size), "check the path")
        return Path(place).read_bytes()
    except OSError as error:
        raise Refused(place, f"cannot be read ({error.strerror})", "check the path") from error


def _too_large(size: int) -> str:
    return f"is larger than {size} bytes"


def _check_way(place: str, response: httpx.Response) -> None:
    schemes = [one.url.scheme for one in [*response.history, response]]
    if schemes[0] == "https" and {*schemes} != {"https"}:
        raise Refused(place, "redirects to an address without TLS", "check the address")


def _check_kind(place: str, content: bytes, page: str) -> None:
    # Neither YAML nor JSON documents begin with it.
    if content.lstrip(b"\xef\xbb\xbf \t\r\n").startswith(b"<"):
        raise Refused(place, "is a web page, not a document", _remedy(page))


def _remedy(page: str) -> str:
    if not page:
        return "check the address"
    return f"take the address from the download link on {page} and write it into sources.toml"
