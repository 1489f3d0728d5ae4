"""TagResource: adds tags to a key, and gives those that it has other values."""

from dataclasses import dataclass
from datetime import datetime

from keyferry.v1 import TagResourceRequest, TagResourceResponse
from keyferry_server.call import Call
from keyferry_server.domain.key import Key
from keyferry_server.domain.tag import check_quota
from keyferry_server.operations.key_change import KeyChange
from keyferry_server.storage.database import Transaction
from keyferry_server.storage.tag_store import TagStore
from keyferry_server.wire.tags import parse_tags


@dataclass(frozen=True, slots=True)
class TagResource:
    """Tags keys."""

    change: KeyChange
    tags: TagStore

    async def __call__(self, request: TagResourceRequest, call: Call) -> TagResourceResponse:
        """Tag the key; all tags or none."""
        tags = parse_tags(request.tags)

        async def write(transaction: Transaction, key: Key, _: datetime) -> None:
            await self.tags.put(transaction, key, tags)
            check_quota(await self.tags.count(transaction, key))

        await self.change.run(request.key_id, call, write)

        return TagResourceResponse()
