"""The composition root: settings in, running server out. It reads like a parts list."""

from collections.abc import AsyncIterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from prometheus_client import GC_COLLECTOR, PLATFORM_COLLECTOR, PROCESS_COLLECTOR, CollectorRegistry

from keyferry_server.administration.root_key_check import check_root_key, seal_as_everybody_or_first
from keyferry_server.authentication import build_authentication, build_aws_authentication
from keyferry_server.background.audit_log import AuditLog
from keyferry_server.background.database_watch import DatabaseWatch
from keyferry_server.background.deletion import KeyReaper
from keyferry_server.background.expiry import ExpirySweeper
from keyferry_server.background.farewell import Farewell
from keyferry_server.background.invalidation import Invalidation
from keyferry_server.background.key_usage import KeyUsageRecorder
from keyferry_server.background.rate_limiter import RateLimiter
from keyferry_server.background.root_key_watch import RootKeyWatch
from keyferry_server.background.rotation import KeyRotator
from keyferry_server.background.rsa_key_checks import RsaKeyChecks
from keyferry_server.background.tasks import BackgroundTasks
from keyferry_server.background.wrapping_key_pool import WrappingKeyPool, cores
from keyferry_server.call import Handler
from keyferry_server.crypto.audit_signature import AuditSigner
from keyferry_server.crypto.grant_token import GrantTokenCodec
from keyferry_server.crypto.import_token import ImportTokenCodec
from keyferry_server.crypto.key_material_id import KeyMaterialIds
from keyferry_server.crypto.root_key.ring import RootKeyRing
from keyferry_server.crypto.sealing import Sealer
from keyferry_server.crypto.wrapping.wrapping_key import RSA_MODULUS_BITS
from keyferry_server.domain.clock import Clock, SystemClock
from keyferry_server.domain.identifiers import Scope
from keyferry_server.domain.importable_keys import ImportableKeys
from keyferry_server.domain.multi_region import ServedRegions
from keyferry_server.domain.rate_limit import RateLimits
from keyferry_server.middleware.audit import audit
from keyferry_server.middleware.authenticate import authenticate
from keyferry_server.middleware.deadline import enforce_deadline
from keyferry_server.middleware.faults import hide_faults
from keyferry_server.middleware.limit_rate import limit_rate
from keyferry_server.middleware.log_calls import log_calls
from keyferry_server.middleware.measure import measure
from keyferry_server.middleware.record_usage import record_usage
from keyferry_server.middleware.validate import validate_request
from keyferry_server.opening import StartError, WrongSettingError, installation_secret_of, opened
from keyferry_server.operations.access_key_ring import AccessKeyRing
from keyferry_server.operations.fresh_material import FreshMaterial
from keyferry_server.operations.get_key_last_usage import KeyUsages
from keyferry_server.operations.get_parameters_for_import import WrappingKeySource
from keyferry_server.operations.material_check import RsaKeyCheck
from keyferry_server.parts import Parts
from keyferry_server.routes import ROUTES
from keyferry_server.settings import Settings
from keyferry_server.storage.audit_store import AuditStore
from keyferry_server.storage.change_feed import ChangeFeed
from keyferry_server.storage.database import Database
from keyferry_server.storage.due_work import DueWork
from keyferry_server.storage.heard_cache import HeardCache
from keyferry_server.storage.import_token_store import ImportTokenStore
from keyferry_server.storage.installation_store import InstallationStore
from keyferry_server.storage.key_store import KeyStore
from keyferry_server.storage.key_usage_store import KeyUsageStore
from keyferry_server.storage.rate_limit_store import RateLimitStore
from keyferry_server.storage.root_key_store import RootKeyStore
from keyferry_server.transport.aws_json.endpoint import AwsEndpoint
from keyferry_server.transport.calls import Calls
from keyferry_server.transport.grpc import GrpcServer
from keyferry_server.transport.listening import by_option
from keyferry_server.transport.metrics import metrics_app
from keyferry_server.transport.servers import Servers

# With the drain and the closing of connections less than those who stop servers wait: 30 s, mostly.
FAREWELL_SECONDS = 8.0
# Each has a core for itself while it lasts.
RSA_KEY_CHECKS_AT_ONCE = 2


