"""Encrypt, Decrypt and ReEncrypt under RSA keys: bare ciphertexts that name no key and bind no context."""

from contract.conftest import Refused
from contract.operations import send
from cryptography.hazmat.primitives.asymmetric import padding, rsa
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import load_der_public_key
from other_keys import create_key, public_key_of
from steps import decrypt, encrypt

from keyferry.v1 import CreateKeyRequest, DecryptRequest, EncryptRequest, ReEncryptRequest
from keyferry_client import KeyManagementServiceClient
from keyferry_client.errors import (
    DryRunOperationException,
    IncorrectKeyException,
    InvalidCiphertextException,
    InvalidKeyUsageException,
    ServiceError,
    ValidationException,
)

SHA_1, SHA_256 = (f"ENCRYPTION_ALGORITHM_SPEC_RSAES_OAEP_{digest}" for digest in ("SHA_1", "SHA_256"))
OAEP_SHA_256 = padding.OAEP(padding.MGF1(SHA256()), SHA256(), None)


async def test_what_an_rsa_key_encrypts_it_decrypts_and_what_was_encrypted_for_it_outside(
    client: KeyManagementServiceClient, refused: Refused[ServiceError]
) -> None:
    key = await create_key(client, "RSA_2048", "ENCRYPT_DECRYPT")
    for algorithm, largest in ((SHA_1, 214), (SHA_256, 190)):
        for plaintext in (b"p", bytes(largest)):
            encrypted = await client.encrypt_async(
                EncryptRequest(key_id=key.key_id, plaintext=plaintext, encryption_algorithm=algorithm)
            )
            decrypted = await client.decrypt_async(
                DecryptRequest(
                    key_id=key.key_id,
                    ciphertext_blob=encrypted.ciphertext_blob,
                    encryption_algorithm=algorithm,
                )
            )
            assert len(encrypted.ciphertext_blob) == 256
            assert decrypted.plaintext == plaintext
            assert encrypted.key_id == decrypted.key_id == key.arn
            assert encrypted.encryption_algorithm == decrypted.encryption_algorithm
            assert not decrypted.HasField("key_material_id")
        too_long = EncryptRequest(
            key_id=key.key_id, plaintext=bytes(largest + 1), encryption_algorithm=algorithm
        )
        error = await refused(ValidationException, send(client, too_long))
        name = algorithm.removeprefix("ENCRYPTION_ALGORITHM_SPEC_")
        assert error.message == (
            f"Algorithm {name} and key spec RSA_2048 cannot encrypt data larger than {largest} bytes."
        )

    public_key = load_der_public_key(await public_key_of(client, key.key_id))
    assert isinstance(public_key, rsa.RSAPublicKey)
    from_outside = DecryptRequest(
        key_id=key.key_id,
        ciphertext_blob=public_key.encrypt(b"from outside", OAEP_SHA_256),
        encryption_algorithm=SHA_256,
    )
    assert (await client.decrypt_async(from_outside)).plaintext == b"from outside"


async def test_an_rsa_ciphertext_needs_its_key_and_its_algorithm_named(
    client: KeyManagementServiceClient, refused: Refused[ServiceError]
) -> None:
    one, other = [await create_key(client, "RSA_2048", "ENCRYPT_DECRYPT") for _ in range(2)]
    symmetric = (await client.create_key_async(CreateKeyRequest())).key_metadata
    symmetric_blob = await encrypt(client, symmetric.key_id)
    blob = (
        await client.encrypt_async(
            EncryptRequest(key_id=one.key_id, plaintext=b"secret", encryption_algorithm=SHA_256)
        )
    ).ciphertext_blob
    wrong: list[tuple[type[ServiceError], dict[str, object]]] = [
        (ValidationException, {"encryption_algorithm": SHA_256}),
        (InvalidCiphertextException, {"key_id": one.key_id}),
        (InvalidCiphertextException, {}),
        (InvalidCiphertextException, {"key_id": one.key_id, "encryption_algorithm": SHA_1}),
        (InvalidCiphertextException, {"key_id": other.key_id, "encryption_algorithm": SHA_256}),
        (
            InvalidCiphertextException,
            {"key_id": one.key_id, "encryption_algorithm": SHA_256, "ciphertext_blob": blob[:-1]},
        ),
        (InvalidKeyUsageException, {"key_id": symmetric.key_id, "encryption_algorithm": SHA_256}),
        (IncorrectKeyException, {"key_id": one.key_id, "ciphertext_blob": symmetric_blob}),
        (
            InvalidCiphertextException,
            {"key_id": one.key_id, "encryption_algorithm": SHA_256, "ciphertext_blob": symmetric_blob},
        ),
    ]
    for exception, members in wrong:
        request = DecryptRequest(**({"ciphertext_blob": blob} | members))
        error = await refused(exception, send(client, request))
        if exception is InvalidCiphertextException:
            assert error.message == ""


