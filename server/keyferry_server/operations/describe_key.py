"""DescribeKey: shows a key's metadata, in every key state."""

from dataclasses import dataclass

from keyferry.v1 import DescribeKeyRequest, DescribeKeyResponse
from keyferry_server.call import Call
from keyferry_server.domain.clock import Clock
from keyferry_server.operations.key_door import KeyDoor
from keyferry_server.wire.key_metadata import format_key_metadata


@dataclass(frozen=True, slots=True)
class DescribeKey:
    """Shows one key."""

    door: KeyDoor
    clock: Clock

    async def __call__(self, request: DescribeKeyRequest, call: Call) -> DescribeKeyResponse:
        """Load the key and show it."""
        key = await self.door.open(request.key_id, call)

        return DescribeKeyResponse(key_metadata=format_key_metadata(key, self.clock.now()))
