"""Is this the root key of this database? Asked before anything is sealed or opened with it."""

from keyferry_server.crypto.root_key import RootKeyMismatchError, UnknownRootKeyVersionError
from keyferry_server.crypto.root_key.proof import is_proven, make_proof
from keyferry_server.crypto.root_key.ring import RootKeyRing
from keyferry_server.crypto.sealing import Sealer
from keyferry_server.domain.sealed_places import INSTALLATION_SECRET
from keyferry_server.storage.database import Database, Transaction
from keyferry_server.storage.installation_store import InstallationStore
from keyferry_server.storage.root_key_store import RootKeyStore, active_version
from keyferry_server.storage.sealed_store import SealedStore


async def check_root_key(database: Database, ring: RootKeyRing) -> None:
    """Raise RootKeyMismatchError or UnknownRootKeyVersionError if some secret could not be opened; change nothing.

    1. The installation secret opens.
    2. No version is another key than the database's version of that number.
    3. No version that something is sealed under is missing.
    """
    sealed = await InstallationStore(database).load()
    if sealed is not None:
        Sealer(ring).unseal_at_start(sealed, INSTALLATION_SECRET.place(1))
    for version, proof in (await _proofs(database)).items():
        if version in ring.versions and not is_proven(ring, version, proof):
            raise RootKeyMismatchError(version)
    if missing := await SealedStore(database).versions_in_use() - ring.versions:
        raise UnknownRootKeyVersionError(min(missing))


async def seal_as_everybody(database: Database, ring: RootKeyRing) -> int | None:
    """Set the ring to the active version and return it; None if no server has entered the database yet."""

    async def read(transaction: Transaction) -> int | None:
        return active_version(await RootKeyStore(database).versions(transaction))

    active = await database.run(read)
    if active is not None:
        ring.seal_under(active)
    return active


async def seal_as_everybody_or_first(database: Database, ring: RootKeyRing) -> None:
    """Set the ring to the active version; on a database that nobody has used the highest version here becomes active.

    After `check_root_key`, and before anything is sealed: the database takes nothing
    that is sealed under a version which it does not know.
    """
    store = RootKeyStore(database)

    async def write(transaction: Transaction) -> int:
        await store.lock_membership(transaction)
        active = active_version(await store.versions(transaction))
        if active is None:
            active = ring.current_version
            await store.add_versions(
                transaction, {version: make_proof(ring, version) for version in ring.versions}
            )
            await store.activate(transaction, active)
        return active

    ring.seal_under(await database.transact(write))


async def _proofs(database: Database) -> dict[int, bytes]:
    async def read(transaction: Transaction) -> dict[int, bytes]:
        versions = await RootKeyStore(database).versions(transaction)
        return {one.version: one.proof for one in versions.values()}

    return await database.run(read)
