"""When a key's material may be rotated, and what it is rotated to.

1. Only symmetric encryption keys are rotated.
2. Keys of the origin AWS_KMS rotate to fresh material: on demand, or on a period of
   90 to 2560 days, while they are enabled. A rotation that fell due while the key
   was not enabled is made up for once it is.
3. Keys of the origin EXTERNAL rotate on demand only, to what is pending rotation.
4. 25 rotations on demand are all that a key has.
5. A replica key is rotated with its primary key (``multi_region_rules``).
6. None on demand within the 20 minutes before an automatic one.
"""

from dataclasses import replace
from datetime import datetime, timedelta

from keyferry_server.domain.errors import (
    ConflictException,
    KMSInvalidStateException,
    LimitExceededException,
)
from keyferry_server.domain.key import Key, Origin, RotationSchedule
from keyferry_server.domain.key_material import KeyMaterial, KeyMaterialState, Rotation, RotationType
from keyferry_server.domain.multi_region_rules import check_everywhere, check_rotated_here

DEFAULT_PERIOD = timedelta(days=365)
MOST_ON_DEMAND = 25
CONFLICT_WINDOW = timedelta(minutes=20)


def check_on_a_period(key: Key) -> None:
    """Refuse a key that is not rotated on a period (rules 1, 3 and 5); UnsupportedOperationException."""
    check_rotatable(key)
    key.check_origin(Origin.AWS_KMS)


def check_rotatable(key: Key) -> None:
    """Refuse a key that is not rotated by itself (rules 1 and 5); UnsupportedOperationException."""
    key.check_rotatable()
    check_rotated_here(key)


def schedule(key: Key, period: timedelta, now: datetime) -> RotationSchedule:
    """Return the schedule of a key that is to rotate on `period`: the one it has, if that is its period."""
    if key.rotation is not None and key.rotation.period == period:
        return key.rotation
    return RotationSchedule(period, now + period)


def check_on_demand(key: Key, now: datetime) -> None:
    """Refuse a rotation on demand: LimitExceededException, ConflictException, KMSInvalidStateException."""
    if key.origin is Origin.EXTERNAL:
        pending = key.pending_material(now)
        if pending is None:
            raise KMSInvalidStateException(
                f"No available key material pending rotation for the key: {key.arn}."
            )
        check_everywhere(key, pending.key_material_id, now)
    on_demand = [
        one
        for one in key.materials
        if one.rotation is not None and one.rotation.type is RotationType.ON_DEMAND
    ]
    if len(on_demand) >= MOST_ON_DEMAND:
        raise LimitExceededException(
            "The on-demand rotations limit has been reached for the given keyId. "
            f"No more on-demand rotations can be performed for this key: {key.arn}"
        )
    if key.rotation is not None and key.rotation.next_date - now <= CONFLICT_WINDOW:
        raise ConflictException(f"An automatic rotation of {key.arn} is due within 20 minutes.")


def rotated(material: KeyMaterial, rotation_type: RotationType, now: datetime) -> KeyMaterial:
    """Return a material as the rotation makes it: the current one."""
    return replace(material, state=KeyMaterialState.CURRENT, rotation=Rotation(now, rotation_type))


def rescheduled(rotation: RotationSchedule, now: datetime) -> RotationSchedule:
    """Return the schedule of a key that is rotated now."""
    return RotationSchedule(rotation.period, now + rotation.period)
