"""DeleteImportedKeyMaterial: deletes the bytes of imported key material at once; what identifies it stays.

The key is PENDING_IMPORT until the same material is imported again. It succeeds
when there is nothing to delete, and leaves a key that is pending deletion so.
Material that is pending rotation is forgotten altogether, and the key state stays; from
a primary key it is deleted in every Region.
"""

from dataclasses import dataclass
from datetime import datetime

from keyferry.v1 import DeleteImportedKeyMaterialRequest, DeleteImportedKeyMaterialResponse
from keyferry_server.call import Call
from keyferry_server.domain.errors import NotFoundException
from keyferry_server.domain.importable_keys import ImportableKeys
from keyferry_server.domain.key import Key
from keyferry_server.domain.key_material import KeyMaterial
from keyferry_server.operations.key_change import KeyChange
from keyferry_server.storage.database import Transaction
from keyferry_server.storage.key_store import KeyStore


@dataclass(frozen=True, slots=True)
class DeleteImportedKeyMaterial:
    """Deletes imported key material."""

    change: KeyChange
    keys: KeyStore
    importable_keys: ImportableKeys

    async def __call__(
        self, request: DeleteImportedKeyMaterialRequest, call: Call
    ) -> DeleteImportedKeyMaterialResponse:
        """Wipe the current material of the key, or the one that is named."""
        asked_id = request.key_material_id if request.HasField("key_material_id") else None
        deleted: str | None = None

        async def write(transaction: Transaction, key: Key, now: datetime) -> None:
            nonlocal deleted
            material = _find(key, asked_id, now)
            if material is None:
                return
            deleted = material.key_material_id
            if material.is_permanent:
                await self.keys.wipe_material(transaction, key, deleted)
            else:
                await self.keys.forget_pending(transaction, key)

        key = await self.change.run(request.key_id, call, write, self.importable_keys.check)

        return DeleteImportedKeyMaterialResponse(
            key_id=key.arn, key_material_id=deleted if key.is_symmetric else None
        )


def _find(key: Key, asked_id: str | None, now: datetime) -> KeyMaterial | None:
    """Return what to delete, None if nothing was ever imported; NotFoundException for an id that the key has not."""
    if asked_id is None:
        return key.current_material
    material = key.known_material(asked_id, now)
    if material is None:
        raise NotFoundException(f"{key.arn} has no key material {asked_id}.")
    return material
