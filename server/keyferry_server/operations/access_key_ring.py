"""The access keys that requests are signed with, found when one is.

They are in memory like keys: as long as every change is heard, and so not a
moment longer than a change takes to be heard. Ids that stand for no key are not
kept: whoever makes ids up must not push out what is used.
"""

from dataclasses import dataclass

from keyferry_server.authn.access_keys import ACCESS_KEY_ID, AccessKey
from keyferry_server.crypto.sealing import Sealer
from keyferry_server.domain.sealed_places import ACCESS_KEY_SECRET
from keyferry_server.storage.access_key_store import AccessKeyStore
from keyferry_server.storage.heard_cache import HeardCache


@dataclass(frozen=True, slots=True)
class AccessKeyRing:
    """The port `AccessKeys`, out of memory or the database."""

    store: AccessKeyStore
    sealer: Sealer
    cache: HeardCache

    async def find(self, access_key_id: str) -> AccessKey | None:
        """Return the key that may be used now under an id; None if there is none."""
        if not ACCESS_KEY_ID.fullmatch(access_key_id):
            return None
        known: AccessKey | None = self.cache.get(access_key_id)
        if known is not None:
            return known
        with self.cache.reading(access_key_id) as reading:
            kept = await self.store.find(access_key_id)
            if kept is None or not kept.enabled:
                return None
            secret = self.sealer.unseal(kept.sealed_secret, ACCESS_KEY_SECRET.place(access_key_id))
            found = AccessKey(access_key_id, secret, kept.principal)
            self.cache.put(access_key_id, found, reading)
            return found
