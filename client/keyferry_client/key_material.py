"""The form of key material, checked before it is wrapped: afterwards nobody can name the slip.

::

    SYMMETRIC_DEFAULT    exactly 32 raw bytes
    HMAC_224 to _512     raw bytes, from the bits of the key spec up to 128 bytes
    RSA_*, ECC_*         the private key, PKCS#8 in DER, not encrypted  (`private_key_material`)

What is usually given instead of raw bytes is those bytes written as text, or their
number of bits taken for a number of bytes. The messages name the slip and its remedy;
they never show any of the material.
"""

import re

from keyferry_client.errors import InputError, KeyMaterialError
from keyferry_client.private_key_material import PRIVATE_KEYS, check_private_key_material

Material = bytes | bytearray | memoryview
"""Key material. Of these only a bytearray can be wiped."""

SYMMETRIC_DEFAULT = "SYMMETRIC_DEFAULT"
SYMMETRIC_KEY_BYTES = 32
MOST_HMAC_KEY_BYTES = 128
# Longer than that of any key spec. Who reads material from a file or a pipe need not read more.
MOST_MATERIAL_BYTES = 4096

# Fewest and most bytes of raw key material.
RAW_KEYS = {
    SYMMETRIC_DEFAULT: (SYMMETRIC_KEY_BYTES, SYMMETRIC_KEY_BYTES),
    "HMAC_224": (28, MOST_HMAC_KEY_BYTES),
    "HMAC_256": (32, MOST_HMAC_KEY_BYTES),
    "HMAC_384": (48, MOST_HMAC_KEY_BYTES),
    "HMAC_512": (64, MOST_HMAC_KEY_BYTES),
}

_PEM_START = b"-----BEGIN"
_HEX = re.compile(rb"(?:[0-9a-fA-F]{2})+")
_BASE64 = re.compile(rb"[A-Za-z0-9+/_-]+={0,2}")
_SHORTER_AES_KEY_BYTES = (16, 24)


def check_key_material(material: Material, key_spec: str = SYMMETRIC_DEFAULT) -> None:
    """Raise KeyMaterialError unless `material` has the form that a key of `key_spec` needs.

    The message names the slip if it is a usual one. InputError for an unknown key spec,
    TypeError if the material is not bytes.
    """
    if not isinstance(material, Material):
        raise TypeError(f"key material is bytes, a bytearray or a memoryview, not {type(material).__name__}")
    name = key_spec.removeprefix("KEY_SPEC_")
    raw = bytes(material)
    if name in PRIVATE_KEYS:
        check_private_key_material(raw, name)
    elif name in RAW_KEYS:
        _check_raw(raw, name)
    else:
        raise InputError(
            f"There is no key spec {name!r}; it is one of {', '.join([*RAW_KEYS, *PRIVATE_KEYS])}."
        )


def wipe(material: bytearray) -> None:
    """Overwrite `material` with zeros. Copies that Python or a library made elsewhere stay."""
    material[:] = bytes(len(material))


def _check_raw(material: bytes, key_spec: str) -> None:
    fewest, most = RAW_KEYS[key_spec]
    if fewest <= len(material) <= most:
        return
    needed = f"exactly {fewest}" if fewest == most else f"{fewest} to {most}"
    owner = "a symmetric key" if key_spec == SYMMETRIC_DEFAULT else f"a key of the key spec {key_spec}"
    raise KeyMaterialError(
        f"The key material of {owner} is {needed} raw bytes. {_slip(material, range(fewest, most + 1))}"
    )


def _slip(material: bytes, lengths: range) -> str:
    """Say what material is that has none of the right lengths."""
    text = material.strip()
    digits = text.removeprefix(b"0x").removeprefix(b"0X")
    line = material.removesuffix(b"\n").removesuffix(b"\r")
    slips = (
        (not material, "This is empty."),
        (text.startswith(_PEM_START), "This is PEM, a text form: give the raw bytes of the key."),
        (
            _HEX.fullmatch(digits) and len(digits) // 2 in lengths,
            f"This is {len(digits)} hexadecimal digits, the key written as text: decode it with `xxd -r -p`.",
        ),
        (
            _BASE64.fullmatch(text) and len(text.rstrip(b"=")) * 3 // 4 in lengths,
            "This is base64, the key written as text: decode it with `base64 -d`.",
        ),
        (
            material.endswith(b"\n") and len(line) in lengths,
            f"This is {len(line)} bytes and a trailing newline: leave the newline away.",
        ),
        (
            len(material) == 8 * lengths[0],
            f"This is {len(material)} bytes: {len(material)} is the number of bits.",
        ),
        (
            len(material) in _SHORTER_AES_KEY_BYTES,
            f"This is {len(material)} bytes, a key of {8 * len(material)} bits instead of {8 * lengths[0]}.",
        ),
    )
    return next((slip for is_it, slip in slips if is_it), f"This is {len(material)} bytes.")
