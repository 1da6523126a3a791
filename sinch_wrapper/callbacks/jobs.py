"""The bulk jobs that a receiver follows: their journals take what callbacks say."""

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, TypeAlias

from sinch_wrapper.callbacks.events import Event
from sinch_wrapper.errors import ConfigurationError

if TYPE_CHECKING:
    from sinch_wrapper.bulk._recorders import Recorders

__all__ = ["JobPaths", "Jobs", "paths_of", "refuse_same"]

JobPaths: TypeAlias = str | Path | Iterable[str | Path]


def paths_of(jobs: JobPaths) -> list[Path]:
    """The journals that are meant."""
    return [Path(jobs)] if isinstance(jobs, (str, Path)) else [Path(each) for each in jobs]


def refuse_same(store: object, jobs: Iterable[Path]) -> None:
    """Raise ConfigurationError when the *store* is the file of one of the *jobs*."""
    files = {each.absolute() for each in jobs}
    if isinstance(store, (str, Path)) and Path(store).absolute() in files:
        raise ConfigurationError("a callback store needs a file of its own: no journal of a job")


class Jobs:
    """Journals of `sinch.bulk`; one that is not there yet takes part as soon as it is."""

    def __init__(self, paths: Sequence[Path]) -> None:
        # Whoever changes the working directory later means the same files.
        self._paths = [path.absolute() for path in paths]
        self._recorders: Recorders | None = None

    def check(self) -> None:
        """See that those which are there are journals; raises BulkError."""
        from sinch_wrapper.bulk._journal.journal import Journal

        for path in self._paths:
            if path.exists():
                Journal(path, must_exist=True).close()

    def take(self, events: Sequence[Event]) -> None:
        """Write down what *events* say about the jobs; taking them twice changes nothing.

        Raises: BulkError.
        """
        if self._recorders is None:
            # Bulk sending is above this package: it is loaded by those who follow a job.
            from sinch_wrapper.bulk._recorders import Recorders

            self._recorders = Recorders()
        for path in self._paths:
            self._recorders.follow(events, path)

    def close(self) -> None:
        """Close the journals."""
        if self._recorders is not None:
            self._recorders.close()
            self._recorders = None
