"""Wrapping key pairs made ahead of time, because making one takes 30 to 600 ms of a core.

1. Each pair is handed out once and never again. One whose taker has gone is kept
   for the next.
2. Whoever finds the pool empty waits for the next pair of that spec, in the order of
   coming, within the caller's deadline. Those who wait come before the pool.
3. No more pairs are made at the same time than there are cores, in threads of low
   priority: calls that need none are served meanwhile.
"""

import asyncio
import os
import sys
import threading
import time
from collections import deque
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress

import structlog
from prometheus_client import CollectorRegistry, Gauge, Histogram

from keyferry_server.crypto.wrapping.wrapping_key import WrappingKeyPair, generate_wrapping_key_pair
from keyferry_server.domain.errors import KMSInternalException
from keyferry_server.domain.key_material import WrappingKeySpec

# Half way down: the lowest gets so little of a busy machine that it would hold up Python's
# lock, which it needs at the end of each pair, for the calls that are served.
NICENESS = 10
_PAUSE_AFTER_FAILURE_SECONDS = 1.0
_WAIT_BUCKETS_SECONDS = (0.001, 0.01, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30)

_log: structlog.stdlib.BoundLogger = structlog.get_logger()


class WrappingKeyPool:
    """Keeps up to `size` pairs of each spec; `run` makes them, `threads` at a time."""

    def __init__(
        self, specs: Iterable[WrappingKeySpec], size: int, threads: int, registry: CollectorRegistry
    ) -> None:
        self._size = size
        self._threads = threads
        self._pairs: dict[WrappingKeySpec, deque[WrappingKeyPair]] = {spec: deque() for spec in specs}
        self._being_made = dict.fromkeys(self._pairs, 0)
        self._waiting: deque[tuple[WrappingKeySpec, asyncio.Future[WrappingKeyPair]]] = deque()
        self._wanted = asyncio.Event()
        level = Gauge(
            "keyferry_wrapping_key_pool_level", "Wrapping key pairs made ahead", ["spec"], registry=registry
        )
        waiting = Gauge(
            "keyferry_wrapping_key_pool_waiting",
            "Calls that wait for a wrapping key pair",
            registry=registry,
        )
        self._waited = Histogram(
            "keyferry_wrapping_key_wait_seconds",
            "How long calls waited for a wrapping key pair",
            ["spec"],
            buckets=_WAIT_BUCKETS_SECONDS,
            registry=registry,
        )
        for spec, pairs in self._pairs.items():
            level.labels(spec).set_function(pairs.__len__)
            self._waited.labels(spec)
        waiting.set_function(self._waiting.__len__)

    async def take(self, spec: WrappingKeySpec) -> WrappingKeyPair:
        """Return a pair that nobody else will get; waits for one if there is none."""
        start = time.perf_counter()
        pair = await self._take(spec)
        self._waited.labels(spec).observe(time.perf_counter() - start)
        return pair

    async def run(self) -> None:
        """Make pairs as long as any is wanted; ends when cancelled."""
        makers = ThreadPoolExecutor(self._threads, "wrapping-keys", _yield_to_others)
        try:
            async with asyncio.TaskGroup() as group:
                for _ in range(self._threads):
                    group.create_task(self._make(makers))
        finally:
            makers.shutdown(wait=False, cancel_futures=True)

    async def _take(self, spec: WrappingKeySpec) -> WrappingKeyPair:
        pairs = self._pairs[spec]
        self._wanted.set()
        if pairs:
            return pairs.popleft()
        coming: asyncio.Future[WrappingKeyPair] = asyncio.get_running_loop().create_future()
        self._waiting.append((spec, coming))
        try:
            return await coming
        except asyncio.CancelledError:
            if coming.done() and not coming.cancelled() and coming.exception() is None:
                self._hand_over(spec, coming.result())
            raise
        finally:
            if (spec, coming) in self._waiting:
                self._waiting.remove((spec, coming))

    async def _make(self, makers: ThreadPoolExecutor) -> None:
        loop = asyncio.get_running_loop()
        while True:
            spec = self._most_wanted()
            if spec is None:
                self._wanted.clear()
                await self._wanted.wait()
                continue
            self._being_made[spec] += 1
            try:
                pair = await loop.run_in_executor(makers, generate_wrapping_key_pair, spec)
            except KMSInternalException as error:
                self._disappoint(spec, error)
                # What fails once fails again, and this is no place to try it a thousand times a second.
                await asyncio.sleep(_PAUSE_AFTER_FAILURE_SECONDS)
            else:
                self._hand_over(spec, pair)
            finally:
                self._being_made[spec] -= 1

    def _most_wanted(self) -> WrappingKeySpec | None:
        """Return the spec of whoever waits longest for what is not being made yet, else the one that lacks most."""
        being_made = dict(self._being_made)
        for spec, _ in self._waiting:
            if being_made[spec] == 0:
                return spec
            being_made[spec] -= 1
        levels = {spec: len(pairs) + being_made[spec] for spec, pairs in self._pairs.items()}
        spec = min(levels, key=levels.__getitem__)
        return spec if levels[spec] < self._size else None

    def _hand_over(self, spec: WrappingKeySpec, pair: WrappingKeyPair) -> None:
        coming = self._next_waiting(spec)
        if coming is None:
            self._pairs[spec].append(pair)
        else:
            coming.set_result(pair)

    def _disappoint(self, spec: WrappingKeySpec, error: KMSInternalException) -> None:
        _log.error("a wrapping key pair was not made", spec=spec, reason=error.message)
        coming = self._next_waiting(spec)
        if coming is not None:
            coming.set_exception(error)

    def _next_waiting(self, spec: WrappingKeySpec) -> "asyncio.Future[WrappingKeyPair] | None":
        for one in self._waiting:
            if one[0] is spec and not one[1].done():
                self._waiting.remove(one)
                return one[1]
        return None


def cores() -> int:
    """Return how many cores this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def _yield_to_others() -> None:
    # Linux gives each thread a priority of its own, under the number that the kernel knows it by; others do not.
    if sys.platform == "linux":
        # Never to more than the process has, which is not allowed; where nothing is allowed, it is not needed to go on.
        niceness = max(NICENESS, os.getpriority(os.PRIO_PROCESS, 0))
        with suppress(OSError):
            os.setpriority(os.PRIO_PROCESS, threading.get_native_id(), niceness)
