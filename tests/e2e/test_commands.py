"""The commands around `serve`: migrate, check-config, root-key generate."""

import asyncio
import os
import stat
from pathlib import Path

import asyncpg
import pytest
from e2e.callers_view import until
from e2e.operators_view import complaint
from fixtures.processes import Finished, RunCommand

from keyferry_migrations import head_revision
from keyferry_server.crypto.root_key.file import load_root_key_file

_ADVISORY_LOCK = int.from_bytes(b"keyferry")


@pytest.fixture
def settings(empty_database_url: str, root_key_file: Path) -> dict[str, str]:
    return {"KEYFERRY_DATABASE_URL": empty_database_url, "KEYFERRY_ROOT_KEY_FILE": str(root_key_file)}


async def revision_of(url: str) -> str:
    connection = await asyncpg.connect(url)
    try:
        return await connection.fetchval("SELECT version_num FROM alembic_version")
    finally:
        await connection.close()


async def test_migrate_brings_an_empty_database_up_to_date_and_may_be_repeated(
    run_forked: RunCommand, settings: dict[str, str], empty_database_url: str
) -> None:
    for _ in range(2):
        finished = await run_forked("migrate", environment=settings)
        assert (finished.exit_code, finished.output) == (0, "The database is up to date.\n"), finished.errors
        assert await revision_of(empty_database_url) == head_revision()
    checked = await run_forked("check-config", environment=settings)
    assert (checked.exit_code, checked.output) == (0, "The configuration is good.\n"), checked.errors


async def test_a_migration_queues_behind_another_for_longer_than_a_statement_may_take(
    run_forked: RunCommand, settings: dict[str, str], empty_database_url: str
) -> None:
    connection = await asyncpg.connect(empty_database_url)
    try:
        await connection.execute("SELECT pg_advisory_lock($1)", _ADVISORY_LOCK)
        command = run_forked(
            "migrate", environment=settings | {"KEYFERRY_DATABASE_STATEMENT_TIMEOUT_SECONDS": "0.3"}
        )
        migration = asyncio.create_task(command)

        async def queues() -> bool:
            assert not migration.done(), migration.result().errors
            return await connection.fetchval("SELECT count(*) > 0 FROM pg_locks WHERE NOT granted")

        await until(queues)
        done, _ = await asyncio.wait({migration}, timeout=1.5)
        assert not done, migration.result().errors
    finally:
        await connection.close()
    assert (await migration).exit_code == 0


async def test_migrate_needs_a_database_url(run_forked: RunCommand) -> None:
    finished = await run_forked("migrate")
    assert finished.exit_code == 1
    assert "KEYFERRY_DATABASE_URL" in complaint(finished.errors)


async def test_check_config_changes_nothing(
    run_forked: RunCommand, settings: dict[str, str], empty_database_url: str
) -> None:
    assert (await run_forked("check-config", environment=settings)).exit_code == 1
    connection = await asyncpg.connect(empty_database_url)
    try:
        assert await connection.fetchval("SELECT count(*) FROM pg_tables WHERE schemaname = 'public'") == 0
    finally:
        await connection.close()


async def test_a_generated_root_key_is_private_whatever_the_umask(
    run_forked: RunCommand, tmp_path: Path
) -> None:
    path = tmp_path / "new-root-key"
    umask = os.umask(0)
    try:
        finished = await run_forked("root-key", "generate", "--out", str(path))
    finally:
        os.umask(umask)
    assert finished.exit_code == 0
    assert str(path) in finished.output
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert load_root_key_file(path).current_version == 1
    for line in path.read_text().splitlines():
        if not line.startswith("#"):
            assert line.split()[1] not in finished.output + finished.errors


async def test_a_root_key_is_never_overwritten(run_forked: RunCommand, root_key_file: Path) -> None:
    before = load_root_key_file(root_key_file).encrypt(1, b"plain", b"")
    finished = await run_forked("root-key", "generate", "--out", str(root_key_file))
    assert finished.exit_code == 1
    assert "not overwritten" in complaint(finished.errors)
    assert len(complaint(finished.errors).splitlines()) == 1
    assert load_root_key_file(root_key_file).decrypt(1, before, b"") == b"plain"


@pytest.mark.parametrize("command", [[], ["serve"], ["migrate"], ["check-config"], ["root-key"], ["root-key", "generate"], ["root-key", "status"], ["root-key", "rotate"], ["root-key", "rewrap"], ["root-key", "remove"], ["certificates"]], ids=" ".join)  # fmt: skip
async def test_every_command_explains_itself(run_forked: RunCommand, command: list[str]) -> None:
    finished = await run_forked(*command, "--help")
    assert finished.exit_code == 0
    assert "Usage: keyferry-server" in finished.output
    assert finished.errors == ""


async def test_ctrl_c_while_the_server_is_imported_ends_it_silently(
    run_command: RunCommand, tmp_path: Path
) -> None:
    (tmp_path / "uvloop.py").write_text("import os, signal\nos.kill(os.getpid(), signal.SIGINT)\n")
    finished = await run_command("serve", environment={"PYTHONPATH": str(tmp_path)})
    assert finished == Finished(130, "", "")


async def test_a_database_user_without_rights_is_told_which_table_it_may_not_read(
    run_forked: RunCommand, settings: dict[str, str], empty_database_url: str
) -> None:
    assert (await run_forked("migrate", environment=settings)).exit_code == 0
    connection = await asyncpg.connect(empty_database_url)
    name = f"reader_{os.getpid()}"
    try:
        await connection.execute(f"CREATE ROLE {name} LOGIN")
        await connection.execute(f"GRANT SELECT ON alembic_version TO {name}")
        theirs = empty_database_url.replace("//keyferry@", f"//{name}@")
        finished = await run_forked(
            "audit", "public-key", environment=settings | {"KEYFERRY_DATABASE_URL": theirs}
        )
        assert finished.exit_code == 1
        assert "permission denied for table installation" in complaint(finished.errors)
    finally:
        await connection.execute(f"DROP OWNED BY {name}")
        await connection.execute(f"DROP ROLE {name}")
        await connection.close()
