"""The rows beneath a running server: read them all, or change what no operation changes."""

import asyncio
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime
from typing import Any

import asyncpg
from fixtures.server import TestServer
from sqlalchemy import Executable, text

from keyferry_server.storage.database import Transaction

OTHER_ACCOUNT = "111111111111"


# But for the audit log, which holds refused calls too, and what servers say of themselves.
_TABLES = (
    "SELECT tablename FROM pg_tables WHERE schemaname = 'public' AND tablename NOT LIKE 'audit%' "
    "AND tablename NOT IN ('replicas', 'rate_limits')"
)

Rows = list[tuple[str, str]]


async def all_rows(server: TestServer) -> Rows:
    """Return every row of every table as the database writes it, with the table's name."""
    async with server.running.database.connection() as connection:
        tables = await connection.scalars(text(_TABLES))
        rows = await connection.execute(text(_all_of(list(tables.all()))))
        return [(table, row) for table, row in rows]


def all_rows_at_once(server: TestServer) -> Rows:
    """Return the same without letting go of the event loop: a call that was just started has not been sent yet."""
    url = server.running.database._engine.url.set(drivername="postgresql")

    async def read() -> Rows:
        connection = await asyncpg.connect(url.render_as_string(hide_password=False))
        try:
            tables = [table["tablename"] for table in await connection.fetch(_TABLES)]
            return [(table, row) for table, row in await connection.fetch(_all_of(tables))]
        finally:
            await connection.close()

    with ThreadPoolExecutor(1) as other_thread:
        return other_thread.submit(asyncio.run, read()).result()


def _all_of(tables: list[str]) -> str:
    rows = " UNION ALL ".join(f"SELECT '{table}' AS table, t::text FROM \"{table}\" t" for table in tables)  # noqa: S608 -- the database's own names
    return f"{rows} ORDER BY 1, 2"


async def select(server: TestServer, statement: str, **values: object) -> list[Any]:
    """Return the rows that a statement selects."""
    async with server.running.database.connection() as connection:
        return list(await connection.execute(text(statement), values))


async def change(server: TestServer, statement: str, **values: object) -> None:
    """Change rows beneath the server; the change must concern at least one."""
    executable: Executable = text(statement)

    async def write(transaction: Transaction) -> int:
        for table in ("key_materials", "import_tokens"):
            if f"{table} SET sealed" in statement:
                # As a disk would damage it, which asks no trigger.
                await transaction.connection.execute(
                    text(f"ALTER TABLE {table} DISABLE TRIGGER check_root_key_version")
                )
        return (await transaction.connection.execute(executable, values)).rowcount

    assert await server.running.database.transact(write) > 0
    # The server hears of it a moment later. No test of a rule waits for that.
    server.running.cache.forget_all()


async def schedule_deletion(server: TestServer, key_id: str, deletion_date: datetime | None = None) -> None:
    """Put a key into the state PENDING_DELETION."""
    await change(
        server,
        "UPDATE keys SET deletion_date = :date, deletion_window_days = 7 WHERE key_id = :key_id",
        date=deletion_date or server.clock.now(),
        key_id=key_id,
    )


async def give_away(server: TestServer, key_id: str) -> str:
    """Let a key belong to another account and return its ARN there."""
    await change(
        server,
        "UPDATE keys SET account_id = :account WHERE key_id = :key_id",
        account=OTHER_ACCOUNT,
        key_id=key_id,
    )
    return foreign_arn(key_id)


def foreign_arn(key_id: str) -> str:
    """Return the ARN that a key ID has in another account."""
    return f"arn:aws:kms:us-east-1:{OTHER_ACCOUNT}:key/{key_id}"
