"""A refused call leaves every row as it was: all operations, all ways to spoil an import (`test_key_states`: all key states).

The `refused` fixture compares all rows of all tables before and after each call.
"""

import itertools
from collections.abc import Callable
from datetime import timedelta

import pytest
from contract.beneath import OTHER_ACCOUNT, all_rows, change, foreign_arn, give_away
from contract.conftest import Refused
from contract.operations import IMPORT_OPERATIONS, KEY_ONLY, ON_A_KEY, request_on, send
from fixtures.server import TestServer
from steps import (
    EXPIRES,
    create_external_key,
    create_imported_key,
    delete_material,
    disable,
    encrypt,
    get_parameters,
    import_material,
    import_request,
    wrap,
)

from keyferry.v1 import CreateKeyRequest, GetParametersForImportResponse, ImportKeyMaterialRequest
from keyferry_client import KeyManagementServiceClient
from keyferry_client.errors import (
    AccessDeniedException,
    ExpiredImportTokenException,
    IncorrectKeyMaterialException,
    InvalidArnException,
    InvalidCiphertextException,
    InvalidImportTokenException,
    KMSInternalException,
    NotFoundException,
    ServiceError,
    UnsupportedOperationException,
    ValidationException,
)

UNKNOWN = "12345678-1234-1234-1234-123456789abc"
OTHER_MATERIAL = bytes(32)


async def test_a_name_that_names_no_key_of_ours(
    server: TestServer, client: KeyManagementServiceClient, refused: Refused[ServiceError]
) -> None:
    own, foreign = await create_imported_key(client), await create_imported_key(client)
    ciphertext, of_foreign = await encrypt(client, own), await encrypt(client, foreign)
    parameters = await get_parameters(client, foreign)
    await give_away(server, foreign)
    names: dict[str, type[ServiceError]] = {
        "fake-key-id": NotFoundException,
        UNKNOWN: NotFoundException,
        foreign: NotFoundException,
        f"arn:aws:kms:us-east-1:000000000000:key/{UNKNOWN}": NotFoundException,
        f"arn:aws:kms:eu-central-1:000000000000:key/{own}": NotFoundException,
        f"arn:aws:kms:us-east-1:{OTHER_ACCOUNT}:key/{UNKNOWN}": AccessDeniedException,
        foreign_arn(foreign): AccessDeniedException,
        f"arn:aws:kms:key/{own}": InvalidArnException,
        "": ValidationException,
        "k" * 2049: ValidationException,
    }
    for name, exception in names.items():
        for operation in ON_A_KEY:
            request = request_on(
                operation,
                name,
                ciphertext=of_foreign if operation in {"Decrypt", "ReEncrypt from"} else ciphertext,
                destination=own,
                import_token=parameters.import_token,
            )
            await refused(exception, send(client, request))
    for alias in ("alias/payroll", "arn:aws:kms:us-east-1:000000000000:alias/payroll"):
        for operation in sorted(KEY_ONLY):
            await refused(InvalidArnException, send(client, request_on(operation, alias)))


async def test_an_import_operation_on_a_key_of_origin_aws_kms(
    client: KeyManagementServiceClient, refused: Refused[ServiceError]
) -> None:
    key = (await client.create_key_async(CreateKeyRequest())).key_metadata
    for operation in sorted(IMPORT_OPERATIONS):
        await refused(UnsupportedOperationException, send(client, request_on(operation, key.arn)))


Spoil = Callable[[ImportKeyMaterialRequest, GetParametersForImportResponse, TestServer], None]


def _set(**values: object) -> Spoil:
    def spoil(
        request: ImportKeyMaterialRequest, _parameters: GetParametersForImportResponse, _server: TestServer
    ) -> None:
        for name, value in values.items():
            setattr(request, name, value)

    return spoil


def _wrap(material: bytes, algorithm: str = "RSAES_OAEP_SHA_256") -> Spoil:
    def spoil(
        request: ImportKeyMaterialRequest, parameters: GetParametersForImportResponse, _server: TestServer
    ) -> None:
        request.encrypted_key_material = wrap(parameters.public_key, material, algorithm)

    return spoil


def _expire_after(ahead: timedelta) -> Spoil:
    def spoil(
        request: ImportKeyMaterialRequest, _parameters: GetParametersForImportResponse, server: TestServer
    ) -> None:
        request.expiration_model = EXPIRES
        request.valid_to.FromDatetime(server.clock.now() + ahead)

    return spoil


