"""An import whose caller is gone, over a real connection: cancelled, out of time, or cut off."""

import asyncio
import random
import time
from collections.abc import AsyncIterator

import asyncpg
import pytest
from fixtures.server import TestServer
from relay import Relay
from rows import KeyRows, connected, rows_of
from steps import create_external_key, get_parameters, import_request, state_of

from keyferry.v1 import ImportKeyMaterialRequest
from keyferry_client import KeyManagementServiceClient
from keyferry_client.errors import (
    DeadlineExceededError,
    DependencyTimeoutException,
    ServiceUnavailableError,
)

ATTEMPTS = 30
WAITING_FOR_THE_LOCK = """
SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'
"""

HOLD_THE_COMMIT = """
CREATE FUNCTION hold() RETURNS trigger LANGUAGE plpgsql AS
    $$ BEGIN PERFORM pg_advisory_xact_lock(1); RETURN NULL; END $$;
CREATE CONSTRAINT TRIGGER hold AFTER INSERT ON key_materials DEFERRABLE INITIALLY DEFERRED
    FOR EACH ROW EXECUTE FUNCTION hold()
"""
CANCELS, RUNS_OUT_OF_TIME, IS_CUT_OFF = "cancels", "runs out of time", "is cut off"
GONE: dict[str, tuple[type[BaseException], ...]] = {
    CANCELS: (asyncio.CancelledError,),
    RUNS_OUT_OF_TIME: (DependencyTimeoutException, DeadlineExceededError),
    IS_CUT_OFF: (ServiceUnavailableError,),
}
TIMEOUT_SECONDS = {CANCELS: 60, RUNS_OUT_OF_TIME: 1, IS_CUT_OFF: 60}


@pytest.fixture
async def database(database_url: str) -> AsyncIterator[asyncpg.Connection]:
    async with connected(database_url) as connection:
        yield connection


@pytest.fixture
async def relay(server: TestServer) -> AsyncIterator[Relay]:
    async with Relay.between(server.address) as relay:
        yield relay


async def prepared_import(client: KeyManagementServiceClient) -> ImportKeyMaterialRequest:
    key_id = await create_external_key(client)
    return import_request(key_id, await get_parameters(client, key_id))


async def until_waiting_for_the_lock(database: asyncpg.Connection, expected: int) -> None:
    # Half the time after which the database itself would end the statement.
    async with asyncio.timeout(5):
        while await database.fetchval(WAITING_FOR_THE_LOCK) != expected:  # noqa: ASYNC110 -- it tells nobody
            await asyncio.sleep(0.002)


async def leave(importing: "asyncio.Task[object]", relay: Relay, way: str) -> None:
    """Let the caller go, unless it runs out of time anyway, and wait until it is gone."""
    if way == CANCELS:
        importing.cancel()
    elif way == IS_CUT_OFF:
        relay.cut()
    with pytest.raises(GONE[way]):
        await importing


@pytest.mark.parametrize("way", GONE)
async def test_an_import_is_given_up_in_the_database_when_its_caller_is_gone(
    client: KeyManagementServiceClient,
    relay: Relay,
    database: asyncpg.Connection,
    database_url: str,
    way: str,
) -> None:
    request = await prepared_import(client)
    before = await rows_of(database, request.key_id)

    async with (
        connected(database_url) as holder,
        KeyManagementServiceClient(relay.address, timeout=TIMEOUT_SECONDS[way]) as caller,
        holder.transaction(),
    ):
        await holder.execute("SELECT FROM import_tokens WHERE key_id = $1 FOR UPDATE", request.key_id)
        importing = caller.import_key_material_async(request)
        await until_waiting_for_the_lock(database, 1)
        await leave(importing, relay, way)

        # Long before its statement would time out, the server has given up in the database too.
        await until_waiting_for_the_lock(database, 0)

    assert await rows_of(database, request.key_id) == before
    await client.import_key_material_async(request)
    assert (await rows_of(database, request.key_id)).is_imported


