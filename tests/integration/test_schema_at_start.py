"""A server does not start on a database whose schema is not its own, and says which command makes it so."""

import asyncio

from dumps import pg_dump
from fixtures.processes import RunCommand, StartProcess
from rows import connected
from steps import create_imported_key

from keyferry_migrations import head_revision

LISTEN = {"grpc_listen": "127.0.0.1:0", "metrics_listen": "off"}


async def test_a_database_that_was_not_migrated_is_refused_and_stays_empty(
    run_command: RunCommand, empty_database_url: str, root_key_file: object
) -> None:
    before = await pg_dump(empty_database_url)

    finished = await run_command(
        "serve", database_url=empty_database_url, root_key_file=str(root_key_file), **LISTEN
    )

    assert finished.exit_code == 1
    assert "`keyferry-server migrate`" in finished.errors
    assert "Traceback" not in finished.errors
    assert await pg_dump(empty_database_url) == before


async def test_the_command_it_names_makes_the_database_ready(
    run_command: RunCommand, start_process: StartProcess, empty_database_url: str
) -> None:
    migrated = await run_command("migrate", database_url=empty_database_url)

    assert migrated.exit_code == 0, migrated.errors
    server = await start_process(database_url=empty_database_url)
    async with server.client() as client:
        await create_imported_key(client)
    assert await server.terminate() == 0


async def test_migrating_again_or_twice_at_once_does_no_harm(
    run_command: RunCommand, empty_database_url: str
) -> None:
    at_once = await asyncio.gather(
        *(run_command("migrate", database_url=empty_database_url) for _ in range(2))
    )
    migrated = await pg_dump(empty_database_url)
    again = await run_command("migrate", database_url=empty_database_url)

    assert [finished.exit_code for finished in (*at_once, again)] == [0, 0, 0]
    assert await pg_dump(empty_database_url) == migrated


async def test_the_migrations_of_this_release_leave_a_database_of_a_newer_one_alone(
    run_command: RunCommand, database_url: str
) -> None:
    await _migrate_to_a_newer_release(database_url)
    before = await pg_dump(database_url)

    finished = await run_command("migrate", database_url=database_url)

    assert finished.exit_code == 1
    assert "9999" in finished.errors
    assert head_revision() in finished.errors
    assert "Traceback" not in finished.errors
    assert await pg_dump(database_url) == before


async def test_a_server_of_the_release_before_starts_on_a_database_that_a_newer_one_migrated(
    start_process: StartProcess, database_url: str
) -> None:
    await _migrate_to_a_newer_release(database_url)

    server = await start_process(database_url=database_url)

    async with server.client() as client:
        await create_imported_key(client)
    assert await server.terminate() == 0


async def _migrate_to_a_newer_release(database_url: str) -> None:
    async with connected(database_url) as database:
        await database.execute("UPDATE alembic_version SET version_num = '9999'")
