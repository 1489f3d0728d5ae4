"""THE LIST of every place in the database that holds a sealed secret.

What seals and what unseals name their place by a row of this list; `root-key
status` counts along it and `root-key rewrap` walks it. A place that is not in it
would be lost with the next removal of an old root key version, so a test compares
it with the columns of ``storage/tables.py``.
"""

import struct
import uuid
from dataclasses import dataclass

_LENGTH = struct.Struct(">I")


@dataclass(frozen=True, slots=True)
class Place:
    """Where a sealed secret belongs: a table, a row's identity in it, and what the secret is for."""

    table: str
    row: str
    purpose: str

    def encode(self) -> bytes:
        """Return bytes that no other place has."""
        return b"".join(
            _LENGTH.pack(len(part)) + part
            for part in (self.table.encode(), self.row.encode(), self.purpose.encode())
        )


@dataclass(frozen=True, slots=True)
class SealedColumn:
    """A column whose every value is sealed for its own row; `identity` is the table's primary key."""

    table: str
    column: str
    identity: tuple[str, ...]
    purpose: str

    def place(self, *identity: object) -> Place:
        """Return the place of the row with that primary key."""
        if len(identity) != len(self.identity):
            raise ValueError(f"A row of {self.table} is named by {', '.join(self.identity)}.")
        return Place(self.table, "/".join(_text(part) for part in identity), self.purpose)


ACCESS_KEY_SECRET = SealedColumn("access_keys", "sealed_secret", ("access_key_id",), "secret access key")
INSTALLATION_SECRET = SealedColumn("installation", "sealed_secret", ("id",), "installation secret")
KEY_MATERIAL = SealedColumn("key_materials", "sealed", ("key_id", "key_material_id"), "key material")
WRAPPING_PRIVATE_KEY = SealedColumn(
    "import_tokens", "sealed_private_key", ("token_id",), "wrapping private key"
)

SEALED_COLUMNS = (ACCESS_KEY_SECRET, INSTALLATION_SECRET, KEY_MATERIAL, WRAPPING_PRIVATE_KEY)


def _text(part: object) -> str:
    return part.hex if isinstance(part, uuid.UUID) else str(part)
