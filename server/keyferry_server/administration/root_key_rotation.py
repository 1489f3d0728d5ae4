"""Rotation: a new version of the root key, that servers begin to seal under together.

1. Check that the root key is the database's.
2. Take the version that an earlier rotation has made and not activated; if there is
   none, make one in the provider. It is durable there before anything refers to it.
3. Enter its proof: whoever has another key under that number is found out.
4. Wait until every server that runs says that it knows the version (`lacking`).
5. Activate it, in one transaction in which no server can enter (`activate`).

Killed anywhere, nothing is lost, and the next rotation goes on with the version
that this one made. `root_key_watch` is the servers' side.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from keyferry_server.administration.root_key_check import check_root_key
from keyferry_server.crypto.root_key import (
    RootKeyConfigurationError,
    RootKeyMismatchError,
    RootKeyProvider,
)
from keyferry_server.crypto.root_key.proof import is_proven, make_proof
from keyferry_server.crypto.root_key.ring import RootKeyRing
from keyferry_server.storage.database import Database, Transaction
from keyferry_server.storage.root_key_store import Replica, RootKeyStore, active_version


@dataclass(frozen=True, slots=True)
class Pending:
    """The version that waits for its activation; `is_new` if this rotation made it."""

    version: int
    is_new: bool


@dataclass(frozen=True, slots=True)
class RootKeyRotation:
    """Rotates the root key of a database, beside any number of servers."""

    database: Database
    provider: RootKeyProvider
    ring: RootKeyRing

    async def begin(self) -> Pending:
        """Do steps 1 to 3; the provider's RootKeyConfigurationError if it cannot be written from here."""
        await check_root_key(self.database, self.ring)
        store = RootKeyStore(self.database)

        async def write(transaction: Transaction) -> Pending:
            # Two rotations at once would make two keys of one number.
            await store.lock_membership(transaction)
            known = await store.versions(transaction)
            active = active_version(known)
            if active is None:
                raise RootKeyConfigurationError(
                    "No server has used this database yet, so there is nothing to rotate."
                )
            self.ring.learn()
            highest = max(self.ring.versions | known.keys())
            is_new = highest == active
            version = active + 1 if is_new else highest
            if is_new:
                self.provider.add_version(version)
                self.ring.learn()
            if version not in self.ring.versions:
                raise RootKeyConfigurationError(
                    f"Version {version} was made elsewhere and is not in {self.provider}. Copy it here, or rotate there."
                )
            await store.add_versions(transaction, {version: make_proof(self.ring, version)})
            entered = (await store.versions(transaction))[version]
            if not is_proven(self.ring, version, entered.proof):
                raise RootKeyMismatchError(version)
            return Pending(version, is_new)

        return await self.database.transact(write)

    async def lacking(self, version: int) -> Sequence[Replica]:
        """Return the running servers that do not know a version yet."""

        async def read(transaction: Transaction) -> Sequence[Replica]:
            return await self._lacking(transaction, version)

        return await self.database.run(read)

    async def activate(self, version: int) -> Sequence[Replica]:
        """Make everybody seal under a version, if nobody lacks it; return those that do."""
        store = RootKeyStore(self.database)

        async def write(transaction: Transaction) -> Sequence[Replica]:
            await store.lock_membership(transaction)
            lacking = await self._lacking(transaction, version)
            if not lacking:
                await store.activate(transaction, version)
            return lacking

        return await self.database.transact(write)

    async def _lacking(self, transaction: Transaction, version: int) -> Sequence[Replica]:
        alive = await RootKeyStore(self.database).alive(transaction)
        return [replica for replica in alive if version not in replica.root_key_versions]
