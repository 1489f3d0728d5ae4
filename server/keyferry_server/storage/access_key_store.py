"""Access keys in Postgres, their secrets sealed."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Delete, Row, Update, delete, insert, select, update

from keyferry_server.authn.access_keys import SealedAccessKey
from keyferry_server.authn.caller import Principal
from keyferry_server.domain.errors import NotFoundException, shown
from keyferry_server.storage.database import Database, Transaction
from keyferry_server.storage.tables import access_keys


@dataclass(frozen=True, slots=True)
class AccessKeyStore:
    """Keeps access keys."""

    database: Database

    async def add(self, key: SealedAccessKey) -> None:
        """Write a new access key."""
        row = insert(access_keys).values(
            access_key_id=key.access_key_id,
            sealed_secret=key.sealed_secret,
            account_id=key.principal.account_id,
            principal_arn=key.principal.arn,
            enabled=key.enabled,
            created_at=key.created_at,
        )

        async def write(transaction: Transaction) -> None:
            transaction.changed.add(key.access_key_id)
            await transaction.connection.execute(row)

        await self.database.transact(write)

    async def find(self, access_key_id: str) -> SealedAccessKey | None:
        """Read an access key; None if it is not there, as callers get ids wrong."""
        query = select(access_keys).where(access_keys.c.access_key_id == access_key_id)

        async def read(transaction: Transaction) -> SealedAccessKey | None:
            row = (await transaction.connection.execute(query)).first()
            return None if row is None else _access_key(row)

        return await self.database.run(read)

    async def list(self) -> Sequence[SealedAccessKey]:
        """Return every access key, the oldest first."""
        query = select(access_keys).order_by(access_keys.c.created_at, access_keys.c.access_key_id)

        async def read(transaction: Transaction) -> Sequence[SealedAccessKey]:
            return [_access_key(row) for row in await transaction.connection.execute(query)]

        return await self.database.run(read)

    async def load(self, access_key_id: str) -> SealedAccessKey:
        """Read an access key as `find` does; NotFoundException if it is not there."""
        found = await self.find(access_key_id)
        if found is None:
            raise _not_found(access_key_id)
        return found

    async def switch(self, access_key_id: str, *, enabled: bool) -> None:
        """Switch an access key on or off; NotFoundException if it is not there."""
        await self._change(update(access_keys).values(enabled=enabled), access_key_id)

    async def delete(self, access_key_id: str) -> None:
        """Delete an access key for good; NotFoundException if it is not there."""
        await self._change(delete(access_keys), access_key_id)

    async def _change(self, change: Update | Delete, access_key_id: str) -> None:
        statement = change.where(access_keys.c.access_key_id == access_key_id)

        async def write(transaction: Transaction) -> None:
            transaction.changed.add(access_key_id)
            if (await transaction.connection.execute(statement)).rowcount == 0:
                raise _not_found(access_key_id)

        await self.database.transact(write)


def _not_found(access_key_id: str) -> NotFoundException:
    return NotFoundException(
        f"There is no access key {shown(access_key_id)}: `keyferry-server access-key list` shows all."
    )


def _access_key(row: Row[Any]) -> SealedAccessKey:
    return SealedAccessKey(
        access_key_id=row.access_key_id,
        sealed_secret=row.sealed_secret,
        principal=Principal(row.account_id, row.principal_arn),
        enabled=row.enabled,
        created_at=row.created_at,
    )
