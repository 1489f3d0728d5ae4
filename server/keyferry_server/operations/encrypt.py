"""Encrypt: encrypts up to 4096 bytes under a key."""

from dataclasses import dataclass

from keyferry.v1 import EncryptionAlgorithmSpec, EncryptRequest, EncryptResponse
from keyferry_server.call import Call
from keyferry_server.domain.dry_run import stop_if_dry_run
from keyferry_server.operations.key_use import KeyUse


@dataclass(frozen=True, slots=True)
class Encrypt:
    """Encrypts with the current material of a key."""

    key_use: KeyUse

    async def __call__(self, request: EncryptRequest, call: Call) -> EncryptResponse:
        """Encrypt the plaintext; the encryption context is bound to it."""
        key = await self.key_use.open(request.key_id, call)

        stop_if_dry_run(request.dry_run)
        encrypted = self.key_use.encrypt(key, request.plaintext, request.encryption_context)

        return EncryptResponse(
            ciphertext_blob=encrypted.ciphertext_blob,
            key_id=key.arn,
            encryption_algorithm=EncryptionAlgorithmSpec.ENCRYPTION_ALGORITHM_SPEC_SYMMETRIC_DEFAULT,
        )
