"""Work that falls due at a moment, for any number of replicas: what one works on, the others skip.

Nothing that a caller sees depends on when it is done, except for automatic
rotation and for the end of a key that is pending deletion.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import delete, select, union_all, update

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

    async def wipe_expired(self, now: datetime, limit: int) -> int:
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
        forgotten = delete(key_materials).where(*is_due, is_pending).returning(key_materials.c.key_id)
        wiped = (
            update(key_materials)
            .where(*is_due, ~is_pending)
            .values(sealed=None, valid_to=None)
            .returning(key_materials.c.key_id)
        )
        both = union_all(*(select(one.c.key_id) for one in (forgotten.cte("forgotten"), wiped.cte("wiped"))))

        async def write(transaction: Transaction) -> int:
            return len((await transaction.connection.execute(both)).all())

        return await self.database.transact(write)

    async def delete_keys(self, now: datetime, limit: int) -> Sequence[str]:
        """Delete up to `limit` keys whose deletion date has come, with all that is theirs; return their key IDs."""
        due = (
            select(keys.c.key_id)
            .where(keys.c.deletion_date <= now)
            .order_by(keys.c.deletion_date)
            .limit(limit)
            .with_for_update(skip_locked=True)
            .cte("due")
        )

        async def write(transaction: Transaction) -> Sequence[str]:
            result = await transaction.connection.scalars(
                delete(keys).where(keys.c.key_id == due.c.key_id).returning(keys.c.key_id)
            )
            return result.all()

        return await self.database.transact(write)

    async def lock_key_to_rotate(
        self, transaction: Transaction, partition: str, now: datetime
    ) -> GuardedKey | None:
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
        identifier = KeyIdentifier(Scope(partition, row.region, row.account_id), row.key_id)
        result = await transaction.connection.execute(select_key(identifier))
        return GuardedKey(key_of_rows(identifier, result.all()))
