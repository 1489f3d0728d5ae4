"""DisableKeyRotation: ends the rotation on a period. All key material stays, and still decrypts."""

from dataclasses import dataclass
from datetime import datetime

from keyferry.v1 import DisableKeyRotationRequest, DisableKeyRotationResponse
from keyferry_server.call import Call
from keyferry_server.domain.key import Key
from keyferry_server.domain.rotation import check_on_a_period
from keyferry_server.operations.key_change import KeyChange
from keyferry_server.storage.database import Transaction
from keyferry_server.storage.key_store import KeyStore


@dataclass(frozen=True, slots=True)
class DisableKeyRotation:
    """Switches automatic rotation off."""

    change: KeyChange
    keys: KeyStore

    async def __call__(self, request: DisableKeyRotationRequest, call: Call) -> DisableKeyRotationResponse:
        """Forget the schedule; UnsupportedOperationException if the key is not rotated on a period."""

        async def write(transaction: Transaction, key: Key, _: datetime) -> None:
            await self.keys.schedule_rotation(transaction, key, None)

        await self.change.run(request.key_id, call, write, check_on_a_period)

        return DisableKeyRotationResponse()
