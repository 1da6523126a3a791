"""A loopback server on raw sockets that fails in every way a network can."""

import socket
import struct
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass

# Writes a response, or part of one, and returns whether the connection stays open.
Act = Callable[[socket.socket, threading.Event], bool]


@dataclass(frozen=True)
class Fault:
    """What happens to a connection: *at_once*, or after a whole request has been read."""

    act: Act
    at_once: bool = False


def raw(*parts: bytes, pause: float = 0.0, keep: bool = False) -> Fault:
    """Send *parts* with a pause between them, then close, unless *keep* is true."""

    def act(connection: socket.socket, stopped: threading.Event) -> bool:
        for number, part in enumerate(parts):
            if number:
                stopped.wait(pause)
            connection.sendall(part)
        if pause:
            stopped.wait(pause)
        return keep

    return Fault(act)


def response(status: int = 200, body: bytes = b"{}", **headers: str) -> Fault:
    """Send a whole response."""
    lines = [f"HTTP/1.1 {status} X", f"Content-Length: {len(body)}"]
    lines += [f"{name.replace('_', '-')}: {value}" for name, value in headers.items()]
    return raw(("\r\n".join(lines) + "\r\n\r\n").encode() + body, keep=True)


def endless(head: bytes, part: bytes, pause: float = 0.0) -> Fault:
    """Send *head*, then *part* again and again, until the client has gone."""

    def act(connection: socket.socket, stopped: threading.Event) -> bool:
        connection.sendall(head)
        while not stopped.wait(pause):
            connection.sendall(part)
        return False

    return Fault(act)


def _reset(connection: socket.socket, _: threading.Event) -> bool:
    # Lingering for 0 seconds sends RST instead of FIN.
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    return False


def _reset_early(connection: socket.socket, stopped: threading.Event) -> bool:
    # A reset before the first byte may reach the client while it is still connecting.
    connection.recv(1)
    return _reset(connection, stopped)


def _plain(connection: socket.socket, _: threading.Event) -> bool:
    connection.recv(65536)
    connection.sendall(b"HTTP/1.1 400 Bad Request\r\n\r\n")
    return False


def _unread(connection: socket.socket, stopped: threading.Event) -> bool:
    connection.recv(1)
    stopped.wait(30)
    return False


DROP = raw()
# A request larger than the buffers of the system gets no further.
UNREAD = Fault(_unread, at_once=True)
NO_TLS = Fault(_plain, at_once=True)
RESET = Fault(_reset)
RESET_EARLY = Fault(_reset_early, at_once=True)
TOKEN = response(
    body=b'{"access_token": "planted-token", "token_type": "bearer", "expires_in": 3600}'
)


class FaultServer:
    """Acts as scripted, one fault per request, the last one for ever; it records the requests."""

    def __init__(self, *script: Fault) -> None:
        self.script = list(script) or [response()]
        self.token_script = [TOKEN]
        self.seen: list[str] = []
        self.tokens_seen = 0
        self.connections = 0
        self._guard = threading.Lock()
        self._stopped = threading.Event()
        self._open: set[socket.socket] = set()
        self._listener = socket.create_server(("127.0.0.1", 0), backlog=128)
        self.url = f"http://127.0.0.1:{self._listener.getsockname()[1]}"
        self._threads = [threading.Thread(target=self._accept)]
        self._threads[0].start()

    def _next(self, script: list[Fault]) -> Fault:
        with self._guard:
            return script.pop(0) if len(script) > 1 else script[0]

    def _accept(self) -> None:
        with suppress(OSError):
            while True:
                connection, _ = self._listener.accept()
                with self._guard:
                    self.connections += 1
                    self._open.add(connection)
                thread = threading.Thread(target=self._serve, args=(connection,))
                self._threads.append(thread)
                thread.start()

    def _serve(self, connection: socket.socket) -> None:
        with connection, suppress(OSError):
            if self.script[0].at_once:
                self._next(self.script).act(connection, self._stopped)
            else:
                self._respond_to_all(connection)
        with self._guard:
            self._open.discard(connection)

    def _respond_to_all(self, connection: socket.socket) -> None:
        going = True
        while going and (request := _read_request(connection)) is not None:
            method, path = request.split(" ")[:2]
            if path.endswith("/oauth2/token"):
                self.tokens_seen += 1
                fault = self._next(self.token_script)
            else:
                self.seen.append(method)
                fault = self._next(self.script)
            going = fault.act(connection, self._stopped)

    @property
    def threads(self) -> list[threading.Thread]:
        """The threads of the server itself."""
        return list(self._threads)

    @property
    def open_connections(self) -> int:
        """How many connections are open on this side."""
        return len(self._open)

    def wait_until_connected(self) -> None:
        """Wait until a connection is open on this side."""
        while not self._open:
            self._stopped.wait(0.001)

    def wait_until_closed(self) -> None:
        """Wait until no connection is open on this side."""
        while self._open:
            self._stopped.wait(0.001)

    def wait_until_seen(self, number: int) -> None:
        """Wait until *number* requests have been read."""
        while len(self.seen) < number:
            self._stopped.wait(0.001)

    def stop(self) -> None:
        """Close everything and wait for the threads."""
        self._stopped.set()
        for one in (self._listener, *self._open):
            with suppress(OSError):
                # Closing alone does not wake a thread that waits in accept() or recv().
                one.shutdown(socket.SHUT_RDWR)
            one.close()
        for thread in self._threads:
            thread.join()


def _read_request(connection: socket.socket) -> str | None:
    data = b""
    while b"\r\n\r\n" not in data:
        if not (part := connection.recv(65536)):
            return None
        data += part
    head, _, body = data.partition(b"\r\n\r\n")
    length = 0
    for line in head.decode("latin-1").split("\r\n")[1:]:
        name, _, value = line.partition(":")
        length = int(value) if name.lower() == "content-length" else length
    while len(body) < length:
        if not (part := connection.recv(65536)):
            return None
        body += part
    return head.decode("latin-1").split("\r\n", maxsplit=1)[0]


@contextmanager
def serving(*script: Fault) -> Iterator[FaultServer]:
    """Run a server for the length of a block."""
    server = FaultServer(*script)
    try:
        yield server
    finally:
        server.stop()


@contextmanager
def deaf_port() -> Iterator[str]:
    """The address of a port where the system accepts connections and no program reads."""
    with socket.create_server(("127.0.0.1", 0), backlog=16) as listener:
        yield f"http://127.0.0.1:{listener.getsockname()[1]}"


@contextmanager
def closed_port() -> Iterator[str]:
    """The address of a port that refuses connections, and is reserved in the meantime."""
    with socket.socket() as bound:
        bound.bind(("127.0.0.1", 0))
        yield f"http://127.0.0.1:{bound.getsockname()[1]}"
