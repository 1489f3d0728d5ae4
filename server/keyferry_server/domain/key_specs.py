"""What each kind of key is for: key spec, key usage, algorithms.

The table below is all of it; an algorithm is usable exactly with the key specs that
list it. A key has one usage, for good: a key pair that both signed and decrypted
could be led to sign what looks like a ciphertext.
"""

from collections.abc import Mapping
from enum import StrEnum

from keyferry_server.domain.errors import (
    InvalidKeyUsageException,
    UnsupportedOperationException,
    ValidationException,
)
from keyferry_server.domain.key import Key, KeySpec, KeyUsage


class EncryptionAlgorithm(StrEnum):
    """How Encrypt, Decrypt and ReEncrypt encrypt."""

    SYMMETRIC_DEFAULT = "SYMMETRIC_DEFAULT"
    RSAES_OAEP_SHA_1 = "RSAES_OAEP_SHA_1"
    RSAES_OAEP_SHA_256 = "RSAES_OAEP_SHA_256"


class SigningAlgorithm(StrEnum):
    """How Sign and Verify sign."""

    RSASSA_PSS_SHA_256 = "RSASSA_PSS_SHA_256"
    RSASSA_PSS_SHA_384 = "RSASSA_PSS_SHA_384"
    RSASSA_PSS_SHA_512 = "RSASSA_PSS_SHA_512"
    RSASSA_PKCS1_V1_5_SHA_256 = "RSASSA_PKCS1_V1_5_SHA_256"
    RSASSA_PKCS1_V1_5_SHA_384 = "RSASSA_PKCS1_V1_5_SHA_384"
    RSASSA_PKCS1_V1_5_SHA_512 = "RSASSA_PKCS1_V1_5_SHA_512"
    ECDSA_SHA_256 = "ECDSA_SHA_256"
    ECDSA_SHA_384 = "ECDSA_SHA_384"
    ECDSA_SHA_512 = "ECDSA_SHA_512"


class MacAlgorithm(StrEnum):
    """How GenerateMac and VerifyMac authenticate."""

    HMAC_SHA_224 = "HMAC_SHA_224"
    HMAC_SHA_256 = "HMAC_SHA_256"
    HMAC_SHA_384 = "HMAC_SHA_384"
    HMAC_SHA_512 = "HMAC_SHA_512"


class KeyAgreementAlgorithm(StrEnum):
    """How DeriveSharedSecret agrees on a secret."""

    ECDH = "ECDH"


class MessageType(StrEnum):
    """Whether Sign and Verify are given the message or its digest."""

    RAW = "RAW"
    DIGEST = "DIGEST"


class DataKeyPairSpec(StrEnum):
    """The kind of data key pair."""

    RSA_2048 = "RSA_2048"
    RSA_3072 = "RSA_3072"
    RSA_4096 = "RSA_4096"
    ECC_NIST_P256 = "ECC_NIST_P256"
    ECC_NIST_P384 = "ECC_NIST_P384"
    ECC_NIST_P521 = "ECC_NIST_P521"
    ECC_SECG_P256K1 = "ECC_SECG_P256K1"


Algorithm = EncryptionAlgorithm | SigningAlgorithm | MacAlgorithm | KeyAgreementAlgorithm

_S, _M = SigningAlgorithm, MacAlgorithm
_RSA: Mapping[KeyUsage, tuple[Algorithm, ...]] = {
    KeyUsage.ENCRYPT_DECRYPT: (EncryptionAlgorithm.RSAES_OAEP_SHA_1, EncryptionAlgorithm.RSAES_OAEP_SHA_256),
    KeyUsage.SIGN_VERIFY: (
        _S.RSASSA_PKCS1_V1_5_SHA_256,
        _S.RSASSA_PKCS1_V1_5_SHA_384,
        _S.RSASSA_PKCS1_V1_5_SHA_512,
        _S.RSASSA_PSS_SHA_256,
        _S.RSASSA_PSS_SHA_384,
        _S.RSASSA_PSS_SHA_512,
    ),
}
_ECDH = (KeyAgreementAlgorithm.ECDH,)

