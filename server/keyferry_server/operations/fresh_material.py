"""Key material that the service generates itself, for keys of the origin AWS_KMS."""

from dataclasses import dataclass
from datetime import datetime

from keyferry_server.crypto.key_material_id import KeyMaterialIds
from keyferry_server.crypto.sealing import Sealer
from keyferry_server.crypto.secret import Secret
from keyferry_server.domain.key_material import SYMMETRIC_KEY_MATERIAL_BYTES, KeyMaterial, KeyMaterialState
from keyferry_server.operations.key_use import material_place


@dataclass(frozen=True, slots=True)
class FreshMaterial:
    """Generates and seals key material."""

    sealer: Sealer
    key_material_ids: KeyMaterialIds

    def generate(self, key_id: str, now: datetime) -> KeyMaterial:
        """Return fresh material for a key, as its current one."""
        secret = Secret.generate(SYMMETRIC_KEY_MATERIAL_BYTES)
        key_material_id = self.key_material_ids.of(key_id, secret)
        return KeyMaterial(
            key_material_id=key_material_id,
            state=KeyMaterialState.CURRENT,
            sealed=self.sealer.seal(secret, material_place(key_id, key_material_id)),
            valid_to=None,
            imported_at=now,
        )
