"""Download a document, or read it from a file, within limits of size and time."""

from __future__ import annotations

import re
import threading
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import httpx

from codegen.document import Refused
from codegen.reading import SIZE

_LATER = "try again later"
_TOO_LARGE = "is larger than {} bytes"
_NO_TIME = "took longer than {:g} seconds"
_MORE_TIME = "try again, or allow more time with --timeout"
_USER = re.compile(r"//[^/\s]*@")
# Statuses that may pass with time; every other 4xx is about the address.
_PASSING = frozenset({408, 425, 429})


@dataclass(frozen=True, slots=True)
class Limits:
    """The largest size of a document, in bytes, and the longest times of a fetch, in seconds."""

    size: int = SIZE
    seconds: float = 120.0
    idle: float = 30.0


@dataclass(frozen=True, slots=True)
class Fetched:
    """A document as received; without content when the server says that it has not changed.

    ``place`` is the file or the address, without credentials.
    """

    place: str
    content: bytes | None
    etag: str = ""


def public(place: str) -> str:
    """A place as it may be written and shown: an address without user, password and values.

    A query may hold a token or a signature: its names stay, its values go.
    """
    if "://" not in place:
        return place
    address, mark, query = place.partition("#")[0].partition("?")
    pairs = [pair.partition("=") for pair in query.split("&")]
    names = [f"{name}=..." if value else name for name, _, value in pairs]
    return _USER.sub("//", address) + mark + "&".join(names)


class Downloader:
    """Fetches documents; *transport* is for tests."""

    def __init__(
        self, limits: Limits | None = None, *, transport: httpx.BaseTransport | None = None
    ) -> None:
        self._limits = limits or Limits()
        self._transport = transport

    def get(self, place: str, *, etag: str = "", page: str = "", feed: bool = False) -> Fetched:
        """Fetch a document from an address, or read it from a file.

        Args:
            place: http or https address, or a path.
            etag: of the committed document; the server then sends only a newer one.
            page: documentation page with the link to the document, named in messages.
            feed: take XML as well.

        Raises: Refused unless a whole document arrives within the limits.
        """
        scheme, colon, _ = place.partition("://")
        shown = public(place)
        if not colon:
            found = Fetched(place, _file(place, self._limits.size))
        elif scheme.lower() in {"http", "https"}:
            found = _within(self._limits.seconds, shown, lambda: self._asked(place, etag, page))
        else:
            raise Refused(shown, "is not an http or https address", "use one, or a file")
        # Neither YAML nor JSON begins with it.
        start = (found.content or b"").lstrip(b"\xef\xbb\xbf \t\r\n")[:5]
        if start.startswith(b"<") and not (feed and start in {b"<?xml", b"<rss "}):
            raise Refused(shown, "is a web page, not a document", _remedy(page))
        return found

    def _asked(self, address: str, etag: str, page: str) -> Fetched:
        place = public(address)
        try:
            return self._fetch(address, etag, page)
        except httpx.TimeoutException as error:
            raise Refused(place, "cannot be fetched (no response in time)", _MORE_TIME) from error
        except (httpx.RemoteProtocolError, httpx.ReadError, httpx.WriteError) as error:
            raise Refused(place, _failed(error), _LATER) from error
        except (httpx.HTTPError, httpx.InvalidURL) as error:
            raise Refused(place, _failed(error), "check the address") from error
        except (OSError, ValueError, ImportError) as error:
            remedy = "check the proxy and certificate variables of this machine"
            raise Refused(place, _failed(error), remedy) from error

    def _fetch(self, address: str, etag: str, page: str) -> Fetched:
        place = public(address)
        # Uncompressed: a compressed body that was cut off can look complete.
        headers = {"Accept-Encoding": "identity"}
        if _can_be_sent(etag):
            headers["If-None-Match"] = etag
        client = httpx.Client(
            transport=self._transport, follow_redirects=True, timeout=self._limits.idle
        )
        with client, client.stream("GET", address, headers=headers) as response:
            _check_way(place, response)
            if response.status_code == httpx.codes.NOT_MODIFIED and etag:
                return Fetched(place, None, etag)
            _check_status(place, response, page)
            given = response.headers.get("ETag", "")
            content = self._body(place, response)
            return Fetched(place, content, given if _can_be_sent(given) else "")

    def _body(self, place: str, response: httpx.Response) -> bytes:
        content = bytearray()
        for part in response.iter_bytes():
            content += part
            if len(content) > self._limits.size:
                raise Refused(place, _TOO_LARGE.format(self._limits.size), "check the address")
        return bytes(content)


def _within(seconds: float, place: str, fetch: Callable[[], Fetched]) -> Fetched:
    """Fetch in a thread, and wait no longer than *seconds* in all.

    The HTTP library limits only the time between two pieces.
    """
    found: list[Fetched | Refused] = []

    def run() -> None:
        try:
            found.append(fetch())
        except Refused as refused:
            found.append(refused)

    thread = threading.Thread(target=run, daemon=True)
    thread.start()
    thread.join(seconds)
    if thread.is_alive():
        raise Refused(place, _NO_TIME.format(seconds), _MORE_TIME)
    if isinstance(found[0], Refused):
        raise found[0]
    return found[0]


def _file(place: str, size: int) -> bytes:
    try:
        with Path(place).open("rb") as file:
            content = file.read(size + 1)
    except OSError as error:
        raise Refused(place, f"cannot be read ({error.strerror})", "check the path") from error
    if len(content) > size:
        raise Refused(place, _TOO_LARGE.format(size), "check the path")
    return content


def _check_way(place: str, response: httpx.Response) -> None:
    schemes = [one.url.scheme for one in [*response.history, response]]
    if schemes[0] == "https" and {*schemes} != {"https"}:
        raise Refused(place, "redirects to an address without TLS", "check the address")


def _check_status(place: str, response: httpx.Response, page: str) -> None:
    code = response.status_code
    if code == httpx.codes.OK:
        return
    if code in {httpx.codes.NOT_FOUND, httpx.codes.GONE}:
        raise Refused(place, f"does not exist ({code})", _remedy(page))
    status = f"{code} {response.reason_phrase}".strip()
    about_address = response.is_client_error and code not in _PASSING
    remedy = _remedy(page) if about_address else _LATER
    raise Refused(place, f"cannot be fetched ({status})", remedy)


def _can_be_sent(etag: str) -> bool:
    return bool(etag) and etag.isascii() and etag.isprintable()


def _failed(error: Exception) -> str:
    reason = str(error).splitlines()[0] if str(error) else type(error).__name__
    # A proxy's address may be in it, with its password.
    reason = _USER.sub("//", reason)
    return f"cannot be fetched ({reason})"


def _remedy(page: str) -> str:
    if not page:
        return "check the address"
    return f"take the address from the download link on {page} and write it into sources.toml"
