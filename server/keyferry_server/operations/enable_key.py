"""EnableKey: switches a key on. Switching twice is the same as once."""

from dataclasses import dataclass
from datetime import datetime

from keyferry.v1 import EnableKeyRequest, EnableKeyResponse
from keyferry_server.call import Call
from keyferry_server.domain.key import Key
from keyferry_server.operations.key_change import KeyChange
from keyferry_server.storage.database import Transaction
from keyferry_server.storage.key_store import KeyStore


@dataclass(frozen=True, slots=True)
class EnableKey:
    """Switches a key on."""

    change: KeyChange
    keys: KeyStore

    async def __call__(self, request: EnableKeyRequest, call: Call) -> EnableKeyResponse:
        """Switch the key on; KMSInvalidStateException while it is pending import or deletion."""

        async def write(transaction: Transaction, key: Key, _: datetime) -> None:
            await self.keys.switch(transaction, key, enabled=True)

        await self.change.run(request.key_id, call, write)

        return EnableKeyResponse()
