"""The rows beneath a running server: read them all, or change what no operation changes."""

from datetime import datetime
from typing import Any

from fixtures.server import TestServer
from sqlalchemy import Executable, text

from keyferry_server.storage.database import Transaction

OTHER_ACCOUNT = "111111111111"


async def all_rows(server: TestServer) -> list[tuple[str, str]]:
    """Return every row of every table as the database writes it, with the table's name.

    But for the audit log, which holds refused calls too, and what servers say of themselves.
    """
    async with server.running.database.connection() as connection:
        tables = await connection.scalars(
            text(
                "SELECT tablename FROM pg_tables WHERE schemaname = 'public' AND tablename NOT LIKE 'audit%' "
                "AND tablename NOT IN ('replicas', 'rate_limits')"
            )
        )
        rows = " UNION ALL ".join(f"SELECT '{table}', t::text FROM \"{table}\" t" for table in tables.all())  # noqa: S608 -- the database's own names
        return [(table, row) for table, row in await connection.execute(text(f"{rows} ORDER BY 1, 2"))]


async def select(server: TestServer, statement: str, **values: object) -> list[Any]:
    """Return the rows that a statement selects."""
    async with server.running.database.connection() as connection:
        return list(await connection.execute(text(statement), values))


async def change(server: TestServer, statement: str, **values: object) -> None:
    """Change rows beneath the server; the change must concern at least one."""
    executable: Executable = text(statement)

    async def write(transaction: Transaction) -> int:
        return (await transaction.connection.execute(executable, values)).rowcount

    assert await server.running.database.transact(write) > 0


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
