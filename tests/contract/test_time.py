"""What time does to import tokens and key material, to the second."""

from datetime import UTC, datetime, timedelta

import pytest
from contract.beneath import select
from contract.conftest import Refused
from fixtures.server import TestServer
from steps import (
    EXPIRES,
    NEVER,
    create_external_key,
    create_imported_key,
    decrypt,
    delete_material,
    describe,
    disable,
    encrypt,
    get_parameters,
    import_material,
    import_request,
    state_of,
)

from keyferry.v1 import ExpirationModelType
from keyferry_client import KeyManagementServiceClient
from keyferry_client.errors import (
    ExpiredImportTokenException,
    IncorrectKeyMaterialException,
    KMSInvalidStateException,
    ServiceError,
    ValidationException,
)

DAY = timedelta(days=1)
SECOND = timedelta(seconds=1)
MICROSECOND = timedelta(microseconds=1)
MISSING_VALID_TO = "A validTo date must be set if the ExpirationModel is KEY_MATERIAL_EXPIRES"


async def test_parameters_are_valid_for_24_hours_from_the_request(
    server: TestServer, client: KeyManagementServiceClient
) -> None:
    key_id = await create_external_key(client)
    parameters = await get_parameters(client, key_id)

    assert parameters.parameters_valid_to.ToDatetime(tzinfo=UTC) == server.clock.now() + DAY
    assert parameters.key_id == (await describe(client, key_id)).arn


@pytest.mark.parametrize("early", [SECOND, MICROSECOND])
async def test_a_token_is_good_until_just_before_its_24_hours_are_over(
    server: TestServer, client: KeyManagementServiceClient, early: timedelta
) -> None:
    key_id = await create_external_key(client)
    request = import_request(key_id, await get_parameters(client, key_id))
    server.clock.advance(DAY - early)

    await client.import_key_material_async(request)

    assert await state_of(client, key_id) == "ENABLED"


async def test_a_token_is_expired_from_24_hours_on_and_a_new_one_works(
    server: TestServer, client: KeyManagementServiceClient, refused: Refused[ServiceError]
) -> None:
    key_id = await create_external_key(client)
    request = import_request(key_id, await get_parameters(client, key_id))
    for later in (DAY, SECOND, 365 * DAY):
        server.clock.advance(later)
        await refused(ExpiredImportTokenException, client.import_key_material_async(request))

    await import_material(client, key_id)


async def test_newer_parameters_leave_older_ones_valid(
    server: TestServer, client: KeyManagementServiceClient
) -> None:
    key_id = await create_external_key(client)
    older = await get_parameters(client, key_id)
    server.clock.advance(SECOND)
    newer = await get_parameters(client, key_id, "RSA_AES_KEY_WRAP_SHA_1")

    await client.import_key_material_async(import_request(key_id, older))
    await client.import_key_material_async(import_request(key_id, newer, algorithm="RSA_AES_KEY_WRAP_SHA_1"))


async def test_a_refused_expiration_leaves_the_token_as_it_was(
    server: TestServer, client: KeyManagementServiceClient, refused: Refused[ServiceError]
) -> None:
    key_id = await create_external_key(client)
    request = import_request(key_id, await get_parameters(client, key_id))
    now = server.clock.now()
    combinations: list[tuple[str | None, datetime | None, str]] = [
        (None, None, MISSING_VALID_TO),
        (EXPIRES, None, MISSING_VALID_TO),
        (None, now, "ValidTo must be in the future"),
        (EXPIRES, now, "ValidTo must be in the future"),
        (EXPIRES, now - SECOND, "ValidTo must be in the future"),
        (EXPIRES, datetime(1970, 1, 1, tzinfo=UTC), "ValidTo must be in the future"),
        (EXPIRES, datetime(1, 1, 1, tzinfo=UTC), "ValidTo must be in the future"),
        (EXPIRES, now + 365 * DAY + SECOND, "ValidTo must be no more than 365 days from the request date"),
        (None, now + 366 * DAY, "ValidTo must be no more than 365 days from the request date"),
        (
            NEVER,
            now + DAY,
            "A validTo date must not be set if the ExpirationModel is KEY_MATERIAL_DOES_NOT_EXPIRE",
        ),
    ]
    for model, valid_to, message in combinations:
        request.ClearField("expiration_model")
        request.ClearField("valid_to")
        if model is not None:
            request.expiration_model = model
        if valid_to is not None:
            request.valid_to.FromDatetime(valid_to)
        error = await refused(ValidationException, client.import_key_material_async(request))
        assert error.message == message

    request.expiration_model = NEVER
    request.ClearField("valid_to")
    await client.import_key_material_async(request)
    assert await state_of(client, key_id) == "ENABLED"


