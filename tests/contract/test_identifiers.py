"""How operations name keys, and how each wrong name is refused."""

import itertools

import pytest
from contract.beneath import OTHER_ACCOUNT, change, foreign_arn, give_away
from contract.conftest import Refused
from contract.operations import CRYPTOGRAPHIC, KEY_ONLY, ON_A_KEY, request_on, send
from fixtures.server import ServerFactory, TestServer
from steps import create_external_key, create_imported_key, decrypt, describe, encrypt, name

from keyferry.v1 import DescribeKeyRequest, EncryptRequest
from keyferry_client import KeyManagementServiceClient
from keyferry_client.errors import (
    AccessDeniedException,
    IncorrectKeyException,
    InvalidArnException,
    NotFoundException,
    ServiceError,
)

UNKNOWN = "12345678-1234-1234-1234-123456789abc"
ARN = "arn:aws:kms:us-east-1:000000000000:key/"

BROKEN_ARNS = [
    "arn:",
    "arn:aws",
    "arn:aws:kms:us-east-1:000000000000",
    "arn:aws:kms:us-east-1:000000000000:",
    "arn:aws:kms:us-east-1:000000000000:key",
    f"arn:aws:kms:us-east-1:000000000000:{UNKNOWN}",
    f"arn:aws:kms:us-east-1:000000000000:grant/{UNKNOWN}",
    f"arn:aws:kms:us-east-1:key/{UNKNOWN}",
    f"arn:aws:kms::000000000000:key/{UNKNOWN}",
    f"arn:aws:kms:us-east-1::key/{UNKNOWN}",
    f"arn:aws:kms:us-east-1:12345:key/{UNKNOWN}",
    f"arn:aws:kms:us-east-1:00000000000x:key/{UNKNOWN}",
    f"arn:aws:s3:us-east-1:000000000000:key/{UNKNOWN}",
    f"arn::kms:us-east-1:000000000000:key/{UNKNOWN}",
]

MALFORMED_KEY_IDS = [
    "fake-key-id",
    "mrk-fake-key-id",
    UNKNOWN.replace("-", ""),
    UNKNOWN[:-1],
    f"{UNKNOWN}0",
    f"{UNKNOWN} ",
    f"{UNKNOWN}\n",
    "12345678-1234-1234-1234-12345678９abc",  # noqa: RUF001 -- the point of it
    "' OR '1'='1",
    "%",
    "ключ",
    "🔑",
]


async def test_a_broken_arn_is_an_invalid_arn_exception_that_shows_it(
    client: KeyManagementServiceClient, refused: Refused[ServiceError]
) -> None:
    for arn in BROKEN_ARNS:
        error = await refused(InvalidArnException, describe(client, arn))
        assert arn in error.message


async def test_an_alias_is_refused_where_only_keys_are_taken_and_an_unknown_one_not_found_elsewhere(
    client: KeyManagementServiceClient, refused: Refused[ServiceError]
) -> None:
    key_id = await create_imported_key(client)
    ciphertext = await encrypt(client, key_id)
    for operation, alias in itertools.product(
        ON_A_KEY, ("alias/payroll", "arn:aws:kms:us-east-1:000000000000:alias/payroll")
    ):
        call = send(client, request_on(operation, alias, ciphertext=ciphertext, destination=key_id))
        if operation in KEY_ONLY:
            error = await refused(InvalidArnException, call)
            assert error.message == "Key Aliases are not supported for this operation."
        else:
            not_found = await refused(NotFoundException, call)
            assert not_found.message == (
                "Alias arn:aws:kms:us-east-1:000000000000:alias/payroll is not found."
            )


async def test_a_malformed_key_id_is_not_found_and_shown_as_it_was_given(
    client: KeyManagementServiceClient, refused: Refused[ServiceError]
) -> None:
    for key_id in MALFORMED_KEY_IDS:
        error = await refused(NotFoundException, describe(client, key_id))
        assert error.message == f"Invalid keyId '{key_id}'"


async def test_a_malformed_key_id_in_an_arn_is_not_found(
    client: KeyManagementServiceClient, refused: Refused[ServiceError]
) -> None:
    for key_id in ("", "fake-key-id", f"{UNKNOWN}/", f"key/{UNKNOWN}"):
        error = await refused(NotFoundException, describe(client, ARN + key_id))
        assert "Invalid keyId" in error.message


