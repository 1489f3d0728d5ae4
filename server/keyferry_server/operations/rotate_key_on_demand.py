"""RotateKeyOnDemand: makes other key material current at once; the earlier material still decrypts.

A key of the origin AWS_KMS gets fresh material, one of the origin EXTERNAL the
material that was imported as NEW_KEY_MATERIAL. AWS does it in the background; here
it is done when it is answered. The replica keys of a primary key are rotated with it.
"""

from dataclasses import dataclass
from datetime import datetime

from keyferry.v1 import RotateKeyOnDemandRequest, RotateKeyOnDemandResponse
from keyferry_server.call import Call
from keyferry_server.domain.key import Key
from keyferry_server.domain.key_material import RotationType
from keyferry_server.domain.rotation import check_on_demand, check_rotatable, rotated
from keyferry_server.operations.fresh_material import FreshMaterial
from keyferry_server.operations.key_change import KeyChange
from keyferry_server.storage.database import Transaction
from keyferry_server.storage.key_store import KeyStore


@dataclass(frozen=True, slots=True)
class RotateKeyOnDemand:
    """Rotates a key now."""

    change: KeyChange
    keys: KeyStore
    fresh_material: FreshMaterial

    async def __call__(self, request: RotateKeyOnDemandRequest, call: Call) -> RotateKeyOnDemandResponse:
        """Rotate the key; the quota, a conflict and missing material are refused under the key's lock."""

        async def write(transaction: Transaction, key: Key, now: datetime) -> None:
            check_on_demand(key, now)
            pending = key.pending_material(now)
            if pending is None:
                fresh = self.fresh_material.generate(key.key_id, now)
                await self.keys.rotate_to_fresh(transaction, key, rotated(fresh, RotationType.ON_DEMAND, now))
            else:
                await self.keys.rotate_to_pending(
                    transaction, key, rotated(pending, RotationType.ON_DEMAND, now)
                )

        key = await self.change.run(request.key_id, call, write, check_rotatable)

        return RotateKeyOnDemandResponse(key_id=key.arn)
