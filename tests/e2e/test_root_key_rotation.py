"""`root-key rotate`, `rewrap`, `status` and `remove`, beside servers, and killed at every step."""

import asyncio
import shutil
from pathlib import Path

import asyncpg
import pytest
from e2e.callers_view import until
from e2e.command_forks import CommandForks
from e2e.operators_view import complaint
from fixtures.processes import Finished
from fixtures.server import ServerFactory
from rows import connected
from sealed_rows import Sealed, opened_rows, sealed_rows
from steps import create_external_key, create_imported_key, decrypt, encrypt, get_parameters, import_request

from keyferry_client import DependencyTimeoutException
from keyferry_server.crypto.root_key import RootKeyMismatchError, UnknownRootKeyVersionError
from keyferry_server.crypto.root_key.file import FileRootKeyProvider

QUICK = {"replica_interval_seconds": 0.05}


class Commands:
    """The `root-key` commands on the test's database."""

    def __init__(self, forks: CommandForks, database_url: str, root_key_file: Path) -> None:
        self._forks = forks
        self._environment = {
            "KEYFERRY_DATABASE_URL": database_url,
            "KEYFERRY_ROOT_KEY_FILE": str(root_key_file),
        }

    async def __call__(self, *command: str, kill_at: int | None = None, fails: bool = False) -> Finished:
        finished = await self._forks.run("root-key", *command, environment=self._environment, kill_at=kill_at)
        if kill_at is None:
            assert finished.exit_code == int(fails), finished.output + finished.errors
        return finished


@pytest.fixture
def root_key(command_forks: CommandForks, database_url: str, root_key_file: Path) -> Commands:
    return Commands(command_forks, database_url, root_key_file)


@pytest.fixture
async def used(start_server: ServerFactory, database_url: str) -> list[Sealed]:
    """A database with secrets in all sealed places, and no server beside it."""
    server = await start_server()
    async with server.client() as client:
        for number in range(3):
            await create_imported_key(client, bytes([number]) * 32)
        for _ in range(2):
            await get_parameters(client, await create_external_key(client))
    await server.stop()
    return await sealed_rows(database_url)


async def restore(database_url: str, rows: list[Sealed]) -> None:
    """Put every sealed value back as it was."""
    async with connected(database_url) as database:
        for row in rows:
            await database.execute(row.update, row.sealed, *row.identity)


async def versions(database_url: str) -> list[tuple[int, bool]]:
    """Return each version, and whether it is active."""
    async with connected(database_url) as database:
        found = await database.fetch("SELECT version, activated_at FROM root_key_versions ORDER BY version")
    return [(row["version"], row["activated_at"] is not None) for row in found]


def lines_of(root_key_file: Path) -> list[list[str]]:
    """Return number and key of each version in a file."""
    return [line.split() for line in root_key_file.read_text().splitlines() if not line.startswith("#")]


async def settle(database_url: str) -> None:
    """Let the time pass after which a version may go."""
    async with connected(database_url) as database:
        await database.execute("UPDATE root_key_versions SET activated_at = activated_at - interval '1 hour'")


async def rotated_to_version_2(root_key: Commands, database_url: str) -> None:
    """Seal everything under version 2, without the servers that run; let the time pass after which version 1 may go."""
    async with connected(database_url) as database:
        # As if none of them had been heard of for a long time.
        await database.execute("UPDATE replicas SET alive_until = now() - interval '1 minute'")
    await root_key("rotate")
    await root_key("rewrap")
    await settle(database_url)


