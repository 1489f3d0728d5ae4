"""A KMS key and its state machine.

The rules, of which everything below is a consequence:

1. The state is derived at every read, never stored.
2. A deletion date makes a key PENDING_DELETION, whatever else is true of it. A primary
   key whose deletion waits for its replica keys has no date yet, and is
   PENDING_REPLICA_DELETION (``multi_region_rules``).
3. Otherwise a key is PENDING_IMPORT, whether or not it is switched on, while it has
   no key material, or while any that is permanently associated with it (current or
   not) is missing or past its ValidTo.
4. Otherwise a key that is switched off is DISABLED; every other is ENABLED.
5. A key that leaves PENDING_IMPORT by an import is switched on; an import into
   a DISABLED key leaves it DISABLED, because that was an administrator's decision.
6. A key whose deletion is taken back is switched off.
7. Key material that is pending rotation counts for no state. Deleted or expired, it
   is forgotten; every other keeps its id in the key for good (``import_rules``).
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum

from keyferry_server.domain.errors import (
    DisabledException,
    KmsError,
    KMSInvalidStateException,
    UnsupportedOperationException,
)
from keyferry_server.domain.identifiers import KeyIdentifier, Scope
from keyferry_server.domain.key_labels import NO_LABELS, KeyLabels
from keyferry_server.domain.key_material import ExpirationModel, KeyMaterial, KeyMaterialState
from keyferry_server.domain.multi_region import MultiRegion, MultiRegionKeyType


class KeyState(StrEnum):
    """Whether a key can be used now."""

    ENABLED = "ENABLED"
    DISABLED = "DISABLED"
    PENDING_DELETION = "PENDING_DELETION"
    PENDING_REPLICA_DELETION = "PENDING_REPLICA_DELETION"
    PENDING_IMPORT = "PENDING_IMPORT"


class Origin(StrEnum):
    """Where the key material of a key comes from."""

    AWS_KMS = "AWS_KMS"
    EXTERNAL = "EXTERNAL"


class KeySpec(StrEnum):
    """The kind of key material in a key."""

    SYMMETRIC_DEFAULT = "SYMMETRIC_DEFAULT"
    RSA_2048 = "RSA_2048"
    RSA_3072 = "RSA_3072"
    RSA_4096 = "RSA_4096"
    ECC_NIST_P256 = "ECC_NIST_P256"
    ECC_NIST_P384 = "ECC_NIST_P384"
    ECC_NIST_P521 = "ECC_NIST_P521"
    ECC_SECG_P256K1 = "ECC_SECG_P256K1"
    HMAC_224 = "HMAC_224"
    HMAC_256 = "HMAC_256"
    HMAC_384 = "HMAC_384"
    HMAC_512 = "HMAC_512"


class KeyUsage(StrEnum):
    """What a key is for: one thing only (``key_specs``)."""

    ENCRYPT_DECRYPT = "ENCRYPT_DECRYPT"
    SIGN_VERIFY = "SIGN_VERIFY"
    GENERATE_VERIFY_MAC = "GENERATE_VERIFY_MAC"
    KEY_AGREEMENT = "KEY_AGREEMENT"


def is_not_pending_deletion(arn: str) -> KmsError:
    """Refuse because nothing is scheduled that could be taken back."""
    return KMSInvalidStateException(f"{arn} is not pending deletion.")


def has_imported_material(arn: str) -> KmsError:
    """Refuse because the service does not rotate what it did not generate."""
    return UnsupportedOperationException(
        f"{arn} origin is {Origin.EXTERNAL} which is not valid for this operation."
    )


def is_disabled(arn: str) -> KmsError:
    """Refuse because the key is switched off."""
    return DisabledException(f"{arn} is disabled.")


def is_pending_deletion(arn: str) -> KmsError:
    """Refuse because the key waits for its deletion date."""
    return KMSInvalidStateException(f"{arn} is pending deletion.")


def is_pending_replica_deletion(arn: str) -> KmsError:
    """Refuse because the key waits for the deletion of its replica keys."""
    return KMSInvalidStateException(f"{arn} is pending replica deletion.")


def is_pending_import(arn: str) -> KmsError:
    """Refuse because the key has no usable key material."""
    return KMSInvalidStateException(f"{arn} is pending import.")


Refuse = Callable[[str], KmsError]


@dataclass(frozen=True, slots=True)
class KeyStates:
    """In which key states an operation works: a state without a refusal is admitted.

    What is refused in PENDING_DELETION is refused in PENDING_REPLICA_DELETION.
    """

    enabled: Refuse | None = None
    disabled: Refuse | None = None
    pending_deletion: Refuse | None = None
    pending_import: Refuse | None = None

    def refusal(self, state: KeyState, arn: str) -> KmsError | None:
        """Return how the operation is refused in `state`, or None if it is not."""
        refuse = {
            KeyState.ENABLED: self.enabled,
            KeyState.DISABLED: self.disabled,
            KeyState.PENDING_DELETION: self.pending_deletion,
            KeyState.PENDING_REPLICA_DELETION: self.pending_deletion and is_pending_replica_deletion,
            KeyState.PENDING_IMPORT: self.pending_import,
        }[state]
        return None if refuse is None else refuse(arn)


# AWS's table of key states, a column of it a line; routes.py says which operation has which.
ANY_STATE = KeyStates()
NOT_LEAVING = KeyStates(pending_deletion=is_pending_deletion)
LEAVING = KeyStates(is_not_pending_deletion, is_not_pending_deletion, None, is_not_pending_deletion)
SWITCHING = KeyStates(pending_deletion=is_pending_deletion, pending_import=is_pending_import)
CRYPTOGRAPHIC = KeyStates(None, is_disabled, is_pending_deletion, is_pending_import)
ROTATING_ON_A_PERIOD = KeyStates(None, is_disabled, is_pending_deletion, has_imported_material)
SHOWING_ROTATION = KeyStates(pending_import=has_imported_material)


@dataclass(frozen=True, slots=True)
class Key:
    """A key whose caller was admitted."""

    identifier: KeyIdentifier
    description: str
    key_spec: KeySpec
    key_usage: KeyUsage
    origin: Origin
    enabled: bool
    created_at: datetime
    materials: tuple[KeyMaterial, ...]
    deletion: "Deletion | None" = None
    rotation: "RotationSchedule | None" = None
    policy: str | None = None  # None: the default one (``key_policy``)
    labels: KeyLabels = NO_LABELS
    multi_region: MultiRegion | None = None  # None: a single-Region key

    @property
    def key_id(self) -> str:
        """The key ID."""
        return self.identifier.key_id

    @property
    def arn(self) -> str:
        """The key ARN."""
        return self.identifier.arn

    @property
    def is_symmetric(self) -> bool:
        """Whether it is a symmetric encryption key: only such keys can have several materials, whose ids are shown."""
        return self.key_spec is KeySpec.SYMMETRIC_DEFAULT

    @property
    def multi_region_type(self) -> MultiRegionKeyType | None:
        """Which part it plays in a multi-Region key; None for a single-Region key."""
        return None if self.multi_region is None else self.multi_region.type_in(self.identifier.scope.region)

    @property
    def is_replica(self) -> bool:
        """Whether it is a replica key."""
        return self.multi_region_type is MultiRegionKeyType.REPLICA

    @property
    def everywhere(self) -> tuple[KeyIdentifier, ...]:
        """It and the other keys of its key ID, if it is a multi-Region key."""
        if self.multi_region is None:
            return (self.identifier,)
        return tuple(self.identifier.in_region(region) for region in self.multi_region.regions)

    @property
    def permanent_materials(self) -> tuple[KeyMaterial, ...]:
        """The materials that are associated with the key for good, present or not."""
        return tuple(material for material in self.materials if material.is_permanent)

    @property
    def current_material(self) -> KeyMaterial | None:
        """The material that encrypts, present or not; None before the first import."""
        for material in self.materials:
            if material.state is KeyMaterialState.CURRENT:
                return material
        return None

    def pending_material(self, now: datetime) -> KeyMaterial | None:
        """The imported material that waits for a rotation; once expired, there is none."""
        for material in self.materials:
            if not material.is_permanent and material.is_present(now):
                return material
        return None

    def material(self, key_material_id: str) -> KeyMaterial | None:
        """Return the permanently associated material of that id, present or not."""
        for material in self.permanent_materials:
            if material.key_material_id == key_material_id:
                return material
        return None

    def known_material(self, key_material_id: str, now: datetime) -> KeyMaterial | None:
        """Return the material of that id as `material` does, or the one that is pending rotation."""
        pending = self.pending_material(now)
        if pending is not None and pending.key_material_id == key_material_id:
            return pending
        return self.material(key_material_id)

    def with_material(self, material: KeyMaterial) -> "Key":
        """Return the key with one more material, or with another in the place of the one of that id."""
        others = (one for one in self.materials if one.key_material_id != material.key_material_id)
        return replace(self, materials=(*others, material))

    def has_all_material(self, now: datetime) -> bool:
        """Tell whether there is material and none that is associated for good is missing (rule 3)."""
        permanent = self.permanent_materials
        return bool(permanent) and all(material.is_present(now) for material in permanent)

    def valid_to(self) -> datetime | None:
        """Return when the first of the permanently associated materials expires; None if none does."""
        return min(
            (one.valid_to for one in self.permanent_materials if one.valid_to is not None), default=None
        )

    def expiration_model(self) -> ExpirationModel:
        """KEY_MATERIAL_DOES_NOT_EXPIRE only if no permanently associated material expires."""
        if self.valid_to() is None:
            return ExpirationModel.KEY_MATERIAL_DOES_NOT_EXPIRE
        return ExpirationModel.KEY_MATERIAL_EXPIRES

    def state(self, now: datetime) -> KeyState:
        """Derive the state at `now` (rules 2 to 4)."""
        if self.deletion is not None:
            is_waiting = self.deletion.date is None
            return KeyState.PENDING_REPLICA_DELETION if is_waiting else KeyState.PENDING_DELETION
        if not self.has_all_material(now):
            return KeyState.PENDING_IMPORT
        return KeyState.ENABLED if self.enabled else KeyState.DISABLED

    def check_state(self, admitted: KeyStates, now: datetime) -> None:
        """Raise the refusal of the operation if it does not work in the state at `now`."""
        refusal = admitted.refusal(self.state(now), self.arn)
        if refusal is not None:
            raise refusal

    def is_admitted(self, admitted: KeyStates, now: datetime) -> bool:
        """Tell whether an operation works in the state at `now`."""
        return admitted.refusal(self.state(now), self.arn) is None

    def check_origin(self, origin: Origin) -> None:
        """Raise UnsupportedOperationException unless the key's material has that origin."""
        if self.origin is not origin:
            raise UnsupportedOperationException(
                f"{self.arn} origin is {self.origin} which is not valid for this operation."
            )

    def check_importable(self) -> None:
        """Raise UnsupportedOperationException unless the key takes imported key material."""
        self.check_origin(Origin.EXTERNAL)

    def check_rotatable(self) -> None:
        """Raise UnsupportedOperationException, as AWS without a message, unless the key can have several materials."""
        if not self.is_symmetric:
            raise UnsupportedOperationException

    def enabled_after_import(self, material: KeyMaterial, now: datetime) -> bool:
        """Tell whether the key is switched on once `material` is imported (rule 5)."""
        leaves = not self.has_all_material(now) and self.with_material(material).has_all_material(now)
        return self.enabled or leaves


