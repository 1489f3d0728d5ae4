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
    """A column whose every value is sealed for its own row; `identity` is the table's primary key.

    Rows that differ in nothing but a column of `shared_over` hold the same secret,
    sealed for the same place.
    """

    table: str
    column: str
    identity: tuple[str, ...]
    purpose: str
    shared_over: tuple[str, ...] = ()

    @property
    def sealed_for(self) -> tuple[str, ...]:
        """The columns that name the place."""
        return tuple(name for name in self.identity if name not in self.shared_over)

    def place(self, *names: object) -> Place:
        """Return the place with those values of `sealed_for`."""
        if len(names) != len(self.sealed_for):
            raise ValueError(f"A place in {self.table} is named by {', '.join(self.sealed_for)}.")
        return Place(self.table, "/".join(_text(part) for part in names), self.purpose)

    def name_of_row(self, *identity: object) -> str:
        """Return how an operator finds the row with that primary key."""
        return f"{self.purpose} of {self.table} {'/'.join(_text(part) for part in identity)}"

    def place_of_row(self, *identity: object) -> Place:
        """Return the place of the row with that primary key."""
        names = zip(self.identity, identity, strict=True)
        return self.place(*(value for name, value in names if name not in self.shared_over))


ACCESS_KEY_SECRET = SealedColumn("access_keys", "sealed_secret", ("access_key_id",), "secret access key")
INSTALLATION_SECRET = SealedColumn("installation", "sealed_secret", ("id",), "installation secret")
KEY_MATERIAL = SealedColumn(
    "key_materials",
    "sealed",
    ("key_id", "region", "key_material_id"),
    "key material",
    # The keys of a multi-Region key have the same key material.
    shared_over=("region",),
)
WRAPPING_PRIVATE_KEY = SealedColumn(
    "import_tokens", "sealed_private_key", ("token_id",), "wrapping private key"
)

SEALED_COLUMNS = (ACCESS_KEY_SECRET, INSTALLATION_SECRET, KEY_MATERIAL, WRAPPING_PRIVATE_KEY)


def _text(part: object) -> str:
    return part.hex if isinstance(part, uuid.UUID) else str(part)
