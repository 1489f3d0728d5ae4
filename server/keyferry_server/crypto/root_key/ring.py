"""The root key of a running server: it learns new versions, forgets none, and seals under the one all servers agreed on.

1. A version is learnt when the provider is read again: now and then, and at once
   when something was sealed under a version that is not known.
2. A version that vanishes from its provider, or changes there, stays as it was
   learnt until the process ends: half of a file that is just being written must
   not cost a call. The next start is where a missing version is refused.
3. A new version opens at once and seals only when it is told to (`seal_under`),
   because a server that lacks it could not open what this one sealed.
"""

import threading
import time
from collections.abc import Callable

from keyferry_server.crypto.root_key import RootKey
from keyferry_server.crypto.root_key.errors import RootKeyError, UnknownRootKeyVersionError

_SHORTEST_BETWEEN_READS_SECONDS = 1.0


class RootKeyRing:
    """A RootKey that grows. Until `seal_under` says otherwise its current version is the highest it was made with."""

    def __init__(self, load: Callable[[], RootKey]) -> None:
        """Read the root key for the first time; errors of the provider."""
        self._load = load
        self._lock = threading.Lock()
        root_key = load()
        self._holders = dict.fromkeys(root_key.versions, root_key)
        self._refused: frozenset[int] = frozenset()
        self._current_version = root_key.current_version
        self._read_at = time.monotonic()

    def __repr__(self) -> str:
        return f"RootKeyRing(versions={sorted(self._holders)}, current_version={self._current_version})"

    @property
    def versions(self) -> frozenset[int]:
        """The versions that can be used."""
        return frozenset(self._holders)

    @property
    def current_version(self) -> int:
        """The version that new secrets are sealed under."""
        return self._current_version

    def seal_under(self, version: int) -> None:
        """Seal under `version` from now on; UnknownRootKeyVersionError if it is not known."""
        self._holder(version)
        self._current_version = version

    def refuse(self, version: int) -> None:
        """Forget a version that is not the installation's, and never learn it again."""
        with self._lock:
            self._refused |= {version}
            self._holders = {known: holder for known, holder in self._holders.items() if known != version}

    def learn(self) -> frozenset[int]:
        """Read the provider again and return the versions that are new. Errors of the provider change nothing."""
        with self._lock:
            self._read_at = time.monotonic()
            root_key = self._load()
            new = root_key.versions - self._holders.keys() - self._refused
            # A new dictionary, because other threads read the old one.
            self._holders = self._holders | dict.fromkeys(new, root_key)
            return new

    def encrypt(self, version: int, plaintext: bytes, associated_data: bytes) -> bytes:
        """Encrypt under `version`; UnknownRootKeyVersionError."""
        return self._holder(version).encrypt(version, plaintext, associated_data)

    def decrypt(self, version: int, ciphertext: bytes, associated_data: bytes) -> bytes:
        """Decrypt under `version`, learnt just now if need be; UnknownRootKeyVersionError, RootKeyMismatchError."""
        if (
            version not in self._holders
            and time.monotonic() - self._read_at >= _SHORTEST_BETWEEN_READS_SECONDS
        ):
            try:
                self.learn()
            except RootKeyError:
                # What is wrong with the provider is found and logged by who reads it regularly.
                raise UnknownRootKeyVersionError(version) from None
        return self._holder(version).decrypt(version, ciphertext, associated_data)

    def _holder(self, version: int) -> RootKey:
        holder = self._holders.get(version)
        if holder is None:
            raise UnknownRootKeyVersionError(version)
        return holder
