"""A root key inside a PKCS#11 device: an HSM, or a token in software. Its keys never leave it.

Each version is an AES-256 secret key object in one token, with the label
LABEL-VERSION ("keyferry-root-key-1"): sensitive, not extractable. Encryption is
CKM_AES_GCM with a random 96-bit nonce of ours; what is stored is as in ``aes``.

Devices report a wrong tag in various ways (SoftHSM: CKR_GENERAL_ERROR), and a broken
connection in others. So after any failure the device is asked to do what it can do
for certain: if it does, the ciphertext was at fault. If it does not, the session is
opened anew, once, and if that does not help, the device does not answer.
"""

import re
import secrets
import threading
import time
from contextlib import suppress
from pathlib import Path
from typing import Any

import pkcs11
from pkcs11.exceptions import PKCS11Error, UserAlreadyLoggedIn

from keyferry_server.crypto.root_key.aes import MAX_VERSION
from keyferry_server.crypto.root_key.errors import (
    RootKeyConfigurationError,
    RootKeyMismatchError,
    RootKeyUnavailableError,
    UnknownRootKeyVersionError,
)
from keyferry_server.crypto.secret import Secret

_KEY_BITS = 256
_NONCE_BYTES = 12
_TAG_BYTES = 16
_PROBE = b"keyferry probe"
_BETWEEN_LOOKS_SECONDS = 0.02
# Calls wait for the few, an operator's command for the many.
_LOOKS, _LOOKS_AFTER_MAKING = 3, 100
_KEY_TEMPLATE = {
    pkcs11.Attribute.PRIVATE: True,
    pkcs11.Attribute.SENSITIVE: True,
    pkcs11.Attribute.EXTRACTABLE: False,
    pkcs11.Attribute.MODIFIABLE: False,
    pkcs11.Attribute.ENCRYPT: True,
    pkcs11.Attribute.DECRYPT: True,
    pkcs11.Attribute.WRAP: False,
    pkcs11.Attribute.UNWRAP: False,
    pkcs11.Attribute.SIGN: False,
    pkcs11.Attribute.VERIFY: False,
}


