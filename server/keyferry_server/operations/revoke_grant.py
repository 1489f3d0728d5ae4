"""RevokeGrant: deletes a grant, for those whom the key policy lets."""

from dataclasses import dataclass

from keyferry.v1 import RevokeGrantRequest, RevokeGrantResponse
from keyferry_server.call import Call
from keyferry_server.domain.dry_run import stop_if_dry_run
from keyferry_server.domain.grant import check_grant_id, no_such_grant
from keyferry_server.operations.key_door import KeyDoor
from keyferry_server.storage.database import Database, Transaction
from keyferry_server.storage.grant_store import GrantStore


@dataclass(frozen=True, slots=True)
class RevokeGrant:
    """Takes permissions back."""

    database: Database
    door: KeyDoor
    grants: GrantStore

    async def __call__(self, request: RevokeGrantRequest, call: Call) -> RevokeGrantResponse:
        """Delete the grant; InvalidGrantIdException if the key has no such grant."""
        grant_id = check_grant_id(request.grant_id)

        key = await self.door.open(request.key_id, call)

        if not await self.grants.of_key(key.identifier, grant_id=grant_id):
            raise no_such_grant(grant_id, key.arn)
        stop_if_dry_run(request.dry_run)

        async def write(transaction: Transaction) -> None:
            await self.door.lock(transaction, key, call)
            if not await self.grants.delete(transaction, key.identifier, grant_id):
                raise no_such_grant(grant_id, key.arn)

        await self.database.transact(write)

        return RevokeGrantResponse()
