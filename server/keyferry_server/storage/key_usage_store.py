"""The last use of each key in Postgres: one row a key, written in batches."""

from collections.abc import Mapping
from dataclasses import dataclass

from sqlalchemy import DateTime as SqlDateTime
from sqlalchemy import String, column, select, values
from sqlalchemy.dialects import postgresql

from keyferry_server.domain.identifiers import KeyIdentifier
from keyferry_server.domain.key_usage import KeyUsageRecord
from keyferry_server.storage.database import Database, Transaction
from keyferry_server.storage.rows_of_key import is_of, is_of_same_key
from keyferry_server.storage.tables import key_usages, keys


@dataclass(frozen=True, slots=True)
class KeyUsageStore:
    """Keeps the last use of each key."""

    database: Database

    async def load(self, key: KeyIdentifier) -> KeyUsageRecord | None:
        """Return the last use that was written, None if there is none."""
        query = select(key_usages).where(is_of(key_usages, key))

        async def read(transaction: Transaction) -> KeyUsageRecord | None:
            row = (await transaction.connection.execute(query)).first()
            return None if row is None else KeyUsageRecord(row.operation, row.used_at, row.request_id)

        return await self.database.run(read)

    async def put(self, usages: Mapping[KeyIdentifier, KeyUsageRecord]) -> None:
        """Write last uses by key; later ones that others have written stay, and so do deleted keys gone."""
        used = values(
            column("key_id", String),
            column("region", String),
            column("operation", String),
            column("used_at", SqlDateTime(timezone=True)),
            column("request_id", String),
            name="used",
        ).data(
            [
                (key.key_id, key.scope.region, one.operation, one.used_at, one.request_id)
                for key, one in usages.items()
            ]
        )
        new = postgresql.insert(key_usages).from_select(
            ["key_id", "region", "operation", "used_at", "request_id"],
            # In one order everywhere, so that two servers do not wait for each other.
            select(used).join(keys, is_of_same_key(keys, used)).order_by(used.c.key_id, used.c.region),
        )
        row = new.on_conflict_do_update(
            index_elements=[key_usages.c.key_id, key_usages.c.region],
            set_={name: new.excluded[name] for name in ("operation", "used_at", "request_id")},
            where=new.excluded.used_at > key_usages.c.used_at,
        )

        async def write(transaction: Transaction) -> None:
            await transaction.connection.execute(row)

        await self.database.run(write)
