"""The door of the operations that only use keys: it asks no database for what is in memory.

A caller is not to learn from the time of its refusal whether a key or an alias of
another account exists, and memory is quick only for what does. So:

1. What belongs to the caller's account comes from memory, or is read and kept. Memory only
   ever lets in: it may be behind a change that another server has answered, so what it
   refuses, the database decides. A right or a key that is new is there at once everywhere;
   one that was taken away is gone elsewhere when that is heard.
2. What belongs to another account comes from memory for whom it was opened before, and
   only if that opens it again.
3. Everything else of another account goes through the plain door, which reads all that
   it decides by; only what that opens is kept.
"""

from collections.abc import Awaitable, Callable, Hashable
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from typing import Any, TypeVar

from keyferry_server.authn.caller import Principal
from keyferry_server.call import Call
from keyferry_server.domain.audit_trail import note_key
from keyferry_server.domain.errors import AccessDeniedException, NotFoundException
from keyferry_server.domain.identifiers import AliasIdentifier, KeyIdentifier, parse_identifier
from keyferry_server.domain.key import GuardedKey, Key
from keyferry_server.operations.gate import Gate
from keyferry_server.operations.key_door import KeyDoor
from keyferry_server.storage.cached_callers import CachedCallers, CachedGrants
from keyferry_server.storage.heard_cache import ANY_NAME, HeardCache, weight_of

T = TypeVar("T")


async def unless_denied(
    cache: HeardCache, by_memory: Awaitable[T], by_database: Callable[[], Awaitable[T]]
) -> T:
    """Return what memory lets in; what it denies, the database decides, unless that was asked already."""
    try:
        return await by_memory
    except AccessDeniedException:
        if not cache.is_usable:
            raise
        return await by_database()


@dataclass(frozen=True, slots=True)
class CachedGate(Gate):
    """A Gate that is quick: it decides every call anew, by what is in memory."""

    callers: CachedCallers
    grants: CachedGrants
    plain: Gate

    async def admit_to_account(
        self, call: Call, permission: str | None = None, resource: str = "*"
    ) -> Principal:
        """Let a call in as the plain Gate does, which decides what memory denies."""
        return await unless_denied(
            self.callers.cache,
            Gate.admit_to_account(self, call, permission, resource),
            partial(self.plain.admit_to_account, call, permission, resource),
        )


@dataclass(frozen=True, slots=True)
class CachedKeyDoor(KeyDoor):
    """A KeyDoor that is quick. The caller is admitted at every use all the same."""

    gate: CachedGate
    cache: HeardCache
    plain: KeyDoor

    async def open_identified(
        self, identifier: KeyIdentifier | AliasIdentifier, call: Call, permission: str | None = None
    ) -> Key:
        """Return the key behind a parsed identifier."""
        if identifier.scope.account_id == call.scope.account_id:
            return await unless_denied(
                self.cache,
                KeyDoor.open_identified(self, identifier, call, permission),
                partial(self.plain.open_identified, identifier, call, permission),
            )
        if (beside := self._where_opened(identifier, call, permission)) is not None:
            try:
                return await KeyDoor.open_identified(self, identifier, call, permission)
            except AccessDeniedException:
                beside.pop(_opened(identifier, call, permission), None)
        key = await self.plain.open_identified(identifier, call, permission)
        await self._keep_opened(identifier, call, permission)
        return key

    async def in_state(
        self, key: Key, text: str, call: Call, now: datetime, permission: str | None = None
    ) -> Key:
        """Return an opened key that may be used now; DisabledException or KMSInvalidStateException if it may not."""
        if self.cache.is_usable and not key.is_admitted(call.route.key_states, now):
            key = await self.plain.open(text, call, permission)
        key.check_state(call.route.key_states, now)
        return key

    async def open_named_by_ciphertext(self, key_id: str, call: Call, permission: str | None = None) -> Key:
        """Return the key that a ciphertext names: one of the caller's account, or of another one."""
        for place in self.cache.places(key_id):
            if (
                isinstance(place, KeyIdentifier)
                and place.scope.region == call.scope.region
                and self._where_opened(place, call, permission) is not None
            ):
                return await self.open_identified(place, call, permission)
        own = KeyIdentifier(call.scope, key_id)
        try:
            guarded = await self.load(own)
        except NotFoundException:
            key = await self.plain.open_named_by_ciphertext(key_id, call, permission)
            await self._keep_opened(key.identifier, call, permission)
            return key
        note_key(own.arn)
        return await unless_denied(
            self.cache,
            self.gate.admit(guarded, call, permission or call.route.permission),
            partial(self.plain.open_named_by_ciphertext, key_id, call, permission),
        )

    async def key_id_of(self, text: str, call: Call) -> str | None:
        """Return the key ID of what a caller named, without opening it; None if an alias names nothing."""
        identifier = parse_identifier(text, call.scope, call.route.accepts)
        if identifier.scope.account_id != call.scope.account_id:
            return await self.plain.key_id_of(text, call)
        return await KeyDoor.key_id_of(self, text, call)

    async def load(self, identifier: KeyIdentifier | AliasIdentifier) -> GuardedKey:
        """Return a key from memory, or read it."""
        if isinstance(identifier, AliasIdentifier):
            return await self._load_by_alias(identifier)
        cached: GuardedKey | None = self.cache.get(identifier)
        if cached is not None:
            return cached
        with self.cache.reading(identifier.key_id) as reading:
            guarded = await self.keys.load(identifier)
            self.cache.put(identifier, guarded, reading, weight=weight_of(guarded.policy))
            return guarded

    async def _load_by_alias(self, identifier: AliasIdentifier) -> GuardedKey:
        place = self.cache.linked(identifier)
        cached: GuardedKey | None = None if place is None else self.cache.get(place)
        if cached is not None:
            return cached
        # Which key it is, is not known before: a change of any key may be one of this.
        with self.cache.reading(ANY_NAME) as reading:
            guarded = await self.keys.load(identifier)
            self.cache.put(
                guarded.identifier, guarded, reading, link=identifier, weight=weight_of(guarded.policy)
            )
            return guarded

    def beside(self, key: Key) -> dict[Hashable, Any] | None:
        """Return what is kept beside an opened key; None if that is not, or no more, the one in memory."""
        return self.cache.beside(key.identifier, lambda guarded: guarded.holds(key))

    def _where_opened(
        self, identifier: KeyIdentifier | AliasIdentifier, call: Call, permission: str | None
    ) -> dict[Hashable, Any] | None:
        """Return what is beside a key of another account if it was opened for this caller; None if not."""
        place = self.cache.linked(identifier) if isinstance(identifier, AliasIdentifier) else identifier
        beside = None if place is None else self.cache.beside(place)
        if beside is None or _opened(identifier, call, permission) not in beside:
            return None
        return beside

    async def _keep_opened(
        self, identifier: KeyIdentifier | AliasIdentifier, call: Call, permission: str | None
    ) -> None:
        if not self.cache.is_usable:
            return
        # Read for it: what the plain door read may be older than what was heard meanwhile.
        guarded = await self.load(identifier)
        beside = self.cache.beside(guarded.identifier)
        if beside is not None:
            beside[_opened(identifier, call, permission)] = True


def _opened(
    identifier: KeyIdentifier | AliasIdentifier, call: Call, permission: str | None
) -> tuple[Hashable, ...]:
    return ("opened", identifier, call.caller, permission or call.route.permission)
