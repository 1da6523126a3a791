"""Giving up what threads wait for: a thread cannot be ended, but its connection can be cut."""

import contextlib
import socket
import threading
from typing import Final, Protocol


class Stream(Protocol):
    """A connection of the HTTP library."""

    def get_extra_info(self, info: str) -> object:
        """Its socket, under the name `socket`."""


class GivingUp:
    """The waiting of some threads, which ends when it is given up; each of them calls join()."""

    def __init__(self) -> None:
        self._over = threading.Event()
        self._streams: dict[int, Stream] = {}

    def join(self) -> None:
        """Let this thread be one of them."""
        _here.waiting = self

    def use(self, stream: Stream) -> None:
        """Note that this thread is about to wait for *stream*."""
        self._streams[threading.get_ident()] = stream

    @property
    def is_over(self) -> bool:
        """Whether it was given up."""
        return self._over.is_set()

    def pause(self, seconds: float) -> bool:
        """Wait for *seconds*; returns whether it was given up meanwhile."""
        return self._over.wait(seconds)

    def give_up(self) -> None:
        """End what these threads wait for, now and later."""
        self._over.set()
        # A thread notes its stream before it looks whether all is over, so none is missed.
        for stream in list(self._streams.values()):
            found = stream.get_extra_info("socket")
            if isinstance(found, socket.socket):
                # Not the method of a TLS socket, which takes part in the protocol.
                with contextlib.suppress(OSError):
                    socket.socket.shutdown(found, socket.SHUT_RDWR)


class _Here(threading.local):
    waiting: GivingUp | None = None


_here: Final = _Here()


def waiting() -> GivingUp | None:
    """What this thread belongs to; None in most threads."""
    return _here.waiting
