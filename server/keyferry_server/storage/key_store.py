"""Keys and their key materials in Postgres: one aggregate, read in one statement."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any

from sqlalchemy import (
    ARRAY,
    ColumnElement,
    Row,
    RowMapping,
    Select,
    Text,
    and_,
    delete,
    func,
    insert,
    select,
    update,
)
from sqlalchemy.dialects import postgresql
from sqlalchemy.dialects.postgresql import JSONB

from keyferry_server.domain.identifiers import AliasIdentifier, KeyIdentifier, Scope
from keyferry_server.domain.key import (
    Deletion,
    GuardedKey,
    Key,
    KeySpec,
    KeyUsage,
    Origin,
    RotationSchedule,
)
from keyferry_server.domain.key_labels import KeyLabels
from keyferry_server.domain.key_material import KeyMaterial, KeyMaterialState, Rotation, RotationType
from keyferry_server.storage.alias_store import is_alias
from keyferry_server.storage.database import Database, Transaction
from keyferry_server.storage.tables import aliases, key_materials, key_tags, keys


@dataclass(frozen=True, slots=True)
class KeyStore:
    """Loads and changes keys. `load`, `read` and `lock` raise NotFoundException for what is not there."""

    database: Database

    async def load(self, identifier: KeyIdentifier | AliasIdentifier) -> GuardedKey:
        """Read a key, or the key that an alias names, with all its materials."""

        async def read(transaction: Transaction) -> GuardedKey:
            return await self.read(transaction, identifier)

        return await self.database.run(read)

    async def read(self, transaction: Transaction, identifier: KeyIdentifier | AliasIdentifier) -> GuardedKey:
        """Read as `load` does, within a transaction."""
        result = await transaction.connection.execute(select_key(identifier))
        return GuardedKey(key_of_rows(identifier, result.all()))

    async def lock(self, transaction: Transaction, identifier: KeyIdentifier) -> GuardedKey:
        """Read a key as `load` does and keep every other writer of it out until the transaction ends."""
        locked = select(keys.c.key_id).where(keys.c.key_id == identifier.key_id).with_for_update()
        await transaction.connection.execute(locked)
        transaction.changed.add(identifier.key_id)
        return await self.read(transaction, identifier)

    async def scope_of(self, key_id: str, scope: Scope) -> Scope:
        """Return the scope of a key of any account in the Region of `scope`; `scope` itself if there is no such key."""
        query = select(keys.c.account_id).where(keys.c.key_id == key_id, keys.c.region == scope.region)

        async def read(transaction: Transaction) -> str | None:
            account_id: str | None = await transaction.connection.scalar(query)
            return account_id

        account_id = await self.database.run(read)
        return scope if account_id is None else replace(scope, account_id=account_id)

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
                policy=key.policy,
            )
        )
        for material in key.materials:
            await self.put_material(transaction, key, material)

    async def switch(self, transaction: Transaction, key: Key, *, enabled: bool) -> None:
        """Switch a locked key on or off."""
        await self._update(transaction, key, enabled=enabled)

    async def describe(self, transaction: Transaction, key: Key, description: str) -> None:
        """Replace the description of a locked key."""
        await self._update(transaction, key, description=description)

    async def put_policy(self, transaction: Transaction, key: Key, policy: str | None) -> None:
        """Give a locked key another policy; None is the default one."""
        await self._update(transaction, key, policy=policy)

    async def schedule_deletion(self, transaction: Transaction, key: Key, deletion: Deletion) -> None:
        """Schedule the deletion of a locked key."""
        await self._update(
            transaction, key, deletion_date=deletion.date, deletion_window_days=deletion.window.days
        )

    async def cancel_deletion(self, transaction: Transaction, key: Key) -> None:
        """Take the deletion of a locked key back; the key is switched off."""
        await self._update(transaction, key, deletion_date=None, deletion_window_days=None, enabled=False)

    async def schedule_rotation(
        self, transaction: Transaction, key: Key, rotation: RotationSchedule | None
    ) -> None:
        """Have a locked key rotated on a schedule, or no more."""
        await self._update(
            transaction,
            key,
            rotation_period_days=None if rotation is None else rotation.period.days,
            next_rotation_date=None if rotation is None else rotation.next_date,
        )

    async def put_material(self, transaction: Transaction, key: Key, material: KeyMaterial) -> None:
        """Write a material of a locked key; the same id again replaces all of it but its part in the key."""
        values = {
            "key_id": key.key_id,
            "key_material_id": material.key_material_id,
            "state": material.state,
            "sealed": material.sealed,
            "valid_to": material.valid_to,
            "imported_at": material.imported_at,
            "description": material.description,
            "rotation_date": None if material.rotation is None else material.rotation.date,
            "rotation_type": None if material.rotation is None else material.rotation.type,
            "public_key": material.public_key,
        }
        again = ("sealed", "valid_to", "imported_at", "description", "public_key")
        replaced = {name: values[name] for name in again}
        await transaction.connection.execute(
            postgresql.insert(key_materials)
            .values(values)
            .on_conflict_do_update(
                index_elements=[key_materials.c.key_id, key_materials.c.key_material_id], set_=replaced
            )
        )

    async def make_current(self, transaction: Transaction, key: Key, material: KeyMaterial) -> None:
        """Rotate a locked key to a material, which may be new; the one that was current is so no longer."""
        await transaction.connection.execute(
            update(key_materials)
            .where(key_materials.c.key_id == key.key_id, key_materials.c.state == KeyMaterialState.CURRENT)
            .values(state=KeyMaterialState.NON_CURRENT)
        )
        await self.forget_material(transaction, key, material.key_material_id)
        await self.put_material(transaction, key, material)

    async def wipe_material(self, transaction: Transaction, key: Key, key_material_id: str) -> None:
        """Delete the bytes and the expiry of a material of a locked key; its id stays."""
        await transaction.connection.execute(
            update(key_materials).where(_is_material(key, key_material_id)).values(sealed=None, valid_to=None)
        )

    async def forget_material(self, transaction: Transaction, key: Key, key_material_id: str) -> None:
        """Delete a material of a locked key with its id: it was never current, or is written anew."""
        await transaction.connection.execute(delete(key_materials).where(_is_material(key, key_material_id)))

    async def forget_pending(self, transaction: Transaction, key: Key) -> None:
        """Delete what was pending rotation in a locked key."""
        await transaction.connection.execute(
            delete(key_materials).where(
                key_materials.c.key_id == key.key_id,
                key_materials.c.state == KeyMaterialState.PENDING_ROTATION,
            )
        )

    async def _update(self, transaction: Transaction, key: Key, **values: object) -> None:
        await transaction.connection.execute(update(keys).where(keys.c.key_id == key.key_id).values(values))


def _is_material(key: Key, key_material_id: str) -> ColumnElement[bool]:
    return and_(key_materials.c.key_id == key.key_id, key_materials.c.key_material_id == key_material_id)


_ALIASES, _TAGS = "label_aliases", "label_tags"
# Tables of their own names: a key is also found by one of its aliases.
_its_aliases, _its_tags = aliases.alias("its_aliases"), key_tags.alias("its_tags")
_labels = (
    func.array(
        select(_its_aliases.c.alias_name)
        .where(_its_aliases.c.key_id == keys.c.key_id)
        .order_by(_its_aliases.c.alias_name)
        .scalar_subquery(),
        type_=ARRAY(Text),
    ).label(_ALIASES),
    select(func.jsonb_object_agg(_its_tags.c.tag_key, _its_tags.c.tag_value, type_=JSONB))
    .where(_its_tags.c.key_id == keys.c.key_id)
    .scalar_subquery()
    .label(_TAGS),
)


def select_key(identifier: KeyIdentifier | AliasIdentifier) -> Select[Any]:
    """Select a key, or the key that an alias names, with all its materials, a row for each, and its labels."""
    named = keys.outerjoin(key_materials, key_materials.c.key_id == keys.c.key_id)
    if isinstance(identifier, AliasIdentifier):
        named = named.join(aliases, aliases.c.key_id == keys.c.key_id)
        is_named = is_alias(identifier)
    else:
        is_named = keys.c.key_id == identifier.key_id
    return (
        select(keys, key_materials, *_labels)
        .select_from(named)
        .where(
            is_named,
            keys.c.account_id == identifier.scope.account_id,
            keys.c.region == identifier.scope.region,
        )
    )


def key_of_rows(identifier: KeyIdentifier | AliasIdentifier, rows: Sequence[Row[Any]]) -> Key:
    """Return the key of the rows that `select_key` gave; NotFoundException if there are none."""
    if not rows:
        raise identifier.not_found()
    of_key, of_material = keys.c, key_materials.c
    mappings = [row._mapping for row in rows]  # noqa: SLF001 -- SQLAlchemy's documented name
    first = mappings[0]
    return Key(
        identifier=KeyIdentifier(identifier.scope, first[of_key.key_id]),
        description=first[of_key.description],
        key_spec=KeySpec(first[of_key.key_spec]),
        key_usage=KeyUsage(first[of_key.key_usage]),
        origin=Origin(first[of_key.origin]),
        enabled=first[of_key.enabled],
        created_at=first[of_key.created_at],
        deletion=_deletion(first),
        rotation=_rotation_schedule(first),
        policy=first[of_key.policy],
        labels=KeyLabels(tuple(first[_ALIASES] or ()), first[_TAGS] or {}),
        materials=tuple(
            KeyMaterial(
                key_material_id=row[of_material.key_material_id],
                state=KeyMaterialState(row[of_material.state]),
                sealed=row[of_material.sealed],
                valid_to=row[of_material.valid_to],
                imported_at=row[of_material.imported_at],
                description=row[of_material.description],
                rotation=_rotation(row),
                public_key=row[of_material.public_key],
            )
            for row in mappings
            if row[of_material.key_material_id] is not None
        ),
    )


def _deletion(row: RowMapping) -> Deletion | None:
    date = row[keys.c.deletion_date]
    return None if date is None else Deletion(date, timedelta(days=row[keys.c.deletion_window_days]))


def _rotation_schedule(row: RowMapping) -> RotationSchedule | None:
    days = row[keys.c.rotation_period_days]
    return None if days is None else RotationSchedule(timedelta(days=days), row[keys.c.next_rotation_date])


def _rotation(row: RowMapping) -> Rotation | None:
    date = row[key_materials.c.rotation_date]
    return None if date is None else Rotation(date, RotationType(row[key_materials.c.rotation_type]))
