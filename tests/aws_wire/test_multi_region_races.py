"""Multi-Region keys while others change them, sweep and rewrap at the same time: nothing is lost, and nobody waits for ever."""

import asyncio
from collections import Counter
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import asyncpg
import pytest
from aws_wire.conftest import EAST, SOUTH, WEST, Kms, World, ask, refusal
from aws_wire.several_regions import (
    EXISTING,
    NEW,
    NEW_MATERIAL,
    arn,
    bring,
    create,
    imported_in_two_regions,
    materials,
    opened,
    seal,
)
from botocore.exceptions import ClientError
from rows import connected

from keyferry_server.domain.sealed_places import KEY_MATERIAL
from keyferry_server.storage.sealed_store import SealedStore

ROUNDS = 12


async def outcome(call: Callable[..., Any], **members: Any) -> str:
    """Make a call; return `ok`, or the exception's name."""
    try:
        await ask(call, **members)
    except ClientError as error:
        refused: Any = error.response
        return str(refused["Error"]["Code"])
    return "ok"


async def test_a_replication_a_rotation_and_other_changes_at_once_all_succeed(world: World) -> None:
    outcomes: Counter[str] = Counter()
    for _ in range(ROUNDS):
        key_id = await create(world.east)
        # The new Region comes before the primary key's: whoever locks them in their order has to wait for it.
        assert SOUTH < EAST
        calls = [outcome(world.east.replicate_key, KeyId=key_id, ReplicaRegion=SOUTH)]
        for number in range(3):
            calls.append(outcome(world.east.rotate_key_on_demand, KeyId=key_id))
            calls.append(outcome(world.east.update_key_description, KeyId=key_id, Description=str(number)))
        outcomes.update(await asyncio.gather(*calls))
    assert outcomes == {"ok": 7 * ROUNDS}


@pytest.mark.parametrize("multi_region", [False, True], ids=["single-Region", "multi-Region"])
async def test_a_rotation_to_material_that_is_swept_at_the_same_time_changes_nothing(
    world: World, *, multi_region: bool
) -> None:
    key_id, last = await waiting_to_rotate(world, multi_region=multi_region)
    before = await materials(world.east, key_id)
    async with connected(world.database_url) as sweeper, connected(world.database_url) as onlooker:
        async with sweeper.transaction():
            # As `wipe_expired` of a server whose clock is ahead, before its commit.
            await sweeper.execute(
                "DELETE FROM key_materials WHERE key_id = $1 AND region = $2 AND state = 'PENDING_ROTATION'",
                key_id,
                last.meta.region_name,
            )
            rotation = asyncio.create_task(refusal(world.east.rotate_key_on_demand, KeyId=key_id))
            await somebody_waits_for(sweeper, onlooker)
        code, words = await rotation

    assert code == "KMSInvalidStateException"
    assert arn(EAST, key_id) in words
    current = [one for one, found in before.items() if found == "CURRENT"]
    for kms in {world.east, last}:
        left = await materials(kms, key_id)
        assert [one for one, found in left.items() if found == "CURRENT"] == current
    assert await opened(last, await seal(last, key_id)) == b"attack"


async def waiting_to_rotate(world: World, *, multi_region: bool) -> tuple[str, Kms]:
    """Return a key with new material everywhere, and the Region that it came to last."""
    if multi_region:
        key_id, _ = await imported_in_two_regions(world)
        await bring(world.east, key_id, NEW_MATERIAL, ImportType=NEW)
        last, kind = world.west, EXISTING
    else:
        key_id = (await ask(world.east.create_key, Origin="EXTERNAL"))["KeyMetadata"]["KeyId"]
        await bring(world.east, key_id)
        last, kind = world.east, NEW
    await bring(last, key_id, NEW_MATERIAL, ImportType=kind)
    return key_id, last


