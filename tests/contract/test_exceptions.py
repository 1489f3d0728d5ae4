"""The ten exceptions of the ImportKeyMaterial page, each caused by its real condition.

Every bit of tokens and ciphertexts is in test_tampering, every form of a key
identifier in test_identifiers.
"""

import time
from collections.abc import Awaitable, Callable
from datetime import timedelta

import pytest
from contract.beneath import all_rows, change, schedule_deletion, select
from contract.conftest import Refused
from contract.operations import CRYPTOGRAPHIC, IMPORT_OPERATIONS, request_on, send
from fixtures.postgres import OwnPostgres
from fixtures.server import ServerFactory, TestServer
from steps import (
    MATERIAL,
    create_external_key,
    create_imported_key,
    decrypt,
    delete_material,
    describe,
    encrypt,
    get_parameters,
    import_material,
    import_request,
    state_of,
)

from keyferry.v1 import CreateKeyRequest
from keyferry_client import KeyManagementServiceClient
from keyferry_client.errors import (
    DependencyTimeoutException,
    ExpiredImportTokenException,
    IncorrectKeyMaterialException,
    InvalidArnException,
    InvalidCiphertextException,
    InvalidImportTokenException,
    KMSInternalException,
    KMSInvalidStateException,
    NotFoundException,
    ServiceError,
    UnsupportedOperationException,
)

UNKNOWN = "12345678-1234-1234-1234-123456789abc"

FLIP_BYTE = "set_byte({column}, {at}, get_byte({column}, {at}) # 1)"


async def test_dependency_timeout_exception_comes_before_the_deadline_when_the_database_does_not_answer(
    own_postgres: Callable[[], Awaitable[OwnPostgres]], start_server: ServerFactory
) -> None:
    postgres = await own_postgres()
    server = await start_server(database_url=postgres.database_url)
    async with server.client() as client:
        key_id = await create_external_key(client)
        request = import_request(key_id, await get_parameters(client, key_id))
        before = await all_rows(server)

        postgres.freeze()
        start = time.monotonic()
        with pytest.raises(DependencyTimeoutException) as refused:
            await client.import_key_material_async(request, timeout=3)
        assert time.monotonic() - start < 3
        assert refused.value.retryable
        postgres.thaw()

        await server.running.database.settle()
        assert await all_rows(server) == before
        await client.import_key_material_async(request)
        assert await state_of(client, key_id) == "ENABLED"


async def test_expired_import_token_exception_comes_24_hours_after_the_parameters(
    server: TestServer, client: KeyManagementServiceClient, refused: Refused[ServiceError]
) -> None:
    key_id = await create_external_key(client)
    request = import_request(key_id, await get_parameters(client, key_id))
    server.clock.advance(timedelta(hours=24))

    await refused(ExpiredImportTokenException, client.import_key_material_async(request))


@pytest.mark.parametrize("algorithm", ["RSAES_OAEP_SHA_256", "RSA_AES_KEY_WRAP_SHA_256"])
async def test_incorrect_key_material_exception_comes_for_anything_but_32_bytes(
    client: KeyManagementServiceClient, refused: Refused[ServiceError], algorithm: str
) -> None:
    key_id = await create_external_key(client)
    parameters = await get_parameters(client, key_id, algorithm)
    # AES-KWP cannot wrap nothing.
    for length in (1, 16, 31, 33, 64) if "KEY_WRAP" in algorithm else (0, 1, 16, 31, 33, 64):
        request = import_request(key_id, parameters, bytes(length), algorithm=algorithm)

        error = await refused(IncorrectKeyMaterialException, client.import_key_material_async(request))

        assert f"has {length} bytes" in error.message

    await client.import_key_material_async(import_request(key_id, parameters, algorithm=algorithm))
    assert await state_of(client, key_id) == "ENABLED"


