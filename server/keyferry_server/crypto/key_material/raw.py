"""Raw bytes: the keys of AES-256 and HMAC.

For HMAC keys AWS's documents disagree whether other lengths than the spec's may be
imported. Taken is what both allow: from the spec's length to 1024 bits.
"""

from keyferry_server.crypto.key_material.material import Material
from keyferry_server.crypto.secret import Secret
from keyferry_server.domain.errors import IncorrectKeyMaterialException
from keyferry_server.domain.key_material import SYMMETRIC_KEY_MATERIAL_BYTES, check_key_material

SYMMETRIC_BYTES = SYMMETRIC_KEY_MATERIAL_BYTES
LONGEST_HMAC_BYTES = 128


def generate(length: int) -> Material:
    """Return `length` random bytes."""
    return Material(Secret.generate(length))


def check_form(shortest: int, longest: int, imported: Secret) -> None:
    """Check the length in bytes."""
    length = len(imported)
    if shortest == longest:
        check_key_material(length)
    elif not shortest <= length <= longest:
        raise IncorrectKeyMaterialException(
            f"The key material must be {shortest} to {longest} bytes for an HMAC key of this key spec; the unwrapped "
            f"key material has {length} bytes. Wrap the raw bytes: no hex, base64 or trailing newline."
        )


def canonicalise(shortest: int, longest: int, imported: Secret) -> Material:
    """Return the bytes as they are."""
    check_form(shortest, longest, imported)
    return Material(imported)
