"""Secrets at rest: sealed under the root key, each for one place in the database.

Sealed::

     0         1                    5                                    n
     ├─────────┼────────────────────┼────────────────────────────────────┤
     │ 0x01    │ root key version   │ what RootKey.encrypt gave:         │
     │ format  │ u32 big endian     │ nonce (12) ciphertext tag (16)     │
     └─────────┴────────────────────┴────────────────────────────────────┘

Associated data: the five bytes before the ciphertext, then table, row and
purpose, each as a u32 length and its UTF-8 bytes. So what was sealed for one
place does not open in another, whoever can write to the database.
"""

import struct
from dataclasses import dataclass

from keyferry_server.crypto.root_key import RootKey, RootKeyError, RootKeyMismatchError
from keyferry_server.crypto.secret import Secret
from keyferry_server.domain.errors import KMSInternalException

_FORMAT = 1
_HEADER = struct.Struct(">BI")
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


class Sealer:
    """Seals and unseals secrets. It may be called from any thread."""

    def __init__(self, root_key: RootKey) -> None:
        self._root_key = root_key

    def seal(self, secret: Secret, place: Place) -> bytes:
        """Seal `secret` under the current version of the root key; only `place` opens it again."""
        header = _HEADER.pack(_FORMAT, self._root_key.current_version)
        return header + self._root_key.encrypt(secret.reveal(), header + place.encode())

    def unseal(self, sealed: bytes, place: Place) -> Secret:
        """Open what was sealed for `place`; KMSInternalException, which does not say why, if that fails."""
        secret = self._unseal_or_none(sealed, place)
        if secret is None:
            raise KMSInternalException("A stored secret could not be opened. The operator must look into it.")
        return secret

    def unseal_at_start(self, sealed: bytes, place: Place) -> Secret:
        """Open what was sealed for `place`, and tell the operator what to do if that fails.

        UnknownRootKeyVersionError, RootKeyMismatchError. For start-up only: it says
        which check failed.
        """
        if len(sealed) < _HEADER.size:
            raise RootKeyMismatchError
        format_version, root_key_version = _HEADER.unpack_from(sealed)
        if format_version != _FORMAT:
            raise RootKeyMismatchError
        associated_data = sealed[: _HEADER.size] + place.encode()
        return Secret(self._root_key.decrypt(root_key_version, sealed[_HEADER.size :], associated_data))

    def _unseal_or_none(self, sealed: bytes, place: Place) -> Secret | None:
        # None rather than a second exception: that would carry the first as its context.
        try:
            return self.unseal_at_start(sealed, place)
        except RootKeyError:
            return None
