"""Decrypt: decrypts what Encrypt, ReEncrypt or a data key operation made.

The ciphertext names its key; a key ID in the request is enforced, not used to find it.
"""

from dataclasses import dataclass

from keyferry.v1 import DecryptRequest, DecryptResponse, EncryptionAlgorithmSpec
from keyferry_server.call import Call
from keyferry_server.domain.dry_run import stop_if_dry_run
from keyferry_server.domain.errors import DryRunOperationException
from keyferry_server.operations.decryption import ignores_ciphertext
from keyferry_server.operations.key_use import KeyUse


@dataclass(frozen=True, slots=True)
class Decrypt:
    """Decrypts with the material that the ciphertext names."""

    key_use: KeyUse

    async def __call__(self, request: DecryptRequest, call: Call) -> DecryptResponse:
        """Decrypt the ciphertext; the encryption context must be the one it was encrypted with."""
        key_text = request.key_id if request.HasField("key_id") else None
        if ignores_ciphertext(request, key_text):
            await self.key_use.open(request.key_id, call)
            raise DryRunOperationException

        decrypted = await self.key_use.decrypt(
            request.ciphertext_blob, request.encryption_context, key_text, call
        )

        stop_if_dry_run(request.dry_run)
        return DecryptResponse(
            key_id=decrypted.key.arn,
            plaintext=decrypted.plaintext.reveal(),
            encryption_algorithm=EncryptionAlgorithmSpec.ENCRYPTION_ALGORITHM_SPEC_SYMMETRIC_DEFAULT,
            key_material_id=decrypted.key_material_id,
        )