def _let_token_expire(
    _request: ImportKeyMaterialRequest, _parameters: GetParametersForImportResponse, server: TestServer
) -> None:
    server.clock.advance(timedelta(hours=24))


@pytest.mark.parametrize("situation", ["new", "imported", "disabled", "deleted", "expired"])
async def test_an_import_that_is_spoiled_in_any_way(
    server: TestServer, client: KeyManagementServiceClient, refused: Refused[ServiceError], situation: str
) -> None:
    key_id, other = await create_external_key(client), await create_external_key(client)
    if situation != "new":
        await import_material(client, key_id, valid_to=server.clock.now() + timedelta(days=1))
    if situation == "expired":
        server.clock.advance(timedelta(days=1))
    elif situation == "disabled":
        await disable(client, key_id)
    elif situation == "deleted":
        await delete_material(client, key_id)
    token_of_other_key = (await get_parameters(client, other)).import_token
    token_of_other_set = (await get_parameters(client, key_id)).import_token

    spoiled: list[tuple[Spoil, type[ServiceError]]] = [
        (_set(expiration_model=EXPIRES), ValidationException),
        (_expire_after(timedelta(0)), ValidationException),
        (_expire_after(timedelta(days=366)), ValidationException),
        (_set(import_token=b""), ValidationException),
        (_set(encrypted_key_material=bytes(6145)), ValidationException),
        (_set(encrypted_key_material=bytes(255)), ValidationException),
        (_set(import_token=b"garbage"), InvalidImportTokenException),
        (_set(import_token=token_of_other_key), InvalidImportTokenException),
        (_set(import_token=token_of_other_set), InvalidCiphertextException),
        (_set(encrypted_key_material=bytes(256)), InvalidCiphertextException),
        (_wrap(bytes(32), "RSAES_OAEP_SHA_1"), InvalidCiphertextException),
        (_wrap(b""), IncorrectKeyMaterialException),
        (_wrap(bytes(31)), IncorrectKeyMaterialException),
        (_wrap(bytes(33)), IncorrectKeyMaterialException),
        (_let_token_expire, ExpiredImportTokenException),
    ]
    if situation != "new":
        spoiled.insert(0, (_wrap(OTHER_MATERIAL), IncorrectKeyMaterialException))
    parameters = await get_parameters(client, key_id)
    for spoil, exception in spoiled:
        request = import_request(key_id, parameters)
        spoil(request, parameters, server)
        await refused(exception, client.import_key_material_async(request))


async def test_an_import_whose_wrapping_key_is_damaged(
    server: TestServer, client: KeyManagementServiceClient, refused: Refused[ServiceError]
) -> None:
    key_id = await create_external_key(client)
    request = import_request(key_id, await get_parameters(client, key_id))
    await change(server, "UPDATE import_tokens SET sealed_private_key = '\\x0102'")

    await refused(KMSInternalException, client.import_key_material_async(request))


async def test_a_key_that_is_not_created(
    client: KeyManagementServiceClient, refused: Refused[ServiceError]
) -> None:
    for request in (
        CreateKeyRequest(description="d" * 8193),
        CreateKeyRequest(origin=99),
        CreateKeyRequest(key_spec=99, key_usage=99),
    ):
        await refused(ValidationException, client.create_key_async(request))


async def test_parameters_that_are_not_given_out(
    client: KeyManagementServiceClient, refused: Refused[ServiceError]
) -> None:
    key_id = await create_external_key(client)
    for algorithm, spec in (("RSAES_PKCS1_V1_5", "RSA_2048"), ("SM2PKE", "SM2"), ("SM2PKE", "RSA_4096")):
        await refused(UnsupportedOperationException, get_parameters(client, key_id, algorithm, spec))


async def test_the_comparison_sees_a_change_in_every_table(
    server: TestServer, client: KeyManagementServiceClient
) -> None:
    seen = [await all_rows(server)]
    key_id = await create_external_key(client)
    seen.append(await all_rows(server))
    request = import_request(key_id, await get_parameters(client, key_id))
    seen.append(await all_rows(server))
    await client.import_key_material_async(request)
    seen.append(await all_rows(server))
    await disable(client, key_id)
    seen.append(await all_rows(server))

    tables = {table for table, _ in seen[-1]}
    assert {"keys", "key_materials", "import_tokens", "installation"} <= tables
    assert all(before != after for before, after in itertools.pairwise(seen))
