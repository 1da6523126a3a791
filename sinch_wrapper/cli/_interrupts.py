"""Ctrl-C, and the signal to end: when they stop a command, and when a question."""

import _thread
import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType
from typing import Final

# The files of an import, as Python names them.
_IMPORTING: Final = "<frozen importlib."
_SOON: Final = 0.01


@contextmanager
def interruptible() -> Iterator[None]:
    """Let SIGINT end a command that has threads, and none of them hang."""
    before = signal.signal(signal.SIGINT, _interrupt)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)


@contextmanager
def stopping() -> Iterator[threading.Event]:
    """An event that SIGINT and SIGTERM set; the second SIGINT interrupts at once."""
    stop = threading.Event()

    def ask(number: int, frame: FrameType | None) -> None:
        if stop.is_set() and number == signal.SIGINT:
            _interrupt(number, frame)
        stop.set()

    before = {number: signal.signal(number, ask) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield stop
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


@contextmanager
def ended_by_signals() -> Iterator[None]:
    """Let SIGINT and SIGTERM end a question, and with it the command: nothing was sent."""
    asked = signal.signal(signal.SIGINT, signal.default_int_handler)
    ended = signal.signal(signal.SIGTERM, signal.SIG_DFL)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, asked)
        signal.signal(signal.SIGTERM, ended)


def _interrupt(_number: int, frame: FrameType | None) -> None:
    """Raise KeyboardInterrupt, unless an import is under way: then once it has ended.

    An exception at the wrong moment of an import leaves the lock of all imports taken, and every
    thread that imports anything waits for it until the process is killed.
    """
    while frame is not None:
        if frame.f_code.co_filename.startswith(_IMPORTING):
            again = threading.Timer(_SOON, _signal_again)
            again.daemon = True
            again.start()
            return
        frame = frame.f_back
    raise KeyboardInterrupt


def _signal_again() -> None:
    main = threading.main_thread().ident
    if main is not None and hasattr(signal, "pthread_kill"):
        # Unlike the other way it wakes a thread that waits.
        signal.pthread_kill(main, signal.SIGINT)
    else:
        _thread.interrupt_main()
