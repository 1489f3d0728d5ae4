"""RSAES_OAEP_SHA_1 and RSAES_OAEP_SHA_256: the key material directly under RSA-OAEP.

::

     0                                     modulus bytes
     ├─────────────────────────────────────┤
     │ RSA-OAEP(key material)              │
     └─────────────────────────────────────┘

MGF1 uses the same hash as OAEP, and the label is empty. At most modulus bytes
- 2 * hash bytes - 2 fit in.

SHA-1 is safe here: OAEP does not lean on collision resistance. It is kept for
hardware security modules that know no other.
"""

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding

from keyferry_server.crypto.secret import Secret
from keyferry_server.crypto.wrapping.wrapping_key import WrappingPrivateKey
from keyferry_server.domain.errors import InvalidCiphertextException, ValidationException


def oaep(algorithm: hashes.HashAlgorithm) -> padding.OAEP:
    """Return OAEP with `algorithm` in both of its places and no label."""
    return padding.OAEP(padding.MGF1(algorithm), algorithm, label=None)


OAEP_SHA_1 = oaep(hashes.SHA1())  # noqa: S303 -- see the docstring
OAEP_SHA_256 = oaep(hashes.SHA256())


def unwrap(oaep_padding: padding.OAEP, wrapping_key: WrappingPrivateKey, encrypted: bytes) -> Secret:
    """Unwrap key material.

    ValidationException for a wrong length, which is no secret and which the sender
    can see too; one InvalidCiphertextException for everything else.
    """
    if len(encrypted) != wrapping_key.modulus_bytes:
        raise ValidationException("Invalid encrypted key size.")
    material = wrapping_key.decrypt(encrypted, oaep_padding)
    if material is None:
        raise InvalidCiphertextException
    return material
