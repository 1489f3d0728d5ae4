"""UpdatePrimaryRegion: makes a replica key the primary key, and the primary key a replica key.

It is done when it is answered. The caller needs the permission for both keys.
"""

from dataclasses import dataclass, replace
from datetime import datetime

from keyferry.v1 import UpdatePrimaryRegionRequest, UpdatePrimaryRegionResponse
from keyferry_server.call import Call
from keyferry_server.domain.key import Key
from keyferry_server.domain.multi_region import ServedRegions, no_such_region
from keyferry_server.domain.multi_region_rules import check_primary, check_promotion
from keyferry_server.operations.key_change import KeyChange
from keyferry_server.operations.key_door import KeyDoor
from keyferry_server.storage.database import Transaction
from keyferry_server.storage.key_store import KeyStore


@dataclass(frozen=True, slots=True)
class UpdatePrimaryRegion:
    """Moves the primary key of a multi-Region key."""

    change: KeyChange
    door: KeyDoor
    keys: KeyStore
    regions: ServedRegions

    async def __call__(self, request: UpdatePrimaryRegionRequest, call: Call) -> UpdatePrimaryRegionResponse:
        """Move it, if there is a replica key in the Region; the primary key itself is no other key."""
        region = request.primary_region
        if not self.regions.allows(region):
            raise no_such_region(region)
        call_there = replace(call, scope=replace(call.scope, region=region))

        async def write(transaction: Transaction, primary: Key, now: datetime) -> None:
            # Locked already: the keys of a multi-Region key are locked together.
            replica = await self.door.read(transaction, primary.identifier.in_region(region), call_there)
            check_promotion(primary, replica, now)
            await self.keys.move_primary(transaction, primary, region)

        await self.change.run(request.key_id, call, write, check_primary)

        return UpdatePrimaryRegionResponse()
