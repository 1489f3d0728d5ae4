"""Which key material may be imported into a key.

1. Nothing was ever imported: any key material is new. It is current at once.
2. Afterwards an import brings back key material that the key had: bit for bit the
   same, found by its id. Other material is an IncorrectKeyMaterialException.
3. Only who says NEW_KEY_MATERIAL adds other material to it. It is pending rotation,
   and one at a time; what the key knows already is not new.
4. A KeyMaterialId in the request is enforced; new material cannot have one.
5. Into a replica key comes what its primary key has (``multi_region_rules``).
6. Only symmetric encryption keys can have more than one material. Whatever is said
   about it in an import into another key is a ValidationException.
"""

from collections.abc import Sequence
from datetime import datetime

from keyferry_server.domain.errors import (
    IncorrectKeyMaterialException,
    KMSInvalidStateException,
    ValidationException,
)
from keyferry_server.domain.key import Key
from keyferry_server.domain.key_material import ImportType, KeyMaterial, KeyMaterialState
from keyferry_server.domain.multi_region_rules import check_import_here, is_awaited


def check_symmetric_members(key: Key, given: Sequence[str]) -> None:
    """Refuse the members `given` if the key is not a symmetric encryption key (rule 6); ValidationException."""
    if given and not key.is_symmetric:
        raise ValidationException(
            f"{' and '.join(given)} can be used with symmetric encryption keys only. The key spec of {key.arn} is "
            f"{key.key_spec}."
        )


def import_type(asked: ImportType | None, key: Key) -> ImportType:
    """Return what the import is: what was asked for, or what rules 1 and 2 make of it."""
    if asked is not None:
        return asked
    return ImportType.EXISTING_KEY_MATERIAL if key.permanent_materials else ImportType.NEW_KEY_MATERIAL


def check_import_type(asked: ImportType | None, key_material_id: str | None, key: Key) -> None:
    """Refuse a KeyMaterialId for new key material (rule 4), and that in a replica key (rule 5).

    ValidationException, UnsupportedOperationException.
    """
    check_import_here(key, asked)
    if key_material_id is not None and import_type(asked, key) is ImportType.NEW_KEY_MATERIAL:
        raise ValidationException("KeyMaterialId is not permitted when ImportType is NEW_KEY_MATERIAL")


def place_material(
    key: Key, asked: ImportType | None, asked_id: str | None, key_material_id: str, now: datetime
) -> KeyMaterial | None:
    """Return the known material that an import of `key_material_id` brings back, None if it adds a new one.

    IncorrectKeyMaterialException if it is not what the import must bring;
    KMSInvalidStateException if other new material is pending rotation.
    """
    known = key.known_material(key_material_id, now)
    if import_type(asked, key) is ImportType.EXISTING_KEY_MATERIAL:
        if known is None and not is_awaited(key, key_material_id, now):
            raise IncorrectKeyMaterialException(_not_the_same(key))
        if asked_id is not None and asked_id != key_material_id:
            raise IncorrectKeyMaterialException(
                f"The key material is not the one that KeyMaterialId names. Its id in {key.arn} is {key_material_id}."
            )
        return known
    if known is not None:
        raise IncorrectKeyMaterialException(
            f"The key material (id: {key_material_id}) is already associated with {key.arn}. "
            "NEW_KEY_MATERIAL must be other key material; to import the same again, use EXISTING_KEY_MATERIAL."
        )
    pending = key.pending_material(now)
    if pending is not None:
        raise KMSInvalidStateException(
            f"New key material (id: {key_material_id}) cannot be imported into KMS key {key.arn}, because another "
            f"key material (id: {pending.key_material_id}) is pending rotation."
        )
    return None


def state_of_new_material(key: Key) -> KeyMaterialState:
    """Return the part that new material plays in a key: the first is current at once (rules 1 and 3)."""
    return KeyMaterialState.PENDING_ROTATION if key.permanent_materials else KeyMaterialState.CURRENT


def _not_the_same(key: Key) -> str:
    if not key.permanent_materials:
        return f"No key material was imported into {key.arn} before, so there is none that could be imported again."
    return (
        f"The key material is not the one that was imported into {key.arn} before. "
        "Only the same key material can be imported again."
    )
