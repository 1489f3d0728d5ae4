"""What a caller does with the wrapping public key, written without the code under test."""

import secrets

from cryptography.hazmat.primitives.asymmetric import padding, rsa
from cryptography.hazmat.primitives.hashes import SHA1, SHA256, HashAlgorithm
from cryptography.hazmat.primitives.keywrap import aes_key_wrap_with_padding
from cryptography.hazmat.primitives.serialization import load_der_public_key

from keyferry_server.domain.key_material import WrappingAlgorithm

HASHES: dict[WrappingAlgorithm, type[HashAlgorithm]] = {
    WrappingAlgorithm.RSAES_OAEP_SHA_1: SHA1,
    WrappingAlgorithm.RSAES_OAEP_SHA_256: SHA256,
    WrappingAlgorithm.RSA_AES_KEY_WRAP_SHA_1: SHA1,
    WrappingAlgorithm.RSA_AES_KEY_WRAP_SHA_256: SHA256,
}
OAEP_ALGORITHMS = [WrappingAlgorithm.RSAES_OAEP_SHA_1, WrappingAlgorithm.RSAES_OAEP_SHA_256]
RSA_AES_ALGORITHMS = [WrappingAlgorithm.RSA_AES_KEY_WRAP_SHA_1, WrappingAlgorithm.RSA_AES_KEY_WRAP_SHA_256]


def encrypt_oaep(
    public_key: bytes, plaintext: bytes, algorithm: WrappingAlgorithm, label: bytes | None = None
) -> bytes:
    loaded = load_der_public_key(public_key)
    assert isinstance(loaded, rsa.RSAPublicKey)
    hash_of = HASHES[algorithm]
    return loaded.encrypt(plaintext, padding.OAEP(padding.MGF1(hash_of()), hash_of(), label))


def wrap(public_key: bytes, material: bytes, algorithm: WrappingAlgorithm) -> bytes:
    if algorithm in OAEP_ALGORITHMS:
        return encrypt_oaep(public_key, material, algorithm)
    aes_key = secrets.token_bytes(32)
    return encrypt_oaep(public_key, aes_key, algorithm) + aes_key_wrap_with_padding(aes_key, material)
