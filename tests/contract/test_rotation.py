"""Rotation of keys whose material the service generated: on a period, on demand, and its limits."""

import asyncio
from datetime import timedelta

import pytest
from contract.conftest import Refused
from fixtures.server import ServerFactory, TestServer
from steps import create_imported_key, decrypt, describe, disable, encrypt, schedule_deletion

from keyferry.v1 import (
    CancelKeyDeletionRequest,
    CreateKeyRequest,
    DisableKeyRotationRequest,
    EnableKeyRequest,
    EnableKeyRotationRequest,
    GetKeyRotationStatusRequest,
    GetKeyRotationStatusResponse,
    ListKeyRotationsRequest,
    RotateKeyOnDemandRequest,
    RotationType,
)
from keyferry_client import KeyManagementServiceClient
from keyferry_client.errors import (
    ConflictException,
    KMSInternalException,
    LimitExceededException,
    ServiceError,
    UnsupportedOperationException,
    ValidationException,
)
from keyferry_server.crypto.root_key import UnknownRootKeyVersionError
from keyferry_server.crypto.root_key.aes import AesRootKey

DAY = timedelta(days=1)
MOMENT = timedelta(microseconds=1)


async def create_key(client: KeyManagementServiceClient) -> str:
    return (await client.create_key_async(CreateKeyRequest())).key_metadata.key_id


async def enable(client: KeyManagementServiceClient, key_id: str, days: int | None = None) -> None:
    await client.enable_key_rotation_async(
        EnableKeyRotationRequest(key_id=key_id, rotation_period_in_days=days)
    )


async def status(client: KeyManagementServiceClient, key_id: str) -> GetKeyRotationStatusResponse:
    return await client.get_key_rotation_status_async(GetKeyRotationStatusRequest(key_id=key_id))


async def rotate(client: KeyManagementServiceClient, key_id: str) -> None:
    await client.rotate_key_on_demand_async(RotateKeyOnDemandRequest(key_id=key_id))


async def rotation_types(client: KeyManagementServiceClient, key_id: str) -> list[str]:
    listed = await client.list_key_rotations_async(ListKeyRotationsRequest(key_id=key_id, limit=1000))
    return [RotationType.Name(one.rotation_type).removeprefix("ROTATION_TYPE_") for one in listed.rotations]


async def test_a_new_key_is_not_rotated_on_a_period(client: KeyManagementServiceClient) -> None:
    key_id = await create_key(client)
    arn = (await describe(client, key_id)).arn
    assert await status(client, key_id) == GetKeyRotationStatusResponse(
        key_id=arn, key_rotation_enabled=False
    )


async def test_the_period_is_365_days_unless_another_is_given(
    server: TestServer, client: KeyManagementServiceClient
) -> None:
    for days, period in ((None, 365), (90, 90), (2560, 2560)):
        key_id = await create_key(client)
        await enable(client, key_id, days)
        shown = await status(client, key_id)
        assert (shown.key_rotation_enabled, shown.rotation_period_in_days) == (True, period)
        now = server.clock.now()
        assert shown.next_rotation_date.ToDatetime(tzinfo=now.tzinfo) == now + period * DAY


async def test_a_period_out_of_its_range_is_refused(
    client: KeyManagementServiceClient, refused: Refused[ServiceError]
) -> None:
    key_id = await create_key(client)
    for days in (89, 2561, 0, -1):
        await refused(ValidationException, enable(client, key_id, days))


async def test_the_same_period_again_keeps_the_next_date_and_another_starts_anew(
    server: TestServer, client: KeyManagementServiceClient
) -> None:
    key_id = await create_key(client)
    await enable(client, key_id, 100)
    before = await status(client, key_id)
    server.clock.advance(DAY)
    await enable(client, key_id, 100)
    assert await status(client, key_id) == before
    await enable(client, key_id, 200)
    now = server.clock.now()
    after = await status(client, key_id)
    assert after.next_rotation_date.ToDatetime(tzinfo=now.tzinfo) == now + 200 * DAY


async def test_a_key_is_rotated_when_its_date_comes_and_not_before(
    server: TestServer, client: KeyManagementServiceClient
) -> None:
    key_id = await create_key(client)
    first = (await describe(client, key_id)).current_key_material_id
    old = await encrypt(client, key_id)
    await enable(client, key_id, 90)

    server.clock.advance(90 * DAY - MOMENT)
    assert await server.running.rotator.rotate_due() == 0
    server.clock.advance(MOMENT)
    assert await server.running.rotator.rotate_due() == 1
    assert await server.running.rotator.rotate_due() == 0

    assert (await describe(client, key_id)).current_key_material_id != first
    assert await rotation_types(client, key_id) == ["AUTOMATIC"]
    assert await decrypt(client, old) == b"plaintext"
    assert await decrypt(client, await encrypt(client, key_id)) == b"plaintext"
    now = server.clock.now()
    shown = await status(client, key_id)
    assert shown.next_rotation_date.ToDatetime(tzinfo=now.tzinfo) == now + 90 * DAY


