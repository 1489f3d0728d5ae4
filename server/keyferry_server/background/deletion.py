"""Deletes keys whose deletion date has come, with their material, tokens, receipts and names: for good.

Until a key is really deleted it is pending deletion, and its deletion can be taken
back. Any number of replicas may reap at the same time.
"""

import asyncio
from dataclasses import dataclass
from datetime import datetime

import structlog

from keyferry_server.domain.audit_trail import ServiceTrail, recording
from keyferry_server.domain.clock import Clock
from keyferry_server.domain.errors import DependencyTimeoutException
from keyferry_server.storage.due_work import DueWork

BATCH = 100

_log: structlog.stdlib.BoundLogger = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class KeyReaper:
    """Reaps every `interval_seconds`."""

    due_work: DueWork
    clock: Clock
    interval_seconds: float

    async def reap(self) -> int:
        """Delete all keys that are due now; return how many that was.

        The waiting period of primary keys whose last replica key is gone begins then.
        """
        now = self.clock.now()
        count = 0
        while deleted := await self._delete(now):
            count += deleted
        await self.due_work.begin_waiting_periods(now)
        return count

    async def _delete(self, now: datetime) -> int:
        trail = ServiceTrail("DeleteKey", now)
        with recording(trail):
            count = await self.due_work.delete_keys(now, BATCH, trail)
        for key, _ in trail.noted:
            _log.warning("a key was deleted for good", key_id=key.key_id)
        return count

    async def run(self) -> None:
        """Reap now and then again and again; ends when cancelled."""
        while True:
            try:
                await self.reap()
            except DependencyTimeoutException:
                _log.warning("the deletion of keys is put off: the database does not answer")
            await asyncio.sleep(self.interval_seconds)
