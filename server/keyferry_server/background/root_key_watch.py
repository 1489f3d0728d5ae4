"""Keeps this server and all others agreed on the root key version that new secrets are sealed under.

A server that seals under a version which another server lacks would make that one
fail. So a new version goes through three steps, and no server has to be restarted:

1. It appears in a server's provider; the server reads it, proves that it is the
   same key as everybody else's version of that number, and tells the database
   that it knows it.
2. `root-key rotate` waits until every running server has told so, and activates it.
3. At its next look each server seals under it; until then under the one before,
   which everybody still opens.

Only then does `root-key rewrap` begin, because what it rewraps everybody can open.
"""

import asyncio
import os
import socket
import uuid
from datetime import timedelta

import structlog

from keyferry_server.crypto.root_key import (
    RootKeyError,
    RootKeyMismatchError,
    UnknownRootKeyVersionError,
)
from keyferry_server.crypto.root_key.proof import is_proven, make_proof
from keyferry_server.crypto.root_key.ring import RootKeyRing
from keyferry_server.domain.errors import DependencyTimeoutException
from keyferry_server.storage.database import Database, Transaction
from keyferry_server.storage.root_key_store import Replica, RootKeyStore, active_version

# How many looks a server may miss before the others stop waiting for it.
MISSED_LOOKS = 12

_log: structlog.stdlib.BoundLogger = structlog.get_logger()


class RootKeyWatch:
    """Looks after the ring every `interval_seconds`: `enter` once, then `run`, at the end `leave`."""

    def __init__(
        self, database: Database, store: RootKeyStore, ring: RootKeyRing, interval_seconds: float
    ) -> None:
        self._database = database
        self._store = store
        self._ring = ring
        self._interval_seconds = interval_seconds
        self._proven: set[int] = set()
        self._replica_id = uuid.uuid4()
        self._name = f"{socket.gethostname()}:{os.getpid()}"

    async def enter(self) -> None:
        """Check the root key against the database and take part.

        RootKeyMismatchError for another key under a known number,
        UnknownRootKeyVersionError if the active version is missing.
        """

        async def write(transaction: Transaction) -> None:
            await self._store.lock_membership(transaction)
            if refusal := await self._prove(transaction):
                raise refusal
            active = active_version(await self._store.versions(transaction))
            if active is not None:
                self._ring.seal_under(active)
            await self._renew(transaction)

        await self._database.transact(write)

    async def look(self) -> None:
        """Learn new versions, tell what is known, and follow an activation."""
        try:
            new = await asyncio.to_thread(self._ring.learn)
        except RootKeyError as error:
            _log.error("the root key cannot be read again; what was read before goes on", reason=str(error))
        else:
            if new:
                _log.info("learnt versions of the root key", versions=sorted(new))

        async def write(transaction: Transaction) -> None:
            if refusal := await self._prove(transaction):
                _log.error("a version of the root key is not the installation's", reason=str(refusal))
            active = active_version(await self._store.versions(transaction))
            if active is not None and active > self._ring.current_version:
                self._follow(active)
            await self._renew(transaction)

        await self._database.transact(write)

    async def run(self) -> None:
        """Look again and again; ends when cancelled."""
        while True:
            await asyncio.sleep(self._interval_seconds)
            try:
                await self.look()
            except (DependencyTimeoutException, RootKeyError) as error:
                _log.warning("the root key is not looked after", reason=str(error))

    async def leave(self) -> None:
        """Tell the others not to wait for this server any more."""

        async def write(transaction: Transaction) -> None:
            await self._store.leave(transaction, self._replica_id)

        try:
            await self._database.transact(write)
        except DependencyTimeoutException:
            _log.warning("the others wait a while for this server: the database does not answer")

    async def _prove(self, transaction: Transaction) -> RootKeyError | None:
        """Enter versions that are new to the database, refuse those that are not the installation's."""
        known = await self._store.versions(transaction)
        active = active_version(known) or 0
        # None below the active one: a version that was removed does not come back.
        new = {version for version in self._ring.versions - known.keys() if version > active}
        if new:
            await self._store.add_versions(
                transaction, {version: make_proof(self._ring, version) for version in new}
            )
            # Somebody else may have entered another key under the same number a moment before.
            known = await self._store.versions(transaction)
        refusal: RootKeyError | None = None
        for version in sorted((self._ring.versions & known.keys()) - self._proven):
            if is_proven(self._ring, version, known[version].proof):
                self._proven.add(version)
            else:
                self._ring.refuse(version)
                refusal = RootKeyMismatchError(version)
        return refusal

    def _follow(self, active: int) -> None:
        try:
            self._ring.seal_under(active)
        except UnknownRootKeyVersionError as error:
            _log.error(
                "other servers seal under a version of the root key that is missing here", reason=str(error)
            )
        else:
            _log.info("new secrets are sealed under another version of the root key", version=active)

    async def _renew(self, transaction: Transaction) -> None:
        await self._store.renew(
            transaction,
            Replica(self._replica_id, self._name, self._ring.versions, self._ring.current_version),
            timedelta(seconds=self._interval_seconds * MISSED_LOOKS),
        )
