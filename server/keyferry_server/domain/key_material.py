"""Key material: how it is wrapped for import, how long it is, when it expires, which part it plays."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from keyferry_server.domain.errors import IncorrectKeyMaterialException, ValidationException

SYMMETRIC_KEY_MATERIAL_BYTES = 32
LONGEST_VALIDITY = timedelta(days=365)


class WrappingAlgorithm(StrEnum):
    """How the caller encrypts key material under the wrapping public key."""

    RSAES_PKCS1_V1_5 = "RSAES_PKCS1_V1_5"
    RSAES_OAEP_SHA_1 = "RSAES_OAEP_SHA_1"
    RSAES_OAEP_SHA_256 = "RSAES_OAEP_SHA_256"
    RSA_AES_KEY_WRAP_SHA_1 = "RSA_AES_KEY_WRAP_SHA_1"
    RSA_AES_KEY_WRAP_SHA_256 = "RSA_AES_KEY_WRAP_SHA_256"
    SM2PKE = "SM2PKE"


class WrappingKeySpec(StrEnum):
    """The kind of wrapping key."""

    RSA_2048 = "RSA_2048"
    RSA_3072 = "RSA_3072"
    RSA_4096 = "RSA_4096"
    SM2 = "SM2"


class ExpirationModel(StrEnum):
    """Whether imported key material expires."""

    KEY_MATERIAL_EXPIRES = "KEY_MATERIAL_EXPIRES"
    KEY_MATERIAL_DOES_NOT_EXPIRE = "KEY_MATERIAL_DOES_NOT_EXPIRE"


class ImportType(StrEnum):
    """What an import does with its key material: add it to the key, or bring back what the key had."""

    NEW_KEY_MATERIAL = "NEW_KEY_MATERIAL"
    EXISTING_KEY_MATERIAL = "EXISTING_KEY_MATERIAL"


class KeyMaterialState(StrEnum):
    """Which part a key material plays in its key."""

    CURRENT = "CURRENT"
    NON_CURRENT = "NON_CURRENT"
    PENDING_ROTATION = "PENDING_ROTATION"


class RotationType(StrEnum):
    """What made a key material the current one after another."""

    AUTOMATIC = "AUTOMATIC"
    ON_DEMAND = "ON_DEMAND"


@dataclass(frozen=True, slots=True)
class Rotation:
    """When and by what a key material became the current one after another."""

    date: datetime
    type: RotationType


@dataclass(frozen=True, slots=True)
class KeyMaterial:
    """One key material of a key, whether or not its bytes are here.

    `sealed` is None after deletion. After `valid_to` the material counts as gone
    at once, although its bytes stay until they are wiped. `description` is None if
    none was given. `rotation` is None for the first material and for one that is
    pending rotation. `public_key` is that of an asymmetric key, DER
    SubjectPublicKeyInfo; it stays after deletion, too.
    """

    key_material_id: str
    state: KeyMaterialState
    sealed: bytes | None
    valid_to: datetime | None
    imported_at: datetime
    description: str | None = None
    rotation: Rotation | None = None
    public_key: bytes | None = None

    @property
    def is_permanent(self) -> bool:
        """Tell whether it is associated with its key for good: something may have been encrypted with it."""
        return self.state is not KeyMaterialState.PENDING_ROTATION

    def is_present(self, now: datetime) -> bool:
        """Tell whether it can be used at `now`; at its ValidTo it no longer can."""
        return self.sealed is not None and (self.valid_to is None or now < self.valid_to)

    @property
    def expiration_model(self) -> ExpirationModel:
        """Derived from whether there is a ValidTo."""
        if self.valid_to is None:
            return ExpirationModel.KEY_MATERIAL_DOES_NOT_EXPIRE
        return ExpirationModel.KEY_MATERIAL_EXPIRES


def check_expiration(
    model: ExpirationModel | None, valid_to: datetime | None, now: datetime
) -> datetime | None:
    """Apply the combination rules of ExpirationModel and ValidTo; return when the material expires, if it does.

    The model defaults to KEY_MATERIAL_EXPIRES. ValidationException for every
    combination that the contract does not allow.
    """
    if model is ExpirationModel.KEY_MATERIAL_DOES_NOT_EXPIRE:
        if valid_to is not None:
            raise ValidationException(
                "A validTo date must not be set if the ExpirationModel is KEY_MATERIAL_DOES_NOT_EXPIRE"
            )
        return None
    if valid_to is None:
        raise ValidationException("A validTo date must be set if the ExpirationModel is KEY_MATERIAL_EXPIRES")
    if valid_to <= now:
        raise ValidationException("ValidTo must be in the future")
    if valid_to > now + LONGEST_VALIDITY:
        raise ValidationException("ValidTo must be no more than 365 days from the request date")
    return valid_to


def check_key_material(length: int) -> None:
    """Check the length in bytes of unwrapped key material; IncorrectKeyMaterialException if it is wrong."""
    if length != SYMMETRIC_KEY_MATERIAL_BYTES:
        raise IncorrectKeyMaterialException(
            f"The key material must be {SYMMETRIC_KEY_MATERIAL_BYTES} bytes (256 bits) for a symmetric encryption "
            f"key; the unwrapped key material has {length} bytes. Wrap the raw bytes: no hex, base64 or trailing newline."
        )
