"""GenerateDataKey: a fresh data key, in plaintext and encrypted under a key."""

from dataclasses import dataclass

from keyferry.v1 import GenerateDataKeyRequest, GenerateDataKeyResponse
from keyferry_server.call import Call
from keyferry_server.operations.data_key import DataKeys


@dataclass(frozen=True, slots=True)
class GenerateDataKey:
    """Generates data keys for envelope encryption."""

    data_keys: DataKeys

    async def __call__(self, request: GenerateDataKeyRequest, call: Call) -> GenerateDataKeyResponse:
        """Generate the data key and answer both forms of it."""
        data_key = await self.data_keys.generate(request, call)

        return GenerateDataKeyResponse(
            ciphertext_blob=data_key.encrypted.ciphertext_blob,
            plaintext=data_key.plaintext.reveal(),
            key_id=data_key.key.arn,
            key_material_id=data_key.encrypted.key_material_id,
        )
