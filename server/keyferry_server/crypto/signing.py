"""Signatures: RSASSA-PSS, RSASSA-PKCS1-v1_5 and ECDSA, one row an algorithm.

===============================  ==================  ============================================
algorithm                        hash                padding
===============================  ==================  ============================================
RSASSA_PSS_SHA_*                 of the name         PSS: MGF1 with the same hash, salt as long
RSASSA_PKCS1_V1_5_SHA_*          of the name         PKCS #1 v1.5
ECDSA_SHA_*                      of the name         none; the signature is DER (RFC 3279, 2.2.3)
===============================  ==================  ============================================

What is signed is always a digest: the caller's, or that of the caller's message. So
a message and its digest have the same signature.

A signature takes less than a millisecond, with RSA_3072 1.3 and with RSA_4096 2.3:
these two belong in a thread.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric import ec, padding
from cryptography.hazmat.primitives.asymmetric.utils import Prehashed
from cryptography.hazmat.primitives.hashes import SHA256, SHA384, SHA512, Hash, HashAlgorithm

from keyferry_server.crypto.key_material.pkcs8 import load_kept_private_key, load_kept_public_key
from keyferry_server.crypto.secret import Secret
from keyferry_server.domain.errors import ValidationException
from keyferry_server.domain.key_specs import MessageType, SigningAlgorithm

_RsaPadding = padding.PSS | padding.PKCS1v15


@dataclass(frozen=True, slots=True)
class _Scheme:
    hash: HashAlgorithm
    rsa_padding: _RsaPadding | None


def _pss(algorithm: HashAlgorithm) -> _Scheme:
    return _Scheme(algorithm, padding.PSS(padding.MGF1(algorithm), algorithm.digest_size))


_SCHEMES: Mapping[SigningAlgorithm, _Scheme] = {
    SigningAlgorithm.RSASSA_PSS_SHA_256: _pss(SHA256()),
    SigningAlgorithm.RSASSA_PSS_SHA_384: _pss(SHA384()),
    SigningAlgorithm.RSASSA_PSS_SHA_512: _pss(SHA512()),
    SigningAlgorithm.RSASSA_PKCS1_V1_5_SHA_256: _Scheme(SHA256(), padding.PKCS1v15()),
    SigningAlgorithm.RSASSA_PKCS1_V1_5_SHA_384: _Scheme(SHA384(), padding.PKCS1v15()),
    SigningAlgorithm.RSASSA_PKCS1_V1_5_SHA_512: _Scheme(SHA512(), padding.PKCS1v15()),
    SigningAlgorithm.ECDSA_SHA_256: _Scheme(SHA256(), None),
    SigningAlgorithm.ECDSA_SHA_384: _Scheme(SHA384(), None),
    SigningAlgorithm.ECDSA_SHA_512: _Scheme(SHA512(), None),
}


def to_digest(algorithm: SigningAlgorithm, message: bytes, message_type: MessageType) -> bytes:
    """Return what is signed; ValidationException for a DIGEST that is not as long as the algorithm's."""
    scheme = _SCHEMES[algorithm]
    if message_type is MessageType.RAW:
        digest = Hash(scheme.hash)
        digest.update(message)
        return digest.finalize()
    if len(message) != scheme.hash.digest_size:
        raise ValidationException(f"Digest is invalid length for algorithm {algorithm}.")
    return message


def sign(algorithm: SigningAlgorithm, digest: bytes, private_key: Secret) -> bytes:
    """Sign a digest with a private key that has the algorithm."""
    scheme, key = _SCHEMES[algorithm], load_kept_private_key(private_key)
    prehashed = Prehashed(scheme.hash)
    if isinstance(key, ec.EllipticCurvePrivateKey):
        return key.sign(digest, ec.ECDSA(prehashed))
    return key.sign(digest, _padding(algorithm), prehashed)


def is_signed(algorithm: SigningAlgorithm, digest: bytes, signature: bytes, public_key: bytes) -> bool:
    """Tell whether a signature is that of the digest by the private key of `public_key`."""
    scheme, key = _SCHEMES[algorithm], load_kept_public_key(public_key)
    prehashed = Prehashed(scheme.hash)
    try:
        if isinstance(key, ec.EllipticCurvePublicKey):
            key.verify(signature, digest, ec.ECDSA(prehashed))
        else:
            key.verify(signature, digest, _padding(algorithm), prehashed)
    except InvalidSignature:
        return False
    return True


def _padding(algorithm: SigningAlgorithm) -> _RsaPadding:
    rsa_padding = _SCHEMES[algorithm].rsa_padding
    if rsa_padding is None:
        raise TypeError(f"{algorithm} is not an algorithm of RSA keys")
    return rsa_padding
