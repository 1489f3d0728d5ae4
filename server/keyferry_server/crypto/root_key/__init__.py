"""The root key: the port. It opens everything that is sealed, and is itself never stored with it.

Providers: ``file``, ``environment`` (both AES keys in memory: ``aes``), ``pkcs11`` (a
device that never lets it go). ``ring`` is what a running server holds: the versions
that it has learnt so far, and the one that all servers seal under.
"""

from typing import Protocol

from keyferry_server.crypto.root_key.errors import (
    RootKeyConfigurationError,
    RootKeyError,
    RootKeyMismatchError,
    RootKeyUnavailableError,
    UnknownRootKeyVersionError,
)

__all__ = [
    "RootKey",
    "RootKeyConfigurationError",
    "RootKeyError",
    "RootKeyMismatchError",
    "RootKeyProvider",
    "RootKeyUnavailableError",
    "UnknownRootKeyVersionError",
]


class RootKey(Protocol):
    """Authenticated encryption under a key that has versions.

    All of it may be called from any thread, at the same time. Nothing needs to be
    closed. RootKeyUnavailableError, where the key is in a device that does not answer;
    that may be tried again.
    """

    @property
    def versions(self) -> frozenset[int]:
        """The versions that can be used, 1 to 4294967295."""
        ...

    @property
    def current_version(self) -> int:
        """The version that new secrets are sealed under."""
        ...

    def encrypt(self, version: int, plaintext: bytes, associated_data: bytes) -> bytes:
        """Encrypt under `version` and bind `associated_data`.

        The same plaintext gives another ciphertext each time. The result holds all
        that `decrypt` needs, except for the version and the associated data.
        UnknownRootKeyVersionError if there is no such version.
        """
        ...

    def decrypt(self, version: int, ciphertext: bytes, associated_data: bytes) -> bytes:
        """Return what was encrypted, only if not one bit of anything differs.

        UnknownRootKeyVersionError if there is no such version; RootKeyMismatchError
        if the ciphertext is not of this key with this associated data, whatever is
        wrong with it. Neither goes away by trying again.
        """
        ...


class RootKeyProvider(Protocol):
    """Where a root key is kept. Calls may block; RootKeyConfigurationError tells a person what to do."""

    def load(self) -> RootKey:
        """Return the root key with the versions that are there now; the highest is its current one."""
        ...

    def add_version(self, version: int) -> None:
        """Make a key for a version that is not there yet; durable when this returns, all or nothing."""
        ...

    def remove_version(self, version: int) -> None:
        """Take a version away, all or nothing. What it sealed cannot be opened any more."""
        ...