async def somebody_waits_for(holder: asyncpg.Connection, onlooker: asyncpg.Connection) -> None:
    """Return when somebody waits for a lock that a session has."""
    query = "SELECT count(*) FROM pg_stat_activity WHERE $1 = ANY(pg_blocking_pids(pid))"
    while not await onlooker.fetchval(query, holder.get_server_pid()):  # noqa: ASYNC110 -- it tells nobody
        await asyncio.sleep(0.01)


@pytest.mark.parametrize(
    "holding",
    [
        f"SELECT FROM keys WHERE key_id = $1 AND region = '{WEST}' FOR SHARE",
        "SELECT pg_advisory_xact_lock(hashtextextended($1, 0))",
    ],
    ids=["a replica key", "the key ID"],
)
async def test_a_key_that_is_being_changed_does_not_hold_up_the_rotation_of_others(
    world: World, holding: str
) -> None:
    busy = await create(world.east)
    await ask(world.east.replicate_key, KeyId=busy, ReplicaRegion=WEST)
    await ask(world.east.enable_key_rotation, KeyId=busy, RotationPeriodInDays=90)
    world.server.clock.advance(timedelta(hours=1))
    other = await create(world.east)
    await ask(world.east.enable_key_rotation, KeyId=other, RotationPeriodInDays=90)
    world.server.clock.advance(timedelta(days=91))
    rotator = world.server.running.rotator

    async with connected(world.database_url) as database, database.transaction():
        await database.execute(holding, busy)
        assert await rotator.rotate_due() == 1
    assert len(await materials(world.east, busy)) == 1
    assert len(await materials(world.east, other)) == 2
    assert await rotator.rotate_due() == 1
    assert len(await materials(world.west, busy)) == 2


async def test_what_is_being_replicated_is_not_rewrapped_meanwhile_and_counts_as_older(world: World) -> None:
    key_id = await create(world.east)
    store = SealedStore(world.server.running.database)

    async def found_older() -> list[str]:
        """Rewrap to a version that nothing is sealed under, and cannot be; return which rows were tried."""
        portion = await store.reseal(KEY_MATERIAL, 99, lambda _sealed, _place: None, None, 100)
        return [one for one in portion.unopened if key_id in one]

    async with connected(world.database_url) as other, connected(world.database_url) as onlooker:
        async with other.transaction():
            # The replica key cannot be added until this one, which never will be, is gone again.
            await other.execute(
                "INSERT INTO keys SELECT (jsonb_populate_record(keys, jsonb_build_object('region', $2::text))).* "
                "FROM keys WHERE key_id = $1",
                key_id,
                WEST,
            )
            replication = asyncio.create_task(
                outcome(world.east.replicate_key, KeyId=key_id, ReplicaRegion=WEST)
            )
            await somebody_waits_for(other, onlooker)
            tried_meanwhile = await found_older()
            counted_meanwhile = (await store.count())[KEY_MATERIAL]
            await other.execute("DELETE FROM keys WHERE key_id = $1 AND region = $2", key_id, WEST)
        assert await replication == "ok"

    assert tried_meanwhile == []
    assert sum(counted_meanwhile.values()) == 1
    assert len(await found_older()) == 2


async def test_what_was_rewrapped_before_a_replication_is_not_brought_back(world: World) -> None:
    key_id = await create(world.east)
    query = "SELECT region, sealed FROM key_materials WHERE key_id = $1"
    async with connected(world.database_url) as rewrap, connected(world.database_url) as onlooker:
        async with rewrap.transaction():
            await rewrap.execute(
                "UPDATE key_materials SET sealed = sealed || '\\x00' WHERE key_id = $1", key_id
            )
            replication = asyncio.create_task(
                outcome(world.east.replicate_key, KeyId=key_id, ReplicaRegion=WEST)
            )
            waiting = asyncio.create_task(somebody_waits_for(rewrap, onlooker))
            await asyncio.wait({replication, waiting}, return_when=asyncio.FIRST_COMPLETED)
            waiting.cancel()
        assert await replication == "ok"
        sealed = {row["region"]: row["sealed"] for row in await onlooker.fetch(query, key_id)}
    assert sealed[WEST] == sealed[EAST]
