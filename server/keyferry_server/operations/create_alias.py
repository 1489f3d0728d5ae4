"""CreateAlias: gives a key one more name.

The caller needs the permission for the alias and for the key. The name is unique in the
account and Region; the key's own lock keeps its number of aliases within the quota.
"""

from dataclasses import dataclass
from datetime import datetime

from keyferry.v1 import CreateAliasRequest, CreateAliasResponse
from keyferry_server.call import Call
from keyferry_server.domain.alias import Alias, check_quota
from keyferry_server.domain.key import Key
from keyferry_server.operations.alias_door import AliasDoor
from keyferry_server.operations.key_change import KeyChange
from keyferry_server.storage.alias_store import AliasStore
from keyferry_server.storage.database import Transaction


@dataclass(frozen=True, slots=True)
class CreateAlias:
    """Names keys."""

    alias_door: AliasDoor
    change: KeyChange
    aliases: AliasStore

    async def __call__(self, request: CreateAliasRequest, call: Call) -> CreateAliasResponse:
        """Name the key; AlreadyExistsException if the name is taken, whichever key it names."""
        identifier = await self.alias_door.open(request.alias_name, call)

        async def write(transaction: Transaction, key: Key, now: datetime) -> None:
            count = await self.aliases.count(transaction, key)
            # Added before the quota is looked at: that the name is taken is the truer refusal, and a refusal undoes it.
            await self.aliases.add(transaction, Alias(identifier, key.key_id, now, now))
            check_quota(key, count)

        await self.change.run(request.target_key_id, call, write)

        return CreateAliasResponse()
