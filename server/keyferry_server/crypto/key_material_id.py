"""The name of a key material.

::

    key      HKDF(installation secret, "keyferry key material id v1")
    message  length of key id (u32) | key id | length of material (u32) | material
    name     HMAC-SHA-256(key, message) as 64 lower-case hexadecimal digits

The same material in the same key has the same name for ever: after deletion,
expiry and rotation of the root key. In another key it has another name. Without
the installation secret a name tells nothing, not even whether a guess is right.

The material of a key pair is, here, its public key (DER SubjectPublicKeyInfo): so the
private key has the same name in every encoding, and the public key, which lies in
the database in the clear, can be checked against the name.
"""

import hmac
import struct

from keyferry_server.crypto.installation import derive_key
from keyferry_server.crypto.secret import Secret

_LABEL = b"keyferry key material id v1"
_LENGTH = struct.Struct(">I")


class KeyMaterialIds:
    """Names key materials."""

    def __init__(self, installation_secret: Secret) -> None:
        self._key = derive_key(installation_secret, _LABEL)

    def of(self, key_id: str, material: Secret) -> str:
        """Return the name of `material` in the key `key_id`: 64 hexadecimal digits."""
        name = key_id.encode()
        prefix = _LENGTH.pack(len(name)) + name + _LENGTH.pack(len(material))
        return hmac.digest(self._key.reveal(), prefix + material.reveal(), "sha256").hex()
