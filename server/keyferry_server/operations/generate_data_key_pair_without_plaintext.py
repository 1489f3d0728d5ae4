"""GenerateDataKeyPairWithoutPlaintext: a fresh key pair, its private key only encrypted, for whoever will decrypt it later."""

from dataclasses import dataclass

from keyferry.v1 import (
    GenerateDataKeyPairWithoutPlaintextRequest,
    GenerateDataKeyPairWithoutPlaintextResponse,
)
from keyferry_server.call import Call
from keyferry_server.operations.data_key_pair import DataKeyPairs


@dataclass(frozen=True, slots=True)
class GenerateDataKeyPairWithoutPlaintext:
    """Generates data key pairs whose private key the caller does not get to see."""

    data_key_pairs: DataKeyPairs

    async def __call__(
        self, request: GenerateDataKeyPairWithoutPlaintextRequest, call: Call
    ) -> GenerateDataKeyPairWithoutPlaintextResponse:
        """Generate the pair and answer the private key encrypted."""
        made = await self.data_key_pairs.generate(request, call)

        return GenerateDataKeyPairWithoutPlaintextResponse(
            private_key_ciphertext_blob=made.encrypted.ciphertext_blob,
            public_key=made.pair.public_key,
            key_id=made.key.arn,
            key_pair_spec=request.key_pair_spec,
            key_material_id=made.encrypted.key_material_id,
        )
