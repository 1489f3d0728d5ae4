"""The installation: one row, made once, that holds the sealed installation secret."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.dialects import postgresql

from keyferry_server.storage.database import Database, Transaction
from keyferry_server.storage.tables import installation


@dataclass(frozen=True, slots=True)
class InstallationStore:
    """Reads the installation secret, and writes it when the database is new."""

    database: Database

    async def load(self) -> bytes | None:
        """Return the sealed installation secret, or None on a database that no server has used."""

        async def read(transaction: Transaction) -> bytes | None:
            sealed: bytes | None = await transaction.connection.scalar(select(installation.c.sealed_secret))
            return sealed

        return await self.database.run(read)

    async def load_or_add(self, make: Callable[[], bytes], now: datetime) -> bytes:
        """Return the sealed installation secret; `make` seals a fresh one if there is none.

        Servers that start together on a new database agree: the first one's is kept.
        """

        async def run(transaction: Transaction) -> bytes:
            query = select(installation.c.sealed_secret)
            sealed: bytes | None = await transaction.connection.scalar(query)
            if sealed is not None:
                return sealed
            await transaction.connection.execute(
                postgresql.insert(installation)
                .values(id=1, sealed_secret=make(), created_at=now)
                .on_conflict_do_nothing()
            )
            kept: bytes = (await transaction.connection.execute(query)).scalar_one()
            return kept

        return await self.database.run(run)
