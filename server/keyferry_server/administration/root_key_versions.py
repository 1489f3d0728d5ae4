"""The versions of the root key: which there are, what each of them seals, and when one may go."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from keyferry_server.crypto.root_key import RootKeyConfigurationError, RootKeyProvider
from keyferry_server.crypto.root_key.ring import RootKeyRing
from keyferry_server.domain.sealed_places import SealedColumn
from keyferry_server.storage.database import Database, Transaction
from keyferry_server.storage.root_key_store import Replica, RootKeyStore, active_version
from keyferry_server.storage.sealed_store import SealedStore

# A call that sealed just before its server followed an activation has committed, or failed, by then.
SETTLED_AFTER_SECONDS = 120


@dataclass(frozen=True, slots=True)
class VersionStatus:
    """One version: whether it is in the provider here, since when it is active, and what it seals."""

    version: int
    is_here: bool
    is_sealing: bool
    activated_at: datetime | None
    sealed: Mapping[SealedColumn, int]


@dataclass(frozen=True, slots=True)
class RootKeyVersions:
    """Tells about the versions of a database's root key, and removes one that is not needed any more."""

    database: Database
    provider: RootKeyProvider
    ring: RootKeyRing

    async def status(self) -> tuple[Sequence[VersionStatus], Sequence[Replica]]:
        """Return all versions that are known here, to the database or to what is sealed; and the running servers."""
        store = RootKeyStore(self.database)

        async def read(transaction: Transaction) -> tuple[Sequence[VersionStatus], Sequence[Replica]]:
            known = await store.versions(transaction)
            active = active_version(known)
            statuses = [
                VersionStatus(
                    version,
                    version in self.ring.versions,
                    version == active,
                    known[version].activated_at if version in known else None,
                    _by_column(counts, version),
                )
                for version in sorted(self.ring.versions | known.keys() | used)
            ]
            return statuses, await store.alive(transaction)

        counts = await SealedStore(self.database).count()
        used = {version for by_version in counts.values() for version in by_version}
        return await self.database.run(read)

    async def remove(self, version: int) -> None:
        """Forget a version that seals nothing; RootKeyConfigurationError says what stands in the way.

        1. Check that nothing needs it.
        2. Take it out of the database, which from then on refuses what is sealed under it:
           a server that nobody has heard of for long may still try.
        3. Wait until what was being written before that is there to be seen, and look again.
        4. Take it out of the provider. Killed before that, it can be said again.
        """
        statuses, alive = await self.status()
        found = next((one for one in statuses if one.version == version), None)
        if found is None:
            raise RootKeyConfigurationError(f"There is no version {version} of the root key.")
        active = next((one for one in statuses if one.is_sealing), None)
        if active is None or version >= active.version:
            raise RootKeyConfigurationError(
                f"Version {version} is not older than the one that servers seal under. Say `root-key rotate` first."
            )
        _check_that_it_seals_nothing(version, found.sealed)
        if behind := [one.name for one in alive if one.sealing_version <= version]:
            raise RootKeyConfigurationError(
                f"Servers still seal under version {version}: {', '.join(behind)}."
            )
        store = RootKeyStore(self.database)

        async def write(transaction: Transaction) -> None:
            age = await store.seconds_since_activation(transaction, active.version)
            if age < SETTLED_AFTER_SECONDS:
                raise RootKeyConfigurationError(
                    f"Version {active.version} has been active for {age:.0f} seconds, and a call that began before may "
                    f"still seal under version {version}. Try again in {SETTLED_AFTER_SECONDS - age:.0f} seconds."
                )
            await store.remove_version(transaction, version)

        await self.database.transact(write)
        sealed = SealedStore(self.database)
        await sealed.wait_for_writers()
        _check_that_it_seals_nothing(version, _by_column(await sealed.count(), version))
        if found.is_here:
            self.provider.remove_version(version)


def _by_column(counts: Mapping[SealedColumn, Mapping[int, int]], version: int) -> Mapping[SealedColumn, int]:
    return {column: by[version] for column, by in counts.items() if version in by}


def _check_that_it_seals_nothing(version: int, sealed: Mapping[SealedColumn, int]) -> None:
    if sealed:
        raise RootKeyConfigurationError(
            f"{sum(sealed.values())} secrets are sealed under version {version}. Say `root-key rewrap` first."
        )
