"""Signatures under the heads of the audit log: Ed25519.

The private key is HKDF(installation secret, "keyferry audit head v1"). Whoever has the
database without the root key has no installation secret, and cannot sign; whoever has
the public key can check, and needs nothing secret for it.
"""

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from keyferry_server.crypto.installation import derive_key
from keyferry_server.crypto.secret import Secret

_LABEL = b"keyferry audit head v1"


class AuditSigner:
    """Signs heads and checks signatures."""

    def __init__(self, installation_secret: Secret) -> None:
        self._key = Ed25519PrivateKey.from_private_bytes(derive_key(installation_secret, _LABEL).reveal())

    @property
    def public_key(self) -> bytes:
        """The 32 bytes that check signatures."""
        return self._key.public_key().public_bytes_raw()

    def sign(self, content: bytes) -> bytes:
        """Return the signature of `content`, 64 bytes."""
        return self._key.sign(content)

    def is_signed(self, content: bytes, signature: bytes) -> bool:
        """Tell whether `signature` is ours under `content`."""
        return is_signed_by(self.public_key, content, signature)


def is_signed_by(public_key: bytes, content: bytes, signature: bytes) -> bool:
    """Tell whether `signature` is that of the key under `content`."""
    try:
        Ed25519PublicKey.from_public_bytes(public_key).verify(signature, content)
    except InvalidSignature:
        return False
    return True
