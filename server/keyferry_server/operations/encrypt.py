"""Encrypt: encrypts up to 4096 bytes under a symmetric key, or what fits under an RSA key."""

from dataclasses import dataclass

from keyferry.v1 import EncryptRequest, EncryptResponse
from keyferry_server.call import Call
from keyferry_server.domain.dry_run import stop_if_dry_run
from keyferry_server.domain.key_specs import EncryptionAlgorithm
from keyferry_server.operations.encryption import Encryption
from keyferry_server.wire.enums import format_enum, parse_enum


@dataclass(frozen=True, slots=True)
class Encrypt:
    """Encrypts with the current material of a key."""

    encryption: Encryption

    async def __call__(self, request: EncryptRequest, call: Call) -> EncryptResponse:
        """Encrypt the plaintext; under a symmetric key the encryption context is bound to it."""
        algorithm = (
            parse_enum(request.encryption_algorithm, EncryptionAlgorithm)
            or EncryptionAlgorithm.SYMMETRIC_DEFAULT
        )

        key = await self.encryption.open(request.key_id, algorithm, call)

        self.encryption.check(key, algorithm, request.plaintext, request.encryption_context)
        stop_if_dry_run(request.dry_run)
        encrypted = self.encryption.encrypt(key, algorithm, request.plaintext, request.encryption_context)

        return EncryptResponse(
            ciphertext_blob=encrypted.ciphertext_blob,
            key_id=key.arn,
            encryption_algorithm=format_enum(algorithm),
        )
