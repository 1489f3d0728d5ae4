from collections.abc import AsyncIterator, Iterator

import asyncpg
import pytest
from e2e.command_forks import CommandForks
from fixtures.processes import RunCommand


@pytest.fixture
async def connection(database_url: str) -> AsyncIterator[asyncpg.Connection]:
    """The test's own way into the server's database."""
    connection = await asyncpg.connect(database_url)
    try:
        yield connection
    finally:
        await connection.close()


@pytest.fixture(scope="session")
def command_forks() -> Iterator[CommandForks]:
    forks = CommandForks()
    yield forks
    forks.close()


@pytest.fixture
def run_forked(command_forks: CommandForks) -> RunCommand:
    """Run a command as `run_command` does, many times faster; one at a time."""
    return command_forks.run
