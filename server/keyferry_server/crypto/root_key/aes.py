"""A root key in memory: AES-256-GCM, one key a version.

Ciphertext::

     0            12                      n-16            n
     ├────────────┼────────────────────────┼──────────────┤
     │ nonce (12) │ ciphertext (as plain)  │   tag (16)   │
     └────────────┴────────────────────────┴──────────────┘

The nonce is random. NIST SP 800-38D (8.3) allows 2^32 encryptions of that kind
under one key, which is one import a second for 68 years with both secrets that
an import seals; a busier installation rotates its root key before.
"""

import secrets
from collections.abc import Mapping
from typing import NoReturn

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from keyferry_server.crypto.root_key.errors import RootKeyMismatchError, UnknownRootKeyVersionError
from keyferry_server.crypto.secret import Secret

KEY_BYTES = 32
MAX_VERSION = 2**32 - 1
_NONCE_BYTES = 12
_TAG_BYTES = 16


class AesRootKey:
    """A RootKey whose versions are AES-256 keys in this process."""

    def __init__(self, versions: Mapping[int, Secret]) -> None:
        """Take at least one key of 32 bytes, by version; ValueError otherwise."""
        if not versions or not all(1 <= version <= MAX_VERSION for version in versions):
            raise ValueError(f"A root key has at least one version, and versions are 1 to {MAX_VERSION}.")
        if any(len(key) != KEY_BYTES for key in versions.values()):
            raise ValueError(f"Each version of a root key has {KEY_BYTES} bytes.")
        self._ciphers = {version: AESGCM(key.reveal()) for version, key in versions.items()}
        self._current_version = max(versions)

    def __repr__(self) -> str:
        return f"AesRootKey(versions={sorted(self._ciphers)})"

    def __reduce__(self) -> NoReturn:
        raise TypeError("A root key is not pickled or copied.")

    @property
    def versions(self) -> frozenset[int]:
        """All versions."""
        return frozenset(self._ciphers)

    @property
    def current_version(self) -> int:
        """The highest version."""
        return self._current_version

    def encrypt(self, version: int, plaintext: bytes, associated_data: bytes) -> bytes:
        """Encrypt under `version`; UnknownRootKeyVersionError."""
        nonce = secrets.token_bytes(_NONCE_BYTES)
        return nonce + self._cipher(version).encrypt(nonce, plaintext, associated_data)

    def decrypt(self, version: int, ciphertext: bytes, associated_data: bytes) -> bytes:
        """Decrypt under `version`; UnknownRootKeyVersionError, RootKeyMismatchError."""
        cipher = self._cipher(version)
        if len(ciphertext) < _NONCE_BYTES + _TAG_BYTES:
            raise RootKeyMismatchError
        try:
            return cipher.decrypt(ciphertext[:_NONCE_BYTES], ciphertext[_NONCE_BYTES:], associated_data)
        except InvalidTag:
            raise RootKeyMismatchError from None

    def _cipher(self, version: int) -> AESGCM:
        cipher = self._ciphers.get(version)
        if cipher is None:
            raise UnknownRootKeyVersionError(version)
        return cipher
