"""Work that falls due at a moment, for any number of replicas: what one works on, the others skip.

Nothing that a caller sees depends on when it is done, except for automatic
rotation and for the end of a key that is pending deletion.
"""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import delete, exists, func, literal, select, union_all, update

from keyferry_server.domain.audit_trail import ServiceTrail
from keyferry_server.domain.identifiers import KeyIdentifier, Scope
from keyferry_server.domain.key import GuardedKey
from keyferry_server.domain.key_material import KeyMaterialState
from keyferry_server.storage.database import Database, Transaction
from keyferry_server.storage.key_store import TRY_TO_LOCK_KEY_ID, read_key
from keyferry_server.storage.rows_of_key import is_of_same_key
from keyferry_server.storage.tables import key_materials, keys


@dataclass(frozen=True, slots=True)
class DueWork:
    """Finds what is due, in batches."""

    database: Database
    partition: str

    async def wipe_expired(self, now: datetime, limit: int, trail: ServiceTrail) -> int:
        """Delete the bytes of up to `limit` materials past their ValidTo; return how many were wiped.

        What was pending rotation is forgotten.
        """
        due = (
            select(*key_materials.primary_key)
            .where(key_materials.c.sealed.is_not(None), key_materials.c.valid_to <= now)
            .order_by(key_materials.c.valid_to)
            .limit(limit)
            .with_for_update(skip_locked=True)
            .cte("due")
        )
        is_due = (
            is_of_same_key(key_materials, due),
            key_materials.c.key_material_id == due.c.key_material_id,
        )
        is_pending = key_materials.c.state == KeyMaterialState.PENDING_ROTATION
        names = tuple(key_materials.primary_key)
        forgotten = delete(key_materials).where(*is_due, is_pending).returning(*names).cte("forgotten")
        wiped = (
            update(key_materials)
            .where(*is_due, ~is_pending)
            .values(sealed=None, valid_to=None)
            .returning(*names)
            .cte("wiped")
        )
        gone = union_all(select(forgotten), select(wiped)).subquery("gone")
        what = select(keys.c.account_id, gone).join(gone, is_of_same_key(gone, keys))

        async def write(transaction: Transaction) -> int:
            rows = (await transaction.connection.execute(what)).all()
            for row in rows:
                trail.note(self._identifier(row), keyMaterialId=row.key_material_id)
            return len(rows)

        return await self.database.transact(write)

    async def delete_keys(self, now: datetime, limit: int, trail: ServiceTrail) -> int:
        """Delete up to `limit` keys whose deletion date has come, with all that is theirs; return how many."""
        due = (
            select(*keys.primary_key)
            .where(keys.c.deletion_date <= now)
            .order_by(keys.c.deletion_date)
            .limit(limit)
            .with_for_update(skip_locked=True)
            .cte("due")
        )
        gone = (
            delete(keys)
            .where(is_of_same_key(keys, due))
            .returning(keys.c.key_id, keys.c.account_id, keys.c.region)
        )

        async def write(transaction: Transaction) -> int:
            rows = (await transaction.connection.execute(gone)).all()
            for row in rows:
                trail.note(self._identifier(row))
                transaction.changed.add(row.key_id)
            return len(rows)

        return await self.database.transact(write)

    async def begin_waiting_periods(self, now: datetime) -> int:
        """Set the deletion date of the primary keys that waited for the last of their replica keys; return how many."""
        related = keys.alias("related")
        begun = (
            update(keys)
            .where(
                keys.c.deletion_window_days.is_not(None),
                keys.c.deletion_date.is_(None),
                ~exists().where(related.c.key_id == keys.c.key_id, related.c.region != keys.c.region),
            )
            .values(
                deletion_date=literal(now, keys.c.deletion_date.type)
                + func.make_interval(0, 0, 0, 0, keys.c.deletion_window_days * 24)
            )
        )

        async def write(transaction: Transaction) -> int:
            return (await transaction.connection.execute(begun)).rowcount

        return await self.database.transact(write)

    async def lock_key_to_rotate(
        self, transaction: Transaction, now: datetime, busy: set[str]
    ) -> GuardedKey | None:
        """Return a key whose automatic rotation is due, locked until the transaction ends; None if there is none.

        Keys that are switched off or pending deletion wait until they are not. So does a
        primary key while somebody changes one of its replica keys, which are locked with it:
        its key ID is added to `busy`, whose keys are left out.
        """
        due = (
            select(keys.c.key_id, keys.c.account_id, keys.c.region, keys.c.primary_region)
            .where(
                keys.c.next_rotation_date <= now,
                keys.c.enabled,
                keys.c.deletion_window_days.is_(None),
                func.coalesce(keys.c.primary_region, keys.c.region) == keys.c.region,
            )
            .order_by(keys.c.next_rotation_date)
            .limit(1)
            .with_for_update(skip_locked=True)
        )
        while True:
            found = await transaction.connection.execute(due.where(keys.c.key_id.not_in(busy)))
            row = found.first()
            if row is None:
                return None
            if row.primary_region is None or await self._lock_all(transaction, row.key_id):
                transaction.changed.add(row.key_id)
                return await read_key(transaction, self._identifier(row))
            busy.add(row.key_id)

    async def _lock_all(self, transaction: Transaction, key_id: str) -> bool:
        """Lock a key ID and all its keys without waiting, in whichever order; tell whether none was left out."""
        if not await transaction.connection.scalar(TRY_TO_LOCK_KEY_ID, {"key_id": key_id}):
            return False
        related = select(keys.c.region).where(keys.c.key_id == key_id)
        locked = (await transaction.connection.scalars(related.with_for_update(skip_locked=True))).all()
        return len(locked) == len((await transaction.connection.scalars(related)).all())

    def _identifier(self, row: Any) -> KeyIdentifier:
        return KeyIdentifier(Scope(self.partition, row.region, row.account_id), row.key_id)
