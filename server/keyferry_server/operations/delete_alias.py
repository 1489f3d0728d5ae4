"""DeleteAlias: takes a name off its key, in every key state. The key stays as it is."""

from dataclasses import dataclass

from keyferry.v1 import DeleteAliasRequest, DeleteAliasResponse
from keyferry_server.call import Call
from keyferry_server.domain.clock import Clock
from keyferry_server.domain.identifiers import KeyIdentifier
from keyferry_server.operations.alias_door import AliasDoor
from keyferry_server.operations.key_door import KeyDoor
from keyferry_server.storage.alias_store import AliasStore
from keyferry_server.storage.database import Database, Transaction


@dataclass(frozen=True, slots=True)
class DeleteAlias:
    """Deletes aliases."""

    database: Database
    alias_door: AliasDoor
    door: KeyDoor
    aliases: AliasStore
    clock: Clock

    async def __call__(self, request: DeleteAliasRequest, call: Call) -> DeleteAliasResponse:
        """Delete the alias; the caller needs the permission for it and for the key that it names."""
        identifier = await self.alias_door.open(request.alias_name, call)

        async def write(transaction: Transaction) -> None:
            alias = await self.aliases.lock(transaction, identifier)
            key = await self.door.read(transaction, KeyIdentifier(call.scope, alias.key_id), call)
            key.check_state(call.route.key_states, self.clock.now())
            await self.aliases.delete(transaction, alias)

        await self.database.transact(write)

        return DeleteAliasResponse()
