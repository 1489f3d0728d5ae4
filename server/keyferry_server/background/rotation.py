"""Rotates keys whose automatic rotation is due. Any number of replicas may rotate at the same time."""

import asyncio
from dataclasses import dataclass
from datetime import datetime

import structlog

from keyferry_server.authz.admission import admit_service
from keyferry_server.domain.audit_trail import ServiceTrail, recording
from keyferry_server.domain.clock import Clock
from keyferry_server.domain.errors import DependencyTimeoutException, KMSInternalException
from keyferry_server.domain.key_material import RotationType
from keyferry_server.domain.rotation import rescheduled, rotated
from keyferry_server.operations.fresh_material import FreshMaterial
from keyferry_server.storage.database import Database, Transaction
from keyferry_server.storage.due_work import DueWork
from keyferry_server.storage.key_store import KeyStore

_log: structlog.stdlib.BoundLogger = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class KeyRotator:
    """Looks for due rotations every `interval_seconds`."""

    database: Database
    due_work: DueWork
    keys: KeyStore
    fresh_material: FreshMaterial
    clock: Clock
    interval_seconds: float

    async def rotate_due(self) -> int:
        """Rotate all keys that are due now and that nobody is changing; return how many that was."""
        count = 0
        busy: set[str] = set()
        while await self._rotate_one(busy):
            count += 1
        return count

    async def run(self) -> None:
        """Rotate what is due, now and then again and again; ends when cancelled."""
        while True:
            try:
                await self.rotate_due()
            except (DependencyTimeoutException, KMSInternalException) as error:
                _log.warning("automatic rotation is put off", reason=str(error))
            await asyncio.sleep(self.interval_seconds)

    async def _rotate_one(self, busy: set[str]) -> bool:
        now = self.clock.now()
        trail = ServiceTrail("RotateKey", now)
        with recording(trail):
            return await self.database.transact(
                lambda transaction: self._rotate(transaction, now, busy, trail)
            )

    async def _rotate(
        self, transaction: Transaction, now: datetime, busy: set[str], trail: ServiceTrail
    ) -> bool:
        guarded = await self.due_work.lock_key_to_rotate(transaction, now, busy)
        if guarded is None:
            return False
        key = admit_service(guarded)
        if key.rotation is None:
            raise AssertionError("a key without a rotation schedule is due for rotation")
        fresh = self.fresh_material.generate(key.key_id, now)
        await self.keys.rotate_to_fresh(transaction, key, rotated(fresh, RotationType.AUTOMATIC, now))
        await self.keys.schedule_rotation(transaction, key, rescheduled(key.rotation, now))
        trail.note(key.identifier, keyMaterialId=fresh.key_material_id)
        return True
