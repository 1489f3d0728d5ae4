"""Work that falls due at a moment, for any number of replicas: what one works on, the others skip.

Nothing that a caller sees depends on when it is done, except for automatic
rotation and for the end of a key that is pending deletion.
"""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import delete, select, union_all, update

from keyferry_server.domain.audit_trail import ServiceTrail
from keyferry_server.domain.identifiers import KeyIdentifier, Scope
from keyferry_server.domain.key import GuardedKey
from keyferry_server.domain.key_material import KeyMaterialState
from keyferry_server.storage.database import Database, Transaction
from keyferry_server.storage.key_store import key_of_rows, select_key
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
            select(key_materials.c.key_id, key_materials.c.key_material_id)
            .where(key_materials.c.sealed.is_not(None), key_materials.c.valid_to <= now)
            .order_by(key_materials.c.valid_to)
            .limit(limit)
            .with_for_update(skip_locked=True)
            .cte("due")
        )
        is_due = (
            key_materials.c.key_id == due.c.key_id,
            key_materials.c.key_material_id == due.c.key_material_id,
        )
        is_pending = key_materials.c.state == KeyMaterialState.PENDING_ROTATION
        names = (key_materials.c.key_id, key_materials.c.key_material_id)
        forgotten = delete(key_materials).where(*is_due, is_pending).returning(*names).cte("forgotten")
        wiped = (
            update(key_materials)
            .where(*is_due, ~is_pending)
            .values(sealed=None, valid_to=None)
            .returning(*names)
            .cte("wiped")
        )
        gone = union_all(select(forgotten), select(wiped)).subquery("gone")
        what = select(keys.c.account_id, keys.c.region, gone).join(gone, gone.c.key_id == keys.c.key_id)

        async def write(transaction: Transaction) -> int:
            rows = (await transaction.connection.execute(what)).all()
            for row in rows:
                trail.note(self._identifier(row), keyMaterialId=row.key_material_id)
            return len(rows)

        return await self.database.transact(write)

    async def delete_keys(self, now: datetime, limit: int, trail: ServiceTrail) -> int:
        """Delete up to `limit` keys whose deletion date has come, with all that is theirs; return how many."""
        due = (
            select(keys.c.key_id)
            .where(keys.c.deletion_date <= now)
            .order_by(keys.c.deletion_date)
            .limit(limit)
            .with_for_update(skip_locked=True)
            .cte("due")
        )
        gone = (
            delete(keys)
            .where(keys.c.key_id == due.c.key_id)
            .returning(keys.c.key_id, keys.c.account_id, keys.c.region)
        )

        async def write(transaction: Transaction) -> int:
            rows = (await transaction.connection.execute(gone)).all()
            for row in rows:
                trail.note(self._identifier(row))
                transaction.changed.add(row.key_id)
            return len(rows)

        return await self.database.transact(write)

    async def lock_key_to_rotate(self, transaction: Transaction, now: datetime) -> GuardedKey | None:
        """Return a key whose automatic rotation is due, locked until the transaction ends; None if there is none.

        Keys that are switched off or pending deletion wait until they are not.
        """
        due = (
            select(keys.c.key_id, keys.c.account_id, keys.c.region)
            .where(keys.c.next_rotation_date <= now, keys.c.enabled, keys.c.deletion_date.is_(None))
            .order_by(keys.c.next_rotation_date)
            .limit(1)
            .with_for_update(skip_locked=True)
        )
        row = (await transaction.connection.execute(due)).first()
        if row is None:
            return None
        transaction.changed.add(row.key_id)
        identifier = self._identifier(row)
        result = await transaction.connection.execute(select_key(identifier))
        return GuardedKey(key_of_rows(identifier, result.all()))

    def _identifier(self, row: Any) -> KeyIdentifier:
        return KeyIdentifier(Scope(self.partition, row.region, row.account_id), row.key_id)
