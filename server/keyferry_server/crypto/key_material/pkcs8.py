"""Private keys as bytes: PKCS#8 DER on its way in, and the form that we keep.

::

    PrivateKeyInfo ::= SEQUENCE {                30 length
        version              INTEGER,            02 01 00, or 02 01 01 (RFC 5958)
        privateKeyAlgorithm  SEQUENCE { … },     of one key spec always the same bytes
        privateKey           OCTET STRING,
        … }

The library also reads PKCS#1, SEC 1 and curves that are written out in numbers.
So the bytes up to the algorithm are compared: with a named curve, and PKCS#8, there
is one way to write them in DER.
"""

import re

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
    load_der_private_key,
    load_der_public_key,
)

from keyferry_server.crypto.key_material.material import Material
from keyferry_server.crypto.secret import Secret
from keyferry_server.domain.errors import KMSInternalException

PrivateKey = rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey
PublicKey = rsa.RSAPublicKey | ec.EllipticCurvePublicKey

_LENGTH = rb"(?:[\x00-\x7f]|\x81.|\x82..)"


def read_imported(imported: Secret, algorithm: bytes) -> PrivateKey | None:
    """Read unencrypted PKCS#8 DER whose algorithm identifier is `algorithm`; None if it is anything else.

    An elliptic curve key has been checked then. Of an RSA key only the form has.
    """
    head = rb"\x30" + _LENGTH + rb"\x02\x01[\x00\x01]" + re.escape(algorithm)
    if re.match(head, imported.reveal(), re.DOTALL) is None:
        return None
    return _load_or_none(imported)


def to_material(private_key: PrivateKey) -> Material:
    """Return a private key in the one form in which it is kept."""
    return Material(
        Secret(private_key.private_bytes(Encoding.DER, PrivateFormat.PKCS8, NoEncryption())),
        private_key.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo),
    )


def load_kept_private_key(private_key: Secret) -> PrivateKey:
    """Load a private key that was kept; KMSInternalException if it is none."""
    loaded = _load_or_none(private_key)
    if loaded is None:
        raise KMSInternalException("A stored private key could not be read.")
    return loaded


def load_kept_public_key(public_key: bytes) -> PublicKey:
    """Load a public key that was kept; KMSInternalException if it is none."""
    try:
        loaded = load_der_public_key(public_key)
    except (ValueError, UnsupportedAlgorithm):
        loaded = None
    if not isinstance(loaded, PublicKey):
        raise KMSInternalException("A stored public key could not be read.")
    return loaded


def _load_or_none(private_key: Secret) -> PrivateKey | None:
    try:
        # The validation of RSA keys is skipped: it holds the GIL for 30 to 210 ms. What is kept was
        # made here or validated when it was imported, and has just been unsealed with authenticated
        # encryption; what is imported is validated elsewhere (``rsa_key_check``).
        loaded = load_der_private_key(
            private_key.reveal(), password=None, unsafe_skip_rsa_key_validation=True
        )
    except (ValueError, TypeError, UnsupportedAlgorithm):
        return None
    return loaded if isinstance(loaded, PrivateKey) else None
