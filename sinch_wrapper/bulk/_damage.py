"""Damaged contents of a journal: one clear error, which says what is lost.

SQLite notices damage of its own structures. What it hands out all the same may be of another type,
cut off, or made to fill memory; whatever reading that raises becomes a BulkError here.
"""

import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

from sinch_wrapper.errors import BulkError

_MISFITS: Final = (
    ValueError,
    TypeError,
    LookupError,
    ArithmeticError,
    RecursionError,
    zlib.error,
)


class DamagedRequestError(BulkError):
    """One request of a journal cannot be read; the others can."""


@contextmanager
def sound(name: str, number: int | None = None) -> Iterator[None]:
    """Raise a BulkError for what reading the damaged journal *name* raises.

    It is a DamagedRequestError when only the request with this *number* is read.
    """
    try:
        yield
    except BulkError:
        raise
    except _MISFITS as error:
        # Its own words may quote what it read.
        kind = type(error).__name__
    else:
        return
    if number is None:
        raise BulkError(
            f"journal {name}: corrupt: it contains what is never written ({kind}): restore it from "
            "a backup, and send nothing from this one"
        )
    raise damaged_request(name, number)


def damaged_request(name: str, number: int) -> DamagedRequestError:
    """The error about the request with this *number* in the journal *name*."""
    return DamagedRequestError(
        f"journal {name}: request {number} is damaged: who its recipients are is lost; all other "
        "requests can be read"
    )
