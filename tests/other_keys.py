"""HMAC and asymmetric keys, as tests make and use them."""

from steps import get_parameters, import_request

from keyferry.v1 import (
    CreateKeyRequest,
    GetPublicKeyRequest,
    ImportKeyMaterialResponse,
    KeyMetadata,
    SignRequest,
    VerifyRequest,
)
from keyferry_client import KeyManagementServiceClient

KEY_WRAP = "RSA_AES_KEY_WRAP_SHA_256"


async def create_key(
    client: KeyManagementServiceClient, spec: str, usage: str, origin: str = "AWS_KMS"
) -> KeyMetadata:
    """Create a key of any kind and return its metadata."""
    response = await client.create_key_async(
        CreateKeyRequest(
            key_spec=f"KEY_SPEC_{spec}", key_usage=f"KEY_USAGE_TYPE_{usage}", origin=f"ORIGIN_TYPE_{origin}"
        )
    )
    return response.key_metadata


async def bring(
    client: KeyManagementServiceClient,
    key_id: str,
    material: bytes,
    algorithm: str = KEY_WRAP,
    wrapping_spec: str = "RSA_2048",
) -> ImportKeyMaterialResponse:
    """Do the whole import of any key material, which never expires."""
    parameters = await get_parameters(client, key_id, algorithm, wrapping_spec)
    request = import_request(key_id, parameters, material, algorithm=algorithm)
    return await client.import_key_material_async(request)


async def public_key_of(client: KeyManagementServiceClient, key_id: str) -> bytes:
    return (await client.get_public_key_async(GetPublicKeyRequest(key_id=key_id))).public_key


def sign_request(
    key_id: str, algorithm: str, message: bytes = b"message", *, is_digest: bool = False
) -> SignRequest:
    return SignRequest(
        key_id=key_id,
        message=message,
        message_type="MESSAGE_TYPE_DIGEST" if is_digest else "MESSAGE_TYPE_RAW",
        signing_algorithm=f"SIGNING_ALGORITHM_SPEC_{algorithm}",
    )


def verify_request(
    key_id: str, algorithm: str, signature: bytes, message: bytes = b"message", *, is_digest: bool = False
) -> VerifyRequest:
    return VerifyRequest(
        key_id=key_id,
        message=message,
        message_type="MESSAGE_TYPE_DIGEST" if is_digest else "MESSAGE_TYPE_RAW",
        signature=signature,
        signing_algorithm=f"SIGNING_ALGORITHM_SPEC_{algorithm}",
    )


async def sign(
    client: KeyManagementServiceClient, key_id: str, algorithm: str, message: bytes = b"message"
) -> bytes:
    """Sign a message and return the signature."""
    return (await client.sign_async(sign_request(key_id, algorithm, message))).signature
