"""Threads of which one runs at a time: each goes on when the simulation says so."""

import threading
from collections.abc import Callable

from tests.simulation.journals import KilledError


class Fiber:
    """Runs *work* in pieces: resume() lets it run until it pauses, or ends.

    *does* is what it does, in words from the wide one to the narrow one. Once *is_killed*, it ends
    where it has paused.
    """

    def __init__(self, work: Callable[[], None], *does: str) -> None:
        self._work = work
        self.does = list(does)
        self._mine, self._other = threading.Lock(), threading.Lock()
        self._mine.acquire()
        self._other.acquire()
        self._thread: threading.Thread | None = None
        self.is_killed = self.is_over = False
        self.error: Exception | None = None

    def resume(self) -> None:
        """Let it run; raises what ended it."""
        if self.is_over:
            return
        if self._thread is None:
            self._thread = threading.Thread(target=self._run, daemon=True)
            self._thread.start()
        self._mine.release()
        self._other.acquire()
        if self.is_over:
            self._thread.join()
        if self.error is not None:
            raise self.error

    def pause(self) -> None:
        """Let the others run, from within; returns when it goes on."""
        self._other.release()
        self._mine.acquire()
        if self.is_killed:
            raise KilledError

    def kill(self) -> None:
        """End it where it has paused."""
        self.is_killed = True
        if self._thread is not None:
            self.resume()

    def _run(self) -> None:
        self._mine.acquire()
        try:
            self._work()
        except KilledError:
            pass
        except Exception as error:  # noqa: BLE001 (raised where it was resumed)
            self.error = error
        finally:
            self.is_over = True
            self._other.release()
