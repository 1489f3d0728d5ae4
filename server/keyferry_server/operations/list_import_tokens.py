"""ListImportTokens: lists the import tokens of a key that can still be used. AWS has no such operation."""

import uuid
from dataclasses import dataclass

from keyferry.v1 import ImportTokenListEntry, ListImportTokensRequest, ListImportTokensResponse
from keyferry_server.call import Call
from keyferry_server.domain.clock import Clock
from keyferry_server.operations.key_door import KeyDoor
from keyferry_server.storage.import_token_store import ImportTokenStore
from keyferry_server.wire.enums import format_enum
from keyferry_server.wire.marker import UUID_PLACE, PagedList

IMPORT_TOKENS = PagedList("import-tokens", UUID_PLACE)
_FIRST = str(uuid.UUID(int=0))


@dataclass(frozen=True, slots=True)
class ListImportTokens:
    """Lists outstanding import tokens page by page."""

    door: KeyDoor
    tokens: ImportTokenStore
    clock: Clock

    async def __call__(self, request: ListImportTokensRequest, call: Call) -> ListImportTokensResponse:
        """Read one page of the key's tokens that are neither spent nor expired."""
        page = IMPORT_TOKENS.parse(request)

        key = await self.door.open(request.key_id, call)

        key.check_importable()
        now = self.clock.now()
        key.check_state(call.route.key_states, now)

        after = uuid.UUID(page.after or _FIRST)
        shown, truncated = page.cut(await self.tokens.list_outstanding(key, after, page.fetch, now))

        return ListImportTokensResponse(
            import_tokens=[
                ImportTokenListEntry(
                    import_token_id=token.token_name,
                    wrapping_algorithm=format_enum(token.wrapping_algorithm),
                    wrapping_key_spec=format_enum(token.wrapping_key_spec),
                    creation_date=token.created_at,
                    valid_to=token.valid_to,
                )
                for token in shown
            ],
            next_marker=IMPORT_TOKENS.format_marker(shown[-1].token_name) if truncated else None,
            truncated=truncated,
        )