# fmt: off
ALGORITHMS: Mapping[KeySpec, Mapping[KeyUsage, tuple[Algorithm, ...]]] = {
    KeySpec.SYMMETRIC_DEFAULT: {KeyUsage.ENCRYPT_DECRYPT: (EncryptionAlgorithm.SYMMETRIC_DEFAULT,)},
    KeySpec.RSA_2048: _RSA,
    KeySpec.RSA_3072: _RSA,
    KeySpec.RSA_4096: _RSA,
    KeySpec.ECC_NIST_P256: {KeyUsage.SIGN_VERIFY: (_S.ECDSA_SHA_256,), KeyUsage.KEY_AGREEMENT: _ECDH},
    KeySpec.ECC_NIST_P384: {KeyUsage.SIGN_VERIFY: (_S.ECDSA_SHA_384,), KeyUsage.KEY_AGREEMENT: _ECDH},
    KeySpec.ECC_NIST_P521: {KeyUsage.SIGN_VERIFY: (_S.ECDSA_SHA_512,), KeyUsage.KEY_AGREEMENT: _ECDH},
    KeySpec.ECC_SECG_P256K1: {KeyUsage.SIGN_VERIFY: (_S.ECDSA_SHA_256,)},
    KeySpec.HMAC_224: {KeyUsage.GENERATE_VERIFY_MAC: (_M.HMAC_SHA_224,)},
    KeySpec.HMAC_256: {KeyUsage.GENERATE_VERIFY_MAC: (_M.HMAC_SHA_256,)},
    KeySpec.HMAC_384: {KeyUsage.GENERATE_VERIFY_MAC: (_M.HMAC_SHA_384,)},
    KeySpec.HMAC_512: {KeyUsage.GENERATE_VERIFY_MAC: (_M.HMAC_SHA_512,)},
}
# fmt: on


ASYMMETRIC = frozenset(KeySpec(spec) for spec in DataKeyPairSpec)

# RFC 8017, 7.1.1: OAEP takes two hashes and two bytes of the modulus.
_MODULUS_BYTES = {KeySpec.RSA_2048: 256, KeySpec.RSA_3072: 384, KeySpec.RSA_4096: 512}
_OAEP_BYTES = {
    EncryptionAlgorithm.RSAES_OAEP_SHA_1: 2 * 20 + 2,
    EncryptionAlgorithm.RSAES_OAEP_SHA_256: 2 * 32 + 2,
}


def choose_key_spec(key_spec: KeySpec | None, deprecated: KeySpec | None) -> KeySpec:
    """Return the key spec that CreateKey is asked for, under the one or the other name; ValidationException for both."""
    if key_spec is not None and deprecated is not None:
        raise ValidationException(
            "You cannot specify KeySpec and CustomerMasterKeySpec in the same request. CustomerMasterKeySpec is deprecated."
        )
    return key_spec or deprecated or KeySpec.SYMMETRIC_DEFAULT


def choose_key_usage(key_usage: KeyUsage | None, key_spec: KeySpec) -> KeyUsage:
    """Return the usage of a new key; ValidationException if it is missing or not one of the key spec's."""
    if key_usage is None:
        if key_spec is not KeySpec.SYMMETRIC_DEFAULT:
            raise ValidationException(
                "You must specify a KeyUsage value for all KMS keys except for symmetric encryption keys."
            )
        return KeyUsage.ENCRYPT_DECRYPT
    if key_usage not in ALGORITHMS[key_spec]:
        raise ValidationException(f"KeyUsage {key_usage} is not compatible with KeySpec {key_spec}")
    return key_usage


def algorithms_of(key: Key) -> tuple[Algorithm, ...]:
    """Return the algorithms that a key can be used with."""
    return ALGORITHMS[key.key_spec][key.key_usage]


def check_use(key: Key, operation: str, usage: KeyUsage, algorithm: Algorithm) -> None:
    """Raise InvalidKeyUsageException unless the key is for that and has the algorithm."""
    if key.key_usage is not usage:
        raise InvalidKeyUsageException(
            f"{key.arn} key usage is {key.key_usage} which is not valid for {operation}."
        )
    if algorithm not in algorithms_of(key):
        raise InvalidKeyUsageException(f"Algorithm {algorithm} is incompatible with key spec {key.key_spec}.")


def check_has_public_key(key: Key) -> None:
    """Raise UnsupportedOperationException unless the key is asymmetric."""
    if key.key_spec not in ASYMMETRIC:
        raise UnsupportedOperationException(
            f"{key.arn} key spec is {key.key_spec} which is not valid for this operation: only asymmetric keys have "
            "a public key."
        )


def is_rsa(key_spec: KeySpec) -> bool:
    """Tell whether keys of this spec are RSA key pairs."""
    return key_spec in _MODULUS_BYTES


def check_asymmetric_encryption(
    key: Key, algorithm: EncryptionAlgorithm, context: Mapping[str, str], length: int
) -> None:
    """Raise ValidationException for what PKCS #1 has no place for: an encryption context, `length` bytes too many."""
    check_no_context(context)
    largest = _MODULUS_BYTES[key.key_spec] - _OAEP_BYTES[algorithm]
    if length > largest:
        raise ValidationException(
            f"Algorithm {algorithm} and key spec {key.key_spec} cannot encrypt data larger than {largest} bytes."
        )


def check_no_context(context: Mapping[str, str]) -> None:
    """Raise ValidationException if there is an encryption context, for a key that cannot bind one."""
    if context:
        raise ValidationException(
            "EncryptionContext is not supported when encrypting/decrypting with asymmetric CMKs."
        )
