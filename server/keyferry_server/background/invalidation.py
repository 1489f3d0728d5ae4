"""Keeps the cache of keys true: hears of every change, and says until when the cache may be used.

A connection whose other end is silent looks alive. So the session that listens has
a notification of its own come back, four times a lease, and only that renews the
lease: from the moment at which the notification was asked for.
"""

import asyncio
from contextlib import suppress

import structlog
from prometheus_client import CollectorRegistry, Counter, Gauge

from keyferry_server.domain.errors import DependencyTimeoutException
from keyferry_server.storage.change_feed import ChangeFeed, Listening
from keyferry_server.storage.heard_cache import HeardCache, seconds_now
from keyferry_server.storage.tables import EVERYTHING

_RENEWALS = 4
_RETRY_SECONDS = 0.5

_log: structlog.stdlib.BoundLogger = structlog.get_logger()


class Invalidation:
    """Listens, and listens again when that ends; leases are of `lease_seconds`.

    For `stale_seconds` after the end of a lease, keys that are cached can still be
    used. That is for those to whom availability is worth it; by default they can not.
    """

    def __init__(
        self,
        feed: ChangeFeed,
        cache: HeardCache,
        lease_seconds: float,
        stale_seconds: float,
        registry: CollectorRegistry,
    ) -> None:
        self._feed = feed
        self._cache = cache
        self._lease_seconds = lease_seconds
        self._stale_seconds = stale_seconds
        self._is_deaf = False
        self.has_begun = asyncio.Event()
        _export(cache, registry)
        self._changes = Counter(
            "keyferry_key_changes_heard",
            "Changes of keys and of callers' rights that were heard",
            registry=registry,
        )

    async def run(self) -> None:
        """Listen as long as it goes, and again, unless nothing is to be cached; ends when cancelled."""
        if self._cache.size == 0:
            await asyncio.Event().wait()
        while True:
            with suppress(DependencyTimeoutException):
                await self._listen()
            self._lose()
            await asyncio.sleep(_RETRY_SECONDS)

    async def _listen(self) -> None:
        async with self._feed.listening(self._heard) as listening:
            # What is here is given up before the connection is closed, which may take its time.
            with suppress(DependencyTimeoutException):
                await self._prove(listening)
                self._cache.begin()
                await self._renew(listening)
                while not await listening.lost_within(self._lease_seconds / _RENEWALS):
                    await self._renew(listening)
            self._lose()

    async def _prove(self, listening: Listening) -> None:
        if await self._feed.is_heard(listening, self._lease_seconds):
            return
        if not self._is_deaf:
            _log.warning(
                "the session that listens does not hear others: behind a pooler of connections the server needs one "
                "that lends whole sessions"
            )
        raise DependencyTimeoutException("Other sessions are not heard.")

    async def _renew(self, listening: Listening) -> None:
        asked_at = seconds_now()
        # No longer than the lease that runs: its end is the moment to say that it was not renewed.
        await listening.echo(self._lease_seconds * (1 - 1 / _RENEWALS))
        self._cache.renew(asked_at, self._lease_seconds + self._stale_seconds)
        if self._is_deaf:
            _log.warning("changes of keys are heard again")
            self._is_deaf = False
        self.has_begun.set()

    def _heard(self, name: str) -> None:
        self._changes.inc()
        if name == EVERYTHING:
            self._cache.forget_all()
        else:
            self._cache.forget(name)

    def _lose(self) -> None:
        if self._stale_seconds:
            self._cache.stop_filling()
        else:
            self._cache.lose()
        if self._is_deaf:
            return
        self._is_deaf = True
        _log.warning(
            "changes of keys are not heard: the database is asked for every key that is used",
            cached_keys_stay_usable_for_seconds=self._stale_seconds,
        )


def _export(cache: HeardCache, registry: CollectorRegistry) -> None:
    Gauge("keyferry_key_cache_keys", "Keys in the cache", registry=registry).set_function(cache.__len__)
    Gauge(
        "keyferry_key_cache_usable",
        "1 while changes of keys are heard and the cache is used, else 0",
        registry=registry,
    ).set_function(lambda: float(cache.is_usable))
    Gauge("keyferry_key_cache_hits", "Uses of keys that asked no database", registry=registry).set_function(
        lambda: float(cache.hits)
    )
    Gauge(
        "keyferry_key_cache_misses", "Uses of keys that asked the database", registry=registry
    ).set_function(lambda: float(cache.misses))