async def test_a_rotation_rewraps_everything_and_the_old_version_can_go(
    root_key: Commands, used: list[Sealed], database_url: str, root_key_file: Path
) -> None:
    before = opened_rows(used, root_key_file)
    assert {row.version for row in used} == {1}
    assert "not older" in complaint((await root_key("remove", "1", fails=True)).errors)

    rotated = await root_key("rotate")
    assert "Version 2 is active" in rotated.output
    assert "6 secrets are sealed" in complaint((await root_key("remove", "1", fails=True)).errors)

    rewrapped = await root_key("rewrap", "--portion", "2")
    assert "rewrapped 6 of 6" in rewrapped.output
    assert "Everything is sealed under version 2." in rewrapped.output
    rows = await sealed_rows(database_url)
    assert {row.version for row in rows} == {2}
    assert opened_rows(rows, root_key_file) == before

    shown = (await root_key("status")).output.splitlines()
    assert shown == [
        "version 1: seals nothing",
        "version 2: every server seals under it, 1 in installation, 3 in key_materials, 2 in import_tokens",
    ]
    assert "Try again in" in complaint((await root_key("remove", "1", fails=True)).errors)
    await settle(database_url)
    await root_key("remove", "1")
    ((version, secret),) = lines_of(root_key_file)
    assert version == "2"
    assert opened_rows(rows, root_key_file) == before
    assert await versions(database_url) == [(2, True)]
    assert secret not in rotated.output + rotated.errors + rewrapped.output + rewrapped.errors


@pytest.mark.timeout(300)  # forty starts of a command, on however busy a machine
async def test_a_rotation_that_is_killed_at_any_step_loses_nothing_and_is_resumed(
    root_key: Commands, used: list[Sealed], database_url: str, root_key_file: Path, tmp_path: Path
) -> None:
    saved = shutil.copy(root_key_file, tmp_path / "saved")
    before = opened_rows(used, root_key_file)
    steps = 0
    while (killed := await root_key("rotate", kill_at=steps + 1)).exit_code == -9:
        steps += 1
        assert opened_rows(await sealed_rows(database_url), root_key_file) == before
        in_file = lines_of(root_key_file)
        # What the database knows of is in the file, and there is one new version at most.
        assert len(in_file) >= len(await versions(database_url))
        assert len(in_file) <= 2

        if steps % 3 == 0:
            await root_key("rotate")
            assert (2, True) in await versions(database_url)
        async with connected(database_url) as database:
            await database.execute("DELETE FROM root_key_versions WHERE version > 1")
        shutil.copy(saved, root_key_file)
    assert killed.exit_code == 0
    # Three of files (sync, rename, sync), the rest of the database.
    assert steps > 10


@pytest.mark.timeout(300)  # forty starts of a command, on however busy a machine
async def test_a_rewrapping_that_is_killed_at_any_step_loses_nothing_and_is_resumed(
    root_key: Commands, used: list[Sealed], database_url: str, root_key_file: Path
) -> None:
    before = opened_rows(used, root_key_file)
    await root_key("rotate")
    steps, in_between = 0, 0
    while (await root_key("rewrap", "--portion", "4", kill_at=steps + 1)).exit_code == -9:
        steps += 1
        rows = await sealed_rows(database_url)
        assert opened_rows(rows, root_key_file) == before
        in_between += len({row.version for row in rows}) == 2
        if steps % 6 == 0:
            resumed = await root_key("rewrap", "--portion", "4")
            assert f"rewrapped {sum(row.version == 1 for row in rows)} of" in resumed.output
            rows = await sealed_rows(database_url)
            assert ({row.version for row in rows}, opened_rows(rows, root_key_file)) == ({2}, before)
        await restore(database_url, used)
    assert steps > 12
    assert in_between > 3


async def test_running_servers_learn_a_new_version_and_go_on_during_the_rewrapping(
    start_server: ServerFactory, root_key: Commands, database_url: str, root_key_file: Path
) -> None:
    one, other = await start_server(**QUICK), await start_server(**QUICK)
    async with one.client() as first, other.client() as second:
        key_id = await create_imported_key(first)
        blob = await encrypt(first, key_id)
        waiting = await create_external_key(second)
        request = import_request(waiting, await get_parameters(second, waiting))

        await root_key("rotate")
        await root_key("rewrap")

        await second.import_key_material_async(request)
        for client in (first, second):
            assert await decrypt(client, blob) == b"plaintext"
        await get_parameters(first, key_id)
    rows = await sealed_rows(database_url)
    assert {row.version for row in rows} == {2}
    assert opened_rows(rows, root_key_file)


