"""ListKeys: lists the keys of the caller's account and Region, in the order of their key IDs.

The order is by key ID, which never changes: a page continues after the last key
ID of the page before, so a key that exists throughout a listing is in it exactly
once, whatever is created meanwhile.
"""

from dataclasses import dataclass

from keyferry.v1 import KeyListEntry, ListKeysRequest, ListKeysResponse
from keyferry_server.call import Call
from keyferry_server.operations.gate import Gate
from keyferry_server.storage.key_store import KeyStore
from keyferry_server.wire.marker import PagedList

KEYS = PagedList("keys", "[0-9a-z-]{36}")


@dataclass(frozen=True, slots=True)
class ListKeys:
    """Lists keys page by page."""

    keys: KeyStore
    gate: Gate

    async def __call__(self, request: ListKeysRequest, call: Call) -> ListKeysResponse:
        """Read one page."""
        page = KEYS.parse(request)

        await self.gate.admit_to_account(call)

        shown, truncated = page.cut(await self.keys.list(call.scope, page.after or "", page.fetch))

        return ListKeysResponse(
            keys=[KeyListEntry(key_id=key_id, key_arn=call.scope.key_arn(key_id)) for key_id in shown],
            next_marker=KEYS.format_marker(shown[-1]) if truncated else None,
            truncated=truncated,
        )