async def test_an_unknown_key_is_not_found_and_named_by_its_arn(
    client: KeyManagementServiceClient, refused: Refused[ServiceError]
) -> None:
    key_id = await create_imported_key(client)
    ciphertext = await encrypt(client, key_id)
    for operation, identifier in itertools.product(ON_A_KEY, (UNKNOWN, ARN + UNKNOWN)):
        request = request_on(operation, identifier, ciphertext=ciphertext, destination=key_id)
        error = await refused(NotFoundException, send(client, request))
        assert error.message == f"Key '{ARN}{UNKNOWN}' does not exist"


async def test_a_multi_region_key_id_is_well_formed(
    client: KeyManagementServiceClient, refused: Refused[ServiceError]
) -> None:
    key_id = "mrk-1234567890abcdef1234567890abcdef"

    error = await refused(NotFoundException, describe(client, key_id))

    assert error.message == f"Key '{ARN}{key_id}' does not exist"


async def test_the_arn_of_another_region_is_not_found_and_the_region_named(
    client: KeyManagementServiceClient, refused: Refused[ServiceError]
) -> None:
    key_id = await create_external_key(client)
    there = f"arn:aws:kms:eu-central-1:000000000000:key/{key_id}"
    for operation in sorted(set(ON_A_KEY) - {"Decrypt", "ReEncrypt from", "ReEncrypt to"}):
        error = await refused(NotFoundException, send(client, request_on(operation, there)))
        assert error.message == "Invalid arn eu-central-1"


async def test_a_key_of_another_region_is_not_found_here(
    client: KeyManagementServiceClient, refused: Refused[ServiceError], start_server: ServerFactory
) -> None:
    elsewhere = await start_server(default_region="eu-central-1")
    async with elsewhere.client() as client_elsewhere:
        key_id = await create_external_key(client_elsewhere)

    error = await refused(NotFoundException, describe(client, key_id))

    assert error.message == f"Key '{ARN}{key_id}' does not exist"


async def test_a_key_of_another_account_is_denied_the_same_way_whether_or_not_it_exists(
    server: TestServer, client: KeyManagementServiceClient, refused: Refused[ServiceError]
) -> None:
    own, foreign = await create_imported_key(client), await create_imported_key(client)
    ciphertext = await encrypt(client, own)
    foreign_ciphertext = await encrypt(client, foreign)
    await give_away(server, foreign)
    for operation in ON_A_KEY:
        messages = []
        for key_id, blob in ((foreign, foreign_ciphertext), (UNKNOWN, foreign_ciphertext)):
            request = request_on(
                operation,
                foreign_arn(key_id),
                ciphertext=ciphertext if operation == "ReEncrypt to" else blob,
                destination=own,
            )
            error = await refused(AccessDeniedException, send(client, request))
            assert foreign_arn(key_id) in error.message
            messages.append(error.message.replace(key_id, "..."))
        assert messages[0] == messages[1]


async def test_a_bare_key_id_of_another_account_is_not_found(
    server: TestServer, client: KeyManagementServiceClient, refused: Refused[ServiceError]
) -> None:
    key_id = await create_external_key(client)
    await give_away(server, key_id)

    error = await refused(NotFoundException, describe(client, key_id))

    assert error.message == f"Key '{ARN}{key_id}' does not exist"


async def test_every_operation_takes_the_key_id_and_the_arn_and_cryptographic_ones_aliases_and_answers_the_arn(
    client: KeyManagementServiceClient,
) -> None:
    key_id = await create_imported_key(client)
    arn = (await client.describe_key_async(DescribeKeyRequest(key_id=ARN + key_id))).key_metadata.arn
    assert arn == ARN + key_id
    await name(client, "alias/payroll", key_id)
    ciphertext = await encrypt(client, key_id)
    for identifier in (key_id, arn, "alias/payroll", "arn:aws:kms:us-east-1:000000000000:alias/payroll"):
        taking = CRYPTOGRAPHIC if "alias" in identifier else CRYPTOGRAPHIC | {"GetParametersForImport"}
        for operation in sorted(taking):
            request = request_on(operation, identifier, ciphertext=ciphertext, destination=key_id)
            assert (await send(client, request)).key_id == arn
        assert (await describe(client, identifier)).arn == arn


