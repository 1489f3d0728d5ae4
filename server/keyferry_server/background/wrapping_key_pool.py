"""Wrapping key pairs made ahead of time, because making one takes 30 to 600 ms of a core.

Each pair is handed out once and never again. An empty pool is no error: the
caller's pair is made then and there, within the caller's deadline.
"""

import asyncio
from collections import deque
from collections.abc import Iterable

from prometheus_client import CollectorRegistry, Gauge

from keyferry_server.crypto.wrapping.wrapping_key import WrappingKeyPair, generate_wrapping_key_pair
from keyferry_server.domain.key_material import WrappingKeySpec


class WrappingKeyPool:
    """Keeps up to `size` pairs of each spec; `run` fills it, one pair at a time, in a thread."""

    def __init__(self, specs: Iterable[WrappingKeySpec], size: int, registry: CollectorRegistry) -> None:
        self._size = size
        self._pairs: dict[WrappingKeySpec, deque[WrappingKeyPair]] = {spec: deque() for spec in specs}
        self._taken = asyncio.Event()
        level = Gauge(
            "keyferry_wrapping_key_pool_level", "Wrapping key pairs made ahead", ["spec"], registry=registry
        )
        for spec, pairs in self._pairs.items():
            level.labels(spec).set_function(pairs.__len__)

    async def take(self, spec: WrappingKeySpec) -> WrappingKeyPair:
        """Return a pair that nobody else will get."""
        pairs = self._pairs[spec]
        if pairs:
            self._taken.set()
            return pairs.popleft()
        return await asyncio.to_thread(generate_wrapping_key_pair, spec)

    async def run(self) -> None:
        """Fill the pool, the emptiest spec first, and refill it as pairs are taken; ends when cancelled."""
        while True:
            self._taken.clear()
            spec = min(self._pairs, key=lambda one: len(self._pairs[one]))
            if len(self._pairs[spec]) < self._size:
                self._pairs[spec].append(await asyncio.to_thread(generate_wrapping_key_pair, spec))
            else:
                await self._taken.wait()
