"""The end of a key: scheduled, taken back, and in the end for good."""

import asyncio
from datetime import timedelta

import pytest
from contract.beneath import select
from contract.conftest import Refused
from fixtures.server import TestServer
from steps import (
    create_external_key,
    create_imported_key,
    decrypt,
    delete_material,
    describe,
    encrypt,
    get_parameters,
    import_material,
    schedule_deletion,
    state_of,
)

from keyferry.v1 import (
    CancelKeyDeletionRequest,
    CreateKeyRequest,
    EnableKeyRequest,
    KeyState,
    ScheduleKeyDeletionRequest,
)
from keyferry_client import KeyManagementServiceClient
from keyferry_client.errors import (
    AccessDeniedException,
    KMSInvalidStateException,
    NotFoundException,
    ServiceError,
    ValidationException,
)

DAY = timedelta(days=1)


async def cancel(client: KeyManagementServiceClient, key_id: str) -> None:
    await client.cancel_key_deletion_async(CancelKeyDeletionRequest(key_id=key_id))


@pytest.mark.parametrize(("asked", "days"), [(None, 30), (7, 7), (30, 30)])
async def test_a_key_is_deleted_after_7_to_30_days_and_30_unless_another_period_is_given(
    server: TestServer, client: KeyManagementServiceClient, asked: int | None, days: int
) -> None:
    key_id = await create_imported_key(client)
    answer = await client.schedule_key_deletion_async(
        ScheduleKeyDeletionRequest(key_id=key_id, pending_window_in_days=asked)
    )
    metadata, now = await describe(client, key_id), server.clock.now()
    assert answer.key_id == metadata.arn
    assert answer.key_state == metadata.key_state == KeyState.KEY_STATE_PENDING_DELETION
    assert answer.pending_window_in_days == days
    assert not metadata.HasField("pending_deletion_window_in_days")
    assert answer.deletion_date == metadata.deletion_date
    assert answer.deletion_date.ToDatetime(tzinfo=now.tzinfo) == now + days * DAY


async def test_another_waiting_period_is_refused(
    client: KeyManagementServiceClient, refused: Refused[ServiceError]
) -> None:
    key_id = await create_external_key(client)
    for days, words in ((6, "between 7 and 30"), (31, "between 7 and 30"), (0, "equal to 1"), (366, "365")):
        error = await refused(
            ValidationException,
            client.schedule_key_deletion_async(
                ScheduleKeyDeletionRequest(key_id=key_id, pending_window_in_days=days)
            ),
        )
        assert words in error.message


async def test_a_deletion_that_is_taken_back_leaves_a_disabled_key_that_decrypts_again_once_enabled(
    client: KeyManagementServiceClient, refused: Refused[ServiceError]
) -> None:
    key_id = await create_imported_key(client)
    ciphertext = await encrypt(client, key_id)
    await schedule_deletion(client, key_id)
    await refused(KMSInvalidStateException, decrypt(client, ciphertext))

    await cancel(client, key_id)
    assert await state_of(client, key_id) == "DISABLED"
    metadata = await describe(client, key_id)
    assert not metadata.HasField("deletion_date")
    assert not metadata.HasField("pending_deletion_window_in_days")
    await client.enable_key_async(EnableKeyRequest(key_id=key_id))
    assert await decrypt(client, ciphertext) == b"plaintext"


async def test_a_deletion_that_is_taken_back_of_a_key_without_material_leaves_it_pending_import(
    client: KeyManagementServiceClient,
) -> None:
    key_id = await create_imported_key(client)
    await schedule_deletion(client, key_id)
    await delete_material(client, key_id)
    assert await state_of(client, key_id) == "PENDING_DELETION"
    await cancel(client, key_id)
    assert await state_of(client, key_id) == "PENDING_IMPORT"
    await import_material(client, key_id)
    assert await state_of(client, key_id) == "ENABLED"


async def test_material_expires_in_a_key_that_is_pending_deletion_too(
    server: TestServer, client: KeyManagementServiceClient
) -> None:
    key_id = await create_imported_key(client, valid_to=server.clock.now() + DAY)
    await schedule_deletion(client, key_id)
    server.clock.advance(DAY)
    assert await state_of(client, key_id) == "PENDING_DELETION"
    await cancel(client, key_id)
    assert await state_of(client, key_id) == "PENDING_IMPORT"


async def test_the_reaper_deletes_a_key_when_its_date_has_come_with_all_that_was_its_own(
    server: TestServer, client: KeyManagementServiceClient, refused: Refused[ServiceError]
) -> None:
    key_id, other = await create_imported_key(client), await create_imported_key(client)
    await get_parameters(client, key_id)
    ciphertext = await encrypt(client, key_id)
    await schedule_deletion(client, key_id)

    server.clock.advance(30 * DAY - timedelta(microseconds=1))
    assert await server.running.reaper.reap() == 0
    await cancel(client, key_id)
    await schedule_deletion(client, key_id)
    server.clock.advance(30 * DAY)
    assert await server.running.reaper.reap() == 1
    assert await server.running.reaper.reap() == 0

    error = await refused(NotFoundException, describe(client, key_id))
    assert error.message.endswith("does not exist")
    await refused(AccessDeniedException, decrypt(client, ciphertext))
    await refused(NotFoundException, cancel(client, key_id))
    for (table,) in await select(
        server,
        "SELECT table_name FROM information_schema.columns WHERE column_name = 'key_id' AND table_schema = 'public'",
    ):
        assert await select(server, f"SELECT 1 FROM {table} WHERE key_id = :key_id", key_id=key_id) == []  # noqa: S608 -- the database's own names
    assert await state_of(client, other) == "ENABLED"


async def test_two_replicas_reap_each_key_once(
    server: TestServer, client: KeyManagementServiceClient
) -> None:
    keys = [await create_external_key(client) for _ in range(5)]
    for key_id in keys:
        await schedule_deletion(client, key_id)
    server.clock.advance(31 * DAY)
    assert sum(await asyncio.gather(*(server.running.reaper.reap() for _ in range(3)))) == len(keys)


async def test_the_same_material_in_a_new_key_does_not_open_what_a_deleted_key_encrypted(
    server: TestServer, client: KeyManagementServiceClient, refused: Refused[ServiceError]
) -> None:
    key_id = await create_imported_key(client)
    ciphertext = await encrypt(client, key_id)
    await schedule_deletion(client, key_id)
    server.clock.advance(31 * DAY)
    await server.running.reaper.reap()
    await create_imported_key(client)
    await refused(AccessDeniedException, decrypt(client, ciphertext))


async def test_a_key_of_origin_aws_kms_is_deleted_in_the_same_way(
    server: TestServer, client: KeyManagementServiceClient, refused: Refused[ServiceError]
) -> None:
    key_id = (await client.create_key_async(CreateKeyRequest())).key_metadata.key_id
    await schedule_deletion(client, key_id)
    await refused(KMSInvalidStateException, schedule_deletion(client, key_id))
    server.clock.advance(31 * DAY)
    await server.running.reaper.reap()
    await refused(NotFoundException, describe(client, key_id))
