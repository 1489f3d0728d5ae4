"""What happens to a key between two awaits of an import is seen by the import."""

from collections.abc import AsyncIterator

import asyncpg
import pytest
from direct_calls import call_of
from fixtures.server import TestServer
from rows import connected, rows_of
from steps import (
    MATERIAL,
    create_external_key,
    create_imported_key,
    get_parameters,
    import_material,
    import_request,
    state_of,
)
from suspensions import interrupted_after_step

from keyferry.v1 import (
    DeleteImportedKeyMaterialRequest,
    DisableKeyRequest,
    ImportKeyMaterialRequest,
    ImportKeyMaterialResponse,
)
from keyferry_client import KeyManagementServiceClient
from keyferry_server.domain.errors import IncorrectKeyMaterialException
from keyferry_server.operations.import_key_material import ImportKeyMaterial

# It has loaded the key; it has loaded the token.
STEPS_BEFORE_WRITING = (1, 2)
# And it has committed.
STEPS = (*STEPS_BEFORE_WRITING, 3)
OTHER_MATERIAL = bytes(reversed(MATERIAL))


@pytest.fixture
async def database(database_url: str) -> AsyncIterator[asyncpg.Connection]:
    async with connected(database_url) as connection:
        yield connection


class Interruptible:
    """An import into a key, with something else in between."""

    def __init__(
        self, server: TestServer, client: KeyManagementServiceClient, request: ImportKeyMaterialRequest
    ) -> None:
        self.key_id = request.key_id
        self.request = request
        self._client = client
        self._work = server.running.operations[ImportKeyMaterial](request, call_of(ImportKeyMaterial))

    async def interrupted_by_itself(self, step: int) -> ImportKeyMaterialResponse:
        return await interrupted_after_step(
            self._work, step, lambda: self._client.import_key_material_async(self.request)
        )

    async def interrupted_by_import(self, step: int, material: bytes) -> ImportKeyMaterialResponse:
        return await interrupted_after_step(
            self._work, step, lambda: import_material(self._client, self.key_id, material)
        )

    async def interrupted_by_deletion(self, step: int) -> ImportKeyMaterialResponse:
        deletion = DeleteImportedKeyMaterialRequest(key_id=self.key_id)
        return await interrupted_after_step(
            self._work, step, lambda: self._client.delete_imported_key_material_async(deletion)
        )

    async def interrupted_by_switch_off(self, step: int) -> ImportKeyMaterialResponse:
        switch_off = DisableKeyRequest(key_id=self.key_id)
        return await interrupted_after_step(
            self._work, step, lambda: self._client.disable_key_async(switch_off)
        )


@pytest.fixture
async def first_import(server: TestServer, client: KeyManagementServiceClient) -> Interruptible:
    key_id = await create_external_key(client)
    request = import_request(key_id, await get_parameters(client, key_id))
    return Interruptible(server, client, request)


@pytest.fixture
async def reimport(server: TestServer, client: KeyManagementServiceClient) -> Interruptible:
    key_id = await create_imported_key(client)
    request = import_request(key_id, await get_parameters(client, key_id))
    return Interruptible(server, client, request)


@pytest.mark.parametrize("step", STEPS)
async def test_the_identical_import_in_between_is_answered_the_same(
    first_import: Interruptible, database: asyncpg.Connection, step: int
) -> None:
    response = await first_import.interrupted_by_itself(step)

    rows = await rows_of(database, first_import.key_id)
    assert rows.is_imported
    assert response.key_material_id == rows.materials[0]["key_material_id"]


@pytest.mark.parametrize("step", STEPS_BEFORE_WRITING)
async def test_other_material_that_came_in_between_wins(
    first_import: Interruptible, database: asyncpg.Connection, step: int
) -> None:
    with pytest.raises(IncorrectKeyMaterialException):
        await first_import.interrupted_by_import(step, OTHER_MATERIAL)

    assert (await rows_of(database, first_import.key_id)).is_imported


@pytest.mark.parametrize("step", STEPS_BEFORE_WRITING)
async def test_the_same_material_that_came_in_between_with_another_token_is_imported_again(
    first_import: Interruptible, database: asyncpg.Connection, step: int
) -> None:
    response = await first_import.interrupted_by_import(step, MATERIAL)

    rows = await rows_of(database, first_import.key_id)
    assert [material["key_material_id"] for material in rows.materials] == [response.key_material_id]
    assert all(token["key_material_id"] == response.key_material_id for token in rows.tokens)


@pytest.mark.parametrize("step", STEPS_BEFORE_WRITING)
async def test_a_deletion_in_between_comes_before_the_import(
    reimport: Interruptible, client: KeyManagementServiceClient, step: int
) -> None:
    await reimport.interrupted_by_deletion(step)

    assert await state_of(client, reimport.key_id) == "ENABLED"


async def test_a_deletion_after_the_commit_comes_after_the_import(
    reimport: Interruptible, client: KeyManagementServiceClient
) -> None:
    await reimport.interrupted_by_deletion(3)

    assert await state_of(client, reimport.key_id) == "PENDING_IMPORT"


@pytest.mark.parametrize("step", STEPS)
async def test_a_key_that_was_switched_off_in_between_stays_off(
    reimport: Interruptible, client: KeyManagementServiceClient, step: int
) -> None:
    await reimport.interrupted_by_switch_off(step)

    assert await state_of(client, reimport.key_id) == "DISABLED"
