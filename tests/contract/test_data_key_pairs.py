"""GenerateDataKeyPair and GenerateDataKeyPairWithoutPlaintext."""

import pytest
from contract.conftest import Refused
from cryptography.hazmat.primitives.serialization import load_der_private_key
from private_keys import PrivateKey, spki
from steps import create_imported_key, decrypt, describe

from keyferry.v1 import (
    DataKeyPairSpec,
    GenerateDataKeyPairRequest,
    GenerateDataKeyPairWithoutPlaintextRequest,
)
from keyferry_client import KeyManagementServiceClient
from keyferry_client.errors import InvalidCiphertextException, ServiceError

PREFIX = "DATA_KEY_PAIR_SPEC_"
CURVES = {
    "ECC_NIST_P256": "secp256r1",
    "ECC_NIST_P384": "secp384r1",
    "ECC_NIST_P521": "secp521r1",
    "ECC_SECG_P256K1": "secp256k1",
}


def kind_of(key: PrivateKey) -> str:
    return key.curve.name if hasattr(key, "curve") else f"RSA_{key.key_size}"


async def test_a_data_key_pair_belongs_together_and_its_private_key_opens_with_its_context(
    client: KeyManagementServiceClient, refused: Refused[ServiceError]
) -> None:
    key = await describe(client, await create_imported_key(client))
    context = {"device": "7"}
    for name in DataKeyPairSpec.keys()[1:]:
        asked = {"key_id": key.key_id, "key_pair_spec": name, "encryption_context": context}
        made = await client.generate_data_key_pair_async(GenerateDataKeyPairRequest(**asked))
        private = load_der_private_key(made.private_key_plaintext, None)
        assert isinstance(private, PrivateKey)

        spec = name.removeprefix(PREFIX)
        assert kind_of(private) == CURVES.get(spec, spec)
        assert spki(private) == made.public_key
        assert (made.key_id, made.key_pair_spec) == (key.arn, DataKeyPairSpec.Value(name))
        assert made.key_material_id == key.current_key_material_id
        opened = await decrypt(client, made.private_key_ciphertext_blob, context)
        assert opened == made.private_key_plaintext
        await refused(InvalidCiphertextException, decrypt(client, made.private_key_ciphertext_blob))


@pytest.mark.parametrize("spec", ["RSA_2048", "ECC_NIST_P256"])
async def test_without_plaintext_the_private_key_is_only_in_the_ciphertext(
    client: KeyManagementServiceClient, spec: str
) -> None:
    key = await describe(client, await create_imported_key(client))
    asked = GenerateDataKeyPairWithoutPlaintextRequest(key_id=key.arn, key_pair_spec=PREFIX + spec)

    made, again = [await client.generate_data_key_pair_without_plaintext_async(asked) for _ in range(2)]

    assert not hasattr(made, "private_key_plaintext")
    private = load_der_private_key(await decrypt(client, made.private_key_ciphertext_blob), None)
    assert isinstance(private, PrivateKey)
    assert spki(private) == made.public_key
    assert made.public_key != again.public_key
    assert (made.key_id, made.key_pair_spec, made.key_material_id) == (
        key.arn,
        asked.key_pair_spec,
        key.current_key_material_id,
    )
