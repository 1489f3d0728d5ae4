"""Wipes what has expired: the bytes of key material past its ValidTo, and import tokens past their 24 hours.

Nothing depends on when this runs: expired material is refused, and shown as
gone, from its ValidTo on. Any number of replicas may sweep at the same time.
"""

import asyncio
from dataclasses import dataclass
from datetime import datetime

import structlog

from keyferry_server.domain.audit_trail import ServiceTrail, recording
from keyferry_server.domain.clock import Clock
from keyferry_server.domain.errors import DependencyTimeoutException
from keyferry_server.storage.due_work import DueWork
from keyferry_server.storage.import_token_store import ImportTokenStore

BATCH = 500

_log: structlog.stdlib.BoundLogger = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class ExpirySweeper:
    """Sweeps every `interval_seconds`."""

    due_work: DueWork
    tokens: ImportTokenStore
    clock: Clock
    interval_seconds: float

    async def sweep(self) -> tuple[int, int]:
        """Wipe all that is due now; return how many key materials and how many import tokens that was."""
        now = self.clock.now()
        materials = tokens = 0
        while wiped := await self._wipe(now):
            materials += wiped
        while deleted := await self.tokens.delete_expired(now, BATCH):
            tokens += deleted
        if materials or tokens:
            _log.info("expired", key_materials=materials, import_tokens=tokens)
        return materials, tokens

    async def _wipe(self, now: datetime) -> int:
        trail = ServiceTrail("DeleteExpiredKeyMaterial", now)
        with recording(trail):
            return await self.due_work.wipe_expired(now, BATCH, trail)

    async def run(self) -> None:
        """Sweep now and then again and again; ends when cancelled."""
        while True:
            try:
                await self.sweep()
            except DependencyTimeoutException:
                _log.warning("the sweep is put off: the database does not answer")
            await asyncio.sleep(self.interval_seconds)