async def test_a_long_or_strange_identifier_comes_back_as_a_typed_exception(
    client: KeyManagementServiceClient, refused: Refused[ServiceError]
) -> None:
    for character in ("a", "é", "漢", "🔑", "%", "\n", "\x7f"):
        error = await refused(NotFoundException, describe(client, character * 2048))
        assert error.message == f"Invalid keyId '{character * 100}...'"
        assert error.request_id
    for start in ("arn:aws:kms:", "arn:aws:kms:us-east-1:000000000000:", "arn:", ARN):
        with pytest.raises((InvalidArnException, NotFoundException)):
            await describe(client, start + "🔑" * (2048 - len(start)))
        with pytest.raises((InvalidArnException, NotFoundException)):
            await describe(client, start + "x" * (2048 - len(start) - 60) + f":{OTHER_ACCOUNT}:key/{UNKNOWN}")


async def test_the_key_id_of_a_decrypt_must_be_the_key_that_encrypted(
    client: KeyManagementServiceClient, refused: Refused[ServiceError]
) -> None:
    one, other = await create_imported_key(client), await create_imported_key(client)
    blob = (await client.encrypt_async(EncryptRequest(key_id=one, plaintext=b"text"))).ciphertext_blob

    error = await refused(IncorrectKeyException, decrypt(client, blob, key_id=other))

    assert error.message == (
        "The key ID in the request does not identify a CMK that can perform this operation."
    )
    assert await decrypt(client, blob, key_id=one) == b"text"
    await name(client, "alias/other", other)
    await refused(IncorrectKeyException, decrypt(client, blob, key_id="alias/other"))
    await name(client, "alias/one", one)
    assert await decrypt(client, blob, key_id="alias/one") == b"text"


async def test_a_text_that_cannot_be_an_alias_is_one_that_is_not_found(
    client: KeyManagementServiceClient, refused: Refused[ServiceError]
) -> None:
    for alias in ("alias/", "alias/pay roll", "alias/ключ", "alias/a:b", "alias/\n", "alias/" + "a" * 251):
        for identifier in (alias, f"arn:aws:kms:us-east-1:000000000000:{alias}"):
            error = await refused(NotFoundException, describe(client, identifier))
            assert error.message.startswith("Alias arn:aws:kms:us-east-1:000000000000:alias/")
            assert error.message.endswith(" is not found.")


async def test_an_alias_belongs_to_its_account_and_region(
    server: TestServer,
    client: KeyManagementServiceClient,
    refused: Refused[ServiceError],
    start_server: ServerFactory,
) -> None:
    own = await create_imported_key(client)
    await name(client, "alias/payroll", own)
    elsewhere = await start_server(default_region="eu-central-1")
    async with elsewhere.client() as client_elsewhere:
        there = await create_imported_key(client_elsewhere)
        await name(client_elsewhere, "alias/payroll", there)
        assert (await describe(client_elsewhere, "alias/payroll")).key_id == there
    assert (await describe(client, "alias/payroll")).key_id == own

    error = await refused(
        NotFoundException, describe(client, "arn:aws:kms:eu-central-1:000000000000:alias/payroll")
    )
    assert error.message == "Invalid arn eu-central-1"


async def test_whether_there_is_an_alias_in_another_account_is_not_told(
    server: TestServer, client: KeyManagementServiceClient, refused: Refused[ServiceError]
) -> None:
    foreign = await create_imported_key(client)
    await name(client, "alias/payroll", foreign)
    await change(server, "UPDATE aliases SET account_id = :account", account=OTHER_ACCOUNT)
    await give_away(server, foreign)

    for alias in ("alias/payroll", "alias/unknown"):
        arn = f"arn:aws:kms:us-east-1:{OTHER_ACCOUNT}:{alias}"
        error = await refused(AccessDeniedException, describe(client, arn))
        assert error.message.startswith(
            "User: arn:aws:iam::000000000000:root is not authorized to perform: kms:DescribeKey "
            f"on resource: {arn} because the resource does not exist in this Region"
        )
    await refused(NotFoundException, describe(client, "alias/payroll"))
