"""An import happens entirely or not at all, and its identical repetition gets the same answer."""

import asyncio
from collections.abc import AsyncIterator
from datetime import datetime, timedelta

import asyncpg
import pytest
from fixtures.server import ServerFactory, TestServer
from rows import connected, rows_of
from steps import (
    MATERIAL,
    create_external_key,
    create_imported_key,
    get_parameters,
    import_material,
    import_request,
    state_of,
    wrap,
)

from keyferry.v1 import DeleteImportedKeyMaterialRequest, ImportKeyMaterialRequest
from keyferry_client import KeyManagementServiceClient
from keyferry_client.errors import (
    DependencyTimeoutException,
    IncorrectKeyMaterialException,
    InvalidCiphertextException,
    InvalidImportTokenException,
    KMSInternalException,
    ValidationException,
)


@pytest.fixture
async def database(database_url: str) -> AsyncIterator[asyncpg.Connection]:
    async with connected(database_url) as connection:
        yield connection


@pytest.fixture
def tomorrow(server: TestServer) -> datetime:
    return server.clock.now() + timedelta(days=1)


async def prepared_import(
    client: KeyManagementServiceClient, material: bytes = MATERIAL, *, valid_to: datetime | None = None
) -> ImportKeyMaterialRequest:
    """Create a key and return the request that imports into it."""
    key_id = await create_external_key(client)
    return import_request(key_id, await get_parameters(client, key_id), material, valid_to=valid_to)


async def test_an_import_is_complete(
    client: KeyManagementServiceClient, database: asyncpg.Connection
) -> None:
    request = await prepared_import(client)
    before = await rows_of(database, request.key_id)
    assert not before.is_imported

    await client.import_key_material_async(request)

    assert (await rows_of(database, request.key_id)).is_imported


async def test_a_spent_token_keeps_no_private_key(
    client: KeyManagementServiceClient, database: asyncpg.Connection
) -> None:
    request = await prepared_import(client)
    (unspent,) = (await rows_of(database, request.key_id)).tokens
    assert unspent["sealed_private_key"] is not None

    await client.import_key_material_async(request)

    (spent,) = (await rows_of(database, request.key_id)).tokens
    assert spent["sealed_private_key"] is None


async def test_the_identical_request_is_answered_again_and_changes_nothing(
    server: TestServer, client: KeyManagementServiceClient, database: asyncpg.Connection, tomorrow: datetime
) -> None:
    request = await prepared_import(client, valid_to=tomorrow)
    first = await client.import_key_material_async(request)
    after_first = await rows_of(database, request.key_id)
    server.clock.advance(timedelta(hours=1))

    second = await client.import_key_material_async(request)

    assert second == first
    assert await rows_of(database, request.key_id) == after_first


async def test_ten_identical_requests_at_once_are_one_import(
    start_server: ServerFactory, database: asyncpg.Connection
) -> None:
    one = await start_server()
    other = await start_server(clock=one.clock)
    async with one.client() as to_one, other.client() as to_other:
        for _ in range(5):
            request = await prepared_import(to_one)

            answers = await asyncio.gather(
                *(to.import_key_material_async(request) for to in (to_one, to_other) * 5)
            )

            assert answers == [answers[0]] * 10
            rows = await rows_of(database, request.key_id)
            assert rows.is_imported
            assert answers[0].key_material_id == rows.materials[0]["key_material_id"]


@pytest.mark.parametrize("seconds", [-1, 1])
async def test_a_spent_token_with_another_valid_to_is_refused(
    client: KeyManagementServiceClient, database: asyncpg.Connection, tomorrow: datetime, seconds: int
) -> None:
    request = await prepared_import(client, valid_to=tomorrow)
    await client.import_key_material_async(request)
    after_first = await rows_of(database, request.key_id)
    other = ImportKeyMaterialRequest()
    other.CopyFrom(request)
    other.valid_to.seconds += seconds

    with pytest.raises(InvalidImportTokenException):
        await client.import_key_material_async(other)

    assert await rows_of(database, request.key_id) == after_first


async def test_a_spent_token_without_the_valid_to_is_refused(
    client: KeyManagementServiceClient, database: asyncpg.Connection, tomorrow: datetime
) -> None:
    request = await prepared_import(client, valid_to=tomorrow)
    await client.import_key_material_async(request)
    after_first = await rows_of(database, request.key_id)
    other = ImportKeyMaterialRequest()
    other.CopyFrom(request)
    other.ClearField("valid_to")
    other.expiration_model = "EXPIRATION_MODEL_TYPE_KEY_MATERIAL_DOES_NOT_EXPIRE"

    with pytest.raises(InvalidImportTokenException):
        await client.import_key_material_async(other)

    assert await rows_of(database, request.key_id) == after_first


@pytest.mark.parametrize("position", [0, 100, 255])
async def test_a_spent_token_with_another_ciphertext_is_refused(
    client: KeyManagementServiceClient, position: int
) -> None:
    request = await prepared_import(client)
    await client.import_key_material_async(request)
    changed = bytearray(request.encrypted_key_material)
    changed[position] ^= 1
    other = ImportKeyMaterialRequest()
    other.CopyFrom(request)
    other.encrypted_key_material = bytes(changed)

    with pytest.raises(InvalidImportTokenException):
        await client.import_key_material_async(other)


async def test_a_spent_token_with_the_same_material_wrapped_anew_is_refused(
    client: KeyManagementServiceClient,
) -> None:
    key_id = await create_external_key(client)
    parameters = await get_parameters(client, key_id)
    await client.import_key_material_async(import_request(key_id, parameters))

    with pytest.raises(InvalidImportTokenException):
        await client.import_key_material_async(import_request(key_id, parameters))


