"""Keys and their key materials in Postgres: one aggregate, read in one statement."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Row, Select, insert, select, update
from sqlalchemy.dialects import postgresql

from keyferry_server.domain.errors import NotFoundException
from keyferry_server.domain.identifiers import KeyIdentifier, Scope
from keyferry_server.domain.key import GuardedKey, Key, KeySpec, KeyUsage, Origin
from keyferry_server.domain.key_material import KeyMaterial, KeyMaterialState
from keyferry_server.storage.database import Database, Transaction
from keyferry_server.storage.tables import key_materials, keys


@dataclass(frozen=True, slots=True)
class KeyStore:
    """Loads and changes keys. `load` and `lock` raise NotFoundException for a key that is not there."""

    database: Database

    async def load(self, identifier: KeyIdentifier) -> GuardedKey:
        """Read a key with all its materials."""

        async def read(transaction: Transaction) -> GuardedKey:
            result = await transaction.connection.execute(_select(identifier))
            return GuardedKey(_key(identifier, result.all()))

        return await self.database.run(read)

    async def lock(self, transaction: Transaction, identifier: KeyIdentifier) -> GuardedKey:
        """Read a key as `load` does and keep every other writer of it out until the transaction ends."""
        locked = select(keys.c.key_id).where(keys.c.key_id == identifier.key_id).with_for_update()
        await transaction.connection.execute(locked)
        result = await transaction.connection.execute(_select(identifier))
        return GuardedKey(_key(identifier, result.all()))

    async def list(self, scope: Scope, after: str, limit: int) -> Sequence[str]:
        """Return up to `limit` key IDs of a scope that follow `after`, in their order."""
        page = (
            select(keys.c.key_id)
            .where(
                keys.c.account_id == scope.account_id, keys.c.region == scope.region, keys.c.key_id > after
            )
            .order_by(keys.c.key_id)
            .limit(limit)
        )

        async def read(transaction: Transaction) -> Sequence[str]:
            return (await transaction.connection.scalars(page)).all()

        return await self.database.run(read)

    async def add(self, transaction: Transaction, key: Key) -> None:
        """Write a new key and its materials."""
        scope = key.identifier.scope
        await transaction.connection.execute(
            insert(keys).values(
                key_id=key.key_id,
                account_id=scope.account_id,
                region=scope.region,
                description=key.description,
                key_spec=key.key_spec,
                key_usage=key.key_usage,
                origin=key.origin,
                enabled=key.enabled,
                created_at=key.created_at,
                deletion_date=key.deletion_date,
            )
        )
        for material in key.materials:
            await self.put_material(transaction, key, material)

    async def switch(self, transaction: Transaction, key: Key, *, enabled: bool) -> None:
        """Switch a locked key on or off."""
        await transaction.connection.execute(
            update(keys).where(keys.c.key_id == key.key_id).values(enabled=enabled)
        )

    async def put_material(self, transaction: Transaction, key: Key, material: KeyMaterial) -> None:
        """Write a material of a locked key; the same id again replaces its bytes and expiry."""
        values = {
            "key_id": key.key_id,
            "key_material_id": material.key_material_id,
            "state": material.state,
            "sealed": material.sealed,
            "valid_to": material.valid_to,
            "imported_at": material.imported_at,
        }
        replaced = {name: values[name] for name in ("sealed", "valid_to", "imported_at")}
        await transaction.connection.execute(
            postgresql.insert(key_materials)
            .values(values)
            .on_conflict_do_update(
                index_elements=[key_materials.c.key_id, key_materials.c.key_material_id], set_=replaced
            )
        )

    async def wipe_material(self, transaction: Transaction, key: Key, key_material_id: str) -> None:
        """Delete the bytes and the expiry of a material of a locked key; its id stays."""
        await transaction.connection.execute(
            update(key_materials)
            .where(key_materials.c.key_id == key.key_id, key_materials.c.key_material_id == key_material_id)
            .values(sealed=None, valid_to=None)
        )

    async def wipe_expired(self, now: datetime, limit: int) -> int:
        """Delete the bytes of up to `limit` materials past their ValidTo; return how many were wiped.

        Rows that another replica is wiping are skipped, not waited for.
        """
        due = (
            select(key_materials.c.key_id, key_materials.c.key_material_id)
            .where(key_materials.c.sealed.is_not(None), key_materials.c.valid_to <= now)
            .order_by(key_materials.c.valid_to)
            .limit(limit)
            .with_for_update(skip_locked=True)
            .cte("due")
        )
        wipe = (
            update(key_materials)
            .where(
                key_materials.c.key_id == due.c.key_id,
                key_materials.c.key_material_id == due.c.key_material_id,
            )
            .values(sealed=None, valid_to=None)
        )

        async def write(transaction: Transaction) -> int:
            return (await transaction.connection.execute(wipe)).rowcount

        return await self.database.transact(write)


def _select(identifier: KeyIdentifier) -> Select[Any]:
    return (
        select(keys, key_materials)
        .select_from(keys.outerjoin(key_materials, key_materials.c.key_id == keys.c.key_id))
        .where(
            keys.c.key_id == identifier.key_id,
            keys.c.account_id == identifier.scope.account_id,
            keys.c.region == identifier.scope.region,
        )
    )


def _key(identifier: KeyIdentifier, rows: Sequence[Row[Any]]) -> Key:
    if not rows:
        raise NotFoundException(f"Key '{identifier.arn}' does not exist")
    of_key, of_material = keys.c, key_materials.c
    mappings = [row._mapping for row in rows]  # noqa: SLF001 -- SQLAlchemy's documented name
    first = mappings[0]
    return Key(
        identifier=identifier,
        description=first[of_key.description],
        key_spec=KeySpec(first[of_key.key_spec]),
        key_usage=KeyUsage(first[of_key.key_usage]),
        origin=Origin(first[of_key.origin]),
        enabled=first[of_key.enabled],
        created_at=first[of_key.created_at],
        deletion_date=first[of_key.deletion_date],
        materials=tuple(
            KeyMaterial(
                key_material_id=row[of_material.key_material_id],
                state=KeyMaterialState(row[of_material.state]),
                sealed=row[of_material.sealed],
                valid_to=row[of_material.valid_to],
                imported_at=row[of_material.imported_at],
            )
            for row in mappings
            if row[of_material.key_material_id] is not None
        ),
    )
