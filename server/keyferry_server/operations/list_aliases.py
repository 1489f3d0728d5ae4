"""ListAliases: lists the aliases of the caller's account and Region, or those of one key, in the order of their names."""

from dataclasses import dataclass

from keyferry.v1 import AliasListEntry, ListAliasesRequest, ListAliasesResponse
from keyferry_server.authz.admission import admit_to_account
from keyferry_server.call import Call
from keyferry_server.domain.clock import Clock
from keyferry_server.domain.key import Key
from keyferry_server.operations.key_door import KeyDoor
from keyferry_server.storage.alias_store import AliasStore
from keyferry_server.wire.marker import PagedList

ALIASES = PagedList("aliases", "alias/[a-zA-Z0-9/_-]{1,250}", default_limit=50)


@dataclass(frozen=True, slots=True)
class ListAliases:
    """Lists aliases page by page."""

    door: KeyDoor
    aliases: AliasStore
    clock: Clock

    async def __call__(self, request: ListAliasesRequest, call: Call) -> ListAliasesResponse:
        """Read one page."""
        page = ALIASES.parse(request)

        key = await self._open(request, call)

        shown, truncated = page.cut(await self.aliases.list(call.scope, key, page.after or "", page.fetch))

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

    async def _open(self, request: ListAliasesRequest, call: Call) -> Key | None:
        """Admit the caller to the key whose aliases it asks for, or to those of the account."""
        if not request.HasField("key_id"):
            admit_to_account(call.caller, call.route.permission)
            return None
        key = await self.door.open(request.key_id, call)
        key.check_state(call.route.key_states, self.clock.now())
        return key
