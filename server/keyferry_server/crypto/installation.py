"""The installation secret, and the keys derived from it.

It is generated once, sealed under the root key, and never changes: names of key
materials and import tokens outlive a rotation of the root key. Each use has its
own key, by HKDF-SHA-256 with the label of the use, so that one installation
secret serves them all and none of them can stand in for another.
"""

from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from keyferry_server.crypto.secret import Secret

INSTALLATION_SECRET_BYTES = 32
_KEY_BYTES = 32


def derive_key(installation_secret: Secret, label: bytes) -> Secret:
    """Return the 32-byte key of one use, which `label` names; ValueError for a secret of another length."""
    if len(installation_secret) != INSTALLATION_SECRET_BYTES:
        raise ValueError(f"An installation secret has {INSTALLATION_SECRET_BYTES} bytes.")
    # No salt: the secret is uniformly random already (RFC 5869, 3.1).
    return Secret(HKDF(SHA256(), _KEY_BYTES, salt=None, info=label).derive(installation_secret.reveal()))
