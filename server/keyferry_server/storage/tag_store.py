"""Tags of keys in Postgres."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from sqlalchemy import delete, func, select
from sqlalchemy.dialects import postgresql

from keyferry_server.domain.key import Key
from keyferry_server.domain.tag import Tag
from keyferry_server.storage.database import Database, Transaction
from keyferry_server.storage.rows_of_key import is_of, named
from keyferry_server.storage.tables import key_tags


@dataclass(frozen=True, slots=True)
class TagStore:
    """Keeps the tags of keys as long as the keys exist."""

    database: Database

    async def put(self, transaction: Transaction, key: Key, tags: Mapping[str, str]) -> None:
        """Write tags of a new or locked key; those that it has get other values."""
        if not tags:
            return
        transaction.changed.add(key.key_id)
        row = postgresql.insert(key_tags).values(
            [{**named(key.identifier), "tag_key": name, "tag_value": value} for name, value in tags.items()]
        )
        await transaction.connection.execute(
            row.on_conflict_do_update(
                index_elements=[key_tags.c.key_id, key_tags.c.region, key_tags.c.tag_key],
                set_={"tag_value": row.excluded.tag_value},
            )
        )

    async def count(self, transaction: Transaction, key: Key) -> int:
        """Return how many tags a locked key has."""
        query = select(func.count()).select_from(key_tags).where(is_of(key_tags, key.identifier))
        count: int = (await transaction.connection.execute(query)).scalar_one()
        return count

    async def remove(self, transaction: Transaction, key: Key, tag_keys: Iterable[str]) -> None:
        """Take tags off a locked key; those that it has not are no error."""
        transaction.changed.add(key.key_id)
        await transaction.connection.execute(
            delete(key_tags).where(is_of(key_tags, key.identifier), key_tags.c.tag_key.in_(tag_keys))
        )

    async def list(self, key: Key, after: str, limit: int) -> Sequence[Tag]:
        """Return up to `limit` tags of a key whose tag keys follow `after`, in their order."""
        page = (
            select(key_tags.c.tag_key, key_tags.c.tag_value)
            .where(is_of(key_tags, key.identifier), key_tags.c.tag_key > after)
            .order_by(key_tags.c.tag_key)
            .limit(limit)
        )

        async def read(transaction: Transaction) -> Sequence[Tag]:
            rows = await transaction.connection.execute(page)
            return [Tag(row.tag_key, row.tag_value) for row in rows.all()]

        return await self.database.run(read)
