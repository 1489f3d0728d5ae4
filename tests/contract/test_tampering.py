"""Whatever is changed in an import token, in wrapped key material or in a ciphertext, nothing comes of it."""

import os
from pathlib import Path

import pytest
from contract.beneath import change
from contract.conftest import Refused
from fixtures.server import ServerFactory
from steps import (
    create_external_key,
    create_imported_key,
    decrypt,
    delete_material,
    encrypt,
    get_parameters,
    import_request,
    state_of,
    wrap,
)

from keyferry.v1 import ImportKeyMaterialRequest
from keyferry_client import KeyManagementServiceClient
from keyferry_client.errors import (
    AccessDeniedException,
    InvalidCiphertextException,
    InvalidImportTokenException,
    ServiceError,
)
from keyferry_server.crypto.root_key.file import generate_root_key_file

REFERS_TO_NO_KEY = (
    "The ciphertext refers to a customer master key that does not exist, does not exist in this region, "
    "or you are not allowed to access."
)
OAEP = "RSAES_OAEP_SHA_256"
KEY_WRAP = "RSA_AES_KEY_WRAP_SHA_256"
OTHER_HASH = {
    "RSAES_OAEP_SHA_1": "RSAES_OAEP_SHA_256",
    "RSAES_OAEP_SHA_256": "RSAES_OAEP_SHA_1",
    "RSA_AES_KEY_WRAP_SHA_1": "RSA_AES_KEY_WRAP_SHA_256",
    "RSA_AES_KEY_WRAP_SHA_256": "RSA_AES_KEY_WRAP_SHA_1",
}


def flipped(data: bytes, at: int) -> bytes:
    """Return `data` with one bit flipped, another one from byte to byte."""
    return data[:at] + bytes([data[at] ^ (1 << at % 8)]) + data[at + 1 :]


@pytest.fixture
async def request_to_spoil(client: KeyManagementServiceClient) -> ImportKeyMaterialRequest:
    """An import that succeeds unless something in it is changed."""
    key_id = await create_external_key(client)
    return import_request(key_id, await get_parameters(client, key_id))


async def test_one_flipped_bit_anywhere_in_an_import_token_makes_it_invalid(
    client: KeyManagementServiceClient,
    refused: Refused[ServiceError],
    request_to_spoil: ImportKeyMaterialRequest,
) -> None:
    token = request_to_spoil.import_token
    for at in range(len(token)):
        request_to_spoil.import_token = flipped(token, at)
        await refused(InvalidImportTokenException, client.import_key_material_async(request_to_spoil))

    request_to_spoil.import_token = token
    await client.import_key_material_async(request_to_spoil)


async def test_garbage_is_no_import_token(
    client: KeyManagementServiceClient,
    refused: Refused[ServiceError],
    request_to_spoil: ImportKeyMaterialRequest,
) -> None:
    token = request_to_spoil.import_token
    for garbage in (
        b"x",
        bytes(len(token)),
        os.urandom(len(token)),
        token[:-1],
        token[1:],
        token + b"\0",
        token + token,
        token[:-32],
        token[-32:],
        token[:-32] + bytes(32),
        bytes(6144),
    ):
        request_to_spoil.import_token = garbage
        await refused(InvalidImportTokenException, client.import_key_material_async(request_to_spoil))


async def test_the_token_of_another_installation_is_invalid_even_for_the_same_key_id(
    client: KeyManagementServiceClient,
    refused: Refused[ServiceError],
    start_server: ServerFactory,
    other_database_url: str,
    tmp_path: Path,
) -> None:
    key_id = await create_external_key(client)
    other_root_key = tmp_path / "other-root-key"
    generate_root_key_file(other_root_key)
    other = await start_server(database_url=other_database_url, root_key_file=other_root_key)
    async with other.client() as other_client:
        await create_external_key(other_client)
        await change(other, "UPDATE keys SET key_id = :key_id", key_id=key_id)
        request = import_request(key_id, await get_parameters(other_client, key_id))

        await refused(InvalidImportTokenException, client.import_key_material_async(request))

        await other_client.import_key_material_async(request)
        assert await state_of(other_client, key_id) == "ENABLED"
    # Its database is dropped first.
    await other.stop()


async def test_a_spent_token_is_invalid_for_any_other_request(
    client: KeyManagementServiceClient,
    refused: Refused[ServiceError],
    request_to_spoil: ImportKeyMaterialRequest,
) -> None:
    await client.import_key_material_async(request_to_spoil)
    request_to_spoil.encrypted_key_material = flipped(request_to_spoil.encrypted_key_material, 7)

    await refused(InvalidImportTokenException, client.import_key_material_async(request_to_spoil))


async def test_a_spent_token_is_invalid_once_its_material_is_deleted(
    client: KeyManagementServiceClient,
    refused: Refused[ServiceError],
    request_to_spoil: ImportKeyMaterialRequest,
) -> None:
    await client.import_key_material_async(request_to_spoil)
    await delete_material(client, request_to_spoil.key_id)

    await refused(InvalidImportTokenException, client.import_key_material_async(request_to_spoil))


