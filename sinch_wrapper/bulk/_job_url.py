"""Where a job is: the path of a file, or the address of a database and its name there."""

import re
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final, TypeAlias

from sqlalchemy import URL, make_url
from sqlalchemy.exc import ArgumentError

from sinch_wrapper import _validate
from sinch_wrapper.errors import BulkArgumentError

_SCHEMES: Final = ("postgresql", "postgres")
_IS_URL: Final = re.compile(r"^[A-Za-z][A-Za-z0-9+.-]*://")
_NAME: Final = re.compile(r"[A-Za-z0-9_-]{1,40}")
_EXAMPLE: Final = "postgresql://user@host/database?job=spring"


@dataclass(frozen=True, slots=True)
class JobURL:
    """A job in PostgreSQL: its *database*, and its *name* there."""

    database: URL = field(repr=False)
    name: str

    def absolute(self) -> "JobURL":
        """Itself: unlike a path it does not depend on the working folder."""
        return self

    def __str__(self) -> str:
        return f"{self.database.render_as_string(hide_password=True)}?job={self.name}"


JobAddress: TypeAlias = Path | JobURL
JobPath: TypeAlias = str | Path | JobURL


def job_address(job: object, name: str = "job") -> JobAddress:
    """Check where a job is; raises BulkArgumentError that names the option *name*, or TypeError."""
    if isinstance(job, JobURL):
        return job
    if not isinstance(job, str) or not _IS_URL.match(job):
        return _validate.path(name, job, error=BulkArgumentError)
    url, query = _parsed(job, name)
    found = query.pop("job", None)
    if not isinstance(found, str) or not _NAME.fullmatch(found):
        raise BulkArgumentError(
            f"{name}: the address needs the name of a job, of up to 40 letters, digits, _ or -: "
            f"{_EXAMPLE}"
        )
    return JobURL(url.set(query=query), found)


def database_url(address: object, name: str = "url") -> URL:
    """Check the address of a database, without a job; raises BulkArgumentError."""
    if not isinstance(address, str) or not _IS_URL.match(address):
        raise BulkArgumentError(f"{name} must be the address of a database: postgresql://host/name")
    url, query = _parsed(address, name)
    query.pop("job", None)
    return url.set(query=query)


def _parsed(address: str, name: str) -> tuple[URL, dict[str, str | tuple[str, ...]]]:
    # Nothing of the address is shown: it may contain a password.
    try:
        url = make_url(address)
    except (ArgumentError, ValueError):
        raise BulkArgumentError(f"{name}: not a valid address: {_EXAMPLE}") from None
    if url.drivername not in _SCHEMES:
        raise BulkArgumentError(f"{name}: only PostgreSQL keeps jobs: {_EXAMPLE}")
    return url.set(drivername="postgresql+psycopg"), dict(url.query)
