"""Opt-outs from callbacks to a suppression list: what a receiver is given as `suppression=`."""

import threading
from collections.abc import Sequence
from pathlib import Path

from sinch_wrapper import _validate
from sinch_wrapper._forget import forgetting_methods
from sinch_wrapper.bulk._job_url import ListPath, list_address
from sinch_wrapper.bulk._suppression import SuppressionList
from sinch_wrapper.callbacks import Event, OptOutWords, consent_change
from sinch_wrapper.errors import BulkArgumentError


@forgetting_methods
class OptOutFollower:
    """Writes into a suppression list who opts out and in: the `suppression=` of a receiver.

    `receiver(secrets, store="callbacks.db", suppression=OptOutFollower("stop.db"))` writes down
    what a callback says before it responds to it: OPT_OUT and OPT_IN, and the words of inbound
    messages. A message that may be meant as an opt-out waits for a person: see
    `SuppressionList.doubtful()`. The webhook needs the triggers MESSAGE_INBOUND, OPT_OUT and
    OPT_IN. Safe for threads.

    Args:
        path: of the suppression list, which is made when it does not exist; a file, or
            `postgresql://host/database?list=name`.
        words: those that count in messages.

    Raises: BulkArgumentError for what is not a path or OptOutWords.
    """

    def __init__(self, path: ListPath, words: OptOutWords | None = None) -> None:
        self._path = list_address(path).absolute()
        if words is not None:
            _validate.instance("words", words, OptOutWords, "OptOutWords", error=BulkArgumentError)
        self._words = OptOutWords() if words is None else words
        self._list: SuppressionList | None = None
        self._lock = threading.Lock()

    @property
    def paths(self) -> Sequence[Path]:
        """The suppression list, when it is a file, as an absolute path."""
        return (self._path,) if isinstance(self._path, Path) else ()

    def check(self) -> None:
        """Open the list; raises BulkError for a file that is not one."""
        with self._lock:
            self._opened()

    def take(self, events: Sequence[Event]) -> None:
        """Write down what *events* say; taking them twice changes nothing.

        Raises: BulkError.
        """
        changes = [each for event in events if (each := consent_change(event, self._words))]
        if changes:
            with self._lock:
                self._opened().take(changes)

    def close(self) -> None:
        """Close the list; take() opens it again."""
        with self._lock:
            if self._list is not None:
                self._list.close()
                self._list = None

    def _opened(self) -> SuppressionList:
        if self._list is not None and not self._list.is_current:
            self._list.close()
            self._list = None
        if self._list is None:
            self._list = SuppressionList(self._path)
        return self._list
