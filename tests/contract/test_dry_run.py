"""Dry runs: every check of a real call and nothing else; the answer is always an exception."""

from datetime import timedelta

import pytest
from contract.conftest import Refused
from contract.operations import request_on, send
from fixtures.server import TestServer
from steps import (
    MATERIAL,
    create_external_key,
    create_imported_key,
    delete_material,
    disable,
    encrypt,
    get_parameters,
    import_request,
    state_of,
    wrap,
)

from keyferry.v1 import DecryptRequest, ImportKeyMaterialRequest, ReEncryptRequest
from keyferry_client import KeyManagementServiceClient
from keyferry_client.errors import (
    DisabledException,
    DryRunOperationException,
    ExpiredImportTokenException,
    IncorrectKeyMaterialException,
    InvalidCiphertextException,
    InvalidImportTokenException,
    KMSInvalidStateException,
    NotFoundException,
    ServiceError,
    ValidationException,
)

WOULD_SUCCEED = "The request would have succeeded, but the DryRun option is set."
CRYPTOGRAPHIC = ["Encrypt", "Decrypt", "ReEncrypt from", "GenerateDataKey", "GenerateDataKeyWithoutPlaintext"]
IGNORE = ["DRY_RUN_MODIFIER_TYPE_IGNORE_CIPHERTEXT"]


@pytest.fixture
async def key_id(client: KeyManagementServiceClient) -> str:
    return await create_imported_key(client)


async def test_a_cryptographic_operation_that_would_succeed_says_so_and_does_nothing(
    client: KeyManagementServiceClient, refused: Refused[ServiceError], key_id: str
) -> None:
    ciphertext = await encrypt(client, key_id)
    for operation in CRYPTOGRAPHIC:
        request = request_on(operation, key_id, ciphertext=ciphertext, destination=key_id)
        request.dry_run = True  # type: ignore[attr-defined]  # all of these have it
        assert (await refused(DryRunOperationException, send(client, request))).message == WOULD_SUCCEED


async def test_a_cryptographic_operation_that_would_fail_fails_in_the_same_way(
    client: KeyManagementServiceClient, refused: Refused[ServiceError], key_id: str
) -> None:
    ciphertext = await encrypt(client, key_id)
    await disable(client, key_id)
    for operation in CRYPTOGRAPHIC:
        request = request_on(operation, key_id, ciphertext=ciphertext, destination=key_id)
        request.dry_run = True  # type: ignore[attr-defined]  # all of these have it
        await refused(DisabledException, send(client, request))


async def test_a_dry_run_of_decrypt_looks_at_the_ciphertext(
    client: KeyManagementServiceClient, refused: Refused[ServiceError], key_id: str
) -> None:
    ciphertext = await encrypt(client, key_id)
    damaged = ciphertext[:-1] + bytes([ciphertext[-1] ^ 1])
    for request in (
        DecryptRequest(ciphertext_blob=damaged, dry_run=True),
        DecryptRequest(ciphertext_blob=ciphertext, encryption_context={"a": "b"}, dry_run=True),
        ReEncryptRequest(ciphertext_blob=damaged, destination_key_id=key_id, dry_run=True),
    ):
        await refused(InvalidCiphertextException, send(client, request))


async def test_a_dry_run_may_ignore_the_ciphertext_of_a_key_that_is_named(
    client: KeyManagementServiceClient, refused: Refused[ServiceError], key_id: str
) -> None:
    unusable = await create_external_key(client)
    dry = {"dry_run": True, "dry_run_modifiers": IGNORE}
    for request in (
        DecryptRequest(key_id=key_id, **dry),
        ReEncryptRequest(source_key_id=key_id, destination_key_id=key_id, **dry),
    ):
        await refused(DryRunOperationException, send(client, request))
    for request in (
        DecryptRequest(key_id=unusable, **dry),
        ReEncryptRequest(source_key_id=unusable, destination_key_id=key_id, **dry),
        ReEncryptRequest(source_key_id=key_id, destination_key_id=unusable, **dry),
    ):
        await refused(KMSInvalidStateException, send(client, request))
    await refused(NotFoundException, send(client, DecryptRequest(key_id="nobody", **dry)))


