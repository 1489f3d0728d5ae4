"""UpdateKeyDescription: replaces a key's description."""

from dataclasses import dataclass
from datetime import datetime

from keyferry.v1 import UpdateKeyDescriptionRequest, UpdateKeyDescriptionResponse
from keyferry_server.call import Call
from keyferry_server.domain.key import Key
from keyferry_server.operations.key_change import KeyChange
from keyferry_server.storage.database import Transaction
from keyferry_server.storage.key_store import KeyStore


@dataclass(frozen=True, slots=True)
class UpdateKeyDescription:
    """Describes keys anew."""

    change: KeyChange
    keys: KeyStore

    async def __call__(
        self, request: UpdateKeyDescriptionRequest, call: Call
    ) -> UpdateKeyDescriptionResponse:
        """Replace the description; an empty one takes it away."""

        async def write(transaction: Transaction, key: Key, _: datetime) -> None:
            await self.keys.describe(transaction, key, request.description)

        await self.change.run(request.key_id, call, write)

        return UpdateKeyDescriptionResponse()
