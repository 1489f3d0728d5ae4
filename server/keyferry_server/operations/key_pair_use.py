"""Using a key pair: the private key off the event loop where it is slow, the public key only if it is the right one.

Public keys lie in the database in the clear. Whoever can write to it could put
another in their place, and have signatures accepted or plaintexts encrypted for it.
So none is used before it was found to be the one that the key material is named after.
"""

import asyncio
import hmac
from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeVar

from keyferry_server.crypto.key_material_id import KeyMaterialIds
from keyferry_server.crypto.secret import Secret
from keyferry_server.domain.errors import KMSInternalException
from keyferry_server.domain.key import Key, KeySpec
from keyferry_server.operations.key_use import KeyUse

T = TypeVar("T")

# RSA_2048 takes 0.5 ms: not much more than the way through a thread costs. These would hold up the other calls.
_SLOW = frozenset({KeySpec.RSA_3072, KeySpec.RSA_4096})


@dataclass(frozen=True, slots=True)
class KeyPairUse:
    """Uses both halves of asymmetric keys."""

    key_use: KeyUse
    key_material_ids: KeyMaterialIds

    def public_key(self, key: Key) -> bytes:
        """Return the public key, DER SubjectPublicKeyInfo, of an asymmetric key that has had key material."""
        material = key.current_material
        if material is None or material.public_key is None:
            raise KMSInternalException(f"{key.arn} has no public key")
        key_material_id = self.key_material_ids.of(key.key_id, Secret(material.public_key))
        if not hmac.compare_digest(key_material_id, material.key_material_id):
            raise KMSInternalException(
                "A stored public key is not that of its key. The operator must look into it."
            )
        return material.public_key

    async def with_private_key(self, key: Key, act: Callable[[Secret], T]) -> T:
        """Do something with the private key of an opened key."""
        private_key = self.key_use.unseal_current(key)
        if key.key_spec in _SLOW:
            return await asyncio.to_thread(act, private_key)
        return act(private_key)
