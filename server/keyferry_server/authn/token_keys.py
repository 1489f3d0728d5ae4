"""The public keys of the token issuer: a JSON Web Key Set (RFC 7517), read again as keys come and go.

1. Only public keys for signatures are taken: RSA from 2048 bits on, EC, OKP. Symmetric
   keys and keys for encryption are left out. A set that holds a private key is refused:
   whoever publishes that has a problem that must not be overlooked.
2. A key is found by its `kid` and nothing else; where a header says to fetch a key
   (jku, x5u), or brings one (jwk, x5c), is ignored. Without a `kid` there must be one key.
3. A token with an unknown `kid` makes the set be fetched again, at most every ten seconds.
4. A set that cannot be fetched or read changes nothing.
"""

import asyncio
import base64
import json
import time
from collections.abc import Awaitable, Callable
from typing import Any

import structlog
from joserfc.errors import JoseError
from joserfc.jwk import ECKey, Key, OKPKey, RSAKey, import_key

from keyferry_server.domain.errors import DependencyTimeoutException

_KINDS = (RSAKey, ECKey, OKPKey)
_SHORTEST_RSA_BITS = 2048
_SHORTEST_BETWEEN_FETCHES_SECONDS = 10.0

_log: structlog.stdlib.BoundLogger = structlog.get_logger()


class TokenKeysError(Exception):
    """The key set cannot be fetched or used; the text says why."""


class TokenKeys:
    """The keys as they were last fetched. `generation` grows when they change."""

    def __init__(self, fetch: Callable[[], Awaitable[str]]) -> None:
        """Take what fetches the set: its text, or TokenKeysError."""
        self.generation = 0
        self._fetch = fetch
        self._keys: dict[str | None, Key] | None = None
        self._fetched_at = float("-inf")
        self._lock = asyncio.Lock()

    async def fetch(self) -> None:
        """Fetch the set; TokenKeysError changes nothing."""
        async with self._lock:
            self._fetched_at = time.monotonic()
            keys = _parse(await self._fetch())
            if self._keys is None or _identities(keys) != _identities(self._keys):
                self._keys = keys
                self.generation += 1
                _log.info("the keys of the token issuer were fetched", keys=len(keys))

    async def fetch_again(self) -> None:
        """Fetch the set; if that fails, the log says why."""
        try:
            await self.fetch()
        except TokenKeysError as error:
            _log.warning("the keys of the token issuer stay as they are", reason=str(error))

    async def find(self, kid: str | None) -> Key | None:
        """Return the key of that name, fetched just now if need be; None if there is none.

        DependencyTimeoutException while the set has never been fetched.
        """
        if not self._has(kid):
            async with self._lock:
                # Whoever fetches at this moment may bring it.
                pass
        if not self._has(kid) and time.monotonic() - self._fetched_at >= _SHORTEST_BETWEEN_FETCHES_SECONDS:
            await self.fetch_again()
        if self._keys is None:
            raise DependencyTimeoutException(
                "The keys of the token issuer cannot be fetched. The request may be retried."
            )
        if kid is None:
            return next(iter(self._keys.values())) if len(self._keys) == 1 else None
        return self._keys.get(kid)

    def _has(self, kid: str | None) -> bool:
        return self._keys is not None and (kid is None or kid in self._keys)


def _parse(text: str) -> dict[str | None, Key]:
    try:
        document = json.loads(text)
    except (ValueError, RecursionError):
        raise TokenKeysError("the key set is not JSON") from None
    if not isinstance(document, dict) or not isinstance(document.get("keys"), list):
        raise TokenKeysError('the key set is not an object with a list of "keys"')
    keys: dict[str | None, Key] = {}
    for member in document["keys"]:
        key = _import(member)
        if key is None:
            continue
        kid = member.get("kid")
        if kid in keys:
            raise TokenKeysError(f"the key set has two keys of one kid ({kid!r:.80})")
        keys[kid] = key
    if not keys:
        raise TokenKeysError("the key set has no public key for signatures")
    return keys


def _import(member: Any) -> Key | None:
    """Return a member's key, or None if it is not one to verify signatures with."""
    if not isinstance(member, dict) or member.get("kty") not in [kind.key_type for kind in _KINDS]:
        return None
    if "d" in member:
        raise TokenKeysError("the key set holds a private key: that key is known to whoever reads the set")
    if not isinstance(member.get("kid"), str | None):
        return None
    operations = member.get("key_ops")
    if member.get("use", "sig") != "sig" or (isinstance(operations, list) and "verify" not in operations):
        return None
    try:
        if member["kty"] == RSAKey.key_type and _bits(member["n"]) < _SHORTEST_RSA_BITS:
            return None
        key = import_key(member)
        # Only now is it looked into.
        _ = key.public_key
    except (JoseError, ValueError, TypeError, KeyError):
        return None
    return key


def _bits(modulus: str) -> int:
    return int.from_bytes(base64.urlsafe_b64decode(f"{modulus}==")).bit_length()


def _identities(keys: dict[str | None, Key]) -> dict[str | None, str]:
    return {kid: f"{key.thumbprint()} {key.get('alg')}" for kid, key in keys.items()}
