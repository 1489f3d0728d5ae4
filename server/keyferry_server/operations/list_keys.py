"""ListKeys: lists the keys of the caller's account and Region, in the order of their key IDs.

The order is by key ID, which never changes: a page continues after the last key
ID of the page before, so a key that exists throughout a listing is in it exactly
once, whatever is created meanwhile.
"""

from dataclasses import dataclass

from keyferry.v1 import KeyListEntry, ListKeysRequest, ListKeysResponse
from keyferry_server.authz.admission import admit_to_account
from keyferry_server.call import Call
from keyferry_server.storage.key_store import KeyStore
from keyferry_server.wire.marker import format_marker, parse_marker

DEFAULT_LIMIT = 100


@dataclass(frozen=True, slots=True)
class ListKeys:
    """Lists keys page by page."""

    keys: KeyStore

    async def __call__(self, request: ListKeysRequest, call: Call) -> ListKeysResponse:
        """Read one page, and one key more to know whether there is another."""
        limit = request.limit if request.HasField("limit") else DEFAULT_LIMIT
        after = parse_marker(request.marker) if request.HasField("marker") else ""

        admit_to_account(call.caller, call.route.permission)

        found = await self.keys.list(call.scope, after, limit + 1)
        page = found[:limit]
        truncated = len(found) > limit

        return ListKeysResponse(
            keys=[KeyListEntry(key_id=key_id, key_arn=call.scope.key_arn(key_id)) for key_id in page],
            next_marker=format_marker(page[-1]) if truncated else None,
            truncated=truncated,
        )