@dataclass(frozen=True, slots=True)
class Deletion:
    """A scheduled deletion: when, and how long the waiting period is; `date` is None until that has begun."""

    date: datetime | None
    window: timedelta


@dataclass(frozen=True, slots=True)
class RotationSchedule:
    """Automatic rotation: how often, and when next."""

    period: timedelta
    next_date: datetime


@dataclass(frozen=True, slots=True)
class Admission:
    """The proof that a caller may do something with one key. Only authz makes it."""

    arn: str


class GuardedKey:
    """A key before its caller was admitted: who owns it can be read, its material can not."""

    __slots__ = ("_key",)

    def __init__(self, key: Key) -> None:
        self._key = key

    def __repr__(self) -> str:
        return f"GuardedKey({self.arn})"

    @property
    def arn(self) -> str:
        """The key ARN."""
        return self._key.arn

    @property
    def identifier(self) -> KeyIdentifier:
        """Its key ID, and the scope it belongs to."""
        return self._key.identifier

    @property
    def scope(self) -> Scope:
        """The account that owns the key, and where."""
        return self._key.identifier.scope

    @property
    def account_id(self) -> str:
        """The account that owns the key."""
        return self.scope.account_id

    @property
    def policy(self) -> str | None:
        """The key policy; None for the default one."""
        return self._key.policy

    @property
    def labels(self) -> KeyLabels:
        """Its aliases and its tags."""
        return self._key.labels

    @property
    def key_spec(self) -> KeySpec:
        """The kind of key material in it."""
        return self._key.key_spec

    @property
    def key_usage(self) -> KeyUsage:
        """What it is for."""
        return self._key.key_usage

    @property
    def origin(self) -> Origin:
        """Where its key material comes from."""
        return self._key.origin

    @property
    def multi_region_type(self) -> MultiRegionKeyType | None:
        """Which part it plays in a multi-Region key; None for a single-Region key."""
        return self._key.multi_region_type

    def holds(self, key: Key) -> bool:
        """Tell whether an opened key came out of this one, and not out of an earlier or a later reading."""
        return self._key is key

    def open(self, admission: Admission) -> Key:
        """Return the key to whoever shows the admission for it."""
        if admission.arn != self.arn:
            raise PermissionError(f"an admission for {admission.arn} does not open {self.arn}")
        return self._key
