"""Warnings about contact ids, which an app in dispatch mode does not know."""

from collections.abc import Iterable, Mapping
from typing import Final

from sinch_wrapper.bulk._journal import Job, Journal

_WARNING: Final = "some recipients are contact ids, and {}, which knows channel identities only"
_SURE: Final = "the app is in dispatch mode"
_UNSURE: Final = "the app may be in dispatch mode (the default of new apps)"
_FORCED: Final = "this batch is sent in dispatch mode"


def _is_forced(request: Mapping[str, object]) -> bool:
    return request.get("processing_strategy") == "DISPATCH_ONLY"


def forced_warning(request: Mapping[str, object]) -> str:
    """The warning about contact ids in *request* whatever the app; empty for none."""
    return _WARNING.format(_FORCED) if _is_forced(request) else ""


def app_to_ask(job: Job) -> str | None:
    """The app whose mode decides about the contact ids of *job*; None when it need not be asked."""
    app = job.request.get("app_id")
    is_open = job.facts.get("contacts") is True and "mode" not in job.facts
    return app if is_open and isinstance(app, str) and not _is_forced(job.request) else None


def mode_warning(mode: str | None) -> str:
    """The warning about contact ids for an app in *mode*, None for unknown; empty for none."""
    if mode is None:
        return _WARNING.format(_UNSURE)
    return f"{_WARNING.format(_SURE)}: expect them to fail" if mode == "DISPATCH" else ""


def warn(journal: Journal, words: Iterable[str]) -> None:
    """Write warnings into *journal*, each once."""
    found = journal.facts().get("warnings")
    known = found if isinstance(found, list) else []
    if new := [each for each in words if each and each not in known]:
        with journal.write() as connection:
            journal.note(connection, warnings=[*known, *new])
