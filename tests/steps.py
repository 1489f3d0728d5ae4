"""The steps of bringing a key, as tests write them."""

import os
from collections.abc import Mapping
from datetime import datetime

from cryptography.hazmat.primitives.asymmetric import padding, rsa
from cryptography.hazmat.primitives.hashes import SHA1, SHA256
from cryptography.hazmat.primitives.keywrap import aes_key_wrap_with_padding
from cryptography.hazmat.primitives.serialization import load_der_public_key

from keyferry.v1 import (
    CreateAliasRequest,
    CreateKeyRequest,
    DecryptRequest,
    DeleteImportedKeyMaterialRequest,
    DescribeKeyRequest,
    DisableKeyRequest,
    EncryptRequest,
    GetParametersForImportRequest,
    GetParametersForImportResponse,
    ImportKeyMaterialRequest,
    ImportKeyMaterialResponse,
    KeyMetadata,
    KeyState,
    ScheduleKeyDeletionRequest,
)
from keyferry_client import KeyManagementServiceClient

MATERIAL = bytes(range(32))
NEVER = "EXPIRATION_MODEL_TYPE_KEY_MATERIAL_DOES_NOT_EXPIRE"
EXPIRES = "EXPIRATION_MODEL_TYPE_KEY_MATERIAL_EXPIRES"


async def create_external_key(client: KeyManagementServiceClient, description: str = "") -> str:
    """Create a key without key material and return its key ID."""
    response = await client.create_key_async(
        CreateKeyRequest(origin="ORIGIN_TYPE_EXTERNAL", description=description)
    )
    return response.key_metadata.key_id


async def describe(client: KeyManagementServiceClient, key_id: str) -> KeyMetadata:
    return (await client.describe_key_async(DescribeKeyRequest(key_id=key_id))).key_metadata


async def state_of(client: KeyManagementServiceClient, key_id: str) -> str:
    """Return the key state's name without its prefix, for example PENDING_IMPORT."""
    return KeyState.Name((await describe(client, key_id)).key_state).removeprefix("KEY_STATE_")


async def get_parameters(
    client: KeyManagementServiceClient,
    key_id: str,
    algorithm: str = "RSAES_OAEP_SHA_256",
    spec: str = "RSA_2048",
) -> GetParametersForImportResponse:
    return await client.get_parameters_for_import_async(
        GetParametersForImportRequest(
            key_id=key_id,
            wrapping_algorithm=f"ALGORITHM_SPEC_{algorithm}",
            wrapping_key_spec=f"WRAPPING_KEY_SPEC_{spec}",
        )
    )


def wrap(public_key: bytes, material: bytes, algorithm: str = "RSAES_OAEP_SHA_256") -> bytes:
    """Wrap any bytes, also those that a careful client would refuse to."""
    key = load_der_public_key(public_key)
    assert isinstance(key, rsa.RSAPublicKey)
    digest = SHA1() if algorithm.endswith("SHA_1") else SHA256()  # noqa: S303 -- AWS's algorithm
    oaep = padding.OAEP(mgf=padding.MGF1(digest), algorithm=digest, label=None)
    if algorithm.startswith("RSAES_OAEP"):
        return key.encrypt(material, oaep)
    aes_key = os.urandom(32)
    return key.encrypt(aes_key, oaep) + aes_key_wrap_with_padding(aes_key, material)


def import_request(
    key_id: str,
    parameters: GetParametersForImportResponse,
    material: bytes = MATERIAL,
    *,
    algorithm: str = "RSAES_OAEP_SHA_256",
    valid_to: datetime | None = None,
) -> ImportKeyMaterialRequest:
    """Return the request that imports `material`, expiring at `valid_to` or never."""
    return ImportKeyMaterialRequest(
        key_id=key_id,
        import_token=parameters.import_token,
        encrypted_key_material=wrap(parameters.public_key, material, algorithm),
        expiration_model=NEVER if valid_to is None else EXPIRES,
        valid_to=valid_to,
    )


async def import_material(
    client: KeyManagementServiceClient,
    key_id: str,
    material: bytes = MATERIAL,
    *,
    valid_to: datetime | None = None,
) -> ImportKeyMaterialResponse:
    """Do the whole import: parameters, wrapping, import."""
    parameters = await get_parameters(client, key_id)
    return await client.import_key_material_async(
        import_request(key_id, parameters, material, valid_to=valid_to)
    )


async def create_imported_key(
    client: KeyManagementServiceClient, material: bytes = MATERIAL, *, valid_to: datetime | None = None
) -> str:
    """Create a key, import material into it, and return its key ID."""
    key_id = await create_external_key(client)
    await import_material(client, key_id, material, valid_to=valid_to)
    return key_id


async def delete_material(client: KeyManagementServiceClient, key_id: str) -> None:
    await client.delete_imported_key_material_async(DeleteImportedKeyMaterialRequest(key_id=key_id))


async def disable(client: KeyManagementServiceClient, key_id: str) -> None:
    await client.disable_key_async(DisableKeyRequest(key_id=key_id))


async def schedule_deletion(client: KeyManagementServiceClient, key_id: str) -> None:
    await client.schedule_key_deletion_async(ScheduleKeyDeletionRequest(key_id=key_id))


async def name(client: KeyManagementServiceClient, alias_name: str, key_id: str) -> None:
    """Give a key an alias."""
    await client.create_alias_async(CreateAliasRequest(alias_name=alias_name, target_key_id=key_id))


async def encrypt(
    client: KeyManagementServiceClient,
    key_id: str,
    plaintext: bytes = b"plaintext",
    context: Mapping[str, str] | None = None,
) -> bytes:
    """Encrypt and return the ciphertext blob."""
    response = await client.encrypt_async(
        EncryptRequest(key_id=key_id, plaintext=plaintext, encryption_context=context)
    )
    return response.ciphertext_blob


async def decrypt(
    client: KeyManagementServiceClient,
    ciphertext_blob: bytes,
    context: Mapping[str, str] | None = None,
    key_id: str | None = None,
) -> bytes:
    """Decrypt and return the plaintext; without a key ID, with the key that the blob names."""
    response = await client.decrypt_async(
        DecryptRequest(ciphertext_blob=ciphertext_blob, encryption_context=context, key_id=key_id)
    )
    return response.plaintext
