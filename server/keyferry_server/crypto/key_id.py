"""Key IDs as 17 bytes, inside import tokens and ciphertext blobs.

::

     0        1                             17
     ├────────┼──────────────────────────────┤
     │ form   │ 128 bits, big endian         │
     └────────┴──────────────────────────────┘

    form 0   1234abcd-12ab-34cd-56ef-1234567890ab
    form 1   mrk-1234abcd12ab34cd56ef1234567890ab
"""

KEY_ID_BYTES = 17
_UUID_FORM = b"\x00"
_MULTI_REGION_FORM = b"\x01"
_MULTI_REGION_PREFIX = "mrk-"


def encode_key_id(key_id: str) -> bytes:
    """Return the 17 bytes of a well-formed key ID; ValueError for any other text."""
    if key_id.startswith(_MULTI_REGION_PREFIX):
        encoded = _MULTI_REGION_FORM + bytes.fromhex(key_id.removeprefix(_MULTI_REGION_PREFIX))
    else:
        encoded = _UUID_FORM + bytes.fromhex(key_id.replace("-", ""))
    if decode_key_id(encoded) != key_id:
        raise ValueError("This is not a key ID.")
    return encoded


def decode_key_id(encoded: bytes) -> str | None:
    """Return the key ID of 17 bytes, or None if they are not those of one."""
    if len(encoded) != KEY_ID_BYTES:
        return None
    digits = encoded[1:].hex()
    form = encoded[:1]
    if form == _UUID_FORM:
        return f"{digits[:8]}-{digits[8:12]}-{digits[12:16]}-{digits[16:20]}-{digits[20:]}"
    if form == _MULTI_REGION_FORM:
        return _MULTI_REGION_PREFIX + digits
    return None
