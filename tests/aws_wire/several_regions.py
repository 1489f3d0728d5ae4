"""What tests do with multi-Region keys."""

import os
from typing import Any

from aws_wire.conftest import WEST, Kms, World, ask, refusal
from steps import wrap

MATERIAL, NEW_MATERIAL = os.urandom(32), os.urandom(32)
NEW, EXISTING = "NEW_KEY_MATERIAL", "EXISTING_KEY_MATERIAL"
NEVER = {"ExpirationModel": "KEY_MATERIAL_DOES_NOT_EXPIRE"}


async def create(kms: Kms, **members: Any) -> str:
    key_id: str = (await ask(kms.create_key, MultiRegion=True, **members))["KeyMetadata"]["KeyId"]
    return key_id


async def bring(kms: Kms, key_id: str, material: bytes = MATERIAL, **members: Any) -> str:
    parameters = await ask(
        kms.get_parameters_for_import,
        KeyId=key_id,
        WrappingAlgorithm="RSAES_OAEP_SHA_256",
        WrappingKeySpec="RSA_2048",
    )
    imported = await ask(
        kms.import_key_material,
        KeyId=key_id,
        ImportToken=parameters["ImportToken"],
        EncryptedKeyMaterial=wrap(parameters["PublicKey"], material),
        **(NEVER | members),
    )
    material_id: str = imported["KeyMaterialId"]
    return material_id


async def refused_bring(kms: Kms, key_id: str, material: bytes, **members: Any) -> tuple[str, str]:
    parameters = await ask(
        kms.get_parameters_for_import,
        KeyId=key_id,
        WrappingAlgorithm="RSAES_OAEP_SHA_256",
        WrappingKeySpec="RSA_2048",
    )
    return await refusal(
        kms.import_key_material,
        KeyId=key_id,
        ImportToken=parameters["ImportToken"],
        EncryptedKeyMaterial=wrap(parameters["PublicKey"], material),
        **(NEVER | members),
    )


async def described(kms: Kms, key_id: str) -> Any:
    return (await ask(kms.describe_key, KeyId=key_id))["KeyMetadata"]


async def state(kms: Kms, key_id: str) -> str:
    found: str = (await described(kms, key_id))["KeyState"]
    return found


async def seal(kms: Kms, key_id: str, plaintext: bytes = b"attack") -> bytes:
    blob: bytes = (await ask(kms.encrypt, KeyId=key_id, Plaintext=plaintext))["CiphertextBlob"]
    return blob


async def opened(kms: Kms, blob: bytes) -> bytes:
    plaintext: bytes = (await ask(kms.decrypt, CiphertextBlob=blob))["Plaintext"]
    return plaintext


async def materials(kms: Kms, key_id: str) -> dict[str, str]:
    listed = await ask(kms.list_key_rotations, KeyId=key_id, IncludeKeyMaterial="ALL_KEY_MATERIAL")
    return {one["KeyMaterialId"]: one["KeyMaterialState"] for one in listed["Rotations"]}


async def imported_in_two_regions(world: World) -> tuple[str, str]:
    key_id = await create(world.east, Origin="EXTERNAL")
    material_id = await bring(world.east, key_id)
    await ask(world.east.replicate_key, KeyId=key_id, ReplicaRegion=WEST)
    assert await bring(world.west, key_id) == material_id
    return key_id, material_id


def arn(region: str, key_id: str) -> str:
    return f"arn:aws:kms:{region}:000000000000:key/{key_id}"
