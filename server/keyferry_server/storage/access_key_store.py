"""Access keys in Postgres, their secrets sealed."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Row, delete, insert, select, update

from keyferry_server.authn.access_keys import SealedAccessKey
from keyferry_server.authn.caller import Principal
from keyferry_server.storage.database import Database, Transaction
from keyferry_server.storage.tables import access_keys


@dataclass(frozen=True, slots=True)
class AccessKeyStore:
    """Keeps access keys. An id that is not there is None or False, not an exception: it is what callers get wrong."""

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
            await transaction.connection.execute(row)

        await self.database.run(write)

    async def find(self, access_key_id: str) -> SealedAccessKey | None:
        """Read an access key."""
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

    async def switch(self, access_key_id: str, *, enabled: bool) -> bool:
        """Switch an access key on or off; False if it is not there."""
        change = (
            update(access_keys).where(access_keys.c.access_key_id == access_key_id).values(enabled=enabled)
        )

        async def write(transaction: Transaction) -> bool:
            return (await transaction.connection.execute(change)).rowcount > 0

        return await self.database.run(write)

    async def delete(self, access_key_id: str) -> bool:
        """Delete an access key for good; False if it is not there."""
        removal = delete(access_keys).where(access_keys.c.access_key_id == access_key_id)

        async def write(transaction: Transaction) -> bool:
            return (await transaction.connection.execute(removal)).rowcount > 0

        return await self.database.run(write)


def _access_key(row: Row[Any]) -> SealedAccessKey:
    return SealedAccessKey(
        access_key_id=row.access_key_id,
        sealed_secret=row.sealed_secret,
        principal=Principal(row.account_id, row.principal_arn),
        enabled=row.enabled,
        created_at=row.created_at,
    )
