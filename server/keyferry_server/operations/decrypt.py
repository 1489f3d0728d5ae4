"""Decrypt: decrypts what Encrypt, ReEncrypt or a data key operation made, or what was encrypted for an RSA key.

The ciphertext of a symmetric key names its key; a key ID in the request is enforced,
not used to find it. For an RSA key it is all there is.
"""

from dataclasses import dataclass

from keyferry.v1 import DecryptRequest, DecryptResponse
from keyferry_server.call import Call
from keyferry_server.domain.dry_run import stop_if_dry_run
from keyferry_server.domain.errors import DryRunOperationException
from keyferry_server.domain.key_specs import EncryptionAlgorithm
from keyferry_server.operations.decryption import ignores_ciphertext
from keyferry_server.operations.encryption import Encryption
from keyferry_server.wire.enums import format_enum, parse_enum


@dataclass(frozen=True, slots=True)
class Decrypt:
    """Decrypts with the material that the ciphertext names, or with the key that the caller names."""

    encryption: Encryption

    async def __call__(self, request: DecryptRequest, call: Call) -> DecryptResponse:
        """Decrypt the ciphertext; the encryption context must be the one it was encrypted with."""
        algorithm = (
            parse_enum(request.encryption_algorithm, EncryptionAlgorithm)
            or EncryptionAlgorithm.SYMMETRIC_DEFAULT
        )
        key_text = request.key_id if request.HasField("key_id") else None
        if ignores_ciphertext(request, key_text):
            await self.encryption.open(request.key_id, algorithm, call)
            raise DryRunOperationException

        decrypted = await self.encryption.decrypt(
            request.ciphertext_blob, algorithm, request.encryption_context, key_text, call
        )

        stop_if_dry_run(request.dry_run)
        return DecryptResponse(
            key_id=decrypted.key.arn,
            plaintext=decrypted.plaintext.reveal(),
            encryption_algorithm=format_enum(algorithm),
            key_material_id=decrypted.key_material_id,
        )
