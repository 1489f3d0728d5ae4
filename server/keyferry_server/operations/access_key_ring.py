"""The access keys that requests are signed with, found when one is.

A key is remembered for a few seconds, so that signed calls need no query of their
own. So long a key that was switched off or deleted still works.
"""

import time
from collections.abc import Callable

from keyferry_server.authn.access_keys import ACCESS_KEY_ID, AccessKey
from keyferry_server.crypto.sealing import Sealer
from keyferry_server.domain.sealed_places import ACCESS_KEY_SECRET
from keyferry_server.storage.access_key_store import AccessKeyStore

REMEMBERED_SECONDS = 5.0


class AccessKeyRing:
    """The port `AccessKeys`, out of the database."""

    def __init__(
        self, store: AccessKeyStore, sealer: Sealer, monotonic: Callable[[], float] = time.monotonic
    ) -> None:
        """`monotonic` counts seconds that no clock's correction takes back."""
        self._store = store
        self._sealer = sealer
        self._monotonic = monotonic
        self._remembered: dict[str, tuple[float, AccessKey]] = {}

    async def find(self, access_key_id: str) -> AccessKey | None:
        """Return the key that may be used now under an id; None if there is none."""
        until, known = self._remembered.get(access_key_id, (0.0, None))
        if self._monotonic() < until:
            return known
        self._remembered.pop(access_key_id, None)
        if not ACCESS_KEY_ID.fullmatch(access_key_id):
            return None
        kept = await self._store.find(access_key_id)
        if kept is None or not kept.enabled:
            return None
        secret = self._sealer.unseal(kept.sealed_secret, ACCESS_KEY_SECRET.place(access_key_id))
        found = AccessKey(access_key_id, secret, kept.principal)
        self._remembered[access_key_id] = (self._monotonic() + REMEMBERED_SECONDS, found)
        return found
