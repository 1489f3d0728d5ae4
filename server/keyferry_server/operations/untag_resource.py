"""UntagResource: takes tags off a key. Those that it has not are no error."""

from dataclasses import dataclass
from datetime import datetime

from keyferry.v1 import UntagResourceRequest, UntagResourceResponse
from keyferry_server.call import Call
from keyferry_server.domain.key import Key
from keyferry_server.domain.tag import check_tag_keys
from keyferry_server.operations.key_change import KeyChange
from keyferry_server.storage.database import Transaction
from keyferry_server.storage.tag_store import TagStore


@dataclass(frozen=True, slots=True)
class UntagResource:
    """Takes tags off keys."""

    change: KeyChange
    tags: TagStore

    async def __call__(self, request: UntagResourceRequest, call: Call) -> UntagResourceResponse:
        """Take the tags off."""
        check_tag_keys(request.tag_keys)

        async def write(transaction: Transaction, key: Key, _: datetime) -> None:
            await self.tags.remove(transaction, key, request.tag_keys)

        await self.change.run(request.key_id, call, write)

        return UntagResourceResponse()
