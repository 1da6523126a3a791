"""Where a job or a suppression list is: the path of a file, or a name in a database."""

import re
from dataclasses import dataclass, field
from pathlib import Path
from typing import ClassVar, Final, Self, TypeAlias

from sqlalchemy import URL, make_url
from sqlalchemy.exc import ArgumentError

from sinch_wrapper import _validate
from sinch_wrapper.errors import BulkArgumentError

_SCHEMES: Final = ("postgresql", "postgres")
_IS_URL: Final = re.compile(r"^[A-Za-z][A-Za-z0-9+.-]*://")
_NAME: Final = re.compile(r"[A-Za-z0-9_-]{1,40}")
# Parameters of PostgreSQL's own addresses that nobody should see.
_SECRETS: Final = ("password", "sslpassword", "oauth_client_secret")
_EXAMPLE: Final = "postgresql://user@host/database"


@dataclass(frozen=True, slots=True)
class _DatabaseURL:
    """Something in PostgreSQL: its *database*, and its *name* there."""

    database: URL = field(repr=False)
    name: str

    # What the query of the address calls the name.
    key: ClassVar[str]

    @classmethod
    def read(cls, address: str) -> Self:
        """Check an *address*; raises BulkArgumentError."""
        if not is_url(address):
            raise BulkArgumentError(f"address must be one such as {_EXAMPLE}?{cls.key}=spring")
        return cls(*_named(address, "", cls.key))

    def absolute(self) -> Self:
        """Itself: unlike a path it does not depend on the working folder."""
        return self

    def shares_database_with(self, other: object) -> bool:
        """Whether *other* is in the same database, whoever connects to it."""
        return isinstance(other, _DatabaseURL) and _anyone(self) == _anyone(other)

    def __str__(self) -> str:
        """The address without its password."""
        url = self.database
        query = {name: value for name, value in url.query.items() if name not in _SECRETS}
        query |= {self.key: self.name}
        place = (url.host, url.port, url.database)
        return URL.create("postgresql", url.username, None, *place, query).render_as_string()


class JobURL(_DatabaseURL):
    """A job in PostgreSQL: its *database*, and its *name* there."""

    __slots__ = ()
    key = "job"


class ListURL(_DatabaseURL):
    """A suppression list in PostgreSQL: its *database*, and its *name* there."""

    __slots__ = ()
    key = "list"


JobAddress: TypeAlias = Path | JobURL
JobPath: TypeAlias = str | Path | JobURL
ListAddress: TypeAlias = Path | ListURL
ListPath: TypeAlias = str | Path | ListURL


def job_address(job: object, name: str = "job") -> JobAddress:
    """Check where a job is; raises BulkArgumentError that names the option *name*, or TypeError."""
    if isinstance(job, JobURL):
        return job
    if is_url(job):
        return JobURL(*_named(job, f"{name}: ", JobURL.key))
    return _validate.path(name, job, error=BulkArgumentError)


def list_address(path: object, name: str = "path") -> ListAddress:
    """Check where a suppression list is; raises as job_address()."""
    if isinstance(path, ListURL):
        return path
    if is_url(path):
        return ListURL(*_named(path, f"{name}: ", ListURL.key))
    return _validate.path(name, path, error=BulkArgumentError)


def database_url(address: object, name: str = "address") -> URL:
    """Check the address of a database, without a job; raises BulkArgumentError."""
    if not is_url(address):
        raise BulkArgumentError(f"{name} must be the address of a database, such as {_EXAMPLE}")
    return _parsed(address, f"{name}: ", JobURL.key)[0]


def is_url(value: object) -> bool:
    """Whether *value* looks like the address of something that is not a file."""
    return isinstance(value, str) and _IS_URL.match(value) is not None


def _named(address: object, prefix: str, key: str) -> tuple[URL, str]:
    url, found = _parsed(address, prefix, key)
    if not isinstance(found, str) or not _NAME.fullmatch(found):
        raise BulkArgumentError(
            f"{prefix}the address needs a name, of up to 40 letters, digits, _ or -: "
            f"{_EXAMPLE}?{key}=spring"
        )
    return url, found


def _parsed(address: object, prefix: str, key: str) -> tuple[URL, object]:
    """The database at *address*, and what its query says for *key*."""
    # Nothing of the address is shown: it may contain a password.
    try:
        url = make_url(str(address))
    except (ArgumentError, ValueError):
        raise BulkArgumentError(f"{prefix}not a valid address, such as {_EXAMPLE}") from None
    if url.drivername not in _SCHEMES:
        raise BulkArgumentError(f"{prefix}only PostgreSQL keeps jobs, such as {_EXAMPLE}")
    found = url.query.get(key)
    return url.set(drivername="postgresql+psycopg").difference_update_query([key]), found


def _anyone(place: _DatabaseURL) -> str:
    return URL.create(
        "",
        host=place.database.host,
        port=place.database.port,
        database=place.database.database,
        query=place.database.query,
    ).render_as_string()