async def test_an_rsa_key_takes_no_encryption_context(
    client: KeyManagementServiceClient, refused: Refused[ServiceError]
) -> None:
    key = await create_key(client, "RSA_2048", "ENCRYPT_DECRYPT")
    symmetric = (await client.create_key_async(CreateKeyRequest())).key_metadata
    of_symmetric = await encrypt(client, symmetric.key_id)
    blob = (
        await client.encrypt_async(
            EncryptRequest(key_id=key.key_id, plaintext=b"secret", encryption_algorithm=SHA_256)
        )
    ).ciphertext_blob
    context = {"a": "b"}
    for request in (
        EncryptRequest(
            key_id=key.key_id, plaintext=b"p", encryption_algorithm=SHA_256, encryption_context=context
        ),
        DecryptRequest(
            key_id=key.key_id, ciphertext_blob=blob, encryption_algorithm=SHA_256, encryption_context=context
        ),
        ReEncryptRequest(
            source_key_id=key.key_id,
            ciphertext_blob=blob,
            source_encryption_algorithm=SHA_256,
            source_encryption_context=context,
            destination_key_id=symmetric.key_id,
        ),
        ReEncryptRequest(
            ciphertext_blob=of_symmetric,
            destination_key_id=key.key_id,
            destination_encryption_algorithm=SHA_256,
            destination_encryption_context=context,
        ),
    ):
        error = await refused(ValidationException, send(client, request))
        assert error.message == (
            "EncryptionContext is not supported when encrypting/decrypting with asymmetric CMKs."
        )


async def test_re_encrypt_moves_a_ciphertext_between_symmetric_and_rsa_keys(
    client: KeyManagementServiceClient, refused: Refused[ServiceError]
) -> None:
    rsa_key = await create_key(client, "RSA_2048", "ENCRYPT_DECRYPT")
    symmetric = (await client.create_key_async(CreateKeyRequest())).key_metadata
    blob = await encrypt(client, symmetric.key_id, b"secret", {"at": "home"})

    there = await client.re_encrypt_async(
        ReEncryptRequest(
            ciphertext_blob=blob,
            source_encryption_context={"at": "home"},
            destination_key_id=rsa_key.key_id,
            destination_encryption_algorithm=SHA_1,
        )
    )
    back_request = ReEncryptRequest(
        ciphertext_blob=there.ciphertext_blob,
        source_key_id=rsa_key.key_id,
        source_encryption_algorithm=SHA_1,
        destination_key_id=symmetric.key_id,
        destination_encryption_context={"at": "home again"},
    )
    back = await client.re_encrypt_async(back_request)

    assert (there.source_key_id, there.key_id) == (symmetric.arn, rsa_key.arn)
    assert there.source_key_material_id == symmetric.current_key_material_id
    assert not there.HasField("destination_key_material_id")
    assert not back.HasField("source_key_material_id")
    assert back.destination_key_material_id == symmetric.current_key_material_id
    assert back.source_encryption_algorithm == there.destination_encryption_algorithm
    assert await decrypt(client, back.ciphertext_blob, {"at": "home again"}) == b"secret"

    back_request.ClearField("source_key_id")
    error = await refused(ValidationException, send(client, back_request))
    assert "The key must be named" in error.message
    too_long = ReEncryptRequest(
        ciphertext_blob=await encrypt(client, symmetric.key_id, bytes(215)),
        destination_key_id=rsa_key.key_id,
        destination_encryption_algorithm=SHA_1,
    )
    error = await refused(ValidationException, send(client, too_long))
    assert "cannot encrypt data larger than 214 bytes" in error.message


async def test_a_dry_run_under_an_rsa_key_does_every_check(
    client: KeyManagementServiceClient, refused: Refused[ServiceError]
) -> None:
    key = await create_key(client, "RSA_2048", "ENCRYPT_DECRYPT")
    symmetric = (await client.create_key_async(CreateKeyRequest())).key_metadata
    encrypting = EncryptRequest(
        key_id=key.key_id, plaintext=bytes(190), encryption_algorithm=SHA_256, dry_run=True
    )
    ignoring = ["DRY_RUN_MODIFIER_TYPE_IGNORE_CIPHERTEXT"]
    deciphering = DecryptRequest(
        key_id=key.key_id, encryption_algorithm=SHA_256, dry_run=True, dry_run_modifiers=ignoring
    )
    moving = ReEncryptRequest(
        source_key_id=key.key_id,
        source_encryption_algorithm=SHA_256,
        destination_key_id=symmetric.key_id,
        dry_run=True,
        dry_run_modifiers=ignoring,
    )
    for request in (encrypting, deciphering, moving):
        await refused(DryRunOperationException, send(client, request))

    encrypting.plaintext = bytes(191)
    await refused(ValidationException, send(client, encrypting))
    for request in (deciphering, moving):
        for member in ("encryption_algorithm", "source_encryption_algorithm"):
            if hasattr(request, member):
                request.ClearField(member)
        await refused(InvalidKeyUsageException, send(client, request))
