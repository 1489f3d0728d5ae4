"""DeleteImportedKeyMaterial: deletes the bytes of imported key material at once; what identifies it stays.

The key is PENDING_IMPORT until the same material is imported again. It succeeds
when there is nothing to delete, and leaves a key that is pending deletion so.
"""

from dataclasses import dataclass

from keyferry.v1 import DeleteImportedKeyMaterialRequest, DeleteImportedKeyMaterialResponse
from keyferry_server.call import Call
from keyferry_server.domain.clock import Clock
from keyferry_server.operations.key_door import KeyDoor
from keyferry_server.storage.database import Database, Transaction
from keyferry_server.storage.key_store import KeyStore


@dataclass(frozen=True, slots=True)
class DeleteImportedKeyMaterial:
    """Deletes imported key material."""

    database: Database
    door: KeyDoor
    keys: KeyStore
    clock: Clock

    async def __call__(
        self, request: DeleteImportedKeyMaterialRequest, call: Call
    ) -> DeleteImportedKeyMaterialResponse:
        """Wipe the current material of the key."""
        opened = await self.door.open(request.key_id, call)
        opened.check_importable()
        opened.check_state(call.route.key_states, self.clock.now())

        async def write(transaction: Transaction) -> str | None:
            key = await self.door.lock(transaction, opened, call)
            key.check_state(call.route.key_states, self.clock.now())
            material = key.current_material
            if material is None:
                return None
            await self.keys.wipe_material(transaction, key, material.key_material_id)
            return material.key_material_id

        key_material_id = await self.database.transact(write)

        return DeleteImportedKeyMaterialResponse(key_id=opened.arn, key_material_id=key_material_id)
