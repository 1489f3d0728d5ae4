"""DisableKey: switches a key off. Switching twice is the same as once."""

from dataclasses import dataclass

from keyferry.v1 import DisableKeyRequest, DisableKeyResponse
from keyferry_server.call import Call
from keyferry_server.operations.key_switch import KeySwitch


@dataclass(frozen=True, slots=True)
class DisableKey:
    """Switches a key off."""

    switch: KeySwitch

    async def __call__(self, request: DisableKeyRequest, call: Call) -> DisableKeyResponse:
        """Switch the key off; KMSInvalidStateException while it is pending import or deletion."""
        await self.switch.turn(request.key_id, call, enabled=False)

        return DisableKeyResponse()
