"""The form of key material, checked before it is wrapped: afterwards nobody can name the slip.

A symmetric key takes exactly 32 raw bytes. What is usually given instead is those
bytes written as text, or their number of bits taken for a number of bytes. The
messages name the slip and its remedy; they never show any of the material.
"""

import re

from keyferry_client.errors import KeyMaterialError

SYMMETRIC_KEY_BYTES = 32
SYMMETRIC_KEY_BITS = 256

_PEM_START = b"-----BEGIN"
_KEY_AS_HEX = re.compile(rb"(0[xX])?[0-9a-fA-F]{64}")
_KEY_AS_BASE64 = re.compile(rb"[A-Za-z0-9+/_-]{43}=?")
_SHORTER_AES_KEY_BYTES = (16, 24)


def check_symmetric_key_material(material: bytes | bytearray) -> None:
    """Raise KeyMaterialError unless `material` is 32 bytes; the message names the slip if it is a usual one."""
    if len(material) != SYMMETRIC_KEY_BYTES:
        raise KeyMaterialError(
            f"The key material of a symmetric key is exactly {SYMMETRIC_KEY_BYTES} raw bytes. {_slip(material)}"
        )


def _slip(material: bytes | bytearray) -> str:
    text = material.strip()
    slips = (
        (not material, "This is empty."),
        (text.startswith(_PEM_START), "This is PEM, a text form: give the raw bytes of the key."),
        (
            _KEY_AS_HEX.fullmatch(text),
            "This is 64 hexadecimal digits, the key written as text: decode it, for example with `xxd -r -p`.",
        ),
        (
            _KEY_AS_BASE64.fullmatch(text),
            "This is base64, the key written as text: decode it, for example with `base64 -d`.",
        ),
        (
            material[SYMMETRIC_KEY_BYTES:] in (b"\n", b"\r\n"),
            "This is 32 bytes and a trailing newline: leave the newline away.",
        ),
        (len(material) == SYMMETRIC_KEY_BITS, "This is 256 bytes: 256 is the number of bits."),
        (
            len(material) in _SHORTER_AES_KEY_BYTES,
            f"This is {len(material)} bytes, a key of {8 * len(material)} bits instead of 256.",
        ),
    )
    return next((slip for is_it, slip in slips if is_it), f"This is {len(material)} bytes.")
