"""The programs of the kill test: a receiver, and a client that delivers callbacks to it.

`callback_receiver serve STORE LOG` prints its URL and serves; its handler writes the id of each
callback into LOG. `callback_receiver load URL FIRST COUNT` delivers callbacks over several
connections and prints the id of each that was confirmed; it ends when the receiver does.
"""

import os
import sys
import threading
import time
from pathlib import Path

from sinch_wrapper._http import httpx
from sinch_wrapper.callbacks import Event, receiver
from sinch_wrapper.sandbox import BackgroundServer
from tests.helpers.callbacks import SECRET, headers_of, make_body

CONNECTIONS = 8


def serve(store: str, log: str) -> None:
    """Serve a receiver until killed, or until stdin is closed."""
    app = receiver(SECRET, store=store)
    out = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_APPEND)

    @app.on("MESSAGE_INBOUND")
    def handle(event: Event) -> None:
        # One write, so that a line is complete or missing.
        os.write(out, f"{event.payload['id']}\n".encode())

    with BackgroundServer(app) as server:
        sys.stdout.write(f"{server.url}\n")
        sys.stdout.flush()
        sys.stdin.read()


def load(url: str, first: str, count: str) -> None:
    """Deliver callbacks until all are delivered or the receiver is gone."""
    lock = threading.Lock()

    def deliver(numbers: range) -> None:
        with httpx.Client(base_url=url, trust_env=False, timeout=60) as client:
            for number in numbers:
                body = make_body("message", {"id": f"M{number}"})
                try:
                    response = client.post("/", content=body, headers=headers_of(body))
                except httpx.TransportError:
                    return
                if response.is_success:
                    with lock:
                        sys.stdout.write(f"M{number}\n")
                        sys.stdout.flush()

    start, end = int(first), int(first) + int(count)
    threads = [
        threading.Thread(target=deliver, args=(range(start + n, end, CONNECTIONS),))
        for n in range(CONNECTIONS)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


def wait_for_lines(path: Path, wanted: set[str], patience: float = 30) -> set[str]:
    """The lines of *path*, once all *wanted* are among them, or after a while."""
    deadline = time.monotonic() + patience
    while True:
        found = set(path.read_text().split()) if path.exists() else set()
        if wanted <= found or time.monotonic() > deadline:
            return found
        time.sleep(0.02)


if __name__ == "__main__":
    (serve if sys.argv[1] == "serve" else load)(*sys.argv[2:])