async def test_a_key_that_is_off_or_about_to_be_deleted_is_rotated_when_it_is_back(
    server: TestServer, client: KeyManagementServiceClient
) -> None:
    off, leaving = await create_key(client), await create_key(client)
    for key_id in (off, leaving):
        await enable(client, key_id, 90)
    await disable(client, off)
    server.clock.advance(80 * DAY)
    await schedule_deletion(client, leaving)
    assert not (await status(client, leaving)).key_rotation_enabled
    server.clock.advance(11 * DAY)

    assert await server.running.rotator.rotate_due() == 0
    assert (await status(client, off)).key_rotation_enabled
    await client.cancel_key_deletion_async(CancelKeyDeletionRequest(key_id=leaving))
    for key_id in (off, leaving):
        await client.enable_key_async(EnableKeyRequest(key_id=key_id))
    assert await server.running.rotator.rotate_due() == 2


async def test_rotation_that_was_switched_off_ends_and_the_materials_stay(
    server: TestServer, client: KeyManagementServiceClient
) -> None:
    key_id = await create_key(client)
    await enable(client, key_id, 90)
    server.clock.advance(90 * DAY)
    await server.running.rotator.rotate_due()
    await client.disable_key_rotation_async(DisableKeyRotationRequest(key_id=key_id))

    server.clock.advance(365 * DAY)
    assert await server.running.rotator.rotate_due() == 0
    assert not (await status(client, key_id)).key_rotation_enabled
    assert await rotation_types(client, key_id) == ["AUTOMATIC"]


async def test_a_rotation_on_demand_leaves_the_period_as_it_is(client: KeyManagementServiceClient) -> None:
    key_id = await create_key(client)
    await enable(client, key_id)
    before, first = await status(client, key_id), await describe(client, key_id)
    await rotate(client, key_id)
    assert await status(client, key_id) == before
    assert (await describe(client, key_id)).current_key_material_id != first.current_key_material_id
    assert await rotation_types(client, key_id) == ["ON_DEMAND"]


async def test_there_are_25_rotations_on_demand_and_no_more(
    client: KeyManagementServiceClient, refused: Refused[ServiceError]
) -> None:
    key_id = await create_key(client)
    oldest = await encrypt(client, key_id)
    for _ in range(25):
        await rotate(client, key_id)
    error = await refused(LimitExceededException, rotate(client, key_id))
    arn = (await describe(client, key_id)).arn
    assert error.message == (
        "The on-demand rotations limit has been reached for the given keyId. "
        f"No more on-demand rotations can be performed for this key: {arn}"
    )
    assert await decrypt(client, oldest) == b"plaintext"


async def test_no_rotation_on_demand_in_the_20_minutes_before_an_automatic_one(
    server: TestServer, client: KeyManagementServiceClient, refused: Refused[ServiceError]
) -> None:
    key_id = await create_key(client)
    await enable(client, key_id, 90)
    server.clock.advance(90 * DAY - timedelta(minutes=20) - MOMENT)
    await rotate(client, key_id)
    server.clock.advance(MOMENT)
    await refused(ConflictException, rotate(client, key_id))


async def test_imported_material_is_not_rotated_on_a_period(
    client: KeyManagementServiceClient, refused: Refused[ServiceError]
) -> None:
    key_id = await create_imported_key(client)
    arn = (await describe(client, key_id)).arn
    for change in (
        enable(client, key_id),
        client.disable_key_rotation_async(DisableKeyRotationRequest(key_id=key_id)),
    ):
        error = await refused(UnsupportedOperationException, change)
        assert error.message == f"{arn} origin is EXTERNAL which is not valid for this operation."
    assert not (await status(client, key_id)).key_rotation_enabled


async def test_the_current_material_is_listed_last_also_if_the_clock_went_back_and_every_time_in_one_order(
    server: TestServer, client: KeyManagementServiceClient
) -> None:
    key_id = await create_key(client)
    for back in (0, 0, 0, 1, 0):
        server.clock.advance(timedelta(seconds=-back))
        await rotate(client, key_id)

    listed = (await client.list_key_rotations_async(ListKeyRotationsRequest(key_id=key_id))).rotations
    assert listed[-1].key_material_id == (await describe(client, key_id)).current_key_material_id
    assert [one.rotation_date.ToDatetime() for one in listed[:-1]] == sorted(
        one.rotation_date.ToDatetime() for one in listed[:-1]
    )
    same_date = [one.key_material_id for one in listed if one.rotation_date == listed[-2].rotation_date]
    assert same_date == sorted(same_date)


async def test_a_root_key_that_cannot_seal_puts_the_rotation_off_and_ends_no_server(
    start_server: ServerFactory, monkeypatch: pytest.MonkeyPatch
) -> None:
    server = await start_server(sweep_interval_seconds=0.01)
    async with server.client() as client:
        key_id = await create_key(client)
        await enable(client, key_id, 90)
        tries = asyncio.Event()
        with monkeypatch.context() as broken:

            def encrypt_nothing(_: AesRootKey, version: int, *__: bytes) -> bytes:
                tries.set()
                raise UnknownRootKeyVersionError(version)

            broken.setattr(AesRootKey, "encrypt", encrypt_nothing)
            server.clock.advance(90 * DAY)
            for _ in range(2):
                tries.clear()
                await asyncio.wait_for(tries.wait(), 20)
            with pytest.raises(KMSInternalException, match="could not be sealed"):
                await create_key(client)
        async with asyncio.timeout(20):
            while await rotation_types(client, key_id) != ["AUTOMATIC"]:  # noqa: ASYNC110 -- nobody announces it
                await asyncio.sleep(0.01)
