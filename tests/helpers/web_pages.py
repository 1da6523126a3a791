"""A web server on loopback for documents, with the habits of real ones."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any


@dataclass
class Page:
    """What a server has at one path, and the status of each response."""

    content: bytes
    headers: dict[str, str] = field(default_factory=dict)
    status: int = 200
    promised: int | None = None
    """The Content-Length, when it is not that of the content; none below 0."""
    drip: float = 0.0
    """Seconds between two bytes."""
    statuses: list[int] = field(default_factory=list)
    asked: list[str] = field(default_factory=list)
    """The encodings of each request."""

    def respond(self, known: str | None) -> int:
        """The status for a client that has the document with the ETag *known*."""
        same = known is not None and known == self.headers.get("ETag")
        self.statuses.append(304 if same else self.status)
        return self.statuses[-1]


Pages = dict[str, Page | bytes]


@contextmanager
def serving() -> Iterator[tuple[str, Pages]]:
    """Run the server; yields its address, and its pages to fill."""
    pages: Pages = {}
    closing = threading.Event()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            """Respond with a page, a redirection or 404."""
            found = pages.get(self.path, Page(b"", status=404))
            if self.path.startswith("/moved/"):
                found = Page(b"", {"Location": self.path.removeprefix("/moved")}, status=302)
            page = found if isinstance(found, Page) else Page(found)
            status = page.respond(self.headers.get("If-None-Match"))
            page.asked.append(self.headers.get("Accept-Encoding", ""))
            content = b"" if status == 304 else page.content
            length = len(content) if page.promised is None else page.promised
            self.send_response(status)
            promise = {"Content-Length": str(length)} if length >= 0 else {}
            for name, value in {**page.headers, **promise}.items():
                self.send_header(name, value)
            self.end_headers()
            self._send(content, page.drip)

        def _send(self, content: bytes, drip: float) -> None:
            step = 1 if drip else len(content) or 1
            for start in range(0, len(content), step):
                # The client may have gone.
                with suppress(ConnectionError):
                    self.wfile.write(content[start : start + step])
                if drip and closing.wait(drip):
                    return

        def log_message(self, *_: Any) -> None:
            """Do not log."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as running:
        thread = threading.Thread(target=running.serve_forever, args=(0.01,))
        thread.start()
        yield f"http://127.0.0.1:{running.server_port}", pages
        closing.set()
        running.shutdown()
        thread.join()
