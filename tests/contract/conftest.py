"""What the tests of the contract share."""

from collections.abc import Awaitable, Callable, Iterator
from typing import TypeVar

import pytest
from contract.beneath import all_rows, all_rows_at_once
from fixtures.postgres import Cluster
from fixtures.server import TestServer

from keyferry_client.errors import ServiceError

E = TypeVar("E", bound=ServiceError)
Refused = Callable[[type[E], Awaitable[object]], Awaitable[E]]


@pytest.fixture
def refused(server: TestServer) -> Refused[ServiceError]:
    """Return a function that makes one call and expects it to be refused so.

    Whatever the test is about, it also finds every row of the database as it was.
    """

    async def refused(kind: type[E], call: Awaitable[object]) -> E:
        before = all_rows_at_once(server)
        with pytest.raises(ServiceError) as caught:
            await call
        assert type(caught.value) is kind, caught.value.message
        assert await all_rows(server) == before
        return caught.value

    return refused


@pytest.fixture
def other_database_url(cluster: Cluster) -> Iterator[str]:
    """A second migrated database, for a second installation."""
    name = cluster.add_database()
    yield cluster.postgres.dsn(name)
    cluster.drop_database(name)
