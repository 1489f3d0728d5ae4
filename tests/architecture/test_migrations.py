"""The migrations lead any database to the schema of tables.py, and obey their law."""

import ast
import asyncio
import hashlib
import re
import shutil
import subprocess
import sys
from asyncio.subprocess import PIPE
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from urllib.parse import parse_qsl, urlsplit

import asyncpg
import pytest
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from dumps import program_of_postgres
from fixtures.postgres import Cluster
from sqlalchemy import Connection, NullPool, text
from sqlalchemy.ext.asyncio import AsyncConnection, create_async_engine

import keyferry_migrations
from keyferry_migrations import SchemaError, current_revision, head_revision, runner, upgrade
from keyferry_server.storage.tables import metadata

OPERATIONS = Path(__file__).parents[2] / "docs" / "operations.md"
PACKAGE = Path(keyferry_migrations.__file__).parent
SCRIPTS = ScriptDirectory(PACKAGE)
MIGRATIONS = sorted((PACKAGE / "versions").glob("*.py"))

# All that there is in a schema, as Postgres itself writes it down.
CATALOGUE = {
    "columns": """
        SELECT relname, attname, format_type(atttypid, atttypmod), attnotnull, attidentity, attgenerated,
               attstorage, collname, pg_get_expr(adbin, adrelid), col_description(attrelid, attnum)
        FROM pg_attribute JOIN pg_class ON pg_class.oid = attrelid
        LEFT JOIN pg_attrdef ON adrelid = attrelid AND adnum = attnum
        LEFT JOIN pg_collation ON pg_collation.oid = attcollation
        WHERE relnamespace = 'public'::regnamespace AND relkind = 'r' AND attnum > 0 AND NOT attisdropped
    """,
    "constraints": """
        SELECT conrelid::regclass::text, conname, convalidated, pg_get_constraintdef(oid)
        FROM pg_constraint WHERE connamespace = 'public'::regnamespace
    """,
    "indexes": "SELECT tablename, indexname, indexdef FROM pg_indexes WHERE schemaname = 'public'",
    "relations": """
        SELECT relname, relkind, reloptions, obj_description(oid, 'pg_class')
        FROM pg_class WHERE relnamespace = 'public'::regnamespace
    """,
    "functions": "SELECT proname, prosrc FROM pg_proc WHERE pronamespace = 'public'::regnamespace",
    "triggers": "SELECT tgrelid::regclass::text, tgname, pg_get_triggerdef(oid) FROM pg_trigger WHERE NOT tgisinternal",
    "types": """
        SELECT typname, typtype FROM pg_type WHERE typnamespace = 'public'::regnamespace AND typtype NOT IN ('c', 'b')
    """,
}


@asynccontextmanager
async def connected(dsn: str, **settings: str) -> AsyncIterator[AsyncConnection]:
    engine = create_async_engine(
        dsn.replace("postgresql:", "postgresql+asyncpg:"),
        poolclass=NullPool,
        connect_args={"server_settings": settings},
    )
    async with engine.connect() as connection:
        yield connection


async def migrate(dsn: str, *, lock_wait_seconds: float = 60) -> Sequence[str]:
    async with connected(dsn) as connection:
        return await connection.run_sync(upgrade, lock_wait_seconds)