@dataclass(frozen=True, slots=True)
class RunningServer:
    """A server that answers. Addresses are HOST:PORT with the ports that were picked."""

    grpc_address: str
    aws_address: str
    metrics_address: str
    database: Database
    sweeper: ExpirySweeper
    root_keys: RootKeyRing
    reaper: KeyReaper
    rotator: KeyRotator
    audit_log: AuditLog
    cache: HeardCache
    operations: Mapping[type[Any], Handler]
    background: BackgroundTasks


@asynccontextmanager
async def running(settings: Settings, clock: Clock | None = None) -> AsyncIterator[RunningServer]:
    """Start a server and stop it on leaving: drained, its connections closed, its embedded Postgres gone."""
    clock = clock or SystemClock()
    registry = CollectorRegistry()
    for collector in (GC_COLLECTOR, PLATFORM_COLLECTOR, PROCESS_COLLECTOR):
        registry.register(collector)

    async with AsyncExitStack() as stack:
        provider, database = await stack.enter_async_context(opened(settings, may_make=True))
        watch = DatabaseWatch(
            database,
            clock,
            settings.health_interval_seconds,
            settings.health_timeout_seconds,
            timedelta(seconds=settings.max_clock_drift_seconds),
        )
        await _check_clock(watch)

        ring = RootKeyRing(provider.load)
        sealer = Sealer(ring)
        root_key_watch = await _entered(settings, database, ring)
        farewell = Farewell(FAREWELL_SECONDS)
        stack.push_async_callback(farewell.within(root_key_watch.leave))
        installation_secret = await installation_secret_of(InstallationStore(database), sealer, clock)
        key_material_ids = KeyMaterialIds(installation_secret)

        usages = KeyUsageRecorder(KeyUsageStore(database), settings.usage_interval_seconds)
        pool = _wrapping_keys(settings, registry)
        cache, invalidation = _cache(settings, database, registry)
        parts = Parts(
            {
                Clock: clock,
                GrantTokenCodec: GrantTokenCodec(installation_secret),
                Database: database,
                HeardCache: cache,
                ImportableKeys: ImportableKeys(settings.importable_keys),
                DueWork: DueWork(database, settings.partition),
                ImportTokenCodec: ImportTokenCodec(installation_secret),
                KeyMaterialIds: key_material_ids,
                KeyUsages: usages,
                RsaKeyCheck: RsaKeyChecks(RSA_KEY_CHECKS_AT_ONCE),
                Sealer: sealer,
                ServedRegions: settings.served_regions,
                WrappingKeySource: pool,
            }
        )
        operations = {route.operation: parts.get(route.operation) for route in ROUTES}

        due_work, interval = parts.get(DueWork), settings.sweep_interval_seconds
        sweeper = ExpirySweeper(due_work, parts.get(ImportTokenStore), clock, interval)
        reaper = KeyReaper(due_work, clock, interval)
        rotator = KeyRotator(
            database,
            due_work,
            parts.get(KeyStore),
            parts.get(FreshMaterial),
            clock,
            interval,
        )

        scope = Scope(settings.partition, settings.default_region, settings.default_account)
        authentication = await build_authentication(settings, clock)
        access_keys = parts.get(AccessKeyRing)
        limiter = await _rate_limiter(settings, parts.get(RateLimitStore))
        audit_log = AuditLog(
            database,
            parts.get(AuditStore),
            AuditSigner(installation_secret),
            clock,
            registry,
            interval_seconds=settings.audit_interval_seconds,
            head_interval_seconds=settings.audit_head_interval_seconds,
            most_unwritten=settings.audit_most_unwritten,
            each_call=settings.audit_write == "each-call",
        )
        middleware = [
            audit(audit_log, clock),
            measure(registry),
            log_calls,
            hide_faults,
            enforce_deadline,
            authenticate(authentication.identify, build_aws_authentication(settings, clock, access_keys)),
            limit_rate(limiter.take),
            validate_request,
            record_usage(usages.note, clock),
        ]
        calls = Calls(ROUTES, operations, middleware, scope)

        stack.push_async_callback(farewell.within(audit_log.close))
        stack.push_async_callback(farewell.within(usages.write_if_possible))
        background = BackgroundTasks()
        stack.push_async_callback(background.stop)
        servers = Servers(settings.drain_seconds, settings.http_receive_timeout_seconds)
        stack.push_async_callback(servers.stop)
        shares_port = settings.workers > 1
        with by_option("aws-listen"):
            aws_address = await servers.start_http(
                settings.aws_listen,
                AwsEndpoint(calls, settings.max_message_bytes),
                authentication.https,
                shares_port=shares_port,
            )
        with by_option("metrics-listen"):
            metrics_address = await servers.start_http(
                settings.metrics_listen, metrics_app(registry, watch.answers)
            )
        grpc_server = GrpcServer(
            calls, settings.max_message_bytes, authentication.tls, shares_port=shares_port
        )
        with by_option("grpc-listen"):
            grpc_address = await servers.start_grpc(settings.grpc_listen, grpc_server)
        await grpc_server.set_serving(True)

        work = {
            "invalidation": invalidation.run(),
            "wrapping key pool": pool.run(),
            "audit log": audit_log.run(),
            "audit log heads": audit_log.run_heads(),
            "expiry sweeper": sweeper.run(),
            "key reaper": reaper.run(),
            "key rotator": rotator.run(),
            "key usage recorder": usages.run(),
            "database watch": watch.run(grpc_server.set_serving),
            "root key watch": root_key_watch.run(),
            "rate limiter": limiter.run(),
            **{name: refresh() for name, refresh in authentication.refreshes.items()},
        }
        for name, running_work in work.items():
            background.start(running_work, name)

        yield RunningServer(
            grpc_address=grpc_address,
            aws_address=aws_address,
            metrics_address=metrics_address,
            database=database,
            sweeper=sweeper,
            root_keys=ring,
            reaper=reaper,
            rotator=rotator,
            audit_log=audit_log,
            cache=cache,
            operations=operations,
            background=background,
        )


