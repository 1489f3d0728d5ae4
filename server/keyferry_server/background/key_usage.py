"""Remembers when keys were used last, and writes it down from time to time.

A use must not cost a write: uses are kept in memory, the last one of each key, and
written together every `interval_seconds`, and at the end. A server that is killed
loses what it had not written: at most one interval of last uses, and nothing else.
"""

import asyncio

import structlog

from keyferry_server.domain.errors import DependencyTimeoutException
from keyferry_server.domain.identifiers import KeyIdentifier
from keyferry_server.domain.key_usage import KeyUsageRecord
from keyferry_server.storage.key_usage_store import KeyUsageStore

BATCH = 1000

_log: structlog.stdlib.BoundLogger = structlog.get_logger()


class KeyUsageRecorder:
    """Keeps the last uses that are not written yet."""

    def __init__(self, store: KeyUsageStore, interval_seconds: float) -> None:
        self._store = store
        self._interval_seconds = interval_seconds
        self._unwritten: dict[KeyIdentifier, KeyUsageRecord] = {}

    def note(self, key: KeyIdentifier, usage: KeyUsageRecord) -> None:
        """Remember a use."""
        self._unwritten[key] = usage

    async def last(self, key: KeyIdentifier) -> KeyUsageRecord | None:
        """Return the last use that this server knows or any server has written, None if there is none."""
        known = [one for one in (self._unwritten.get(key), await self._store.load(key)) if one is not None]
        return max(known, key=lambda one: one.used_at, default=None)

    async def write(self) -> None:
        """Write all uses that are not written now; what cannot be written is kept, and what comes meanwhile."""
        due = list(self._unwritten.items())
        for start in range(0, len(due), BATCH):
            batch = dict(due[start : start + BATCH])
            await self._store.put(batch)
            for key, usage in batch.items():
                # Used again meanwhile, it is to be written again.
                if self._unwritten.get(key) is usage:
                    del self._unwritten[key]

    async def run(self) -> None:
        """Write again and again; ends when cancelled."""
        while True:
            await asyncio.sleep(self._interval_seconds)
            await self.write_if_possible()

    async def write_if_possible(self) -> None:
        """Write, or say in the log that it is put off."""
        try:
            await self.write()
        except DependencyTimeoutException:
            _log.warning(
                "last uses of keys are not written: the database does not answer", keys=len(self._unwritten)
            )
