"""A KMS key and its state machine.

The rules, of which everything below is a consequence:

1. The state is derived at every read, never stored.
2. A deletion date makes a key PENDING_DELETION, whatever else is true of it.
3. Otherwise a key without its key material, or whose key material is past its
   ValidTo, is PENDING_IMPORT, whether or not it is switched on.
4. Otherwise a key that is switched off is DISABLED; every other is ENABLED.
5. A key that leaves PENDING_IMPORT by an import is switched on; an import into
   a DISABLED key leaves it DISABLED, because that was an administrator's decision.
6. Once key material was imported, its id stays with the key for good: only the
   same material may be imported again, also after deletion and expiry.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from keyferry_server.domain.errors import (
    DisabledException,
    KmsError,
    KMSInvalidStateException,
    UnsupportedOperationException,
)
from keyferry_server.domain.identifiers import KeyIdentifier
from keyferry_server.domain.key_material import KeyMaterial, KeyMaterialState


class KeyState(StrEnum):
    """Whether a key can be used now."""

    ENABLED = "ENABLED"
    DISABLED = "DISABLED"
    PENDING_DELETION = "PENDING_DELETION"
    PENDING_IMPORT = "PENDING_IMPORT"


class Origin(StrEnum):
    """Where the key material of a key comes from."""

    AWS_KMS = "AWS_KMS"
    EXTERNAL = "EXTERNAL"


class KeySpec(StrEnum):
    """The kind of key material in a key."""

    SYMMETRIC_DEFAULT = "SYMMETRIC_DEFAULT"


class KeyUsage(StrEnum):
    """What a key is for."""

    ENCRYPT_DECRYPT = "ENCRYPT_DECRYPT"


def is_disabled(arn: str) -> KmsError:
    """Refuse because the key is switched off."""
    return DisabledException(f"{arn} is disabled.")


def is_pending_deletion(arn: str) -> KmsError:
    """Refuse because the key waits for its deletion date."""
    return KMSInvalidStateException(f"{arn} is pending deletion.")


def is_pending_import(arn: str) -> KmsError:
    """Refuse because the key has no usable key material."""
    return KMSInvalidStateException(f"{arn} is pending import.")


@dataclass(frozen=True, slots=True)
class KeyStates:
    """In which key states an operation works: a state without a refusal is admitted."""

    disabled: Callable[[str], KmsError] | None = None
    pending_deletion: Callable[[str], KmsError] | None = None
    pending_import: Callable[[str], KmsError] | None = None

    def refusal(self, state: KeyState, arn: str) -> KmsError | None:
        """Return how the operation is refused in `state`, or None if it is not."""
        refuse = {
            KeyState.ENABLED: None,
            KeyState.DISABLED: self.disabled,
            KeyState.PENDING_DELETION: self.pending_deletion,
            KeyState.PENDING_IMPORT: self.pending_import,
        }[state]
        return None if refuse is None else refuse(arn)


ANY_STATE = KeyStates()
SWITCHING = KeyStates(pending_deletion=is_pending_deletion, pending_import=is_pending_import)
IMPORTING = KeyStates(pending_deletion=is_pending_deletion)
CRYPTOGRAPHIC = KeyStates(
    disabled=is_disabled, pending_deletion=is_pending_deletion, pending_import=is_pending_import
)


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
    deletion_date: datetime | None
    materials: tuple[KeyMaterial, ...]

    @property
    def key_id(self) -> str:
        """The key ID."""
        return self.identifier.key_id

    @property
    def arn(self) -> str:
        """The key ARN."""
        return self.identifier.arn

    @property
    def current_material(self) -> KeyMaterial | None:
        """The material that encrypts, present or not; None before the first import."""
        for material in self.materials:
            if material.state is KeyMaterialState.CURRENT:
                return material
        return None

    def material(self, key_material_id: str) -> KeyMaterial | None:
        """Return the associated material of that id, present or not."""
        for material in self.materials:
            if material.key_material_id == key_material_id:
                return material
        return None

    def state(self, now: datetime) -> KeyState:
        """Derive the state at `now` (rules 2 to 4)."""
        if self.deletion_date is not None:
            return KeyState.PENDING_DELETION
        if not self.materials or not all(material.is_present(now) for material in self.materials):
            return KeyState.PENDING_IMPORT
        return KeyState.ENABLED if self.enabled else KeyState.DISABLED

    def check_state(self, admitted: KeyStates, now: datetime) -> None:
        """Raise the refusal of the operation if it does not work in the state at `now`."""
        refusal = admitted.refusal(self.state(now), self.arn)
        if refusal is not None:
            raise refusal

    def check_importable(self) -> None:
        """Raise UnsupportedOperationException unless the key takes imported key material."""
        if self.origin is not Origin.EXTERNAL:
            raise UnsupportedOperationException(
                f"{self.arn} origin is {self.origin} which is not valid for this operation."
            )

    def enabled_after_import(self, now: datetime) -> bool:
        """Tell whether the key is switched on once its material is imported (rule 5)."""
        return self.enabled or self.state(now) is KeyState.PENDING_IMPORT


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
    def account_id(self) -> str:
        """The account that owns the key."""
        return self._key.identifier.scope.account_id

    def open(self, admission: Admission) -> Key:
        """Return the key to whoever shows the admission for it."""
        if admission.arn != self.arn:
            raise PermissionError(f"an admission for {admission.arn} does not open {self.arn}")
        return self._key
