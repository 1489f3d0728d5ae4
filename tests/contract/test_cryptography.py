"""Encrypt, Decrypt, ReEncrypt and data keys: what opens what."""

import secrets

import pytest
from contract.beneath import give_away
from contract.conftest import Refused
from contract.operations import send
from fixtures.server import TestServer
from steps import (
    create_external_key,
    create_imported_key,
    decrypt,
    delete_material,
    describe,
    encrypt,
    import_material,
)

from keyferry.v1 import (
    CreateKeyRequest,
    DecryptRequest,
    EncryptionAlgorithmSpec,
    EncryptRequest,
    GenerateDataKeyRequest,
    GenerateDataKeyWithoutPlaintextRequest,
    GenerateRandomRequest,
    ReEncryptRequest,
)
from keyferry_client import KeyManagementServiceClient
from keyferry_client.errors import (
    AccessDeniedException,
    IncorrectKeyException,
    InvalidCiphertextException,
    ServiceError,
    ValidationException,
)

REFERS_TO_NO_KEY = (
    "The ciphertext refers to a customer master key that does not exist, does not exist in this region, "
    "or you are not allowed to access."
)
SYMMETRIC_DEFAULT = EncryptionAlgorithmSpec.ENCRYPTION_ALGORITHM_SPEC_SYMMETRIC_DEFAULT


@pytest.mark.parametrize("origin", ["ORIGIN_TYPE_EXTERNAL", "ORIGIN_TYPE_AWS_KMS"])
async def test_what_a_key_encrypts_it_decrypts_and_both_answers_name_it(
    client: KeyManagementServiceClient, origin: str
) -> None:
    key_id = (await client.create_key_async(CreateKeyRequest(origin=origin))).key_metadata.key_id
    if origin == "ORIGIN_TYPE_EXTERNAL":
        await import_material(client, key_id)
    key = await describe(client, key_id)

    encrypted = await client.encrypt_async(EncryptRequest(key_id=key_id, plaintext=b"secret"))
    decrypted = await client.decrypt_async(DecryptRequest(ciphertext_blob=encrypted.ciphertext_blob))

    assert (encrypted.key_id, encrypted.encryption_algorithm) == (key.arn, SYMMETRIC_DEFAULT)
    assert (decrypted.key_id, decrypted.encryption_algorithm) == (key.arn, SYMMETRIC_DEFAULT)
    assert decrypted.key_material_id == key.current_key_material_id
    assert decrypted.plaintext == b"secret"
    assert b"secret" not in encrypted.ciphertext_blob


async def test_plaintexts_of_1_to_4096_bytes_come_back_whole(
    client: KeyManagementServiceClient, refused: Refused[ServiceError]
) -> None:
    key_id = await create_imported_key(client)
    for length in (1, 15, 16, 17, 4095, 4096):
        plaintext = secrets.token_bytes(length)
        blob = await encrypt(client, key_id, plaintext)
        assert len(blob) <= 6144
        assert await decrypt(client, blob) == plaintext

    await refused(ValidationException, encrypt(client, key_id, bytes(4097)))


async def test_the_same_plaintext_never_gives_the_same_ciphertext(client: KeyManagementServiceClient) -> None:
    key_id = await create_imported_key(client)

    assert len({await encrypt(client, key_id) for _ in range(20)}) == 20


async def test_the_order_of_an_encryption_context_does_not_matter(client: KeyManagementServiceClient) -> None:
    key_id = await create_imported_key(client)
    pairs = {f"key {number}": f"value {number}" for number in range(20)} | {"": "", "漢": "🔑"}

    blob = await encrypt(client, key_id, b"text", pairs)

    assert await decrypt(client, blob, dict(reversed(pairs.items()))) == b"text"


async def test_an_absent_encryption_context_and_an_empty_one_are_the_same(
    client: KeyManagementServiceClient, refused: Refused[ServiceError]
) -> None:
    key_id = await create_imported_key(client)

    assert await decrypt(client, await encrypt(client, key_id), {}) == b"plaintext"
    assert await decrypt(client, await encrypt(client, key_id, context={})) == b"plaintext"
    await refused(InvalidCiphertextException, decrypt(client, await encrypt(client, key_id), {"": ""}))


async def test_a_key_named_for_a_ciphertext_of_another_is_the_incorrect_key(
    client: KeyManagementServiceClient, refused: Refused[ServiceError]
) -> None:
    one, other = await create_imported_key(client), await create_imported_key(client)
    blob = await encrypt(client, one)
    requests = [
        DecryptRequest(ciphertext_blob=blob, key_id=other),
        ReEncryptRequest(ciphertext_blob=blob, source_key_id=other, destination_key_id=one),
    ]
    for request in requests:
        error = await refused(IncorrectKeyException, send(client, request))
        assert error.message == (
            "The key ID in the request does not identify a CMK that can perform this operation."
        )


async def test_a_ciphertext_of_a_key_that_is_not_there_or_not_ours_is_denied_with_the_same_words(
    server: TestServer, client: KeyManagementServiceClient, refused: Refused[ServiceError]
) -> None:
    own, foreign = await create_imported_key(client), await create_imported_key(client)
    of_foreign = await encrypt(client, foreign)
    of_nobody = of_foreign[:2] + bytes(16) + of_foreign[18:]
    await give_away(server, foreign)
    for blob in (of_foreign, of_nobody):
        for request in (
            DecryptRequest(ciphertext_blob=blob),
            ReEncryptRequest(ciphertext_blob=blob, destination_key_id=own),
        ):
            error = await refused(AccessDeniedException, send(client, request))
            assert error.message == REFERS_TO_NO_KEY


