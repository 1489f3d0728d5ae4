"""CancelKeyDeletion: takes a scheduled deletion back.

The key is switched off, so that somebody decides to use it again; without its key
material it is pending import.
"""

from dataclasses import dataclass
from datetime import datetime

from keyferry.v1 import CancelKeyDeletionRequest, CancelKeyDeletionResponse
from keyferry_server.call import Call
from keyferry_server.domain.key import Key
from keyferry_server.operations.key_change import KeyChange
from keyferry_server.storage.database import Transaction
from keyferry_server.storage.key_store import KeyStore


@dataclass(frozen=True, slots=True)
class CancelKeyDeletion:
    """Brings a key back that was to be deleted."""

    change: KeyChange
    keys: KeyStore

    async def __call__(self, request: CancelKeyDeletionRequest, call: Call) -> CancelKeyDeletionResponse:
        """Forget the deletion date; KMSInvalidStateException if there is none."""

        async def write(transaction: Transaction, key: Key, _: datetime) -> None:
            await self.keys.cancel_deletion(transaction, key)

        key = await self.change.run(request.key_id, call, write)

        return CancelKeyDeletionResponse(key_id=key.arn)
