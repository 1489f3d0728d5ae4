"""GenerateDataKeyWithoutPlaintext: a fresh data key, only encrypted, for whoever will decrypt it later."""

from dataclasses import dataclass

from keyferry.v1 import GenerateDataKeyWithoutPlaintextRequest, GenerateDataKeyWithoutPlaintextResponse
from keyferry_server.call import Call
from keyferry_server.operations.data_key import DataKeys


@dataclass(frozen=True, slots=True)
class GenerateDataKeyWithoutPlaintext:
    """Generates data keys that the caller does not get to see."""

    data_keys: DataKeys

    async def __call__(
        self, request: GenerateDataKeyWithoutPlaintextRequest, call: Call
    ) -> GenerateDataKeyWithoutPlaintextResponse:
        """Generate the data key and answer its ciphertext."""
        data_key = await self.data_keys.generate(request, call)

        return GenerateDataKeyWithoutPlaintextResponse(
            ciphertext_blob=data_key.encrypted.ciphertext_blob,
            key_id=data_key.key.arn,
            key_material_id=data_key.encrypted.key_material_id,
        )
