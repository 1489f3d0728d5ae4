"""The door of the operations that only use keys: it asks no database for what is in memory."""

from dataclasses import dataclass

from keyferry_server.call import Call
from keyferry_server.domain.identifiers import AliasIdentifier, KeyIdentifier
from keyferry_server.domain.key import GuardedKey, Key
from keyferry_server.operations.gate import Gate
from keyferry_server.operations.key_door import KeyDoor
from keyferry_server.storage.cached_callers import CachedCallers, CachedGrants
from keyferry_server.storage.heard_cache import ANY_NAME, HeardCache


@dataclass(frozen=True, slots=True)
class CachedGate(Gate):
    """A Gate that is quick: it decides every call anew, by what is in memory."""

    callers: CachedCallers
    grants: CachedGrants


@dataclass(frozen=True, slots=True)
class CachedKeyDoor(KeyDoor):
    """A KeyDoor that is quick. The caller is admitted at every use all the same."""

    gate: CachedGate
    cache: HeardCache

    async def load(self, identifier: KeyIdentifier | AliasIdentifier) -> GuardedKey:
        """Return a key from memory, or read it."""
        if isinstance(identifier, AliasIdentifier):
            return await self._load_by_alias(identifier)
        cached: GuardedKey | None = self.cache.get(identifier)
        if cached is not None:
            return cached
        with self.cache.reading(identifier.key_id) as reading:
            guarded = await self.keys.load(identifier)
            self.cache.put(identifier, guarded, reading)
            return guarded

    async def open_named_by_ciphertext(self, key_id: str, call: Call, permission: str | None = None) -> Key:
        """Return the key that a ciphertext names, also if it is in memory for another account."""
        own = KeyIdentifier(call.scope, key_id)
        for place in (own, *self.cache.places(key_id)):
            if isinstance(place, KeyIdentifier) and place.scope.region == call.scope.region:
                cached = self.cache.get(place)
                if cached is not None:
                    return await self.open_identified(place, call, permission)
        return await KeyDoor.open_named_by_ciphertext(self, key_id, call, permission)

    async def _load_by_alias(self, identifier: AliasIdentifier) -> GuardedKey:
        place = self.cache.linked(identifier)
        cached: GuardedKey | None = None if place is None else self.cache.get(place)
        if cached is not None:
            return cached
        # Which key it is, is not known before: a change of any key may be one of this.
        with self.cache.reading(ANY_NAME) as reading:
            guarded = await self.keys.load(identifier)
            self.cache.put(guarded.identifier, guarded, reading, link=identifier)
            return guarded