@pytest.mark.parametrize("way", GONE)
async def test_a_commit_is_carried_through_when_the_caller_is_gone(
    server: TestServer,
    client: KeyManagementServiceClient,
    relay: Relay,
    database: asyncpg.Connection,
    database_url: str,
    way: str,
) -> None:
    request = await prepared_import(client)
    await database.execute(HOLD_THE_COMMIT)
    storage = server.running.database

    async with (
        connected(database_url) as holder,
        KeyManagementServiceClient(relay.address, timeout=TIMEOUT_SECONDS[way]) as caller,
        holder.transaction(),
    ):
        await holder.execute("SELECT pg_advisory_xact_lock(1)")
        importing = caller.import_key_material_async(request)
        await until_waiting_for_the_lock(database, 1)
        await leave(importing, relay, way)
        async with asyncio.timeout(5):
            while not storage._ending:  # noqa: ASYNC110 -- it tells nobody
                await asyncio.sleep(0.002)
    await storage.settle()

    complete = await rows_of(database, request.key_id)
    assert complete.is_imported
    repeated = await client.import_key_material_async(request)
    assert repeated.key_material_id == complete.materials[0]["key_material_id"]
    assert await rows_of(database, request.key_id) == complete


async def seconds_of_an_import(client: KeyManagementServiceClient) -> float:
    """Return how long the quickest of a few takes: others may have waited for the machine."""
    seconds = []
    for _ in range(5):
        request = await prepared_import(client)
        start = time.perf_counter()
        await client.import_key_material_async(request)
        seconds.append(time.perf_counter() - start)
    return min(seconds)


async def check_before_or_after(
    client: KeyManagementServiceClient,
    database: asyncpg.Connection,
    request: ImportKeyMaterialRequest,
    before: KeyRows,
) -> None:
    """Look at once, when the import may still be going on, and after it was repeated."""
    found = await rows_of(database, request.key_id)
    assert found == before or found.is_imported
    repeated = await client.import_key_material_async(request)
    complete = await rows_of(database, request.key_id)
    assert complete.is_imported
    assert repeated.key_material_id == complete.materials[0]["key_material_id"]
    if found.is_imported:
        assert complete == found, "the repeated request imported once more"


async def test_a_call_cancelled_at_any_moment_is_before_or_after(
    client: KeyManagementServiceClient, database: asyncpg.Connection
) -> None:
    chance = random.Random(1)
    longest = 1.5 * await seconds_of_an_import(client)
    cancelled = 0

    for request in await asyncio.gather(*(prepared_import(client) for _ in range(ATTEMPTS))):
        before = await rows_of(database, request.key_id)
        importing = client.import_key_material_async(request)
        await asyncio.sleep(chance.uniform(0, longest))
        importing.cancel()
        await asyncio.wait({importing})
        cancelled += importing.cancelled()
        await check_before_or_after(client, database, request, before)

    assert cancelled > 0


async def test_a_call_out_of_time_at_any_moment_is_before_or_after(
    client: KeyManagementServiceClient, database: asyncpg.Connection
) -> None:
    chance = random.Random(2)
    longest = 1.5 * await seconds_of_an_import(client)
    timed_out = 0

    for request in await asyncio.gather(*(prepared_import(client) for _ in range(ATTEMPTS))):
        before = await rows_of(database, request.key_id)
        try:
            await client.import_key_material_async(request, timeout=chance.uniform(0.0005, longest))
        except (DependencyTimeoutException, DeadlineExceededError):
            timed_out += 1
        await check_before_or_after(client, database, request, before)

    assert timed_out > 0


async def test_a_connection_cut_at_any_moment_is_before_or_after(
    server: TestServer, client: KeyManagementServiceClient, database: asyncpg.Connection
) -> None:
    chance = random.Random(3)
    longest = 1.5 * await seconds_of_an_import(client)
    cut_off = 0

    for request in await asyncio.gather(*(prepared_import(client) for _ in range(ATTEMPTS))):
        before = await rows_of(database, request.key_id)
        async with (
            Relay.between(server.address) as relay,
            KeyManagementServiceClient(relay.address) as caller,
        ):
            # Connected beforehand, so that it is the import that is cut.
            await state_of(caller, request.key_id)
            importing = caller.import_key_material_async(request)
            await asyncio.sleep(chance.uniform(0, longest))
            relay.cut()
            try:
                await importing
            except ServiceUnavailableError:
                cut_off += 1
        await check_before_or_after(client, database, request, before)

    assert cut_off > 0