@pytest.mark.parametrize("is_deleted", [False, True])
async def test_incorrect_key_material_exception_comes_for_other_material_than_before(
    client: KeyManagementServiceClient, refused: Refused[ServiceError], *, is_deleted: bool
) -> None:
    key_id = await create_imported_key(client)
    if is_deleted:
        await delete_material(client, key_id)
    last_bit = bytes([*MATERIAL[:-1], MATERIAL[-1] ^ 1])
    parameters = await get_parameters(client, key_id)

    await refused(
        IncorrectKeyMaterialException,
        client.import_key_material_async(import_request(key_id, parameters, last_bit)),
    )


async def test_invalid_arn_exception_comes_for_a_broken_arn(
    client: KeyManagementServiceClient, refused: Refused[ServiceError]
) -> None:
    await refused(InvalidArnException, describe(client, f"arn:aws:kms:us-east-1:key/{UNKNOWN}"))


async def test_invalid_ciphertext_exception_comes_without_a_message_for_material_that_does_not_unwrap(
    client: KeyManagementServiceClient, refused: Refused[ServiceError]
) -> None:
    key_id = await create_external_key(client)
    request = import_request(key_id, await get_parameters(client, key_id))
    request.encrypted_key_material = bytes(256)

    error = await refused(InvalidCiphertextException, client.import_key_material_async(request))

    assert error.message == ""


async def test_invalid_ciphertext_exception_comes_without_a_message_for_a_wrong_encryption_context(
    client: KeyManagementServiceClient, refused: Refused[ServiceError]
) -> None:
    blob = await encrypt(client, await create_imported_key(client), context={"tenant": "one"})

    error = await refused(InvalidCiphertextException, decrypt(client, blob, {"tenant": "two"}))

    assert error.message == ""


async def test_invalid_import_token_exception_comes_for_the_token_of_another_key(
    client: KeyManagementServiceClient, refused: Refused[ServiceError]
) -> None:
    one, other = await create_external_key(client), await create_external_key(client)
    request = import_request(one, await get_parameters(client, other))

    await refused(InvalidImportTokenException, client.import_key_material_async(request))


async def test_kms_internal_exception_comes_for_every_damaged_byte_of_sealed_key_material_and_never_a_plaintext(
    server: TestServer, client: KeyManagementServiceClient, refused: Refused[ServiceError]
) -> None:
    key_id = await create_imported_key(client)
    blob = await encrypt(client, key_id, b"secret")
    ((length,),) = await select(server, "SELECT octet_length(sealed) FROM key_materials")
    messages = set()
    for at in range(length):
        flip = f"UPDATE key_materials SET sealed = {FLIP_BYTE.format(column='sealed', at=at)}"  # noqa: S608 -- a number
        await change(server, flip)
        messages.add((await refused(KMSInternalException, decrypt(client, blob))).message)
        messages.add((await refused(KMSInternalException, encrypt(client, key_id))).message)
        await change(server, flip)

    assert await decrypt(client, blob) == b"secret"
    (message,) = messages
    for cause in ("tag", "nonce", "format", "version", "root key", "row", "key_materials", key_id):
        assert cause not in message.lower()


async def test_kms_internal_exception_comes_for_sealed_key_material_of_another_length(
    server: TestServer, client: KeyManagementServiceClient, refused: Refused[ServiceError]
) -> None:
    blob = await encrypt(client, await create_imported_key(client))
    for damage in ("sealed || '\\x00'", "substr(sealed, 1, 64)", "substr(sealed, 1, 5)", "'\\x'"):
        await change(server, f"UPDATE key_materials SET sealed = {damage}")  # noqa: S608 -- the test's own
        await refused(KMSInternalException, decrypt(client, blob))


async def test_kms_internal_exception_comes_for_the_sealed_key_material_of_another_key(
    server: TestServer, client: KeyManagementServiceClient, refused: Refused[ServiceError]
) -> None:
    one, other = await create_imported_key(client), await create_imported_key(client)
    blob = await encrypt(client, one)
    await change(
        server,
        "UPDATE key_materials SET sealed = (SELECT sealed FROM key_materials WHERE key_id = :other) WHERE key_id = :one",
        one=one,
        other=other,
    )

    await refused(KMSInternalException, decrypt(client, blob))
    await refused(KMSInternalException, encrypt(client, one))


