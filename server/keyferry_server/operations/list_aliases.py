"""ListAliases: lists the aliases of the caller's account and Region, or those of one key, in the order of their names."""

from dataclasses import dataclass

from keyferry.v1 import AliasListEntry, ListAliasesRequest, ListAliasesResponse
from keyferry_server.call import Call
from keyferry_server.operations.gate import Gate
from keyferry_server.operations.key_door import KeyDoor
from keyferry_server.storage.alias_store import AliasStore
from keyferry_server.wire.marker import PagedList

ALIASES = PagedList("aliases", "alias/[a-zA-Z0-9/_-]{1,250}", default_limit=50)


@dataclass(frozen=True, slots=True)
class ListAliases:
    """Lists aliases page by page."""

    gate: Gate
    door: KeyDoor
    aliases: AliasStore

    async def __call__(self, request: ListAliasesRequest, call: Call) -> ListAliasesResponse:
        """Read one page; whose aliases are listed is the account's matter, not that of a key policy."""
        page = ALIASES.parse(request)

        await self.gate.admit_to_account(call)

        key = await self.door.find(request.key_id, call) if request.HasField("key_id") else None
        found = await self.aliases.list(call.scope, key, page.after or "", page.fetch)
        shown, truncated = page.cut(found)

        return ListAliasesResponse(
            aliases=[
                AliasListEntry(
                    alias_name=alias.identifier.name,
                    alias_arn=alias.identifier.arn,
                    target_key_id=alias.key_id,
                    creation_date=alias.created_at,
                    last_updated_date=alias.updated_at,
                )
                for alias in shown
            ],
            next_marker=ALIASES.format_marker(shown[-1].identifier.name) if truncated else None,
            truncated=truncated,
        )
