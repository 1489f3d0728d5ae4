"""The ImportKeyMaterial page, statement by statement: 1 to 10."""

from collections.abc import Callable
from datetime import timedelta

import pytest
from contract.beneath import foreign_arn, give_away, schedule_deletion
from contract.conftest import Refused
from fixtures.server import TestServer
from steps import (
    MATERIAL,
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

from keyferry.v1 import CreateKeyRequest, ImportKeyMaterialRequest, KeySpec, KeyUsageType, OriginType
from keyferry_client import KeyManagementServiceClient
from keyferry_client.errors import (
    AccessDeniedException,
    ExpiredImportTokenException,
    IncorrectKeyMaterialException,
    InvalidCiphertextException,
    InvalidImportTokenException,
    KMSInvalidStateException,
    ServiceError,
    UnsupportedOperationException,
    ValidationException,
)

OTHER_MATERIAL = bytes(32)


async def test_statement_1_material_is_imported_into_a_symmetric_key_that_was_created_without_any(
    client: KeyManagementServiceClient,
) -> None:
    key_id = await create_external_key(client)
    before = await describe(client, key_id)
    assert before.origin == OriginType.ORIGIN_TYPE_EXTERNAL
    assert before.key_spec == KeySpec.KEY_SPEC_SYMMETRIC_DEFAULT
    assert before.key_usage == KeyUsageType.KEY_USAGE_TYPE_ENCRYPT_DECRYPT
    assert not before.HasField("current_key_material_id")

    response = await import_material(client, key_id)

    assert response.key_id == before.arn
    assert (await describe(client, key_id)).current_key_material_id == response.key_material_id
    assert await decrypt(client, await encrypt(client, key_id, b"secret")) == b"secret"


async def test_statement_2_the_same_material_may_be_imported_again_and_different_material_may_not(
    client: KeyManagementServiceClient, refused: Refused[ServiceError]
) -> None:
    key_id = await create_external_key(client)
    first = await import_material(client, key_id)
    blob = await encrypt(client, key_id)

    again = await import_material(client, key_id)
    different = import_request(key_id, await get_parameters(client, key_id), OTHER_MATERIAL)
    await refused(IncorrectKeyMaterialException, client.import_key_material_async(different))

    assert again.key_material_id == first.key_material_id
    assert await decrypt(client, blob) == b"plaintext"


async def test_statement_3_a_key_of_origin_aws_kms_takes_no_material(
    client: KeyManagementServiceClient, refused: Refused[ServiceError]
) -> None:
    external = await create_external_key(client)
    generated = (await client.create_key_async(CreateKeyRequest())).key_metadata.key_id
    request = import_request(generated, await get_parameters(client, external))

    await refused(UnsupportedOperationException, get_parameters(client, generated))
    await refused(UnsupportedOperationException, client.import_key_material_async(request))


async def test_statement_3_a_key_of_another_account_takes_no_material(
    server: TestServer, client: KeyManagementServiceClient, refused: Refused[ServiceError]
) -> None:
    key_id = await create_external_key(client)
    parameters = await get_parameters(client, key_id)
    arn = await give_away(server, key_id)

    await refused(AccessDeniedException, get_parameters(client, arn))
    await refused(AccessDeniedException, client.import_key_material_async(import_request(arn, parameters)))


async def test_statement_4_the_material_is_wrapped_under_the_public_key_and_sent_with_the_token_of_one_response(
    client: KeyManagementServiceClient, refused: Refused[ServiceError]
) -> None:
    key_id = await create_external_key(client)
    one, other = await get_parameters(client, key_id), await get_parameters(client, key_id)
    assert one.public_key != other.public_key
    assert one.import_token != other.import_token
    mixed = import_request(key_id, one)
    mixed.import_token = other.import_token

    await refused(InvalidCiphertextException, client.import_key_material_async(mixed))
    await client.import_key_material_async(import_request(key_id, one))

    assert await state_of(client, key_id) == "ENABLED"


async def test_statement_5_key_token_and_material_are_required(
    client: KeyManagementServiceClient, refused: Refused[ServiceError]
) -> None:
    key_id = await create_external_key(client)
    parameters = await get_parameters(client, key_id)
    for member in ("key_id", "import_token", "encrypted_key_material"):
        request = import_request(key_id, parameters)
        request.ClearField(member)
        error = await refused(ValidationException, client.import_key_material_async(request))
        assert "Member must not be null" in error.message


async def test_statement_5_the_key_is_named_by_its_id_or_its_arn(client: KeyManagementServiceClient) -> None:
    key_id = await create_external_key(client)
    arn = (await describe(client, key_id)).arn

    by_id = await import_material(client, key_id)
    by_arn = await import_material(client, arn)

    assert (by_id.key_id, by_id.key_material_id) == (by_arn.key_id, by_arn.key_material_id)


async def test_statement_5_material_that_expires_needs_a_valid_to(
    client: KeyManagementServiceClient, refused: Refused[ServiceError]
) -> None:
    key_id = await create_external_key(client)
    request = import_request(key_id, await get_parameters(client, key_id))
    for model in ("EXPIRATION_MODEL_TYPE_UNSPECIFIED", "EXPIRATION_MODEL_TYPE_KEY_MATERIAL_EXPIRES"):
        request.expiration_model = model
        await refused(ValidationException, client.import_key_material_async(request))


async def test_statement_5_expired_material_is_deleted_and_the_key_unusable_until_it_is_imported_again(
    server: TestServer, client: KeyManagementServiceClient, refused: Refused[ServiceError]
) -> None:
    key_id = await create_imported_key(client, valid_to=server.clock.now() + timedelta(days=1))
    blob = await encrypt(client, key_id)

    server.clock.advance(timedelta(days=1))
    assert await server.running.sweeper.sweep() == (1, 1)
    assert await state_of(client, key_id) == "PENDING_IMPORT"
    await refused(KMSInvalidStateException, decrypt(client, blob))

    await import_material(client, key_id)
    assert await decrypt(client, blob) == b"plaintext"


async def test_statement_6_the_state_changes_from_pending_import_to_enabled_and_the_key_can_be_used(
    client: KeyManagementServiceClient, refused: Refused[ServiceError]
) -> None:
    key_id = await create_external_key(client)
    assert await state_of(client, key_id) == "PENDING_IMPORT"
    await refused(KMSInvalidStateException, encrypt(client, key_id))

    await import_material(client, key_id)

    assert await state_of(client, key_id) == "ENABLED"
    assert await encrypt(client, key_id)


def _spoil_material(request: ImportKeyMaterialRequest, _server: TestServer) -> None:
    request.encrypted_key_material = bytes(256)


def _spoil_token(request: ImportKeyMaterialRequest, _server: TestServer) -> None:
    request.import_token = request.import_token[:-1]


def _let_token_expire(_request: ImportKeyMaterialRequest, server: TestServer) -> None:
    server.clock.advance(timedelta(hours=24))


@pytest.mark.parametrize(
    ("spoil", "exception"),
    [
        (_spoil_material, InvalidCiphertextException),
        (_spoil_token, InvalidImportTokenException),
        (_let_token_expire, ExpiredImportTokenException),
    ],
)
async def test_statement_7_after_a_failure_with_material_or_token_new_parameters_lead_to_success(
    server: TestServer,
    client: KeyManagementServiceClient,
    refused: Refused[ServiceError],
    spoil: Callable[[ImportKeyMaterialRequest, TestServer], None],
    exception: type[ServiceError],
) -> None:
    key_id = await create_external_key(client)
    before = await describe(client, key_id)
    request = import_request(key_id, await get_parameters(client, key_id))
    spoil(request, server)

    await refused(exception, client.import_key_material_async(request))

    assert await describe(client, key_id) == before
    await import_material(client, key_id)
    assert await state_of(client, key_id) == "ENABLED"


async def test_statement_8_the_key_state_must_be_compatible(
    server: TestServer, client: KeyManagementServiceClient, refused: Refused[ServiceError]
) -> None:
    key_id = await create_external_key(client)
    parameters = await get_parameters(client, key_id)
    await schedule_deletion(server, key_id)

    error = await refused(
        KMSInvalidStateException, client.import_key_material_async(import_request(key_id, parameters))
    )

    assert error.message == f"{parameters.key_id} is pending deletion."


async def test_statement_8_pending_import_enabled_and_disabled_are_compatible(
    client: KeyManagementServiceClient,
) -> None:
    key_id = await create_external_key(client)
    for state in ("PENDING_IMPORT", "ENABLED", "DISABLED"):
        assert await state_of(client, key_id) == state
        await import_material(client, key_id)
        if state == "ENABLED":
            await disable(client, key_id)


async def test_statement_9_the_permission_is_kms_import_key_material_and_no_other_account_has_it(
    client: KeyManagementServiceClient, refused: Refused[ServiceError]
) -> None:
    key_id = await create_external_key(client)
    request = import_request(foreign_arn(key_id), await get_parameters(client, key_id))

    error = await refused(AccessDeniedException, client.import_key_material_async(request))

    assert (
        f"is not authorized to perform: kms:ImportKeyMaterial on resource: {request.key_id}" in error.message
    )


async def test_statement_10_the_related_operations_go_before_and_after_the_import(
    client: KeyManagementServiceClient,
) -> None:
    key_id = await create_external_key(client)
    parameters = await get_parameters(client, key_id)
    await client.import_key_material_async(import_request(key_id, parameters, MATERIAL))
    assert await state_of(client, key_id) == "ENABLED"

    await delete_material(client, key_id)
    assert await state_of(client, key_id) == "PENDING_IMPORT"
