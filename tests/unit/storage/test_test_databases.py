"""What the fixtures of fixtures/postgres.py promise to the tests that rely on them."""

import asyncio
from collections.abc import Awaitable, Callable

import asyncpg
import psutil  # type: ignore[import-untyped]
import pytest
from fixtures.postgres import OwnPostgres, fetch

from keyferry_migrations import head_revision


@pytest.mark.parametrize("turn", [1, 2])
async def test_each_test_has_a_migrated_database_of_its_own(database_url: str, turn: int) -> None:
    assert await fetch(database_url, "SELECT version_num FROM alembic_version") == head_revision()
    assert await fetch(database_url, "SELECT count(*) FROM root_key_versions") == 0
    await fetch(database_url, "INSERT INTO root_key_versions VALUES (1, 'proof', now())")


async def test_frozen_postgres_does_not_answer_until_it_is_thawed(
    own_postgres: Callable[..., Awaitable[OwnPostgres]], postgres_process: psutil.Process
) -> None:
    own = await own_postgres()
    connection = await asyncpg.connect(own.database_url)
    own.freeze()
    answer = asyncio.create_task(connection.fetchval("SELECT version_num FROM alembic_version"))
    done, _ = await asyncio.wait([answer], timeout=0.2)
    assert not done

    own.thaw()

    assert await answer == head_revision()
    assert own.postgres.pid != postgres_process.pid
    await connection.close()


async def test_frozen_postgres_is_stopped_after_its_test(
    own_postgres: Callable[..., Awaitable[OwnPostgres]],
) -> None:
    own = await own_postgres(max_connections="10")
    own.freeze()
    await own.stop()

    assert not psutil.pid_exists(own.postgres.pid)
