"""GenerateMac, VerifyMac and DeriveSharedSecret: what others who know the same compute too."""

import hmac

from contract.conftest import Refused
from contract.operations import send
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import load_der_public_key
from fixtures.server import ServerFactory
from other_keys import bring, create_key, public_key_of
from private_keys import generate, spki
from vectors.reader import read_wycheproof

from keyferry.v1 import (
    DeriveSharedSecretRequest,
    GenerateMacRequest,
    OriginType,
    VerifyMacRequest,
)
from keyferry_client import KeyManagementServiceClient
from keyferry_client.errors import KMSInvalidMacException, ServiceError, ValidationException

HMAC_BYTES = {"224": 28, "256": 32, "384": 48, "512": 64}


def algorithm(bits: str) -> str:
    return f"MAC_ALGORITHM_SPEC_HMAC_SHA_{bits}"


async def test_what_a_key_authenticates_it_verifies_and_nothing_else(
    client: KeyManagementServiceClient, refused: Refused[ServiceError]
) -> None:
    for bits, length in HMAC_BYTES.items():
        key = await create_key(client, f"HMAC_{bits}", "GENERATE_VERIFY_MAC")
        other = await create_key(client, f"HMAC_{bits}", "GENERATE_VERIFY_MAC")
        made = await client.generate_mac_async(
            GenerateMacRequest(key_id=key.key_id, message=b"message", mac_algorithm=algorithm(bits))
        )
        right = {
            "key_id": key.arn,
            "message": b"message",
            "mac": made.mac,
            "mac_algorithm": algorithm(bits),
        }
        verified = await client.verify_mac_async(VerifyMacRequest(**right))

        assert made.key_id == verified.key_id == key.arn
        assert made.mac_algorithm == verified.mac_algorithm
        assert len(made.mac) == length
        assert verified.mac_valid
        for wrong in (
            {"message": b"massage"},
            {"key_id": other.key_id},
            {"mac": made.mac[:-1]},
            {"mac": made.mac + b"\0"},
            {"mac": made.mac[:-1] + bytes([made.mac[-1] ^ 1])},
        ):
            error = await refused(KMSInvalidMacException, send(client, VerifyMacRequest(**(right | wrong))))
            assert error.message == ""


async def test_an_imported_hmac_key_computes_what_its_owner_computes(start_server: ServerFactory) -> None:
    server = await start_server(importable_keys="all")
    # Wycheproof's key of an ordinary test, and its longest one.
    tests = [one for group, one in read_wycheproof("hmac_sha256") if group["tagSize"] == 256]
    fitting = [one for one in tests if one["result"] == "valid" and len(one["key"]) == 64 and one["msg"]]
    async with server.client() as client:
        for test in (fitting[0], fitting[-1]):
            key = await create_key(client, "HMAC_256", "GENERATE_VERIFY_MAC", "EXTERNAL")
            await bring(client, key.key_id, bytes.fromhex(test["key"]), "RSAES_OAEP_SHA_256")
            made = await client.generate_mac_async(
                GenerateMacRequest(
                    key_id=key.key_id, message=bytes.fromhex(test["msg"]), mac_algorithm=algorithm("256")
                )
            )
            assert made.mac.hex() == test["tag"]

        longest = bytes(range(128))
        key = await create_key(client, "HMAC_224", "GENERATE_VERIFY_MAC", "EXTERNAL")
        await bring(client, key.key_id, longest, "RSAES_OAEP_SHA_1")
        made = await client.generate_mac_async(
            GenerateMacRequest(key_id=key.key_id, message=bytes(4096), mac_algorithm=algorithm("224"))
        )
        assert made.mac == hmac.digest(longest, bytes(4096), "sha224")


def derive(key_id: str, peer: bytes) -> DeriveSharedSecretRequest:
    return DeriveSharedSecretRequest(
        key_id=key_id, key_agreement_algorithm="KEY_AGREEMENT_ALGORITHM_SPEC_ECDH", public_key=peer
    )


async def test_two_keys_agree_on_a_secret_with_each_other_and_with_a_peer_outside(
    client: KeyManagementServiceClient,
) -> None:
    for spec, length in (("ECC_NIST_P256", 32), ("ECC_NIST_P384", 48), ("ECC_NIST_P521", 66)):
        one, other = [await create_key(client, spec, "KEY_AGREEMENT") for _ in range(2)]
        of_one = await public_key_of(client, one.key_id)
        derived = await client.derive_shared_secret_async(
            derive(one.key_id, await public_key_of(client, other.key_id))
        )
        again = await client.derive_shared_secret_async(derive(other.arn, of_one))

        assert derived.shared_secret == again.shared_secret
        assert len(derived.shared_secret) == length
        assert (derived.key_id, derived.key_origin) == (one.arn, OriginType.ORIGIN_TYPE_AWS_KMS)

        outside, public_key = generate(spec), load_der_public_key(of_one)
        assert isinstance(outside, ec.EllipticCurvePrivateKey)
        assert isinstance(public_key, ec.EllipticCurvePublicKey)
        with_outside = await client.derive_shared_secret_async(derive(one.key_id, spki(outside)))
        assert with_outside.shared_secret == outside.exchange(ec.ECDH(), public_key)


async def test_a_peer_on_another_curve_or_on_none_is_refused(
    client: KeyManagementServiceClient, refused: Refused[ServiceError]
) -> None:
    key = await create_key(client, "ECC_NIST_P384", "KEY_AGREEMENT")
    for peer in (b"InvalidPublicKey", spki(generate("ECC_NIST_P256")), spki(generate("RSA_2048"))):
        error = await refused(ValidationException, send(client, derive(key.key_id, peer)))
        assert "of a point on the curve secp384r1, the curve of the KMS key" in error.message
