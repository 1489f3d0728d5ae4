"""A cancelled import is before or after, never between; and its repetition succeeds either way.

Here the operation itself is cancelled: first at each of its own awaits, then at
each await of all tasks that work for it, down to the driver's.
"""

import asyncio
import itertools
from collections import Counter
from collections.abc import AsyncIterator

import asyncpg
import pytest
from direct_calls import call_of
from fixtures.server import TestServer
from rows import connected, rows_of
from steps import create_external_key, get_parameters, import_request
from suspensions import cancelled_at_step

from keyferry.v1 import ImportKeyMaterialRequest, ImportKeyMaterialResponse
from keyferry_client import KeyManagementServiceClient
from keyferry_server.operations.import_key_material import ImportKeyMaterial

# So many steps has an import at least: fewer would mean that they are not seen.
FEWEST_STEPS = 20
MOST_STEPS = 200
MOST_SWEEPS = 10


class Importer:
    """Runs the operation without a wire, and judges what it left behind."""

    def __init__(
        self, server: TestServer, client: KeyManagementServiceClient, database: asyncpg.Connection
    ) -> None:
        self.outcomes: Counter[str] = Counter()
        self._operation = server.running.operations[ImportKeyMaterial]
        self._storage = server.running.database
        self._client = client
        self._database = database
        self._call = call_of(ImportKeyMaterial)

    async def requests(self, spec: str) -> AsyncIterator[ImportKeyMaterialRequest]:
        """Give imports into fresh keys, prepared some at a time: that takes both cores."""
        while True:
            for request in await asyncio.gather(*(self._prepare(spec) for _ in range(8))):
                yield request

    async def cancel_at(
        self, step: int, request: ImportKeyMaterialRequest, *, turns: int, inner: bool
    ) -> int | None:
        """Cancel an import at `step`; return the number of its steps if it was complete before that."""
        before = await rows_of(self._database, request.key_id)

        response, steps = await cancelled_at_step(
            self._operation(request, self._call), step, turns, inner=inner
        )
        await self._storage.settle()

        after = await rows_of(self._database, request.key_id)
        if after == before:
            assert response is None, "an import that was answered is not there"
            self.outcomes["before"] += 1
        else:
            assert after.is_imported, f"cancelled at step {step}, the import is neither done nor undone"
            self.outcomes["after" if response is None else "answered"] += 1
        await self._check_repetition(request, response)
        return steps if response is not None and steps < step else None

    async def _prepare(self, spec: str) -> ImportKeyMaterialRequest:
        key_id = await create_external_key(self._client)
        return import_request(key_id, await get_parameters(self._client, key_id, spec=spec))

    async def _check_repetition(
        self, request: ImportKeyMaterialRequest, response: ImportKeyMaterialResponse | None
    ) -> None:
        was = await rows_of(self._database, request.key_id)
        repeated = await self._client.import_key_material_async(request)
        now = await rows_of(self._database, request.key_id)
        assert now.is_imported
        assert repeated.key_material_id == now.materials[0]["key_material_id"]
        if was.is_imported:
            assert now == was, "the repeated request imported once more"
        if response is not None:
            assert repeated == response


@pytest.fixture
async def importer(
    server: TestServer, client: KeyManagementServiceClient, database_url: str
) -> AsyncIterator[Importer]:
    async with connected(database_url) as database:
        yield Importer(server, client, database)


@pytest.mark.parametrize("turns", [0, 1])
@pytest.mark.parametrize(("spec", "awaits"), [("RSA_2048", 3), ("RSA_3072", 4)])
async def test_an_import_cancelled_at_any_of_its_awaits_is_before_or_after(
    importer: Importer, spec: str, awaits: int, turns: int
) -> None:
    # An await is a step that the operation gives way in; the last step is its end.
    requests = importer.requests(spec)
    steps = await importer.cancel_at(MOST_STEPS, await anext(requests), turns=0, inner=False)
    assert steps == awaits + 1

    for step in range(1, awaits + 1):
        complete = await importer.cancel_at(step, await anext(requests), turns=turns, inner=False)
        assert complete is None, f"there was no step {step}"

    assert importer.outcomes["before"] >= awaits - 1


@pytest.mark.parametrize("turns", [0, 1, 2])
async def test_an_import_cancelled_at_any_await_down_to_the_driver_is_before_or_after(
    importer: Importer, turns: int
) -> None:
    requests = importer.requests("RSA_2048")

    for _ in range(MOST_SWEEPS):
        for step in itertools.count(1):
            assert step < MOST_STEPS
            complete = await importer.cancel_at(step, await anext(requests), turns=turns, inner=True)
            if complete is not None:
                break
        assert step > FEWEST_STEPS
        # One import takes a step more than the next, so a sweep may pass the commit by.
        if importer.outcomes["after"]:
            break

    # Had it never happened from the commit on, this test would have shown nothing.
    assert importer.outcomes["before"] > FEWEST_STEPS // 2
    assert importer.outcomes["after"] > 0