async def test_the_same_material_in_two_keys_has_two_ids_and_opens_nothing_of_the_other_key(
    client: KeyManagementServiceClient, refused: Refused[ServiceError]
) -> None:
    one, other = await create_imported_key(client), await create_imported_key(client)
    of_one, of_other = await encrypt(client, one), await encrypt(client, other)
    assert (await describe(client, one)).current_key_material_id != (
        await describe(client, other)
    ).current_key_material_id

    await refused(IncorrectKeyException, decrypt(client, of_one, key_id=other))
    # A ciphertext names its key and key material in its first 50 bytes.
    for renamed in (of_other[:50] + of_one[50:], of_other[:18] + of_one[18:], of_one[:18] + of_other[18:]):
        await refused(InvalidCiphertextException, decrypt(client, renamed))


async def test_a_key_material_id_is_the_same_after_deletion_and_reimport(
    client: KeyManagementServiceClient,
) -> None:
    key_id = await create_external_key(client)
    first = await import_material(client, key_id)
    blob = await encrypt(client, key_id)
    await delete_material(client, key_id)
    assert (await describe(client, key_id)).current_key_material_id == first.key_material_id

    again = await import_material(client, key_id)

    assert again.key_material_id == first.key_material_id
    decrypted = await client.decrypt_async(DecryptRequest(ciphertext_blob=blob))
    assert decrypted.key_material_id == first.key_material_id


async def test_re_encrypt_moves_a_ciphertext_between_keys_and_contexts(
    client: KeyManagementServiceClient, refused: Refused[ServiceError]
) -> None:
    source = await describe(client, await create_imported_key(client))
    destination = await describe(client, await create_imported_key(client, bytes(32)))
    blob = await encrypt(client, source.key_id, b"secret", {"at": "source"})

    for key in (source, destination):
        response = await client.re_encrypt_async(
            ReEncryptRequest(
                ciphertext_blob=blob,
                source_key_id=source.arn,
                source_encryption_context={"at": "source"},
                destination_key_id=key.key_id,
                destination_encryption_context={"at": "destination"},
            )
        )
        assert (response.source_key_id, response.key_id) == (source.arn, key.arn)
        assert response.source_key_material_id == source.current_key_material_id
        assert response.destination_key_material_id == key.current_key_material_id
        assert response.source_encryption_algorithm == SYMMETRIC_DEFAULT
        assert response.destination_encryption_algorithm == SYMMETRIC_DEFAULT
        moved = response.ciphertext_blob
        assert await decrypt(client, moved, {"at": "destination"}, key.key_id) == b"secret"
        await refused(InvalidCiphertextException, decrypt(client, moved, {"at": "source"}))


async def test_re_encrypt_needs_the_source_context_of_the_ciphertext(
    client: KeyManagementServiceClient, refused: Refused[ServiceError]
) -> None:
    key_id = await create_imported_key(client)
    blob = await encrypt(client, key_id, context={"at": "source"})
    request = ReEncryptRequest(
        ciphertext_blob=blob, destination_key_id=key_id, destination_encryption_context={"at": "source"}
    )

    error = await refused(InvalidCiphertextException, client.re_encrypt_async(request))

    assert error.message == ""


async def test_re_encrypt_carries_4096_bytes(client: KeyManagementServiceClient) -> None:
    key_id = await create_imported_key(client)
    request = ReEncryptRequest(
        ciphertext_blob=await encrypt(client, key_id, bytes(4096)), destination_key_id=key_id
    )

    response = await client.re_encrypt_async(request)

    assert len(response.ciphertext_blob) <= 6144
    assert await decrypt(client, response.ciphertext_blob) == bytes(4096)


async def test_a_data_key_has_the_length_asked_for_and_its_ciphertext_opens_to_it(
    client: KeyManagementServiceClient, refused: Refused[ServiceError]
) -> None:
    key = await describe(client, await create_imported_key(client))
    choices: list[tuple[dict[str, object], int]] = [
        ({"key_spec": "DATA_KEY_SPEC_AES_256"}, 32),
        ({"key_spec": "DATA_KEY_SPEC_AES_128"}, 16),
        ({"number_of_bytes": 1}, 1),
        ({"number_of_bytes": 1024}, 1024),
    ]
    for choice, length in choices:
        asked = {"key_id": key.key_id, "encryption_context": {"file": "1"}, **choice}

        data_key = await client.generate_data_key_async(GenerateDataKeyRequest(**asked))
        sealed = await client.generate_data_key_without_plaintext_async(
            GenerateDataKeyWithoutPlaintextRequest(**asked)
        )

        for response in (data_key, sealed):
            assert response.key_id == key.arn
            assert response.key_material_id == key.current_key_material_id
            assert len(await decrypt(client, response.ciphertext_blob, {"file": "1"})) == length
            await refused(InvalidCiphertextException, decrypt(client, response.ciphertext_blob))
        assert await decrypt(client, data_key.ciphertext_blob, {"file": "1"}) == data_key.plaintext


async def test_data_keys_and_random_bytes_are_fresh_every_time(client: KeyManagementServiceClient) -> None:
    key_id = await create_imported_key(client)
    data_key = GenerateDataKeyRequest(key_id=key_id, key_spec="DATA_KEY_SPEC_AES_256")
    numbers = {(await client.generate_data_key_async(data_key)).plaintext for _ in range(10)}
    for _ in range(10):
        numbers.add((await client.generate_random_async(GenerateRandomRequest(number_of_bytes=32))).plaintext)

    assert len(numbers) == 20
    assert {len(number) for number in numbers} == {32}
