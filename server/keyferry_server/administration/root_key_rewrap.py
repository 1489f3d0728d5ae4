"""Rewrapping: everything that is sealed under an older version of the root key is sealed under the active one.

1. Check that the root key is the database's, and seal under the active version.
2. Wait until every running server seals under it, so that nothing new is older.
3. Walk the list of sealed places. Each portion is one short transaction that holds
   only the rows it replaces; a row that somebody is writing is passed over.
4. Walk again for what was passed over, or was sealed by a call that was under way.

Killed anywhere, each secret is sealed under one version or the other, and both open
it. The next run goes on: what is rewrapped is not touched again.
"""

import asyncio
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass

from keyferry_server.crypto.root_key import RootKeyError, RootKeyUnavailableError
from keyferry_server.crypto.root_key.ring import RootKeyRing
from keyferry_server.crypto.sealing import Sealer
from keyferry_server.domain.sealed_places import SEALED_COLUMNS, Place
from keyferry_server.storage.database import Database, Transaction
from keyferry_server.storage.root_key_store import Replica, RootKeyStore
from keyferry_server.storage.sealed_store import SealedStore

PORTION = 100
_WALKS = 3
_BETWEEN_WALKS_SECONDS = 0.5


@dataclass(frozen=True, slots=True)
class Progress:
    """How far it is: `rewrapped` of `total` that were older at the beginning; `unopened` cannot be opened at all."""

    rewrapped: int
    total: int
    unopened: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class RootKeyRewrap:
    """Rewraps a database whose root key was checked, and whose ring seals under the active version."""

    database: Database
    ring: RootKeyRing
    portion: int = PORTION

    async def behind(self) -> Sequence[Replica]:
        """Return the running servers that still seal under another version."""

        async def read(transaction: Transaction) -> Sequence[Replica]:
            alive = await RootKeyStore(self.database).alive(transaction)
            return [one for one in alive if one.sealing_version != self.ring.current_version]

        return await self.database.run(read)

    async def run(self) -> AsyncIterator[Progress]:
        """Rewrap, and tell the progress after each portion; DependencyTimeoutException may be retried.

        What somebody was writing during all walks is left (`older`).
        """
        progress = Progress(0, await self.older(), ())
        for walk in range(_WALKS):
            if walk:
                await asyncio.sleep(_BETWEEN_WALKS_SECONDS)
            progress = Progress(progress.rewrapped, progress.total, ())
            async for walked in self._walk(progress):
                progress = walked
                yield progress
            if await self.older() == len(progress.unopened):
                break

    async def older(self) -> int:
        """Return how many secrets are sealed under another version."""
        counts = await SealedStore(self.database).count()
        return sum(
            number
            for by_version in counts.values()
            for version, number in by_version.items()
            if version != self.ring.current_version
        )

    async def _walk(self, progress: Progress) -> AsyncIterator[Progress]:
        store, sealer, version = SealedStore(self.database), Sealer(self.ring), self.ring.current_version

        def reseal(sealed: bytes, place: Place) -> bytes | None:
            try:
                return sealer.reseal(sealed, place)
            except RootKeyUnavailableError:
                raise
            except RootKeyError:
                return None

        for column in SEALED_COLUMNS:
            after = None
            while True:
                done = await store.reseal(column, version, reseal, after, self.portion)
                progress = Progress(
                    progress.rewrapped + done.resealed, progress.total, progress.unopened + done.unopened
                )
                yield progress
                after = done.last
                if after is None:
                    break
