"""Key material that the service generates itself, for keys of the origin AWS_KMS."""

import asyncio
from dataclasses import dataclass
from datetime import datetime

from keyferry_server.crypto.key_material import Material, generate_material
from keyferry_server.crypto.key_material_id import KeyMaterialIds
from keyferry_server.crypto.sealing import Sealer
from keyferry_server.domain.key import KeySpec
from keyferry_server.domain.key_material import KeyMaterial, KeyMaterialState
from keyferry_server.domain.key_specs import is_rsa
from keyferry_server.operations.key_use import material_place


async def generate_off_loop(key_spec: KeySpec) -> Material:
    """Return fresh material of any spec; in a thread if it takes long: RSA takes 30 to 600 ms."""
    if is_rsa(key_spec):
        return await asyncio.to_thread(generate_material, key_spec)
    return generate_material(key_spec)


@dataclass(frozen=True, slots=True)
class FreshMaterial:
    """Generates and seals key material."""

    sealer: Sealer
    key_material_ids: KeyMaterialIds

    def generate(self, key_id: str, now: datetime) -> KeyMaterial:
        """Return fresh material for a symmetric key, as its current one."""
        return self._seal(key_id, generate_material(KeySpec.SYMMETRIC_DEFAULT), now)

    async def generate_for(self, key_spec: KeySpec, key_id: str, now: datetime) -> KeyMaterial:
        """Return fresh material for a key of any spec, as its current one."""
        return self._seal(key_id, await generate_off_loop(key_spec), now)

    def _seal(self, key_id: str, material: Material, now: datetime) -> KeyMaterial:
        key_material_id = self.key_material_ids.of(key_id, material.identity)
        return KeyMaterial(
            key_material_id=key_material_id,
            state=KeyMaterialState.CURRENT,
            sealed=self.sealer.seal(material.secret, material_place(key_id, key_material_id)),
            valid_to=None,
            imported_at=now,
            public_key=material.public_key,
        )
