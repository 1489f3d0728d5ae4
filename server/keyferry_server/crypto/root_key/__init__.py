"""The root key: the port. It opens everything that is sealed, and is itself never stored with it.

Providers: ``file``, ``environment`` (both AES keys in memory: ``aes``).
"""

from typing import Protocol

from keyferry_server.crypto.root_key.errors import (
    RootKeyConfigurationError,
    RootKeyError,
    RootKeyMismatchError,
    UnknownRootKeyVersionError,
)

__all__ = [
    "RootKey",
    "RootKeyConfigurationError",
    "RootKeyError",
    "RootKeyMismatchError",
    "UnknownRootKeyVersionError",
]


class RootKey(Protocol):
    """Authenticated encryption under a key that has versions.

    A root key object never changes: adding a version makes a new object, so that
    `current_version` and `encrypt` always speak of the same key. All of it may be
    called from any thread, at the same time. Nothing needs to be closed.
    """

    @property
    def current_version(self) -> int:
        """The version that `encrypt` uses: the highest, 1 to 4294967295."""
        ...

    def encrypt(self, plaintext: bytes, associated_data: bytes) -> bytes:
        """Encrypt under the current version and bind `associated_data`.

        The same plaintext gives another ciphertext each time. The result holds all
        that `decrypt` needs, except for the version and the associated data.
        """
        ...

    def decrypt(self, version: int, ciphertext: bytes, associated_data: bytes) -> bytes:
        """Return what was encrypted, only if not one bit of anything differs.

        UnknownRootKeyVersionError if there is no such version; RootKeyMismatchError
        if the ciphertext is not of this key with this associated data, whatever is
        wrong with it. Neither goes away by trying again.
        """
        ...
