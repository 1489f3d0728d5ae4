"""Multi-Region keys while others change them, sweep and rewrap at the same time: nothing is lost, and nobody waits for ever."""

import asyncio
from collections import Counter
from collections.abc import Callable
from typing import Any

from aws_wire.conftest import EAST, SOUTH, World, ask
from aws_wire.several_regions import create
from botocore.exceptions import ClientError

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
