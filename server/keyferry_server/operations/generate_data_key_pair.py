"""GenerateDataKeyPair: a fresh key pair for use outside, its private key in plaintext and encrypted under a key."""

from dataclasses import dataclass

from keyferry.v1 import GenerateDataKeyPairRequest, GenerateDataKeyPairResponse
from keyferry_server.call import Call
from keyferry_server.operations.data_key_pair import DataKeyPairs


@dataclass(frozen=True, slots=True)
class GenerateDataKeyPair:
    """Generates data key pairs."""

    data_key_pairs: DataKeyPairs

    async def __call__(self, request: GenerateDataKeyPairRequest, call: Call) -> GenerateDataKeyPairResponse:
        """Generate the pair and answer the private key in both forms."""
        made = await self.data_key_pairs.generate(request, call)

        return GenerateDataKeyPairResponse(
            private_key_ciphertext_blob=made.encrypted.ciphertext_blob,
            private_key_plaintext=made.pair.secret.reveal(),
            public_key=made.pair.public_key,
            key_id=made.key.arn,
            key_pair_spec=request.key_pair_spec,
            key_material_id=made.encrypted.key_material_id,
        )