def _wrapping_keys(settings: Settings, registry: CollectorRegistry) -> WrappingKeyPool:
    threads = max(1, cores() // settings.workers)
    return WrappingKeyPool(RSA_MODULUS_BITS, settings.wrapping_key_pool_size, threads, registry)


def _cache(
    settings: Settings, database: Database, registry: CollectorRegistry
) -> tuple[HeardCache, Invalidation]:
    cache = HeardCache(settings.key_cache_size)
    database.on_change(cache.forget)
    lease, stale = settings.key_cache_lease_seconds, settings.key_cache_stale_seconds
    return cache, Invalidation(ChangeFeed(database), cache, lease, stale, registry)


def check_rate_limits(settings: Settings) -> RateLimits:
    """Return the limits; WrongSettingError if one is of an operation that there is not."""
    limits = settings.rate_limits or RateLimits({})
    if unknown := limits.unknown([route.name for route in ROUTES]):
        raise WrongSettingError(f"KEYFERRY_RATE_LIMITS: there is no operation {unknown[0]}")
    return limits


async def _rate_limiter(settings: Settings, store: RateLimitStore) -> RateLimiter:
    limiter = RateLimiter(check_rate_limits(settings), store)
    await limiter.count_servers()
    return limiter


async def _entered(settings: Settings, database: Database, ring: RootKeyRing) -> RootKeyWatch:
    """Check the root key against the database, and make this server known to the others."""
    await check_root_key(database, ring)
    await seal_as_everybody_or_first(database, ring)
    watch = RootKeyWatch(database, RootKeyStore(database), ring, settings.replica_interval_seconds)
    await watch.enter()
    return watch


async def _check_clock(watch: DatabaseWatch) -> None:
    drift = await watch.drift()
    if abs(drift) > watch.largest_drift:
        raise StartError(
            f"this machine's clock differs from the database's by {drift.total_seconds():.1f} s, more than "
            f"{watch.largest_drift.total_seconds():g} s: replicas would not agree on what has expired. Set both clocks "
            "by NTP, or allow more with KEYFERRY_MAX_CLOCK_DRIFT_SECONDS"
        )