async def test_a_version_is_not_activated_before_every_running_server_knows_it(
    start_server: ServerFactory,
    root_key: Commands,
    database_url: str,
    root_key_file: Path,
    tmp_path: Path,
) -> None:
    copy = Path(shutil.copy(root_key_file, tmp_path / "copy"))
    here = await start_server(**QUICK)
    elsewhere = await start_server(**QUICK, root_key_file=copy)

    refused = await root_key("rotate", "--wait-seconds", "0.3", fails=True)
    assert "do not know version 2 yet" in complaint(refused.errors)
    assert await versions(database_url) == [(1, True), (2, False)]
    async with here.client() as client:
        key_id = await create_imported_key(client)
        blob = await encrypt(client, key_id)
    assert {row.version for row in await sealed_rows(database_url)} == {1}
    assert "version 2: not active: say `root-key rotate`" in (await root_key("status")).output

    shutil.copy(root_key_file, copy)
    resumed = await root_key("rotate")
    assert "Version 2 was made before" in resumed.output
    await root_key("rewrap")
    async with elsewhere.client() as client:
        assert await decrypt(client, blob) == b"plaintext"


async def test_a_row_that_somebody_writes_is_passed_over_and_not_overwritten(
    root_key: Commands, used: list[Sealed], database_url: str
) -> None:
    await root_key("rotate")
    row = next(one for one in used if one.table == "key_materials")
    async with connected(database_url) as database:
        transaction = database.transaction()
        await transaction.start()
        # As an import writes it: under the version of its server.
        newer = row.sealed[:-1] + bytes([row.sealed[-1] ^ 1])
        await database.execute(row.update, newer, *row.identity)
        rewrapped = await root_key("rewrap", fails=True)
        assert "1 secrets were being written" in complaint(rewrapped.errors)
        await transaction.commit()
        assert newer in [one.sealed for one in await sealed_rows(database_url)]


async def test_a_damaged_secret_is_named_and_the_others_are_rewrapped(
    root_key: Commands, used: list[Sealed], database_url: str
) -> None:
    row = next(one for one in used if one.table == "key_materials")
    await root_key("rotate")
    async with connected(database_url) as database:
        await database.execute(row.update, row.sealed[:-1] + bytes([row.sealed[-1] ^ 1]), *row.identity)

    rewrapped = await root_key("rewrap", "--portion", "1", fails=True)

    assert f"cannot be opened: key material of key_materials {'/'.join(row.identity)}" in rewrapped.output
    assert "rewrapped 5 of 6" in rewrapped.output
    assert "1 secrets cannot be opened" in complaint(rewrapped.errors)
    assert sorted(one.version for one in await sealed_rows(database_url)) == [1, 2, 2, 2, 2, 2]


async def test_another_key_under_a_known_number_is_found_out(
    start_server: ServerFactory,
    root_key: Commands,
    database_url: str,
    root_key_file: Path,
    tmp_path: Path,
) -> None:
    copy = Path(shutil.copy(root_key_file, tmp_path / "copy"))
    here = await start_server(**QUICK)
    await start_server(**QUICK, root_key_file=copy)
    FileRootKeyProvider(copy).add_version(2)

    async def is_entered() -> bool:
        return (2, False) in await versions(database_url)

    await until(is_entered)
    assert "was made elsewhere" in complaint((await root_key("rotate", fails=True)).errors)
    FileRootKeyProvider(root_key_file).add_version(2)

    async def is_refused() -> bool:
        return 2 in here.running.root_keys._refused

    await until(is_refused)
    assert here.running.root_keys.versions == {1}
    assert "version 2 of the root key does not open" in complaint(
        (await root_key("rotate", fails=True)).errors
    )
    with pytest.raises(RootKeyMismatchError, match="version 2"):
        await start_server()
    assert (2, True) not in await versions(database_url)


async def test_a_server_without_the_active_version_does_not_start(
    start_server: ServerFactory, root_key: Commands, used: list[Sealed], root_key_file: Path, tmp_path: Path
) -> None:
    old = Path(shutil.copy(root_key_file, tmp_path / "old"))
    await root_key("rotate")
    with pytest.raises(UnknownRootKeyVersionError, match="version 2"):
        await start_server(root_key_file=old)