class Pkcs11RootKeyProvider:
    """The root key in the token of that label; `module` is the device's PKCS#11 library."""

    def __init__(self, module: Path, token_label: str, pin: Secret, key_label: str) -> None:
        """Note where it is; the device is opened by the first call, and stays open."""
        self._module = module
        self._token_label = token_label
        self._pin = pin
        self._key_label = key_label
        # One session serves all threads, one after the other.
        self._lock = threading.RLock()
        self._session: pkcs11.Session | None = None
        # Any: what a key can do (encrypt, decrypt) is decided by the device, not by its type.
        self._keys: dict[int, Any] = {}
        self._probes: dict[int, bytes] = {}

    def __str__(self) -> str:
        return f"the token {self._token_label!r}"

    def load(self) -> "Pkcs11RootKey":
        """Find all versions in the token; RootKeyUnavailableError if the device was there and is gone."""
        with self._lock:
            try:
                self._find()
            except PKCS11Error:
                self._reopen()
            except RootKeyConfigurationError:
                if self._probes:
                    raise RootKeyUnavailableError(str(self)) from None
                raise
            if not self._keys and self._probes:
                raise RootKeyUnavailableError(str(self))
            if not self._keys:
                raise RootKeyConfigurationError(
                    f"There is no root key in {self}: an object with the label {self._key_label}-1. "
                    "Make one with: keyferry-server root-key generate"
                )
            return Pkcs11RootKey(self, frozenset(self._keys))

    def add_version(self, version: int) -> None:
        """Have the device make a key."""
        with self._lock:
            try:
                self._find()
                if version in self._keys:
                    raise RootKeyConfigurationError(
                        f"Version {version} is in {self} already and is not replaced."
                    )
                with self._token().open(rw=True) as session:
                    session.generate_key(
                        pkcs11.KeyType.AES,
                        _KEY_BITS,
                        label=f"{self._key_label}-{version}",
                        id=version.to_bytes(4, "big"),
                        store=True,
                        template=_KEY_TEMPLATE,
                    )
                self._await(version, _LOOKS_AFTER_MAKING)
            except PKCS11Error as error:
                raise RootKeyConfigurationError(f"{self} makes no key: {_named(error)}.") from None

    def remove_version(self, version: int) -> None:
        """Say how it is done by hand: what a device destroys, no backup of ours brings back."""
        raise RootKeyConfigurationError(
            f"Nothing is sealed under version {version} any more. Destroy {self._key_label}-{version} in {self} with the "
            "device's own tool, once no backup of the database needs it."
        )

    def encrypt(self, version: int, plaintext: bytes, associated_data: bytes) -> bytes:
        """Encrypt in the device."""
        with self._lock:
            self._make_ready(version)
            for _ in range(2):
                with suppress(PKCS11Error):
                    return self._encrypt(version, plaintext, associated_data)
                self._reopen()
                self._await(version, _LOOKS)
            raise RootKeyUnavailableError(str(self))

    def decrypt(self, version: int, ciphertext: bytes, associated_data: bytes) -> bytes:
        """Decrypt in the device."""
        with self._lock:
            self._make_ready(version)
            for _ in range(2):
                with suppress(PKCS11Error):
                    return self._decrypt(version, ciphertext, associated_data)
                if self._works(version):
                    raise RootKeyMismatchError
                self._reopen()
                self._await(version, _LOOKS)
            raise RootKeyUnavailableError(str(self))

    def _make_ready(self, version: int) -> None:
        # What was seen once is in the device, whatever it shows at the moment.
        if version not in self._probes:
            raise UnknownRootKeyVersionError(version)
        if version not in self._keys:
            self._reopen()
            self._await(version, _LOOKS)

    def _await(self, version: int, looks: int) -> None:
        """Find a key again that is in the token; RootKeyUnavailableError if the device goes on not to show it.

        While another process writes to a token, a device may hide what is in it for a moment.
        """
        for _ in range(looks):
            if version in self._keys:
                return
            time.sleep(_BETWEEN_LOOKS_SECONDS)
            with suppress(PKCS11Error):
                self._find()
        if version not in self._keys:
            raise RootKeyUnavailableError(str(self))

    def _works(self, version: int) -> bool:
        with suppress(PKCS11Error):
            return self._decrypt(version, self._probes[version], b"") == _PROBE
        return False

    def _reopen(self) -> None:
        if self._session is not None:
            with suppress(PKCS11Error):
                self._session.close()
        self._session = None
        # They are the session's.
        self._keys = {}
        try:
            self._find()
        except (PKCS11Error, RootKeyConfigurationError):
            raise RootKeyUnavailableError(str(self)) from None

    def _find(self) -> None:
        """Note the keys that are in the token now. One that is not shown any more goes on being used until that fails."""
        if self._session is None:
            self._session = self._open()
        found: dict[int, Any] = {}
        key: Any
        label = re.compile(rf"{re.escape(self._key_label)}-([1-9][0-9]{{0,9}})")
        for key in self._session.get_objects({pkcs11.Attribute.CLASS: pkcs11.ObjectClass.SECRET_KEY}):
            match = label.fullmatch(key.label)
            if match is None or int(match[1]) > MAX_VERSION:
                continue
            if int(match[1]) in found:
                raise RootKeyConfigurationError(
                    f"{self} holds two objects with the label {key.label}. Remove the one that is not the root key."
                )
            found[int(match[1])] = key
        self._keys |= found
        for version in found.keys() - self._probes.keys():
            self._probes[version] = self._encrypt(version, _PROBE, b"")

    def _open(self) -> pkcs11.Session:
        try:
            token = self._token()
            try:
                return token.open(user_pin=self._pin.reveal().decode())
            except UserAlreadyLoggedIn:
                # The login is the process's, not the session's.
                return token.open()
        except (PKCS11Error, RuntimeError) as error:
            raise RootKeyConfigurationError(
                f"{self} cannot be opened by {self._module}: {_named(error)}. Check KEYFERRY_PKCS11_MODULE, "
                "KEYFERRY_PKCS11_TOKEN and the PIN."
            ) from None

    def _token(self) -> pkcs11.Token:
        return pkcs11.lib(str(self._module)).get_token(token_label=self._token_label)

    def _encrypt(self, version: int, plaintext: bytes, associated_data: bytes) -> bytes:
        nonce = secrets.token_bytes(_NONCE_BYTES)
        sealed: bytes = self._keys[version].encrypt(
            plaintext,
            mechanism=pkcs11.Mechanism.AES_GCM,
            mechanism_param=pkcs11.GCMParams(nonce, aad=associated_data, tag_bits=_TAG_BYTES * 8),
        )
        return nonce + sealed

    def _decrypt(self, version: int, ciphertext: bytes, associated_data: bytes) -> bytes:
        nonce, sealed = ciphertext[:_NONCE_BYTES], ciphertext[_NONCE_BYTES:]
        return bytes(
            self._keys[version].decrypt(
                sealed,
                mechanism=pkcs11.Mechanism.AES_GCM,
                mechanism_param=pkcs11.GCMParams(nonce, aad=associated_data, tag_bits=_TAG_BYTES * 8),
            )
        )


class Pkcs11RootKey:
    """The versions that were in the token when it was asked."""

    def __init__(self, provider: Pkcs11RootKeyProvider, versions: frozenset[int]) -> None:
        self._provider = provider
        self._versions = versions

    def __repr__(self) -> str:
        return f"Pkcs11RootKey({self._provider}, versions={sorted(self._versions)})"

    @property
    def versions(self) -> frozenset[int]:
        """All versions."""
        return self._versions

    @property
    def current_version(self) -> int:
        """The highest version."""
        return max(self._versions)

    def encrypt(self, version: int, plaintext: bytes, associated_data: bytes) -> bytes:
        """Encrypt under `version`; UnknownRootKeyVersionError, RootKeyUnavailableError."""
        return self._provider.encrypt(version, plaintext, associated_data)

    def decrypt(self, version: int, ciphertext: bytes, associated_data: bytes) -> bytes:
        """Decrypt under `version`; UnknownRootKeyVersionError, RootKeyMismatchError, RootKeyUnavailableError."""
        if version in self._versions and len(ciphertext) < _NONCE_BYTES + _TAG_BYTES:
            raise RootKeyMismatchError
        return self._provider.decrypt(version, ciphertext, associated_data)


def _named(error: Exception) -> str:
    return f"{type(error).__name__} {error}".rstrip()