async def test_the_repeated_request_is_refused_once_its_material_was_deleted(
    client: KeyManagementServiceClient, database: asyncpg.Connection
) -> None:
    request = await prepared_import(client)
    await client.import_key_material_async(request)
    await client.delete_imported_key_material_async(DeleteImportedKeyMaterialRequest(key_id=request.key_id))
    after_deletion = await rows_of(database, request.key_id)

    with pytest.raises(InvalidImportTokenException):
        await client.import_key_material_async(request)

    assert await rows_of(database, request.key_id) == after_deletion
    assert await state_of(client, request.key_id) == "PENDING_IMPORT"


async def test_the_repeated_request_with_a_valid_to_in_the_past_is_no_valid_request(
    server: TestServer, client: KeyManagementServiceClient
) -> None:
    request = await prepared_import(client, valid_to=server.clock.now() + timedelta(hours=1))
    await client.import_key_material_async(request)
    server.clock.advance(timedelta(hours=1))

    with pytest.raises(ValidationException):
        await client.import_key_material_async(request)


async def test_the_repeated_request_is_refused_once_its_material_has_expired(
    server: TestServer, client: KeyManagementServiceClient, database: asyncpg.Connection
) -> None:
    request = await prepared_import(client)
    await client.import_key_material_async(request)
    # The same material again, and this time it expires.
    await import_material(client, request.key_id, valid_to=server.clock.now() + timedelta(hours=1))
    server.clock.advance(timedelta(hours=1))
    expired = await rows_of(database, request.key_id)

    with pytest.raises(InvalidImportTokenException):
        await client.import_key_material_async(request)

    assert await rows_of(database, request.key_id) == expired
    assert await state_of(client, request.key_id) == "PENDING_IMPORT"


async def test_a_refused_import_changes_nothing_and_leaves_its_token_good(
    client: KeyManagementServiceClient, database: asyncpg.Connection
) -> None:
    key_id = await create_external_key(client)
    parameters = await get_parameters(client, key_id)
    before = await rows_of(database, key_id)

    for material in (MATERIAL[:31], MATERIAL + b"\n", b""):
        with pytest.raises(IncorrectKeyMaterialException):
            await client.import_key_material_async(import_request(key_id, parameters, material))
    wrongly_wrapped = import_request(key_id, parameters)
    wrongly_wrapped.encrypted_key_material = wrap(parameters.public_key, MATERIAL, "RSAES_OAEP_SHA_1")
    with pytest.raises(InvalidCiphertextException):
        await client.import_key_material_async(wrongly_wrapped)

    assert await rows_of(database, key_id) == before
    await client.import_key_material_async(import_request(key_id, parameters))
    assert (await rows_of(database, key_id)).is_imported


async def test_refused_other_material_changes_nothing_and_leaves_its_token_good(
    client: KeyManagementServiceClient, database: asyncpg.Connection
) -> None:
    key_id = await create_imported_key(client)
    parameters = await get_parameters(client, key_id)
    before = await rows_of(database, key_id)

    with pytest.raises(IncorrectKeyMaterialException):
        await client.import_key_material_async(import_request(key_id, parameters, bytes(32)))

    assert await rows_of(database, key_id) == before
    await client.import_key_material_async(import_request(key_id, parameters))


FAIL = """
CREATE FUNCTION fail() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE 'the disk is on fire'; END $$
"""


@pytest.mark.parametrize(
    "trigger",
    [
        "CREATE TRIGGER t AFTER INSERT ON key_materials FOR EACH ROW EXECUTE FUNCTION fail()",
        "CREATE TRIGGER t AFTER UPDATE ON keys FOR EACH ROW EXECUTE FUNCTION fail()",
        "CREATE TRIGGER t AFTER UPDATE ON import_tokens FOR EACH ROW EXECUTE FUNCTION fail()",
        """CREATE CONSTRAINT TRIGGER t AFTER INSERT ON key_materials DEFERRABLE INITIALLY DEFERRED
        FOR EACH ROW EXECUTE FUNCTION fail()""",
    ],
    ids=["writing the material", "switching the key on", "spending the token", "committing"],
)
async def test_a_fault_while_writing_changes_nothing(
    client: KeyManagementServiceClient, database: asyncpg.Connection, trigger: str
) -> None:
    request = await prepared_import(client)
    # As after a DisableKey before the material was deleted: the import switches the key on.
    await database.execute("UPDATE keys SET enabled = false")
    before = await rows_of(database, request.key_id)
    await database.execute(FAIL)
    await database.execute(trigger)

    with pytest.raises(KMSInternalException) as refused:
        await client.import_key_material_async(request)

    assert "fire" not in str(refused.value)
    assert await rows_of(database, request.key_id) == before
    await database.execute("DROP FUNCTION fail CASCADE")
    await client.import_key_material_async(request)
    assert (await rows_of(database, request.key_id)).is_imported


async def test_a_connection_lost_while_writing_changes_nothing(
    client: KeyManagementServiceClient, database: asyncpg.Connection, database_url: str
) -> None:
    request = await prepared_import(client)
    before = await rows_of(database, request.key_id)

    async with connected(database_url) as holder, holder.transaction():
        await holder.execute("SELECT FROM import_tokens WHERE key_id = $1 FOR UPDATE", request.key_id)
        importing = client.import_key_material_async(request)
        while not await database.fetchval(
            "SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity "
            "WHERE datname = current_database() AND wait_event_type = 'Lock'"
        ):
            assert not importing.done()
        with pytest.raises(DependencyTimeoutException):
            await importing

    assert await rows_of(database, request.key_id) == before
    await client.import_key_material_async(request)
    assert (await rows_of(database, request.key_id)).is_imported
