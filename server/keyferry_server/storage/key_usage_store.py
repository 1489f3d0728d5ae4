"""The last use of each key in Postgres: one row a key, written in batches."""

from collections.abc import Mapping
from dataclasses import dataclass

from sqlalchemy import DateTime as SqlDateTime
from sqlalchemy import String, column, select, values
from sqlalchemy.dialects import postgresql

from keyferry_server.domain.key_usage import KeyUsageRecord
from keyferry_server.storage.database import Database, Transaction
from keyferry_server.storage.tables import key_usages, keys


@dataclass(frozen=True, slots=True)
class KeyUsageStore:
    """Keeps the last use of each key."""

    database: Database

    async def load(self, key_id: str) -> KeyUsageRecord | None:
        """Return the last use that was written, None if there is none."""
        query = select(key_usages).where(key_usages.c.key_id == key_id)

        async def read(transaction: Transaction) -> KeyUsageRecord | None:
            row = (await transaction.connection.execute(query)).first()
            return None if row is None else KeyUsageRecord(row.operation, row.used_at, row.request_id)

        return await self.database.run(read)

    async def put(self, usages: Mapping[str, KeyUsageRecord]) -> None:
        """Write last uses by key ID; later ones that others have written stay, and so do deleted keys gone."""
        used = values(
            column("key_id", String),
            column("operation", String),
            column("used_at", SqlDateTime(timezone=True)),
            column("request_id", String),
            name="used",
        ).data([(key_id, one.operation, one.used_at, one.request_id) for key_id, one in usages.items()])
        new = postgresql.insert(key_usages).from_select(
            ["key_id", "operation", "used_at", "request_id"],
            # In one order everywhere, so that two servers do not wait for each other.
            select(used).join(keys, keys.c.key_id == used.c.key_id).order_by(used.c.key_id),
        )
        row = new.on_conflict_do_update(
            index_elements=[key_usages.c.key_id],
            set_={name: new.excluded[name] for name in ("operation", "used_at", "request_id")},
            where=new.excluded.used_at > key_usages.c.used_at,
        )

        async def write(transaction: Transaction) -> None:
            await transaction.connection.execute(row)

        await self.database.run(write)
