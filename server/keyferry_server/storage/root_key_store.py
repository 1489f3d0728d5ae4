"""Root key versions and the servers that know them: how all servers agree on the one to seal under."""

import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import delete, func, select, update
from sqlalchemy.dialects import postgresql

from keyferry_server.storage.database import Database, Transaction
from keyferry_server.storage.tables import replicas, root_key_versions

# Of transactions; those of migrations are of another number.
_MEMBERSHIP_LOCK = int.from_bytes(b"kf-reps")
_ROTATION_LOCK = int.from_bytes(b"kf-rota")
_FORGOTTEN_AFTER = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class RootKeyVersion:
    """A version that some server or command has shown. It seals once it is active and no higher one is."""

    version: int
    proof: bytes
    added_at: datetime
    activated_at: datetime | None


@dataclass(frozen=True, slots=True)
class Replica:
    """A server that runs: what it can open, and what it seals under."""

    replica_id: uuid.UUID
    name: str
    root_key_versions: frozenset[int]
    sealing_version: int


def active_version(versions: Mapping[int, RootKeyVersion]) -> int | None:
    """Return the version that everybody seals under, or None on a database that no server has entered yet."""
    return max((one.version for one in versions.values() if one.activated_at is not None), default=None)


@dataclass(frozen=True, slots=True)
class RootKeyStore:
    """Keeps versions and replicas. Its methods run inside a transaction of the caller."""

    database: Database

    async def lock_membership(self, transaction: Transaction) -> None:
        """Until the transaction ends no server enters and no version is activated but by it."""
        await transaction.connection.execute(select(func.pg_advisory_xact_lock(_MEMBERSHIP_LOCK)))

    async def try_lock_rotation(self, transaction: Transaction) -> bool:
        """Keep every other rotation out until the transaction ends; False if there is one."""
        query = select(func.pg_try_advisory_xact_lock(_ROTATION_LOCK))
        return bool(await transaction.connection.scalar(query))

    async def versions(self, transaction: Transaction) -> Mapping[int, RootKeyVersion]:
        """Return all versions by their number."""
        rows = await transaction.connection.execute(
            select(root_key_versions).order_by(root_key_versions.c.version)
        )
        return {
            row.version: RootKeyVersion(row.version, row.proof, row.added_at, row.activated_at)
            for row in rows
        }

    async def add_versions(self, transaction: Transaction, proofs: Mapping[int, bytes]) -> None:
        """Enter versions by their proofs; one that somebody entered before stays as it is."""
        if not proofs:
            return
        now = func.clock_timestamp()
        await transaction.connection.execute(
            postgresql.insert(root_key_versions)
            .values(
                [
                    {"version": version, "proof": proof, "added_at": now}
                    for version, proof in sorted(proofs.items())
                ]
            )
            .on_conflict_do_nothing()
        )

    async def activate(self, transaction: Transaction, version: int) -> None:
        """Make every server seal under `version`, unless a higher one is active."""
        await transaction.connection.execute(
            update(root_key_versions)
            .where(root_key_versions.c.version == version)
            .values(activated_at=func.clock_timestamp())
        )

    async def remove_version(self, transaction: Transaction, version: int) -> None:
        """Forget a version."""
        await transaction.connection.execute(
            delete(root_key_versions).where(root_key_versions.c.version == version)
        )

    async def seconds_since_activation(self, transaction: Transaction, version: int) -> float:
        """Return for how long an active version has been active."""
        age = func.extract("epoch", func.clock_timestamp() - root_key_versions.c.activated_at)
        query = select(age).where(root_key_versions.c.version == version)
        return float((await transaction.connection.execute(query)).scalar_one())

    async def renew(self, transaction: Transaction, replica: Replica, alive_for: timedelta) -> None:
        """Enter a server, or say that it still runs and what it knows now."""
        now = func.clock_timestamp()
        values = {
            "name": replica.name,
            "root_key_versions": sorted(replica.root_key_versions),
            "sealing_version": replica.sealing_version,
            "alive_until": now + alive_for,
        }
        await transaction.connection.execute(
            postgresql.insert(replicas)
            .values(replica_id=replica.replica_id, started_at=now, **values)
            .on_conflict_do_update(index_elements=[replicas.c.replica_id], set_=values)
        )

    async def alive(self, transaction: Transaction) -> Sequence[Replica]:
        """Return the servers that run; one that was killed counts as running for a while."""
        rows = await transaction.connection.execute(
            select(replicas)
            .where(replicas.c.alive_until > func.clock_timestamp())
            .order_by(replicas.c.started_at)
        )
        return [
            Replica(row.replica_id, row.name, frozenset(row.root_key_versions), row.sealing_version)
            for row in rows
        ]

    async def leave(self, transaction: Transaction, replica_id: uuid.UUID) -> None:
        """Take a server out, and with it those that nobody has heard of for a day."""
        await transaction.connection.execute(
            delete(replicas).where(
                (replicas.c.replica_id == replica_id)
                | (replicas.c.alive_until < func.clock_timestamp() - _FORGOTTEN_AFTER)
            )
        )
