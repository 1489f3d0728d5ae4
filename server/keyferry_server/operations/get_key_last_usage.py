"""GetKeyLastUsage: shows when a key was last used in a cryptographic operation, by which call."""

from dataclasses import dataclass
from typing import Protocol

from keyferry.v1 import GetKeyLastUsageRequest, GetKeyLastUsageResponse, KeyLastUsageData
from keyferry_server.call import Call
from keyferry_server.domain.clock import Clock
from keyferry_server.domain.identifiers import KeyIdentifier
from keyferry_server.domain.key_usage import KeyUsageRecord
from keyferry_server.operations.key_door import KeyDoor
from keyferry_server.wire.key_usage import format_key_usage


class KeyUsages(Protocol):
    """Knows the last use of keys. DependencyTimeoutException if it cannot tell now."""

    async def last(self, key: KeyIdentifier) -> KeyUsageRecord | None:
        """Return the last use of a key, None if there was none."""
        ...


@dataclass(frozen=True, slots=True)
class GetKeyLastUsage:
    """Shows the last use of a key."""

    door: KeyDoor
    usages: KeyUsages
    clock: Clock

    async def __call__(self, request: GetKeyLastUsageRequest, call: Call) -> GetKeyLastUsageResponse:
        """Show the last use; none means none since the key was created."""
        key = await self.door.open(request.key_id, call)

        key.check_state(call.route.key_states, self.clock.now())
        usage = await self.usages.last(key.identifier)

        return GetKeyLastUsageResponse(
            key_id=key.arn,
            key_last_usage=KeyLastUsageData() if usage is None else format_key_usage(usage),
            tracking_start_date=key.created_at,
            key_creation_date=key.created_at,
        )
