"""Elliptic curve Diffie-Hellman: the x coordinate of the shared point, as it is.

The peer's public key is the caller's. That its point lies on the curve of our key, and
is not the point at infinity, is checked when it is read: on another curve a few
answers would give our private key away.
"""

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import load_der_public_key

from keyferry_server.crypto.key_material.pkcs8 import load_kept_private_key, load_kept_public_key
from keyferry_server.crypto.secret import Secret
from keyferry_server.domain.errors import KMSInternalException, ValidationException


def read_peer(peer: bytes, own_public_key: bytes) -> ec.EllipticCurvePublicKey:
    """Read the peer's public key, DER SubjectPublicKeyInfo; ValidationException if it is not of our key's curve."""
    own = load_kept_public_key(own_public_key)
    if not isinstance(own, ec.EllipticCurvePublicKey):
        raise KMSInternalException("A stored public key is not one of an elliptic curve.")
    key = _read_or_none(peer)
    if key is None or key.curve.name != own.curve.name:
        raise ValidationException(
            "The public key must be a DER-encoded X.509 SubjectPublicKeyInfo of a point on the curve "
            f"{own.curve.name}, the curve of the KMS key."
        )
    return key


def derive_shared_secret(peer: ec.EllipticCurvePublicKey, private_key: Secret) -> Secret:
    """Return the raw shared secret: as many bytes as a coordinate of the curve has."""
    key = load_kept_private_key(private_key)
    if not isinstance(key, ec.EllipticCurvePrivateKey):
        raise KMSInternalException("A stored private key is not one of an elliptic curve.")
    return Secret(key.exchange(ec.ECDH(), peer))


def _read_or_none(peer: bytes) -> ec.EllipticCurvePublicKey | None:
    try:
        key = load_der_public_key(peer)
    except (ValueError, UnsupportedAlgorithm):
        return None
    return key if isinstance(key, ec.EllipticCurvePublicKey) else None
