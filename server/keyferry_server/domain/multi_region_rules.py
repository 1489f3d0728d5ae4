"""The rules of multi-Region keys: keys of one key ID, each in another Region.

1. One of them is the primary key. The others are replica keys, made from it: one in a
   Region at most.
2. They have the same key material, key spec, key usage, origin and rotation. All else
   is each key's own: policy, grants, aliases, tags, description, key state.
3. Only the primary key is replicated and rotated. Its rotation is that of all.
4. Key material of the origin EXTERNAL is imported into each of them. New material is
   imported into the primary key first, then as existing material into the replica
   keys; it can be rotated to once they all have it. Deleted from the primary key
   before that, it is gone everywhere.
5. A primary key outlives its replica keys: its waiting period begins when the last of
   them is deleted.
6. An enabled replica key can become the primary key in place of an enabled one; what
   is pending rotation in the one must be so in the other.
"""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime

from keyferry_server.domain.errors import (
    AlreadyExistsException,
    KMSInvalidStateException,
    UnsupportedOperationException,
)
from keyferry_server.domain.key import CRYPTOGRAPHIC, Key, Origin
from keyferry_server.domain.key_labels import KeyLabels
from keyferry_server.domain.key_material import ImportType


def check_primary(key: Key) -> None:
    """Refuse every key but a primary key (rule 3); UnsupportedOperationException."""
    if key.multi_region is None:
        raise UnsupportedOperationException(
            f"{key.arn} is a single-Region key. Only keys that were created with MultiRegion can be replicated."
        )
    _refuse_replica(key)


def check_rotated_here(key: Key) -> None:
    """Refuse a replica key, which is rotated with its primary key (rule 3); UnsupportedOperationException."""
    _refuse_replica(key)


def check_new_region(key: Key, region: str) -> None:
    """Refuse a second key in one Region (rule 1); AlreadyExistsException."""
    if key.multi_region is not None and region in key.multi_region.regions:
        raise AlreadyExistsException(
            f"Unable to replicate key {key.key_id} to region {region}, as the key already exists there."
        )


def replica_of(
    primary: Key, region: str, now: datetime, *, description: str, policy: str | None, labels: KeyLabels
) -> Key:
    """Return the replica key of a primary key in a Region: with the same material (rule 2), but for imported bytes (rule 4)."""
    related = primary.multi_region
    if related is None:
        raise AssertionError("a single-Region key has no replica keys")
    materials = primary.permanent_materials
    if primary.origin is Origin.EXTERNAL:
        materials = tuple(
            replace(one, sealed=None, valid_to=None, description=None, imported_at=now) for one in materials
        )
    return replace(
        primary,
        identifier=primary.identifier.in_region(region),
        description=description,
        enabled=True,
        created_at=now,
        materials=materials,
        policy=policy,
        labels=labels,
        multi_region=replace(related, regions=tuple(sorted({*related.regions, region}))),
    )


def check_import_here(key: Key, asked: ImportType | None) -> None:
    """Refuse new material in a replica key (rule 4); UnsupportedOperationException."""
    if asked is ImportType.NEW_KEY_MATERIAL and key.is_replica:
        raise UnsupportedOperationException(
            f"{key.arn} is a replica key. Import new key material into its primary key first, and then here as "
            "EXISTING_KEY_MATERIAL."
        )


def is_awaited(key: Key, key_material_id: str, now: datetime) -> bool:
    """Tell whether a replica key may take new material, because its primary key has it (rule 4)."""
    related = key.multi_region
    return (
        related is not None
        and key.is_replica
        and related.has_pending(related.primary_region, key_material_id, now)
    )


def regions_that_wait(key: Key, key_material_id: str, now: datetime) -> Sequence[str]:
    """Return where replica keys are that have not got the primary key's new material yet (rule 4)."""
    related = key.multi_region
    if related is None or key.is_replica:
        return ()
    return [
        region for region in related.replica_regions if not related.has_pending(region, key_material_id, now)
    ]


def check_everywhere(key: Key, key_material_id: str, now: datetime) -> None:
    """Refuse a rotation to material that a replica key has not got yet (rule 4); KMSInvalidStateException."""
    missing = regions_that_wait(key, key_material_id, now)
    if missing:
        raise KMSInvalidStateException(
            f"Key material (id: {key_material_id}) of {key.arn} is pending import into the replica keys in "
            f"{', '.join(missing)}."
        )


def has_replicas(key: Key) -> bool:
    """Tell whether it is a primary key whose end waits for that of its replica keys (rule 5)."""
    return key.multi_region is not None and not key.is_replica and bool(key.multi_region.replica_regions)


def check_promotion(primary: Key, replica: Key, now: datetime) -> None:
    """Refuse a replica key that cannot be the primary key (rule 6); DisabledException, KMSInvalidStateException.

    UnsupportedOperationException for the primary key itself.
    """
    if not replica.is_replica:
        raise UnsupportedOperationException(f"{replica.arn} is the primary key already.")
    replica.check_state(CRYPTOGRAPHIC, now)
    pending = primary.pending_material(now)
    if pending is not None and replica.known_material(pending.key_material_id, now) is None:
        raise KMSInvalidStateException(
            f"Key material (id: {pending.key_material_id}) is pending rotation in {primary.arn}. Import it into "
            f"{replica.arn}, or delete it, before that becomes the primary key."
        )


def _refuse_replica(key: Key) -> None:
    related = key.multi_region
    if related is not None and key.is_replica:
        primary = key.identifier.in_region(related.primary_region)
        raise UnsupportedOperationException(
            f"{key.arn} is a replica key; this can be done with its primary key only, {primary.arn}."
        )