async def test_the_ciphertext_is_ignored_in_a_dry_run_with_a_key_only(
    client: KeyManagementServiceClient, refused: Refused[ServiceError], key_id: str
) -> None:
    ciphertext = await encrypt(client, key_id)
    for request in (
        DecryptRequest(dry_run=True, dry_run_modifiers=IGNORE),
        DecryptRequest(key_id=key_id, ciphertext_blob=ciphertext, dry_run_modifiers=IGNORE),
        DecryptRequest(key_id=key_id, dry_run=True),
        DecryptRequest(key_id=key_id, dry_run=True, dry_run_modifiers=["DRY_RUN_MODIFIER_TYPE_UNSPECIFIED"]),
        ReEncryptRequest(destination_key_id=key_id, dry_run=True, dry_run_modifiers=IGNORE),
    ):
        await refused(ValidationException, send(client, request))


async def test_an_import_that_would_succeed_says_so_changes_nothing_and_succeeds_later_with_the_same_token(
    client: KeyManagementServiceClient, refused: Refused[ServiceError]
) -> None:
    key_id = await create_external_key(client)
    request = import_request(key_id, await get_parameters(client, key_id))
    request.dry_run = True
    for _ in range(2):
        error = await refused(DryRunOperationException, client.import_key_material_async(request))
        assert error.message == WOULD_SUCCEED
    assert await state_of(client, key_id) == "PENDING_IMPORT"

    request.dry_run = False
    await client.import_key_material_async(request)
    request.dry_run = True
    await refused(DryRunOperationException, client.import_key_material_async(request))


async def test_an_import_that_would_fail_fails_in_a_dry_run_in_the_same_way(
    server: TestServer, client: KeyManagementServiceClient, refused: Refused[ServiceError], key_id: str
) -> None:
    parameters = await get_parameters(client, key_id)
    others = await get_parameters(client, await create_external_key(client))

    def spoiled(**members: object) -> ImportKeyMaterialRequest:
        request = import_request(key_id, parameters)
        request.dry_run = True
        for name, value in members.items():
            setattr(request, name, value)
        return request

    new = "IMPORT_TYPE_NEW_KEY_MATERIAL"
    for request, exception in (
        (spoiled(expiration_model=0), ValidationException),
        (spoiled(import_token=others.import_token), InvalidImportTokenException),
        (spoiled(encrypted_key_material=bytes(256)), InvalidCiphertextException),
        (
            spoiled(encrypted_key_material=wrap(parameters.public_key, bytes(31))),
            IncorrectKeyMaterialException,
        ),
        (
            spoiled(encrypted_key_material=wrap(parameters.public_key, bytes(32))),
            IncorrectKeyMaterialException,
        ),
        (spoiled(import_type=new), IncorrectKeyMaterialException),
    ):
        await refused(exception, client.import_key_material_async(request))
    server.clock.advance(timedelta(hours=24))
    await refused(ExpiredImportTokenException, client.import_key_material_async(spoiled()))


async def test_a_dry_run_of_new_material_finds_that_other_is_pending(
    client: KeyManagementServiceClient, refused: Refused[ServiceError], key_id: str
) -> None:
    async def new(material: bytes, *, dry_run: bool) -> ImportKeyMaterialRequest:
        request = import_request(key_id, await get_parameters(client, key_id), material)
        request.import_type, request.dry_run = "IMPORT_TYPE_NEW_KEY_MATERIAL", dry_run
        return request

    tried = await new(bytes(32), dry_run=True)
    await refused(DryRunOperationException, client.import_key_material_async(tried))
    await client.import_key_material_async(await new(MATERIAL[::-1], dry_run=False))
    await refused(KMSInvalidStateException, client.import_key_material_async(tried))
    await delete_material(client, key_id)
