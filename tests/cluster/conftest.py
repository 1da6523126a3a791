"""A prepared database, and a client of the sandbox."""

from collections.abc import Iterator

import pytest

from sinch_wrapper import Endpoints, Sinch, cluster
from sinch_wrapper.bulk._job_url import database_url
from sinch_wrapper.cluster._database import ClusterDatabase
from tests.helpers.sandbox import Api


@pytest.fixture
def address(database: str) -> str:
    """The address of a database that is prepared for workers."""
    cluster.prepare(database)
    return database


@pytest.fixture
def shared(address: str) -> Iterator[ClusterDatabase]:
    """The same database, opened."""
    opened = ClusterDatabase(database_url(address))
    yield opened
    opened.close()


@pytest.fixture
def sinch(api: Api) -> Iterator[Sinch]:
    """A client of the sandbox."""
    known = api.settings
    with Sinch(
        project_id=known.project_id,
        key_id=known.key_id,
        key_secret=known.key_secret,
        endpoints=Endpoints.sandbox(api.url),
        proxy="",
    ) as made:
        yield made