async def test_kms_internal_exception_comes_for_a_damaged_wrapping_key_and_the_repaired_one_imports(
    server: TestServer, client: KeyManagementServiceClient, refused: Refused[ServiceError]
) -> None:
    key_id = await create_external_key(client)
    request = import_request(key_id, await get_parameters(client, key_id))
    ((length,),) = await select(server, "SELECT octet_length(sealed_private_key) FROM import_tokens")
    for at in (0, 4, 5, 16, 17, length // 2, length - 16, length - 1):
        flipped = FLIP_BYTE.format(column="sealed_private_key", at=at)
        flip = f"UPDATE import_tokens SET sealed_private_key = {flipped}"  # noqa: S608 -- a number
        await change(server, flip)
        error = await refused(KMSInternalException, client.import_key_material_async(request))
        assert error.retryable
        await change(server, flip)

    await client.import_key_material_async(request)
    assert await state_of(client, key_id) == "ENABLED"


async def test_kms_internal_exception_tells_of_an_unforeseen_fault_nothing_but_the_request_id(
    server: TestServer, client: KeyManagementServiceClient, refused: Refused[ServiceError]
) -> None:
    key_id = await create_external_key(client)
    await change(server, "UPDATE keys SET key_spec = 'unheard-of'")

    error = await refused(KMSInternalException, describe(client, key_id))

    assert error.request_id
    assert error.request_id in error.message
    assert "unheard-of" not in error.message


async def test_kms_invalid_state_exception_names_the_state_that_keeps_a_key_from_being_used(
    server: TestServer, client: KeyManagementServiceClient, refused: Refused[ServiceError]
) -> None:
    key_id, usable = await create_imported_key(client), await create_imported_key(client)
    arn = (await describe(client, key_id)).arn
    own, others = await encrypt(client, key_id), await encrypt(client, usable)
    requests = [
        request_on(
            operation,
            key_id,
            ciphertext=others if operation == "ReEncrypt to" else own,
            destination=usable,
        )
        for operation in sorted(CRYPTOGRAPHIC)
    ]

    await delete_material(client, key_id)
    for request in requests:
        error = await refused(KMSInvalidStateException, send(client, request))
        assert error.message == f"{arn} is pending import."

    await import_material(client, key_id)
    for request in requests:
        await send(client, request)

    await schedule_deletion(server, key_id)
    for request in requests:
        error = await refused(KMSInvalidStateException, send(client, request))
        assert error.message == f"{arn} is pending deletion."


async def test_not_found_exception_comes_for_an_unknown_key(
    client: KeyManagementServiceClient, refused: Refused[ServiceError]
) -> None:
    await refused(NotFoundException, get_parameters(client, UNKNOWN))


async def test_unsupported_operation_exception_names_the_origin_of_a_key_that_takes_no_material(
    client: KeyManagementServiceClient, refused: Refused[ServiceError]
) -> None:
    key = (await client.create_key_async(CreateKeyRequest(origin="ORIGIN_TYPE_AWS_KMS"))).key_metadata
    for operation in sorted(IMPORT_OPERATIONS):
        request = request_on(operation, key.key_id)
        error = await refused(UnsupportedOperationException, send(client, request))
        assert error.message == f"{key.arn} origin is AWS_KMS which is not valid for this operation."


async def test_unsupported_operation_exception_comes_for_wrapping_that_is_not_offered(
    client: KeyManagementServiceClient, refused: Refused[ServiceError]
) -> None:
    key_id = await create_external_key(client)
    for algorithm, spec in (
        ("RSAES_PKCS1_V1_5", "RSA_2048"),
        ("RSAES_PKCS1_V1_5", "RSA_4096"),
        ("SM2PKE", "SM2"),
        ("SM2PKE", "RSA_2048"),
        ("RSAES_OAEP_SHA_256", "SM2"),
        ("RSA_AES_KEY_WRAP_SHA_256", "SM2"),
    ):
        error = await refused(UnsupportedOperationException, get_parameters(client, key_id, algorithm, spec))
        assert f"{algorithm} with the wrapping key spec {spec}" in error.message