async def test_material_wrapped_under_another_public_key_or_with_another_hash_does_not_unwrap(
    client: KeyManagementServiceClient, refused: Refused[ServiceError]
) -> None:
    key_id = await create_external_key(client)
    wrong_key = (await get_parameters(client, key_id)).public_key
    for algorithm, other_hash in OTHER_HASH.items():
        parameters = await get_parameters(client, key_id, algorithm)
        request = import_request(key_id, parameters, algorithm=algorithm)
        for wrapped in (
            wrap(wrong_key, bytes(32), algorithm),
            wrap(parameters.public_key, bytes(32), other_hash),
        ):
            request.encrypted_key_material = wrapped
            error = await refused(InvalidCiphertextException, client.import_key_material_async(request))
            assert error.message == ""


async def test_rsa_aes_wrapped_material_unwraps_whole_or_not_at_all(
    client: KeyManagementServiceClient, refused: Refused[ServiceError]
) -> None:
    key_id = await create_external_key(client)
    parameters = await get_parameters(client, key_id, KEY_WRAP)
    request = import_request(key_id, parameters, algorithm=KEY_WRAP)
    whole = request.encrypted_key_material
    head, tail = whole[:256], whole[256:]
    longer_aes_key = wrap(parameters.public_key, bytes(33), OAEP) + tail
    spoiled = [
        *(flipped(whole, at) for at in (0, 1, 128, 255)),
        *(flipped(whole, at) for at in range(256, len(whole))),
        *(whole[:length] for length in (1, 255, 256, 257, 264, 272, 280, 288, 295)),
        *(whole + bytes(more) for more in (1, 8, 16)),
        tail + head,
        tail,
        head + head,
        head + tail[8:] + tail[:8],
        longer_aes_key,
        bytes(6144),
    ]
    messages = set()
    for wrapped in spoiled:
        request.encrypted_key_material = wrapped
        error = await refused(InvalidCiphertextException, client.import_key_material_async(request))
        messages.add(error.message)

    assert messages == {""}
    request.encrypted_key_material = whole
    await client.import_key_material_async(request)


async def test_one_flipped_bit_anywhere_in_a_ciphertext_decrypts_to_nothing(
    client: KeyManagementServiceClient, refused: Refused[ServiceError]
) -> None:
    blob = await encrypt(client, await create_imported_key(client), b"0123456789", {"tenant": "one"})
    messages = set()
    for at in range(len(blob)):
        # Another key ID is another key: one that does not exist.
        exception = AccessDeniedException if 2 <= at < 18 else InvalidCiphertextException
        error = await refused(exception, decrypt(client, flipped(blob, at), {"tenant": "one"}))
        messages.add((exception, error.message))

    assert messages == {(AccessDeniedException, REFERS_TO_NO_KEY), (InvalidCiphertextException, "")}
    assert await decrypt(client, blob, {"tenant": "one"}) == b"0123456789"


async def test_a_cut_extended_or_foreign_ciphertext_decrypts_to_nothing(
    client: KeyManagementServiceClient, refused: Refused[ServiceError]
) -> None:
    blob = await encrypt(client, await create_imported_key(client), b"0123456789")
    for spoiled in (
        b"x",
        bytes(6144),
        os.urandom(len(blob)),
        *(blob[:length] for length in (17, 18, 50, 82, 97, 98, len(blob) - 1)),
        blob + b"\0",
        blob + blob,
        blob[1:],
    ):
        error = await refused(InvalidCiphertextException, decrypt(client, spoiled))
        assert error.message == ""


async def test_the_parts_of_two_ciphertexts_of_one_key_do_not_mix(
    client: KeyManagementServiceClient, refused: Refused[ServiceError]
) -> None:
    key_id = await create_imported_key(client)
    one, other = await encrypt(client, key_id, b"one"), await encrypt(client, key_id, b"two")
    for at in (82, len(one) - 16):
        await refused(InvalidCiphertextException, decrypt(client, one[:at] + other[at:]))


async def test_a_ciphertext_opens_with_exactly_its_encryption_context(
    client: KeyManagementServiceClient, refused: Refused[ServiceError]
) -> None:
    blob = await encrypt(client, await create_imported_key(client), context={"tenant": "one", "app": "two"})
    contexts: list[dict[str, str]] = [
        {},
        {"tenant": "one"},
        {"tenant": "one", "app": "TWO"},
        {"tenant": "one", "app": "two", "more": ""},
        {"Tenant": "one", "app": "two"},
        {"app": "one", "tenant": "two"},
        {"tenanto": "ne", "app": "two"},
        {"tenant": "oneapptwo"},
        {"tenant": "one", "app": "two "},
    ]
    for context in contexts:
        error = await refused(InvalidCiphertextException, decrypt(client, blob, context))
        assert error.message == ""

    assert await decrypt(client, blob, {"app": "two", "tenant": "one"}) == b"plaintext"
