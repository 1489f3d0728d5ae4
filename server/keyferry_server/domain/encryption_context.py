"""The encryption context as bytes, to be authenticated with a ciphertext.

::

     0          4
     ├──────────┼───────────────────────────────────────────────────────────┬ ─ ─
     │ pairs    │ key length │ key bytes │ value length │ value bytes       │ …
     │ u32      │ u32        │ UTF-8     │ u32          │ UTF-8             │
     └──────────┴───────────────────────────────────────────────────────────┴ ─ ─

Pairs are sorted by the bytes of their keys; numbers are big endian. Every part
says its length, so that two different contexts never have the same bytes:
joined without lengths, {"ab": "c"} would open what {"a": "bc"} sealed. No context
and an empty one are the same.
"""

import struct
from collections.abc import Mapping

from keyferry_server.domain.errors import FieldViolation, ValidationException

_NUMBER = struct.Struct(">I")
_EMPTY = _NUMBER.pack(0)


def encode_encryption_context(context: Mapping[str, str]) -> bytes:
    """Return the canonical bytes of `context`; ValidationException if a text is not valid Unicode."""
    if not context:
        return _EMPTY
    try:
        pairs = sorted((key.encode(), value.encode()) for key, value in context.items())
    except UnicodeEncodeError:
        member = "encryptionContext"
        violation = f"Value at '{member}' failed to satisfy constraint: Member must be valid Unicode text"
        raise ValidationException(
            f"1 validation error detected: {violation}", (FieldViolation(member, violation),)
        ) from None
    parts = [_NUMBER.pack(len(pairs))]
    for pair in pairs:
        for part in pair:
            parts += (_NUMBER.pack(len(part)), part)
    return b"".join(parts)
