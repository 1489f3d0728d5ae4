"""The access keys of this installation: made and switched by its operator, found when a request is signed with one.

The ring remembers a key for a few seconds, so that signed calls need no query of
their own. So long a key that was switched off or deleted still works.
"""

import re
import secrets
import time
from collections.abc import Callable, Sequence

from keyferry_server.authn.access_keys import AccessKey, SealedAccessKey
from keyferry_server.authn.caller import Principal
from keyferry_server.crypto.sealing import Sealer
from keyferry_server.crypto.secret import Secret
from keyferry_server.domain.clock import Clock
from keyferry_server.domain.sealed_places import ACCESS_KEY_SECRET
from keyferry_server.storage.access_key_store import AccessKeyStore

REMEMBERED_SECONDS = 5.0

_PREFIX = "KFAK"
_ALPHABET = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567"
_ID_CHARACTERS = 16
_ID = re.compile(rf"{_PREFIX}[A-Z2-7]{{{_ID_CHARACTERS}}}")
_SECRET_BYTES = 30


class AccessKeyRing:
    """Makes access keys, and finds those that may be used (the port `AccessKeys`)."""

    def __init__(
        self,
        store: AccessKeyStore,
        sealer: Sealer,
        clock: Clock,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        """`monotonic` counts seconds that no clock's correction takes back."""
        self._store = store
        self._sealer = sealer
        self._clock = clock
        self._monotonic = monotonic
        self._remembered: dict[str, tuple[float, AccessKey]] = {}

    async def create(self, principal: Principal) -> AccessKey:
        """Make an access key for `principal`; nobody will be told its secret again."""
        access_key_id = _PREFIX + "".join(secrets.choice(_ALPHABET) for _ in range(_ID_CHARACTERS))
        # 240 bits, as 40 characters that no tool has to quote.
        secret = Secret(secrets.token_urlsafe(_SECRET_BYTES).encode())
        sealed = self._sealer.seal(secret, ACCESS_KEY_SECRET.place(access_key_id))
        await self._store.add(
            SealedAccessKey(access_key_id, sealed, principal, enabled=True, created_at=self._clock.now())
        )
        return AccessKey(access_key_id, secret, principal)

    async def find(self, access_key_id: str) -> AccessKey | None:
        """Return the key that may be used now under an id; None if there is none."""
        until, known = self._remembered.get(access_key_id, (0.0, None))
        if self._monotonic() < until:
            return known
        self._remembered.pop(access_key_id, None)
        if not _ID.fullmatch(access_key_id):
            return None
        kept = await self._store.find(access_key_id)
        if kept is None or not kept.enabled:
            return None
        secret = self._sealer.unseal(kept.sealed_secret, ACCESS_KEY_SECRET.place(access_key_id))
        found = AccessKey(access_key_id, secret, kept.principal)
        self._remembered[access_key_id] = (self._monotonic() + REMEMBERED_SECONDS, found)
        return found

    async def list(self) -> Sequence[SealedAccessKey]:
        """Return all access keys, the oldest first, their secrets sealed."""
        return await self._store.list()

    async def switch(self, access_key_id: str, *, enabled: bool) -> bool:
        """Switch an access key on or off; False if it is not there."""
        self._remembered.pop(access_key_id, None)
        return await self._store.switch(access_key_id, enabled=enabled)

    async def delete(self, access_key_id: str) -> bool:
        """Delete an access key; False if it is not there."""
        self._remembered.pop(access_key_id, None)
        return await self._store.delete(access_key_id)
