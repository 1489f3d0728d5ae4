"""GetKeyRotationStatus: shows whether and when a key is rotated on a period. Imported key material never is."""

from dataclasses import dataclass

from keyferry.v1 import GetKeyRotationStatusRequest, GetKeyRotationStatusResponse
from keyferry_server.call import Call
from keyferry_server.domain.clock import Clock
from keyferry_server.operations.key_door import KeyDoor


@dataclass(frozen=True, slots=True)
class GetKeyRotationStatus:
    """Shows the rotation of a key."""

    door: KeyDoor
    clock: Clock

    async def __call__(
        self, request: GetKeyRotationStatusRequest, call: Call
    ) -> GetKeyRotationStatusResponse:
        """Show the schedule; a key that is pending deletion has none, and gets it back with its deletion cancelled."""
        key = await self.door.open(request.key_id, call)

        key.check_rotatable()
        key.check_state(call.route.key_states, self.clock.now())
        rotation = key.rotation if key.deletion is None else None

        if rotation is None:
            return GetKeyRotationStatusResponse(key_id=key.arn, key_rotation_enabled=False)
        return GetKeyRotationStatusResponse(
            key_id=key.arn,
            key_rotation_enabled=True,
            rotation_period_in_days=rotation.period.days,
            next_rotation_date=rotation.next_date,
        )
