"""Keys and their key materials in Postgres: one aggregate, read in one statement."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import (
    ARRAY,
    ColumnElement,
    Row,
    RowMapping,
    Text,
    and_,
    bindparam,
    case,
    delete,
    func,
    insert,
    select,
    update,
)
from sqlalchemy.dialects import postgresql
from sqlalchemy.dialects.postgresql import JSONB

from keyferry_server.domain.errors import KMSInvalidStateException
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
from keyferry_server.domain.multi_region import MultiRegion, PendingCopy
from keyferry_server.storage.database import Database, Transaction
from keyferry_server.storage.rows_of_key import given, is_of, is_of_given, is_of_same_key, named
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
        return await read_key(transaction, identifier)

    async def lock(self, transaction: Transaction, identifier: KeyIdentifier) -> GuardedKey:
        """Read a key as `load` does and keep every other writer of it out until the transaction ends.

        The keys of a multi-Region key are locked together, and their key ID before them: a
        statement that waits for rows does not see the row that was added meanwhile.
        """
        which = {"key_id": identifier.key_id}
        if identifier.is_multi_region:
            await transaction.connection.execute(_LOCK_KEY_ID, which)
        await transaction.connection.execute(_LOCK, which)
        transaction.changed.add(identifier.key_id)
        return await self.read(transaction, identifier)

    async def hold_materials(self, transaction: Transaction, key: Key) -> Key:
        """Return a locked key as its materials are sealed now; a rewrap passes them over until the transaction ends.

        Whoever copies what is sealed would else bring back a root key version that is rewrapped already.
        """
        rows = await transaction.connection.execute(_HOLD_MATERIALS, given(key.identifier))
        sealed = {row.key_material_id: row.sealed for row in rows}
        return replace(
            key,
            materials=tuple(
                replace(one, sealed=sealed[one.key_material_id])
                for one in key.materials
                if one.key_material_id in sealed
            ),
        )

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
        """Write a new key and its materials; a replica key next to the others of its key ID, which are locked."""
        values = {
            **named(key.identifier),
            "account_id": key.identifier.scope.account_id,
            "primary_region": None if key.multi_region is None else key.multi_region.primary_region,
            "description": key.description,
            "key_spec": key.key_spec,
            "key_usage": key.key_usage,
            "origin": key.origin,
            "enabled": key.enabled,
            "created_at": key.created_at,
            "policy": key.policy,
            **_rotation_columns(key.rotation),
        }
        await transaction.connection.execute(_ADD, values)
        for material in key.materials:
            await self.put_material(transaction, key.identifier, material)

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
        """Have a locked key rotated on a schedule, or no more; its replica keys show the same."""
        await transaction.connection.execute(
            update(keys).where(keys.c.key_id == key.key_id).values(_rotation_columns(rotation))
        )

    async def move_primary(self, transaction: Transaction, key: Key, region: str) -> None:
        """Make the key in another Region the primary key of a locked multi-Region key."""
        await transaction.connection.execute(
            update(keys).where(keys.c.key_id == key.key_id).values(primary_region=region)
        )

    async def put_material(self, transaction: Transaction, key: KeyIdentifier, material: KeyMaterial) -> None:
        """Write a material of a locked key; the same id again replaces all of it but its part in the key."""
        values = {
            **named(key),
            "key_material_id": material.key_material_id,
            "state": material.state,
            "sealed": material.sealed,
            "valid_to": material.valid_to,
            "imported_at": material.imported_at,
            "description": material.description,
            **_became_current(material.rotation),
            "public_key": material.public_key,
        }
        await transaction.connection.execute(_PUT_MATERIAL, values)

    async def rotate_to_fresh(self, transaction: Transaction, key: Key, material: KeyMaterial) -> None:
        """Rotate a locked key, and its replica keys, to a material that is new to them."""
        await self._retire_current(transaction, key)
        for one in key.everywhere:
            await self.put_material(transaction, one, material)

    async def rotate_to_pending(self, transaction: Transaction, key: Key, material: KeyMaterial) -> None:
        """Rotate a locked key, and its replica keys, to the material that is pending rotation in them all.

        KMSInvalidStateException if it has expired somewhere and was swept since the key was
        read: the sweeper does not wait for the locks of keys.
        """
        await self._retire_current(transaction, key)
        rotated = await transaction.connection.execute(
            update(key_materials)
            .where(
                key_materials.c.key_id == key.key_id,
                key_materials.c.key_material_id == material.key_material_id,
            )
            .values(state=material.state, **_became_current(material.rotation))
        )
        if rotated.rowcount != len(key.everywhere):
            raise KMSInvalidStateException(
                f"Key material (id: {material.key_material_id}) of {key.arn} has expired before it was rotated to."
            )

    async def wipe_material(self, transaction: Transaction, key: Key, key_material_id: str) -> None:
        """Delete the bytes and the expiry of a material of a locked key; its id stays."""
        await transaction.connection.execute(
            update(key_materials)
            .where(is_of(key_materials, key.identifier), key_materials.c.key_material_id == key_material_id)
            .values(sealed=None, valid_to=None)
        )

    async def forget_pending(self, transaction: Transaction, key: Key) -> None:
        """Delete what is pending rotation in a locked key, with its id; of a primary key, in every Region."""
        is_forgotten = _is_pending_in_all(key)
        if key.is_replica:
            is_forgotten = and_(is_forgotten, is_of(key_materials, key.identifier))
        await transaction.connection.execute(delete(key_materials).where(is_forgotten))

    async def forget_other_pending(self, transaction: Transaction, key: Key, key_material_id: str) -> None:
        """Delete what was pending rotation in a locked key before the material of that id, in every Region."""
        await transaction.connection.execute(
            _FORGET_OTHER_PENDING, {"key_id": key.key_id, "key_material_id": key_material_id}
        )

    async def _retire_current(self, transaction: Transaction, key: Key) -> None:
        await transaction.connection.execute(
            update(key_materials)
            .where(key_materials.c.key_id == key.key_id, key_materials.c.state == KeyMaterialState.CURRENT)
            .values(state=KeyMaterialState.NON_CURRENT)
        )

    async def _update(self, transaction: Transaction, key: Key, **values: object) -> None:
        await transaction.connection.execute(_UPDATE, {**given(key.identifier), **values})


def _is_pending_in_all(key: Key) -> ColumnElement[bool]:
    return and_(
        key_materials.c.key_id == key.key_id, key_materials.c.state == KeyMaterialState.PENDING_ROTATION
    )


def _rotation_columns(rotation: RotationSchedule | None) -> dict[str, Any]:
    return {
        "rotation_period_days": None if rotation is None else rotation.period.days,
        "next_rotation_date": None if rotation is None else rotation.next_date,
    }


def _became_current(rotation: Rotation | None) -> dict[str, Any]:
    return {
        "rotation_date": None if rotation is None else rotation.date,
        "rotation_type": None if rotation is None else rotation.type,
    }


_ALIASES, _TAGS, _REGIONS, _PENDING = "label_aliases", "label_tags", "regions", "pending_copies"
# Tables of their own names: a key is also found by one of its aliases.
_its_aliases, _its_tags = aliases.alias("its_aliases"), key_tags.alias("its_tags")
_labels = (
    func.array(
        select(_its_aliases.c.alias_name)
        .where(is_of_same_key(_its_aliases, keys))
        .order_by(_its_aliases.c.alias_name)
        .scalar_subquery(),
        type_=ARRAY(Text),
    ).label(_ALIASES),
    select(func.jsonb_object_agg(_its_tags.c.tag_key, _its_tags.c.tag_value, type_=JSONB))
    .where(is_of_same_key(_its_tags, keys))
    .scalar_subquery()
    .label(_TAGS),
)
_related, _related_materials = keys.alias("related"), key_materials.alias("related_materials")
# What single-Region keys do not pay for.
_relations = (
    case(
        (
            keys.c.primary_region.is_not(None),
            func.array(
                select(_related.c.region)
                .where(_related.c.key_id == keys.c.key_id)
                .order_by(_related.c.region)
                .scalar_subquery(),
                type_=ARRAY(Text),
            ),
        )
    ).label(_REGIONS),
    case(
        (
            keys.c.primary_region.is_not(None),
            select(
                func.jsonb_agg(
                    func.jsonb_build_array(
                        _related_materials.c.region,
                        _related_materials.c.key_material_id,
                        _related_materials.c.valid_to,
                    ),
                    type_=JSONB,
                )
            )
            .where(
                _related_materials.c.key_id == keys.c.key_id,
                _related_materials.c.state == KeyMaterialState.PENDING_ROTATION,
                _related_materials.c.sealed.is_not(None),
            )
            .scalar_subquery(),
        )
    ).label(_PENDING),
)


_with_materials = keys.outerjoin(key_materials, is_of_same_key(key_materials, keys))
_selected = select(keys, key_materials, *_labels, *_relations).where(
    keys.c.account_id == bindparam("account_id"), keys.c.region == bindparam("region")
)
_BY_KEY_ID = _selected.select_from(_with_materials).where(keys.c.key_id == bindparam("key_id"))
_BY_ALIAS = _selected.select_from(_with_materials.join(aliases, is_of_same_key(aliases, keys))).where(
    aliases.c.account_id == keys.c.account_id, aliases.c.alias_name == bindparam("alias_name")
)
_hash_of_key_id = func.hashtextextended(bindparam("key_id", type_=Text), 0)
_LOCK_KEY_ID = select(func.pg_advisory_xact_lock(_hash_of_key_id))
TRY_TO_LOCK_KEY_ID = select(func.pg_try_advisory_xact_lock(_hash_of_key_id))
_LOCK = (
    select(keys.c.key_id)
    .where(keys.c.key_id == bindparam("key_id"))
    .order_by(keys.c.region)
    .with_for_update()
)
_HOLD_MATERIALS = (
    select(key_materials.c.key_material_id, key_materials.c.sealed)
    .where(is_of_given(key_materials))
    .with_for_update(read=True)
)
_ADD = insert(keys)
_UPDATE = update(keys).where(is_of_given(keys))
_put = postgresql.insert(key_materials)
_PUT_MATERIAL = _put.on_conflict_do_update(
    index_elements=list(key_materials.primary_key),
    set_={
        name: _put.excluded[name]
        for name in ("sealed", "valid_to", "imported_at", "description", "public_key")
    },
)
_FORGET_OTHER_PENDING = delete(key_materials).where(
    key_materials.c.key_id == bindparam("key_id"),
    key_materials.c.state == KeyMaterialState.PENDING_ROTATION,
    key_materials.c.key_material_id != bindparam("key_material_id"),
)


async def read_key(transaction: Transaction, identifier: KeyIdentifier | AliasIdentifier) -> GuardedKey:
    """Read a key, or the key that an alias names, with all its materials, a row for each, and its labels."""
    scope = identifier.scope
    parameters = {"account_id": scope.account_id, "region": scope.region}
    if isinstance(identifier, AliasIdentifier):
        query, parameters["alias_name"] = _BY_ALIAS, identifier.name
    else:
        query, parameters["key_id"] = _BY_KEY_ID, identifier.key_id
    rows = (await transaction.connection.execute(query, parameters)).all()
    return GuardedKey(_key_of_rows(identifier, rows))


def _key_of_rows(identifier: KeyIdentifier | AliasIdentifier, rows: Sequence[Row[Any]]) -> Key:
    """Return the key of the rows that were read; NotFoundException if there are none."""
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
        multi_region=_multi_region(first),
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
    days = row[keys.c.deletion_window_days]
    return None if days is None else Deletion(row[keys.c.deletion_date], timedelta(days=days))


def _multi_region(row: RowMapping) -> MultiRegion | None:
    primary_region = row[keys.c.primary_region]
    if primary_region is None:
        return None
    pending = (
        PendingCopy(region, key_material_id, None if valid_to is None else datetime.fromisoformat(valid_to))
        for region, key_material_id, valid_to in row[_PENDING] or ()
    )
    return MultiRegion(primary_region, tuple(row[_REGIONS]), tuple(pending))


def _rotation_schedule(row: RowMapping) -> RotationSchedule | None:
    days = row[keys.c.rotation_period_days]
    return None if days is None else RotationSchedule(timedelta(days=days), row[keys.c.next_rotation_date])


def _rotation(row: RowMapping) -> Rotation | None:
    date = row[key_materials.c.rotation_date]
    return None if date is None else Rotation(date, RotationType(row[key_materials.c.rotation_type]))
