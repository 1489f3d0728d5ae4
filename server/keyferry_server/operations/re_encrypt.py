"""ReEncrypt: decrypts and encrypts again under another key or context; the plaintext stays inside."""

from dataclasses import dataclass

from keyferry.v1 import EncryptionAlgorithmSpec, ReEncryptRequest, ReEncryptResponse
from keyferry_server.call import Call
from keyferry_server.domain.dry_run import stop_if_dry_run
from keyferry_server.domain.errors import DryRunOperationException
from keyferry_server.operations.decryption import ignores_ciphertext
from keyferry_server.operations.key_use import KeyUse


@dataclass(frozen=True, slots=True)
class ReEncrypt:
    """Moves a ciphertext from one key and context to another."""

    key_use: KeyUse

    async def __call__(self, request: ReEncryptRequest, call: Call) -> ReEncryptResponse:
        """Decrypt with the source, encrypt with the destination; each needs its own permission."""
        source_text = request.source_key_id if request.HasField("source_key_id") else None
        re_encrypt_from, re_encrypt_to = call.route.permissions

        is_without_ciphertext = ignores_ciphertext(request, source_text)

        destination = await self.key_use.open(request.destination_key_id, call, re_encrypt_to)
        if is_without_ciphertext:
            await self.key_use.open(request.source_key_id, call, re_encrypt_from)
            raise DryRunOperationException
        decrypted = await self.key_use.decrypt(
            request.ciphertext_blob, request.source_encryption_context, source_text, call, re_encrypt_from
        )

        stop_if_dry_run(request.dry_run)
        encrypted = self.key_use.encrypt(
            destination, decrypted.plaintext.reveal(), request.destination_encryption_context
        )

        return ReEncryptResponse(
            ciphertext_blob=encrypted.ciphertext_blob,
            source_key_id=decrypted.key.arn,
            key_id=destination.arn,
            source_encryption_algorithm=EncryptionAlgorithmSpec.ENCRYPTION_ALGORITHM_SPEC_SYMMETRIC_DEFAULT,
            destination_encryption_algorithm=EncryptionAlgorithmSpec.ENCRYPTION_ALGORITHM_SPEC_SYMMETRIC_DEFAULT,
            source_key_material_id=decrypted.key_material_id,
            destination_key_material_id=encrypted.key_material_id,
        )
