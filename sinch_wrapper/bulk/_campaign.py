"""The rules of a campaign: whom it leaves out, when it may send, and when it stops; pure."""

import os
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final, TypeAlias

from sinch_wrapper import _validate
from sinch_wrapper.bulk._job_url import JobAddress, ListAddress, ListURL, is_url, list_address
from sinch_wrapper.bulk._suppression import Address, SuppressionList, keys_of
from sinch_wrapper.bulk._windows import SendWindow, window_from
from sinch_wrapper.errors import BulkArgumentError

_List: TypeAlias = ListURL | SuppressionList
Exclude: TypeAlias = str | Path | _List | Iterable[Address | Path | _List]
"""A suppression list (`.db`, or an address in a database), a file of numbers, or several."""

_LISTS: Final = (".db", ".sqlite", ".sqlite3")


@dataclass(frozen=True, slots=True)
class ExcludeOption:
    """What a caller gave as `exclude=`: paths of lists and of files, and addresses.

    *consents* says that the lists of the API count, too, and *job* is the journal of another job
    whose own copy counts.
    """

    lists: tuple[ListAddress, ...] = ()
    files: tuple[Path, ...] = ()
    keys: tuple[str, ...] = field(default=(), repr=False)
    consents: bool = False
    job: JobAddress | None = None

    def __bool__(self) -> bool:
        return bool(self.lists or self.files or self.keys or self.consents or self.job)


def read_exclude(option: str, value: object) -> ExcludeOption:
    """Check the value of *option*; raises BulkArgumentError, with nothing opened."""
    is_one = isinstance(value, str | os.PathLike | SuppressionList | ListURL)
    given = (
        [value]
        if is_one
        else _validate.items(option, value, may_be_empty=True, error=BulkArgumentError)
    )
    lists: list[ListAddress] = []
    files: list[Path] = []
    keys: list[str] = []
    for each in given:
        if isinstance(each, SuppressionList):
            lists.append(each.address)
        elif isinstance(each, ListURL) or is_url(each):
            lists.append(list_address(each, option))
        elif is_one or isinstance(each, os.PathLike):
            path = _validate.path(option, each, error=BulkArgumentError).absolute()
            (lists if path.suffix.lower() in _LISTS else files).append(path)
        else:
            keys += keys_of(each, option)
    return ExcludeOption(tuple(lists), tuple(files), tuple(keys))


def read_window(option: str, value: object) -> SendWindow:
    """Check the value of *option*: a SendWindow, or its hours; raises BulkArgumentError."""
    if isinstance(value, SendWindow):
        return value
    if isinstance(value, str | list | tuple):
        return SendWindow(value)
    raise _validate.wrong_kind(option, 'hours such as "09:00-20:00"', value, BulkArgumentError)


@dataclass(frozen=True, slots=True)
class Campaign:
    """The rules of a job beside its request.

    The first *pilot* recipients leave alone; the others follow once the share *pilot_delivered* of
    them is delivered, for which it waits *pilot_wait* seconds. With more failures than the share
    *stop_if_failed* it stops.
    """

    exclude: ExcludeOption = ExcludeOption()
    window: SendWindow | None = None
    pilot: int = 0
    pilot_delivered: float = 0.9
    pilot_wait: float = 900.0
    stop_if_failed: float | None = None

    def as_facts(self) -> dict[str, object]:
        """What the journal keeps of it, whom it leaves out apart."""
        return {
            "window": None if self.window is None else self.window.as_json(),
            "limits": [self.pilot, self.pilot_delivered, self.pilot_wait, self.stop_if_failed],
        }


def campaign_of(facts: Mapping[str, object]) -> Campaign:
    """The rules of the job with these *facts*; raises ValueError or TypeError for damaged ones."""
    window, limits = window_from(facts.get("window")), facts.get("limits")
    if not isinstance(limits, list):
        return Campaign(window=window)
    pilot, delivered, wait, failed = limits
    share = None if failed is None else float(failed)
    return Campaign(ExcludeOption(), window, int(pilot), float(delivered), float(wait), share)