async def test_a_valid_to_outside_of_the_calendar_is_refused(
    client: KeyManagementServiceClient, refused: Refused[ServiceError]
) -> None:
    key_id = await create_external_key(client)
    request = import_request(key_id, await get_parameters(client, key_id))
    request.expiration_model = EXPIRES
    for seconds, nanos in ((2**62, 0), (-(2**62), 0), (253_402_300_800, 0), (0, -1), (0, 10**9)):
        request.valid_to.seconds, request.valid_to.nanos = seconds, nanos
        await refused(ValidationException, client.import_key_material_async(request))


async def test_valid_to_may_lie_anywhere_in_the_next_365_days_and_is_kept_to_the_microsecond(
    server: TestServer, client: KeyManagementServiceClient
) -> None:
    key_id = await create_external_key(client)
    for ahead in (MICROSECOND, DAY + MICROSECOND, 365 * DAY):
        valid_to = server.clock.now() + ahead
        await import_material(client, key_id, valid_to=valid_to)
        assert (await describe(client, key_id)).valid_to.ToDatetime(tzinfo=UTC) == valid_to


async def test_without_a_model_material_with_a_valid_to_expires(
    server: TestServer, client: KeyManagementServiceClient
) -> None:
    key_id = await create_external_key(client)
    request = import_request(key_id, await get_parameters(client, key_id), valid_to=server.clock.now() + DAY)
    request.ClearField("expiration_model")

    await client.import_key_material_async(request)

    model = (await describe(client, key_id)).expiration_model
    assert model == ExpirationModelType.EXPIRATION_MODEL_TYPE_KEY_MATERIAL_EXPIRES


async def test_a_key_past_its_valid_to_refuses_at_once_and_looks_like_one_without_material(
    server: TestServer, client: KeyManagementServiceClient, refused: Refused[ServiceError]
) -> None:
    key_id = await create_imported_key(client, valid_to=server.clock.now() + DAY)
    blob = await encrypt(client, key_id)
    before = await describe(client, key_id)
    server.clock.advance(DAY - MICROSECOND)
    assert await decrypt(client, blob) == b"plaintext"
    server.clock.advance(MICROSECOND)

    for refusal in (
        await refused(KMSInvalidStateException, decrypt(client, blob)),
        await refused(KMSInvalidStateException, encrypt(client, key_id)),
    ):
        assert refusal.message == f"{before.arn} is pending import."
    after = await describe(client, key_id)

    ((sealed,),) = await select(server, "SELECT sealed FROM key_materials")
    assert sealed is not None
    assert await state_of(client, key_id) == "PENDING_IMPORT"
    assert not after.enabled
    assert not after.HasField("expiration_model")
    assert not after.HasField("valid_to")
    assert after.current_key_material_id == before.current_key_material_id


async def test_the_sweeper_wipes_expired_bytes_and_nothing_else(
    server: TestServer, client: KeyManagementServiceClient
) -> None:
    soon = await create_imported_key(client, valid_to=server.clock.now() + DAY)
    later = await create_imported_key(client, valid_to=server.clock.now() + 2 * DAY)
    never = await create_imported_key(client)
    material_id = (await describe(client, soon)).current_key_material_id
    rows = "SELECT key_id, key_material_id, sealed IS NULL, valid_to IS NULL FROM key_materials"

    server.clock.advance(DAY - MICROSECOND)
    assert await server.running.sweeper.sweep() == (0, 0)
    server.clock.advance(MICROSECOND)
    assert (await server.running.sweeper.sweep())[0] == 1
    assert await server.running.sweeper.sweep() == (0, 0)

    found = {key_id: rest for key_id, *rest in await select(server, rows)}
    assert found[soon] == [material_id, True, True]
    assert found[later][1:] == [False, False]
    assert found[never][1:] == [False, True]
    assert await state_of(client, soon) == "PENDING_IMPORT"
    assert await state_of(client, later) == await state_of(client, never) == "ENABLED"