async def migrate_to(revision: str, dsn: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Lead a database to where an earlier release led it."""
    to_head = runner.command.upgrade
    with monkeypatch.context() as earlier:
        earlier.setattr(runner.command, "upgrade", lambda config, _: to_head(config, revision))
        await migrate(dsn)


async def catalogue(connection: AsyncConnection) -> dict[str, list[str]]:
    found = {}
    for what, query in CATALOGUE.items():
        rows = (await connection.execute(text(query))).all()
        found[what] = sorted(str(tuple(row)) for row in rows if "alembic_version" not in str(row))
    return found


def test_there_is_one_head_and_it_is_known_without_alembic() -> None:
    assert SCRIPTS.get_heads() == [head_revision()]


def test_migrations_are_numbered_without_a_gap() -> None:
    numbers = [path.name.partition("_")[0] for path in MIGRATIONS]

    assert numbers == [f"{number:04d}" for number in range(1, len(MIGRATIONS) + 1)]
    assert numbers == [script.revision for script in reversed(list(SCRIPTS.walk_revisions()))]


@pytest.mark.parametrize("path", MIGRATIONS, ids=lambda path: path.stem)
def test_every_migration_says_what_it_does_and_obeys_the_law(path: Path) -> None:
    module = ast.parse(path.read_text())
    imported = [
        name.name if isinstance(node, ast.Import) else str(node.module)
        for node in ast.walk(module)
        if isinstance(node, ast.Import | ast.ImportFrom)
        for name in node.names
    ]

    assert ast.get_docstring(module)
    assert "The law of migrations" not in str(ast.get_docstring(module))
    assert not [name for name in imported if name.startswith("keyferry")]
    assert "downgrade" not in {node.name for node in module.body if isinstance(node, ast.FunctionDef)}


async def test_migrations_make_the_schema_of_tables(database_url: str, empty_database_url: str) -> None:
    async with connected(database_url) as migrated, connected(empty_database_url) as made:
        await made.run_sync(metadata.create_all)

        assert await catalogue(migrated) == await catalogue(made)


async def test_alembic_finds_no_drift(database_url: str) -> None:
    def compare(connection: Connection) -> list[object]:
        context = MigrationContext.configure(connection, opts={"compare_server_default": True})
        return list(compare_metadata(context, metadata))

    async with connected(database_url) as connection:
        assert await connection.run_sync(compare) == []


async def test_upgrade_of_an_empty_database_runs_all_migrations_and_then_none(
    empty_database_url: str,
) -> None:
    async with connected(empty_database_url) as connection:
        assert await connection.run_sync(current_revision) is None
        assert await connection.run_sync(upgrade) == [
            script.revision for script in reversed(list(SCRIPTS.walk_revisions()))
        ]
        before = await catalogue(connection)
        await connection.rollback()
        assert await connection.run_sync(upgrade) == []
        assert await catalogue(connection) == before
        assert await connection.run_sync(current_revision) == head_revision()


async def test_migrators_at_the_same_time_queue(empty_database_url: str) -> None:
    async with connected(empty_database_url) as holder:
        await holder.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": runner._ADVISORY_LOCK})
        migrators = [asyncio.create_task(migrate(empty_database_url)) for _ in range(3)]
        await _until(
            empty_database_url, "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND NOT granted", 3
        )
        await holder.rollback()

        results = await asyncio.gather(*migrators)

    assert sorted(map(len, results)) == [0, 0, len(MIGRATIONS)]


async def test_migrator_that_queues_for_too_long_is_told_so(empty_database_url: str) -> None:
    async with connected(empty_database_url) as holder:
        await holder.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": runner._ADVISORY_LOCK})

        with pytest.raises(
            SchemaError, match=r"another migration of this database has been running for 0\.05 seconds"
        ):
            await migrate(empty_database_url, lock_wait_seconds=0.05)


async def test_migration_that_waits_too_long_for_a_lock_is_rolled_back_and_can_be_repeated(
    empty_database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(runner, "LOCK_TIMEOUT_SECONDS", 1)
    async with connected(empty_database_url) as holder:
        await holder.execute(text("CREATE TABLE import_tokens ()"))

        with pytest.raises(SchemaError, match="waited 1 seconds for a lock"):
            await migrate(empty_database_url)

        await holder.rollback()
        assert await catalogue(holder) == {what: [] for what in CATALOGUE}
    assert await migrate(empty_database_url) != []


async def test_database_of_a_newer_release_is_refused(database_url: str) -> None:
    async with connected(database_url) as connection:
        await connection.execute(text("UPDATE alembic_version SET version_num = '9999'"))
        await connection.commit()

        with pytest.raises(SchemaError, match="revision 9999, which this release does not know"):
            await connection.run_sync(upgrade)
        assert await connection.run_sync(current_revision) == "9999"


async def test_what_belongs_to_a_key_belongs_to_its_region_after_the_migration_to_multi_region_keys(
    empty_database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    await migrate_to("0008", empty_database_url, monkeypatch)
    async with connected(empty_database_url) as connection:
        for key_id, region in (("a", "us-east-1"), ("b", "eu-west-1")):
            for statement in ROWS_OF_A_KEY:
                await connection.execute(text(statement), {"key_id": key_id, "region": region} | _ids(key_id))
        await connection.commit()

    assert "0009" in await migrate(empty_database_url)

    async with connected(empty_database_url) as connection:
        tables = ("key_materials", "import_tokens", "import_receipts", "key_usages", "key_tags", "grants")
        for table in tables:
            rows = await connection.execute(text(f"SELECT key_id, region FROM {table}"))  # noqa: S608 -- ours
            assert {tuple(row) for row in rows} == {("a", "us-east-1"), ("b", "eu-west-1")}, table
        await connection.execute(text("DELETE FROM keys"))
        for table in (*tables, "aliases"):
            assert await connection.scalar(text(f"SELECT count(*) FROM {table}")) == 0  # noqa: S608 -- ours


async def test_a_backup_from_before_an_upgrade_is_restored_as_the_pages_say(
    cluster: Cluster, monkeypatch: pytest.MonkeyPatch
) -> None:
    commands = re.findall(
        r"^docker compose exec -T postgres ((?:dropdb|createdb|pg_restore) .*)$",
        OPERATIONS.read_text(),
        re.MULTILINE,
    )
    assert [command.split()[0] for command in commands] == ["dropdb", "createdb", "pg_restore"]
    name = cluster.add_empty_database()
    dsn = cluster.postgres.dsn(name)
    server = dict(parse_qsl(urlsplit(dsn).query))
    variables = {"PGHOST": server["host"], "PGPORT": server["port"]}

    async def run(command: list[str], given: bytes = b"") -> bytes:
        process = await asyncio.create_subprocess_exec(
            program_of_postgres(command[0]), *command[1:], stdin=PIPE, stdout=PIPE, stderr=PIPE, env=variables
        )
        output, errors = await process.communicate(given)
        assert process.returncode == 0, errors.decode()
        return output

    await migrate_to("0007", dsn, monkeypatch)
    backup = await run(["pg_dump", "--username", "keyferry", "--format", "custom", name])
    await migrate(dsn)
    for command in commands:
        words = re.sub(r"(?<!--username )\bkeyferry\b", name, command.partition(" <")[0]).split()
        await run(words, backup if words[0] == "pg_restore" else b"")
    assert "0008" in await migrate(dsn)
    cluster.drop_database(name)


def _ids(key_id: str) -> dict[str, str]:
    return {"digest": hashlib.sha256(key_id.encode()).hexdigest()}


ROWS_OF_A_KEY = (
    """INSERT INTO keys (key_id, account_id, region, description, key_spec, key_usage, origin, enabled, created_at)
       VALUES (:key_id, '000000000000', :region, '', 'SYMMETRIC_DEFAULT', 'ENCRYPT_DECRYPT', 'EXTERNAL', true, now())""",
    """INSERT INTO key_materials (key_id, key_material_id, state, sealed, imported_at)
       VALUES (:key_id, :digest, 'CURRENT', 'x', now())""",
    """INSERT INTO import_tokens (token_id, key_id, wrapping_algorithm, wrapping_key_spec, sealed_private_key,
                                  created_at, valid_to)
       VALUES (gen_random_uuid(), :key_id, 'RSAES_OAEP_SHA_256', 'RSA_2048', 'x', now(), now())""",
    """INSERT INTO import_receipts (token_id, key_id, key_material_id, wrapping_algorithm, wrapping_key_spec,
                                    imported_at, caller, request_id)
       VALUES (gen_random_uuid(), :key_id, :digest, 'RSAES_OAEP_SHA_256', 'RSA_2048', now(), '', '')""",
    "INSERT INTO key_usages (key_id, operation, used_at, request_id) VALUES (:key_id, 'Encrypt', now(), '')",
    "INSERT INTO key_tags (key_id, tag_key, tag_value) VALUES (:key_id, 'a', 'b')",
    """INSERT INTO grants (grant_id, key_id, grantee, issuing_account, operations, created_at)
       VALUES (:digest, :key_id, '', '', '{}', now())""",
    """INSERT INTO aliases (account_id, region, alias_name, key_id, created_at, updated_at)
       VALUES ('000000000000', :region, 'alias/a', :key_id, now(), now())""",
)


async def test_connection_comes_back_as_it_was_lent(empty_database_url: str) -> None:
    async with connected(empty_database_url, statement_timeout="7s") as connection:
        await connection.run_sync(upgrade)

        assert not connection.in_transaction()
        assert await connection.scalar(text("SHOW lock_timeout")) == "0"
        assert await connection.scalar(text("SHOW statement_timeout")) == "7s"
        assert await connection.scalar(text("SELECT count(*) FROM pg_locks WHERE locktype = 'advisory'")) == 0


async def test_connection_in_a_transaction_is_refused(empty_database_url: str) -> None:
    async with connected(empty_database_url) as connection:
        await connection.execute(text("SELECT 1"))

        with pytest.raises(ValueError, match="must not be in one"):
            await connection.run_sync(upgrade)


def test_next_migration_starts_with_the_law(tmp_path: Path) -> None:
    shutil.copytree(PACKAGE, tmp_path / PACKAGE.name)
    subprocess.run(
        [sys.executable, "-m", PACKAGE.name, "add key aliases."],
        cwd=tmp_path,
        check=True,
        capture_output=True,
    )

    head = ScriptDirectory(tmp_path / PACKAGE.name).get_revision("head")
    assert head is not None
    assert head.doc == "Add key aliases."
    assert head.down_revision == head_revision()
    assert Path(head.path).name == f"{int(head_revision()) + 1:04d}_add_key_aliases.py"
    assert "The law of migrations" in Path(head.path).read_text()


async def _until(dsn: str, query: str, value: object) -> None:
    connection = await asyncpg.connect(dsn)
    try:
        async with asyncio.timeout(10):
            while await connection.fetchval(query) != value:  # noqa: ASYNC110 -- Postgres does not announce it
                await asyncio.sleep(0.005)
    finally:
        await connection.close()
