"""No acknowledged import is lost, whenever the server dies."""

import asyncio
import random
from collections import Counter
from collections.abc import Awaitable, Callable
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from typing import TypeVar

import pytest
from fixtures.processes import ServerProcess, StartProcess
from rows import connected
from steps import create_external_key, describe, get_parameters, import_request

from keyferry.v1 import DecryptRequest, EncryptRequest, KeyState
from keyferry_client import KeyManagementServiceClient
from keyferry_client.errors import CallAbortedError, DependencyTimeoutException, ServiceUnavailableError

T = TypeVar("T")

KILLS = 20
STOPS = 3
BRINGERS = 4
# What a caller sees of a server that dies or is about to stop: no answer.
UNANSWERED = (CallAbortedError, DependencyTimeoutException, ServiceUnavailableError)

HALF_IMPORTED = """
SELECT count(*) FROM import_tokens LEFT JOIN key_materials USING (key_id, key_material_id)
WHERE (spent_at IS NOT NULL) IS DISTINCT FROM (sealed IS NOT NULL)
"""
UNFOUNDED = """
SELECT count(*) FROM key_materials LEFT JOIN import_tokens USING (key_id, key_material_id)
WHERE spent_at IS NULL
"""


@pytest.fixture
async def server(start_process: StartProcess) -> ServerProcess:
    """A server that makes no wrapping keys ahead: after each of many starts that would be the main work."""
    return await start_process({"KEYFERRY_WRAPPING_KEY_POOL_SIZE": "0"})


@dataclass(frozen=True)
class Brought:
    """An import that was acknowledged, and what was encrypted right after."""

    key_id: str
    key_material_id: str
    ciphertext_blob: bytes
    plaintext: bytes


@dataclass
class Load:
    """Callers that bring keys for as long as they are let, and repeat what is not answered."""

    server: ServerProcess
    acknowledged: list[Brought] = field(default_factory=list)
    repeated: Counter[str] = field(default_factory=Counter)
    _importing: asyncio.Event = field(default_factory=asyncio.Event)
    _enough: bool = False

    async def an_import_is_sent(self) -> None:
        """Wait until one of the callers sends its next import."""
        self._importing.clear()
        await self._importing.wait()

    def end(self) -> None:
        """Let every caller finish what it began."""
        self._enough = True

    async def bring_keys(self, number: int) -> None:
        """Bring one key after the other; each has another material."""
        chance = random.Random(number)
        async with AsyncExitStack() as undo:
            caller = _Caller(self, undo)
            while not self._enough:
                self.acknowledged.append(await self._bring_key(caller, chance))

    async def _bring_key(self, caller: "_Caller", chance: random.Random) -> Brought:
        key_id = await caller.answer("CreateKey", create_external_key)
        parameters = await caller.answer(
            "GetParametersForImport", lambda client: get_parameters(client, key_id)
        )
        request = import_request(key_id, parameters, chance.randbytes(32))
        self._importing.set()
        imported = await caller.answer(
            "ImportKeyMaterial", lambda client: client.import_key_material_async(request)
        )
        plaintext = chance.randbytes(20)
        encrypted = await caller.answer(
            "Encrypt",
            lambda client: client.encrypt_async(EncryptRequest(key_id=key_id, plaintext=plaintext)),
        )
        return Brought(key_id, imported.key_material_id, encrypted.ciphertext_blob, plaintext)


class _Caller:
    def __init__(self, load: Load, undo: AsyncExitStack) -> None:
        self._load = load
        self._undo = undo
        self._client: KeyManagementServiceClient | None = None

    async def answer(self, name: str, call: Callable[[KeyManagementServiceClient], Awaitable[T]]) -> T:
        """Make a call, and make it again until it is answered."""
        while True:
            await self._load.server.is_up.wait()
            if self._client is None:
                self._client = await self._undo.enter_async_context(self._load.server.client())
            try:
                return await call(self._client)
            except UNANSWERED:
                self._load.repeated[name] += 1
                # A new one, because a channel waits longer and longer between its attempts.
                self._client = None


async def check_nothing_is_lost(load: Load, database_url: str) -> None:
    async with load.server.client() as client:
        for brought in load.acknowledged:
            metadata = await describe(client, brought.key_id)
            assert metadata.key_state == KeyState.KEY_STATE_ENABLED
            assert metadata.current_key_material_id == brought.key_material_id
            request = DecryptRequest(ciphertext_blob=brought.ciphertext_blob)
            assert (await client.decrypt_async(request)).plaintext == brought.plaintext
    async with connected(database_url) as database:
        assert await database.fetchval("SELECT count(*) FROM key_materials") == len(load.acknowledged)
        assert await database.fetchval(HALF_IMPORTED) == 0
        assert await database.fetchval(UNFOUNDED) == 0


@pytest.mark.timeout(300)  # twenty starts of a process, on however busy a machine
async def test_killed_twenty_times_under_load_the_server_loses_no_acknowledged_import(
    server: ServerProcess, database_url: str
) -> None:
    chance = random.Random(7)
    load = Load(server)

    async with asyncio.TaskGroup() as callers:
        for number in range(BRINGERS):
            callers.create_task(load.bring_keys(number))
        for _ in range(KILLS):
            for _ in range(chance.randrange(1, 4)):
                await load.an_import_is_sent()
            # An import takes about ten milliseconds.
            await asyncio.sleep(chance.uniform(0, 0.015))
            await server.kill()
            await server.start()
        load.end()

    assert load.repeated["ImportKeyMaterial"] > 0, "it was never killed during an import"
    assert len(load.acknowledged) > KILLS
    await check_nothing_is_lost(load, database_url)


async def test_stopped_under_load_the_server_exits_0_and_loses_no_acknowledged_import(
    server: ServerProcess, database_url: str
) -> None:
    load = Load(server)

    async with asyncio.TaskGroup() as callers:
        for number in range(BRINGERS):
            callers.create_task(load.bring_keys(number))
        for _ in range(STOPS):
            await load.an_import_is_sent()
            assert await server.terminate() == 0
            await server.start()
        load.end()

    assert len(load.acknowledged) >= STOPS
    await check_nothing_is_lost(load, database_url)
