"""Signatures and MACs of ours, checked and made by the primitives themselves, written down once more."""

import hmac
from collections.abc import Mapping

import pytest
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from private_keys import PrivateKey, generate, pkcs8, spki

from keyferry_server.crypto.mac import generate_mac, is_mac
from keyferry_server.crypto.secret import Secret
from keyferry_server.crypto.signing import is_signed, sign, to_digest
from keyferry_server.domain.errors import ValidationException
from keyferry_server.domain.key_specs import MacAlgorithm, MessageType, SigningAlgorithm

MESSAGE = b"attack at dawn"
HASHES: dict[str, hashes.HashAlgorithm] = {
    "256": hashes.SHA256(),
    "384": hashes.SHA384(),
    "512": hashes.SHA512(),
}
SPECS = {
    "ECDSA_SHA_256": "ECC_SECG_P256K1",
    "ECDSA_SHA_384": "ECC_NIST_P384",
    "ECDSA_SHA_512": "ECC_NIST_P521",
}


@pytest.fixture(scope="module")
def keys() -> Mapping[str, PrivateKey]:
    return {spec: generate(spec) for spec in {*SPECS.values(), "RSA_2048"}}


def key_for(keys: Mapping[str, PrivateKey], algorithm: SigningAlgorithm) -> PrivateKey:
    return keys[SPECS.get(algorithm, "RSA_2048")]


def verify_independently(key: PrivateKey, algorithm: SigningAlgorithm, signature: bytes) -> None:
    """Verify as the algorithm's name says; InvalidSignature if it is not right."""
    digest = HASHES[algorithm[-3:]]
    if isinstance(key, ec.EllipticCurvePrivateKey):
        key.public_key().verify(signature, MESSAGE, ec.ECDSA(digest))
    elif "PSS" in algorithm:
        pss = padding.PSS(padding.MGF1(digest), digest.digest_size)
        key.public_key().verify(signature, MESSAGE, pss, digest)
    else:
        key.public_key().verify(signature, MESSAGE, padding.PKCS1v15(), digest)


@pytest.mark.parametrize("algorithm", SigningAlgorithm)
def test_a_signature_is_that_of_the_algorithm_of_its_name(
    keys: Mapping[str, PrivateKey], algorithm: SigningAlgorithm
) -> None:
    key = key_for(keys, algorithm)
    signature = sign(algorithm, to_digest(algorithm, MESSAGE, MessageType.RAW), Secret(pkcs8(key)))

    verify_independently(key, algorithm, signature)

    for other in set(SigningAlgorithm) - {algorithm}:
        if (other in SPECS) == (algorithm in SPECS):
            with pytest.raises(InvalidSignature):
                verify_independently(key, other, signature)


@pytest.mark.parametrize("algorithm", SigningAlgorithm)
def test_only_the_right_signature_is_one(keys: Mapping[str, PrivateKey], algorithm: SigningAlgorithm) -> None:
    key = key_for(keys, algorithm)
    digest = to_digest(algorithm, MESSAGE, MessageType.RAW)
    signature = sign(algorithm, digest, Secret(pkcs8(key)))

    assert is_signed(algorithm, digest, signature, spki(key))

    stranger = generate(SPECS.get(algorithm, "RSA_2048"))
    assert not is_signed(algorithm, digest, signature, spki(stranger))
    assert not is_signed(algorithm, digest[:-1] + bytes([digest[-1] ^ 1]), signature, spki(key))
    for wrong in (b"x", signature[:-1], signature + b"\0", bytes(len(signature)), signature[:-1] + b"\0\0"):
        assert not is_signed(algorithm, digest, wrong, spki(key))


@pytest.mark.parametrize("algorithm", SigningAlgorithm)
def test_a_message_and_its_digest_have_the_same_signature(algorithm: SigningAlgorithm) -> None:
    digest = hashes.Hash(HASHES[algorithm[-3:]])
    digest.update(MESSAGE)
    finished = digest.finalize()

    assert to_digest(algorithm, MESSAGE, MessageType.RAW) == finished
    assert to_digest(algorithm, finished, MessageType.DIGEST) == finished
    for wrong in (b"x", finished[:-1], finished + b"\0", MESSAGE):
        with pytest.raises(ValidationException) as refused:
            to_digest(algorithm, wrong, MessageType.DIGEST)
        assert refused.value.message == f"Digest is invalid length for algorithm {algorithm}."


def test_a_pss_signature_with_a_salt_of_another_length_is_not_one(keys: Mapping[str, PrivateKey]) -> None:
    key = keys["RSA_2048"]
    assert isinstance(key, rsa.RSAPrivateKey)
    algorithm = SigningAlgorithm.RSASSA_PSS_SHA_256
    digest = to_digest(algorithm, MESSAGE, MessageType.RAW)
    for salt_bytes, expected in ((32, True), (20, False), (0, False)):
        pss = padding.PSS(padding.MGF1(hashes.SHA256()), salt_bytes)
        signature = key.sign(MESSAGE, pss, hashes.SHA256())
        assert is_signed(algorithm, digest, signature, spki(key)) is expected


@pytest.mark.parametrize("algorithm", MacAlgorithm)
def test_a_mac_is_the_hmac_of_its_name_and_only_the_whole_of_it(algorithm: MacAlgorithm) -> None:
    key = bytes(range(64))
    mac = generate_mac(algorithm, Secret(key), MESSAGE)

    assert mac == hmac.new(key, MESSAGE, f"sha{algorithm[-3:]}").digest()
    assert is_mac(algorithm, Secret(key), MESSAGE, mac)
    for wrong in (mac[:-1], mac + b"\0", mac[:-1] + bytes([mac[-1] ^ 1]), b"x"):
        assert not is_mac(algorithm, Secret(key), MESSAGE, wrong)
    assert not is_mac(algorithm, Secret(key[:-1]), MESSAGE, mac)
    assert not is_mac(algorithm, Secret(key), MESSAGE + b"\0", mac)
