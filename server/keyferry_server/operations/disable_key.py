"""DisableKey: switches a key off. Switching twice is the same as once."""

from dataclasses import dataclass
from datetime import datetime

from keyferry.v1 import DisableKeyRequest, DisableKeyResponse
from keyferry_server.call import Call
from keyferry_server.domain.key import Key
from keyferry_server.operations.key_change import KeyChange
from keyferry_server.storage.database import Transaction
from keyferry_server.storage.key_store import KeyStore


@dataclass(frozen=True, slots=True)
class DisableKey:
    """Switches a key off."""

    change: KeyChange
    keys: KeyStore

    async def __call__(self, request: DisableKeyRequest, call: Call) -> DisableKeyResponse:
        """Switch the key off; KMSInvalidStateException while it is pending import or deletion."""

        async def write(transaction: Transaction, key: Key, _: datetime) -> None:
            await self.keys.switch(transaction, key, enabled=False)

        await self.change.run(request.key_id, call, write)

        return DisableKeyResponse()
