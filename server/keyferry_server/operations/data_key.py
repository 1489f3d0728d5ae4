"""Data keys: what GenerateDataKey and GenerateDataKeyWithoutPlaintext share."""

from dataclasses import dataclass

from keyferry.v1 import DataKeySpec, GenerateDataKeyRequest, GenerateDataKeyWithoutPlaintextRequest
from keyferry_server.call import Call
from keyferry_server.crypto.secret import Secret
from keyferry_server.domain.dry_run import stop_if_dry_run
from keyferry_server.domain.errors import ValidationException
from keyferry_server.domain.key import Key, KeyUsage
from keyferry_server.domain.key_specs import EncryptionAlgorithm, check_use
from keyferry_server.operations.key_use import Encrypted, KeyUse

_BYTES = {DataKeySpec.DATA_KEY_SPEC_AES_128: 16, DataKeySpec.DATA_KEY_SPEC_AES_256: 32}


@dataclass(frozen=True, slots=True)
class DataKey:
    """A fresh data key and its ciphertext."""

    key: Key
    plaintext: Secret
    encrypted: Encrypted


@dataclass(frozen=True, slots=True)
class DataKeys:
    """Generates data keys under KMS keys."""

    key_use: KeyUse

    async def generate(
        self, request: GenerateDataKeyRequest | GenerateDataKeyWithoutPlaintextRequest, call: Call
    ) -> DataKey:
        """Generate a data key; its length is given by exactly one of key spec and number of bytes."""
        length = _parse_length(request)

        key = await self.key_use.open(request.key_id, call)

        check_use(key, call.route.name, KeyUsage.ENCRYPT_DECRYPT, EncryptionAlgorithm.SYMMETRIC_DEFAULT)
        stop_if_dry_run(request.dry_run)
        plaintext = Secret.generate(length)
        return DataKey(
            key, plaintext, self.key_use.encrypt(key, plaintext.reveal(), request.encryption_context)
        )


def _parse_length(request: GenerateDataKeyRequest | GenerateDataKeyWithoutPlaintextRequest) -> int:
    named = _BYTES.get(request.key_spec)
    if (named is None) is not request.HasField("number_of_bytes"):
        raise ValidationException("Please specify either number of bytes or key spec.")
    return named or request.number_of_bytes
