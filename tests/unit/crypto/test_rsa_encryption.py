"""RSAES-OAEP under a KMS key: bare ciphertexts, and one refusal for everything that is wrong with one."""

import pytest
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding, rsa
from private_keys import generate, pkcs8, spki
from unit.crypto.leaks import shown_by, shows

from keyferry_server.crypto.rsa_encryption import decrypt, encrypt
from keyferry_server.crypto.secret import Secret
from keyferry_server.domain.errors import InvalidCiphertextException, KMSInternalException
from keyferry_server.domain.key_specs import EncryptionAlgorithm

HASHES: dict[EncryptionAlgorithm, hashes.HashAlgorithm] = {
    EncryptionAlgorithm.RSAES_OAEP_SHA_1: hashes.SHA1(),  # noqa: S303 -- AWS's algorithm
    EncryptionAlgorithm.RSAES_OAEP_SHA_256: hashes.SHA256(),
}


@pytest.fixture(scope="module")
def key() -> rsa.RSAPrivateKey:
    made = generate("RSA_2048")
    assert isinstance(made, rsa.RSAPrivateKey)
    return made


@pytest.mark.parametrize("algorithm", HASHES)
def test_a_ciphertext_is_plain_oaep_both_ways(key: rsa.RSAPrivateKey, algorithm: EncryptionAlgorithm) -> None:
    oaep = padding.OAEP(padding.MGF1(HASHES[algorithm]), HASHES[algorithm], None)
    largest = bytes(256 - 2 * HASHES[algorithm].digest_size - 2)
    for plaintext in (b"x", largest):
        ciphertext = encrypt(algorithm, plaintext, spki(key))
        assert len(ciphertext) == 256
        assert key.decrypt(ciphertext, oaep) == plaintext
        theirs = key.public_key().encrypt(plaintext, oaep)
        assert decrypt(algorithm, theirs, Secret(pkcs8(key))).reveal() == plaintext


def test_whatever_is_wrong_with_a_ciphertext_the_refusal_is_the_same(key: rsa.RSAPrivateKey) -> None:
    algorithm = EncryptionAlgorithm.RSAES_OAEP_SHA_256
    right = encrypt(algorithm, b"secret plaintext", spki(key))
    modulus = key.public_key().public_numbers().n.to_bytes(256, "big")
    for wrong in (
        b"x",
        right[:-1],
        right + b"\0",
        b"\0" + right,
        right[:-1] + bytes([right[-1] ^ 1]),
        bytes(256),
        modulus,
        b"\xff" * 256,
        encrypt(EncryptionAlgorithm.RSAES_OAEP_SHA_1, b"text", spki(key)),
        encrypt(algorithm, b"text", spki(generate("RSA_2048"))),
    ):
        with pytest.raises(InvalidCiphertextException) as refused:
            decrypt(algorithm, wrong, Secret(pkcs8(key)))
        assert refused.value.message == ""
        assert refused.value.__context__ is None
        assert not shows(shown_by(refused.value), pkcs8(key)[-40:])


def test_a_kept_key_that_is_no_rsa_key_is_an_internal_fault() -> None:
    other = generate("ECC_NIST_P256")
    with pytest.raises(KMSInternalException):
        encrypt(EncryptionAlgorithm.RSAES_OAEP_SHA_256, b"text", spki(other))
    with pytest.raises(KMSInternalException):
        decrypt(EncryptionAlgorithm.RSAES_OAEP_SHA_256, bytes(256), Secret(pkcs8(other)))
