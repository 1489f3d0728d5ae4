"""UpdateAlias: points an alias at another key.

The caller needs the permission for the alias and for both keys. Only the new key must be
in a state that allows it: an alias can be taken away from one that is pending deletion.
"""

from dataclasses import dataclass
from datetime import datetime

from keyferry.v1 import UpdateAliasRequest, UpdateAliasResponse
from keyferry_server.call import Call
from keyferry_server.domain.alias import check_quota, check_same_kind
from keyferry_server.domain.identifiers import KeyIdentifier
from keyferry_server.domain.key import Key
from keyferry_server.operations.alias_door import AliasDoor
from keyferry_server.operations.key_change import KeyChange
from keyferry_server.operations.key_door import KeyDoor
from keyferry_server.storage.alias_store import AliasStore
from keyferry_server.storage.database import Transaction


@dataclass(frozen=True, slots=True)
class UpdateAlias:
    """Points aliases elsewhere."""

    alias_door: AliasDoor
    change: KeyChange
    door: KeyDoor
    aliases: AliasStore

    async def __call__(self, request: UpdateAliasRequest, call: Call) -> UpdateAliasResponse:
        """Point the alias at the key, if that is of the same kind as the one that it names now."""
        identifier = await self.alias_door.open(request.alias_name, call)

        async def write(transaction: Transaction, key: Key, now: datetime) -> None:
            alias = await self.aliases.lock(transaction, identifier)
            # Not locked: what is compared never changes, and two keys locked in any order could block each other.
            current = await self.door.read(transaction, KeyIdentifier(call.scope, alias.key_id), call)
            check_same_kind(identifier, current, key)
            if current.key_id != key.key_id:
                check_quota(key, await self.aliases.count(transaction, key))
            await self.aliases.point(transaction, alias, key, now)

        await self.change.run(request.target_key_id, call, write)

        return UpdateAliasResponse()