async def test_a_server_without_a_version_that_something_is_sealed_under_does_not_start(
    start_server: ServerFactory,
    root_key: Commands,
    used: list[Sealed],
    database_url: str,
    root_key_file: Path,
) -> None:
    await root_key("rotate")
    await root_key("rewrap")
    row = next(one for one in used if one.table == "import_tokens")
    async with connected(database_url) as database:
        await database.execute(row.update, row.sealed, *row.identity)
    FileRootKeyProvider(root_key_file).remove_version(1)
    with pytest.raises(UnknownRootKeyVersionError, match="version 1"):
        await start_server()


async def test_a_server_learns_a_version_that_it_meets_before_it_looked(
    start_server: ServerFactory, root_key: Commands, database_url: str
) -> None:
    slow = await start_server(replica_interval_seconds=3600)
    async with slow.client() as client:
        key_id = await create_imported_key(client)
        blob = await encrypt(client, key_id)
        await rotated_to_version_2(root_key, database_url)
        slow.running.root_keys._read_at = 0
        assert await decrypt(client, blob) == b"plaintext"


async def test_a_server_that_was_not_heard_of_seals_nothing_under_a_version_that_was_removed(
    start_server: ServerFactory, root_key: Commands, database_url: str
) -> None:
    cut_off = await start_server(replica_interval_seconds=3600)
    async with cut_off.client() as client:
        imported = await create_imported_key(client)
        key_id = await create_external_key(client)
        request = import_request(key_id, await get_parameters(client, key_id))
        await rotated_to_version_2(root_key, database_url)
        await root_key("remove", "1")
        before = await sealed_rows(database_url)
        cut_off.running.root_keys._read_at = 0

        with pytest.raises(DependencyTimeoutException):
            await client.import_key_material_async(request)
        with pytest.raises(DependencyTimeoutException):
            await get_parameters(client, imported)
        assert await sealed_rows(database_url) == before
    await cut_off.stop()
    server = await start_server()
    async with server.client() as client:
        await client.import_key_material_async(request)
    assert {row.version for row in await sealed_rows(database_url)} == {2}


async def test_a_version_is_not_removed_while_something_sealed_under_it_is_being_written(
    root_key: Commands, used: list[Sealed], database_url: str, root_key_file: Path
) -> None:
    before = opened_rows(used, root_key_file)
    await rotated_to_version_2(root_key, database_url)
    late = next(row for row in used if row.table == "key_materials")
    async with connected(database_url) as writer, connected(database_url) as onlooker:
        async with writer.transaction():
            await writer.execute(late.update, late.sealed, *late.identity)
            removing = asyncio.create_task(root_key("remove", "1", fails=True))

            async def is_waiting() -> bool:
                waiting = (
                    "SELECT count(*) FROM pg_locks WHERE NOT granted AND relation = 'key_materials'::regclass"
                )
                return bool(await onlooker.fetchval(waiting))

            await until(is_waiting)
        assert "1 secrets are sealed under version 1" in complaint((await removing).errors)
    assert opened_rows(await sealed_rows(database_url), root_key_file) == before

    await root_key("rewrap")
    await root_key("remove", "1")
    assert opened_rows(await sealed_rows(database_url), root_key_file) == before
    assert [number for number, _ in lines_of(root_key_file)] == ["2"]


async def test_the_database_takes_nothing_that_is_sealed_under_an_unknown_version(
    used: list[Sealed], database_url: str
) -> None:
    async with connected(database_url) as database:
        for row in used:
            unknown = row.sealed[:1] + (7).to_bytes(4) + row.sealed[5:]
            with pytest.raises(asyncpg.ObjectNotInPrerequisiteStateError, match="version 7"):
                await database.execute(row.update, unknown, *row.identity)
    assert await sealed_rows(database_url) == used


async def test_only_a_server_that_runs_is_waited_for(
    start_server: ServerFactory, root_key: Commands, database_url: str
) -> None:
    server = await start_server(**QUICK)
    assert "seals under 1 and opens 1" in (await root_key("status")).output
    await server.stop()
    assert "server" not in (await root_key("status")).output.replace("every server", "")
    async with connected(database_url) as database:
        assert await database.fetchval("SELECT count(*) FROM replicas") == 0


async def test_there_is_nothing_to_rotate_before_a_server_was_there(root_key: Commands) -> None:
    for command in ("rotate", "rewrap"):
        refused = complaint((await root_key(command, fails=True)).errors)
        assert "o server has used this database yet" in refused
