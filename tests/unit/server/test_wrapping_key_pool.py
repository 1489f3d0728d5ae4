"""The pool of wrapping keys: nobody gets what another got, nothing is lost, and whoever waits comes first."""

import asyncio
import os
import subprocess
import sys
from collections.abc import AsyncIterator
from contextlib import suppress

import pytest
from prometheus_client import CollectorRegistry

from keyferry_server.background import wrapping_key_pool
from keyferry_server.background.wrapping_key_pool import WrappingKeyPool
from keyferry_server.crypto.wrapping.wrapping_key import WrappingKeyPair
from keyferry_server.domain.errors import KMSInternalException
from keyferry_server.domain.key_material import WrappingKeySpec

SPEC = WrappingKeySpec.RSA_2048
MAKE_ONE = """
import os
from concurrent.futures import ThreadPoolExecutor
from keyferry_server.background.wrapping_key_pool import _yield_to_others
with ThreadPoolExecutor(1, initializer=_yield_to_others) as maker:
    print(maker.submit(os.getpriority, os.PRIO_PROCESS, 0).result())
"""
LEVEL = "keyferry_wrapping_key_pool_level"


class RunningPool:
    """A pool of one spec that can be read."""

    def __init__(self, size: int, threads: int = 2) -> None:
        self.registry = CollectorRegistry()
        self.pool = WrappingKeyPool([SPEC], size, threads, self.registry)
        self._task = asyncio.create_task(self.pool.run())

    @property
    def level(self) -> float:
        return self.value(LEVEL)

    def value(self, name: str, **labels: str) -> float:
        found = self.registry.get_sample_value(name, labels or {"spec": SPEC})
        assert found is not None
        return found

    async def level_is(self, level: int) -> None:
        async with asyncio.timeout(30):
            while self.level != level:  # noqa: ASYNC110 -- there is no event to wait for
                await asyncio.sleep(0.005)

    async def stop(self) -> None:
        self._task.cancel()
        with suppress(asyncio.CancelledError):
            await self._task


@pytest.fixture
async def full() -> AsyncIterator[RunningPool]:
    """A pool of two pairs, full."""
    running = RunningPool(2)
    await running.level_is(2)
    yield running
    await running.stop()


async def test_it_fills_itself_and_fills_again_what_was_taken(full: RunningPool) -> None:
    await full.pool.take(SPEC)
    assert full.level == 1
    await full.level_is(2)


async def test_every_taker_gets_a_pair_of_its_own_also_when_it_is_empty(full: RunningPool) -> None:
    pairs = await asyncio.gather(*(full.pool.take(SPEC) for _ in range(6)))
    assert len({pair.public_key for pair in pairs}) == 6
    count = full.value("keyferry_wrapping_key_wait_seconds_count")
    assert count == 6
    assert full.value("keyferry_wrapping_key_wait_seconds_sum") > 0


async def test_a_pool_of_no_size_makes_a_pair_for_who_asks_and_none_more() -> None:
    running = RunningPool(0)
    pair = await running.pool.take(SPEC)
    assert len(pair.public_key) == 294
    assert running.level == 0
    await running.stop()


async def test_a_pair_whose_taker_has_gone_is_kept_for_the_next() -> None:
    running = RunningPool(0, threads=1)
    gone = asyncio.create_task(running.pool.take(SPEC))
    async with asyncio.timeout(30):
        while not running.pool._being_made[SPEC]:  # noqa: ASYNC110 -- there is no event to wait for
            await asyncio.sleep(0)
    gone.cancel()
    with pytest.raises(asyncio.CancelledError):
        await gone
    await running.level_is(1)
    await running.pool.take(SPEC)
    assert running.level == 0
    await running.stop()


async def test_takers_are_served_in_the_order_of_coming() -> None:
    running = RunningPool(0, threads=1)
    served = []

    async def take(number: int) -> None:
        await running.pool.take(SPEC)
        served.append(number)

    await asyncio.gather(*(take(number) for number in range(4)))
    assert served == [0, 1, 2, 3]
    await running.stop()


async def test_a_pair_whose_taker_has_gone_is_handed_to_whoever_waits(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    running = RunningPool(0, threads=1)
    hand_over = running.pool._hand_over
    gone, waiting = (asyncio.create_task(running.pool.take(SPEC)) for _ in range(2))

    def hand_over_to_one_who_goes(spec: WrappingKeySpec, pair: WrappingKeyPair) -> None:
        monkeypatch.undo()
        hand_over(spec, pair)
        gone.cancel()

    monkeypatch.setattr(running.pool, "_hand_over", hand_over_to_one_who_goes)
    with pytest.raises(asyncio.CancelledError):
        await gone
    first = await waiting
    assert running.level == 0
    assert first.public_key != (await running.pool.take(SPEC)).public_key
    await running.stop()


async def test_a_pair_that_cannot_be_made_is_refused_and_not_tried_again_at_once(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    tries = []

    def fail(spec: WrappingKeySpec) -> WrappingKeyPair:
        tries.append(spec)
        raise KMSInternalException("it does not work")

    monkeypatch.setattr(wrapping_key_pool, "generate_wrapping_key_pair", fail)
    running = RunningPool(4, threads=1)
    with pytest.raises(KMSInternalException):
        await running.pool.take(SPEC)
    # Nothing announces what does not happen. Without a pause it was tried thousands of times.
    await asyncio.sleep(0.1)
    assert len(tries) <= 2
    await running.stop()


@pytest.mark.skipif(sys.platform != "linux", reason="threads have a priority of their own on Linux only")
def test_a_server_of_the_lowest_priority_makes_pairs_too() -> None:
    made = subprocess.run(
        [sys.executable, "-c", MAKE_ONE],
        preexec_fn=lambda: os.nice(19),
        check=True,
        capture_output=True,
        text=True,
    )
    assert made.stdout == "19\n"
