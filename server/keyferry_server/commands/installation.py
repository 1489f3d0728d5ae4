"""The installation beside its servers, for commands that read it or change it with records in the audit log."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass

from prometheus_client import CollectorRegistry

from keyferry_server.administration.root_key_check import check_root_key, seal_as_everybody_or_first
from keyferry_server.background.audit_log import AuditLog
from keyferry_server.crypto.audit_signature import AuditSigner
from keyferry_server.crypto.root_key.ring import RootKeyRing
from keyferry_server.crypto.sealing import Sealer
from keyferry_server.crypto.secret import Secret
from keyferry_server.domain.clock import Clock, SystemClock
from keyferry_server.opening import installation_secret_of, opened
from keyferry_server.settings import Settings
from keyferry_server.storage.audit_store import AuditStore
from keyferry_server.storage.database import Database
from keyferry_server.storage.installation_store import InstallationStore


@dataclass(frozen=True, slots=True)
class Installation:
    """What commands work with. Changes that leave a trail are committed together with their records."""

    database: Database
    secret: Secret
    sealer: Sealer
    clock: Clock


@asynccontextmanager
async def opened_secret(settings: Settings) -> AsyncIterator[tuple[Database, Sealer, Secret]]:
    """Open the database with its root key, and the installation's secret, which the first use makes."""
    async with opened(settings) as (provider, database):
        ring = RootKeyRing(provider.load)
        await check_root_key(database, ring)
        await seal_as_everybody_or_first(database, ring)
        sealer = Sealer(ring)
        yield (
            database,
            sealer,
            await installation_secret_of(InstallationStore(database), sealer, SystemClock()),
        )


@asynccontextmanager
async def opened_installation(settings: Settings) -> AsyncIterator[Installation]:
    """Open the database with its root key; on leaving, what was recorded is written and signed."""
    clock = SystemClock()
    async with opened_secret(settings) as (database, sealer, secret):
        audit_log = AuditLog(
            database,
            AuditStore(database),
            AuditSigner(secret),
            clock,
            CollectorRegistry(),
            interval_seconds=settings.audit_interval_seconds,
            head_interval_seconds=settings.audit_head_interval_seconds,
            most_unwritten=settings.audit_most_unwritten,
            each_call=True,
        )
        try:
            yield Installation(database, secret, sealer, clock)
        finally:
            await audit_log.close()
