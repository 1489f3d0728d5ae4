"""EnableKeyRotation: has a key of the origin AWS_KMS rotated on a period.

The same period again leaves the next date as it is; another starts from now.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta

from keyferry.v1 import EnableKeyRotationRequest, EnableKeyRotationResponse
from keyferry_server.call import Call
from keyferry_server.domain.key import Key
from keyferry_server.domain.rotation import DEFAULT_PERIOD, check_on_a_period, schedule
from keyferry_server.operations.key_change import KeyChange
from keyferry_server.storage.database import Transaction
from keyferry_server.storage.key_store import KeyStore


@dataclass(frozen=True, slots=True)
class EnableKeyRotation:
    """Switches automatic rotation on."""

    change: KeyChange
    keys: KeyStore

    async def __call__(self, request: EnableKeyRotationRequest, call: Call) -> EnableKeyRotationResponse:
        """Schedule the rotation; UnsupportedOperationException if the key is not rotated on a period."""
        days = request.rotation_period_in_days
        period = timedelta(days=days) if request.HasField("rotation_period_in_days") else DEFAULT_PERIOD

        async def write(transaction: Transaction, key: Key, now: datetime) -> None:
            await self.keys.schedule_rotation(transaction, key, schedule(key, period, now))

        await self.change.run(request.key_id, call, write, check_on_a_period)

        return EnableKeyRotationResponse()
