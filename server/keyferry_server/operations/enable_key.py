"""EnableKey: switches a key on. Switching twice is the same as once."""

from dataclasses import dataclass

from keyferry.v1 import EnableKeyRequest, EnableKeyResponse
from keyferry_server.call import Call
from keyferry_server.operations.key_switch import KeySwitch


@dataclass(frozen=True, slots=True)
class EnableKey:
    """Switches a key on."""

    switch: KeySwitch

    async def __call__(self, request: EnableKeyRequest, call: Call) -> EnableKeyResponse:
        """Switch the key on; KMSInvalidStateException while it is pending import or deletion."""
        await self.switch.turn(request.key_id, call, enabled=True)

        return EnableKeyResponse()