async def test_the_sweeper_deletes_expired_tokens_which_stay_expired(
    server: TestServer, client: KeyManagementServiceClient, refused: Refused[ServiceError]
) -> None:
    key_id = await create_imported_key(client)
    unspent = import_request(key_id, await get_parameters(client, key_id))
    server.clock.advance(timedelta(hours=12))
    younger = import_request(key_id, await get_parameters(client, key_id))
    server.clock.advance(timedelta(hours=12))

    assert await server.running.sweeper.sweep() == (0, 2)

    assert await select(server, "SELECT count(*) FROM import_tokens") == [(1,)]
    await refused(ExpiredImportTokenException, client.import_key_material_async(unspent))
    await client.import_key_material_async(younger)


@pytest.mark.parametrize("is_swept", [False, True])
async def test_only_the_same_material_revives_an_expired_key(
    server: TestServer, client: KeyManagementServiceClient, refused: Refused[ServiceError], *, is_swept: bool
) -> None:
    key_id = await create_imported_key(client, valid_to=server.clock.now() + DAY)
    blob = await encrypt(client, key_id)
    server.clock.advance(DAY)
    if is_swept:
        await server.running.sweeper.sweep()
    other = import_request(key_id, await get_parameters(client, key_id), bytes(32))

    await refused(IncorrectKeyMaterialException, client.import_key_material_async(other))
    await import_material(client, key_id, valid_to=server.clock.now() + DAY)

    assert await state_of(client, key_id) == "ENABLED"
    assert await decrypt(client, blob) == b"plaintext"


async def test_reimport_into_an_enabled_key_changes_its_expiry(
    server: TestServer, client: KeyManagementServiceClient
) -> None:
    key_id = await create_imported_key(client, valid_to=server.clock.now() + DAY)
    for ahead in (None, 2 * DAY, DAY, 3 * DAY, None):
        valid_to = None if ahead is None else server.clock.now() + ahead
        await import_material(client, key_id, valid_to=valid_to)

        key = await describe(client, key_id)
        assert await state_of(client, key_id) == "ENABLED"
        assert key.HasField("valid_to") == (valid_to is not None)
        if valid_to is not None:
            assert key.valid_to.ToDatetime(tzinfo=UTC) == valid_to

    server.clock.advance(4 * DAY)
    assert (await server.running.sweeper.sweep())[0] == 0
    assert await encrypt(client, key_id)


async def test_reimport_leaves_a_disabled_key_disabled(
    server: TestServer, client: KeyManagementServiceClient
) -> None:
    key_id = await create_imported_key(client)
    await disable(client, key_id)

    await import_material(client, key_id, valid_to=server.clock.now() + DAY)

    assert await state_of(client, key_id) == "DISABLED"
    assert (await describe(client, key_id)).HasField("valid_to")


@pytest.mark.parametrize("is_expired", [False, True])
async def test_a_disabled_key_without_its_material_is_pending_import_and_reimport_enables_it(
    server: TestServer, client: KeyManagementServiceClient, *, is_expired: bool
) -> None:
    key_id = await create_imported_key(client, valid_to=server.clock.now() + DAY)
    await disable(client, key_id)
    assert await state_of(client, key_id) == "DISABLED"

    if is_expired:
        server.clock.advance(DAY)
    else:
        await delete_material(client, key_id)
    assert await state_of(client, key_id) == "PENDING_IMPORT"

    await import_material(client, key_id)
    assert await state_of(client, key_id) == "ENABLED"
