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

from keyferry_server.crypto.root_key import (
    RootKey,
    RootKeyError,
    RootKeyMismatchError,
    RootKeyUnavailableError,
)
from keyferry_server.crypto.secret import Secret
from keyferry_server.domain.errors import DependencyTimeoutException, KMSInternalException
from keyferry_server.domain.sealed_places import Place

__all__ = ["Place", "Sealer"]

_FORMAT = 1
_HEADER = struct.Struct(">BI")


class Sealer:
    """Seals and unseals secrets. It may be called from any thread.

    DependencyTimeoutException if the root key is in a device that does not answer.
    """

    def __init__(self, root_key: RootKey) -> None:
        self._root_key = root_key

    def seal(self, secret: Secret, place: Place) -> bytes:
        """Seal `secret` under the current version of the root key; only `place` opens it again.

        KMSInternalException, which does not say why, if that fails.
        """
        version = self._root_key.current_version
        header = _HEADER.pack(_FORMAT, version)
        try:
            return header + self._root_key.encrypt(version, secret.reveal(), header + place.encode())
        except RootKeyUnavailableError:
            raise _does_not_answer() from None
        except RootKeyError:
            raise KMSInternalException(
                "A secret could not be sealed. The operator must look into it."
            ) from None

    def unseal(self, sealed: bytes, place: Place) -> Secret:
        """Open what was sealed for `place`; KMSInternalException, which does not say why, if that fails."""
        secret = self._unseal_or_none(sealed, place)
        if secret is None:
            raise KMSInternalException("A stored secret could not be opened. The operator must look into it.")
        return secret

    def unseal_at_start(self, sealed: bytes, place: Place) -> Secret:
        """Open what was sealed for `place`, and tell the operator what to do if that fails.

        UnknownRootKeyVersionError, RootKeyMismatchError, RootKeyUnavailableError. For
        start-up and the operator's commands only: it says which check failed.
        """
        if len(sealed) < _HEADER.size:
            raise RootKeyMismatchError
        format_version, root_key_version = _HEADER.unpack_from(sealed)
        if format_version != _FORMAT:
            raise RootKeyMismatchError
        associated_data = sealed[: _HEADER.size] + place.encode()
        return Secret(self._root_key.decrypt(root_key_version, sealed[_HEADER.size :], associated_data))

    def reseal(self, sealed: bytes, place: Place) -> bytes:
        """Return the same secret sealed under the current version; errors as of `unseal_at_start`."""
        return self.seal(self.unseal_at_start(sealed, place), place)

    def _unseal_or_none(self, sealed: bytes, place: Place) -> Secret | None:
        # None rather than a second exception: that would carry the first as its context.
        try:
            return self.unseal_at_start(sealed, place)
        except RootKeyUnavailableError:
            raise _does_not_answer() from None
        except RootKeyError:
            return None


def _does_not_answer() -> DependencyTimeoutException:
    return DependencyTimeoutException(
        "The device that holds the root key does not answer. The request may be retried."
    )
