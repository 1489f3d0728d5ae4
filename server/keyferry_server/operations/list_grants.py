"""ListGrants: lists the grants on a key, all or those that are asked for, in the order of their ids."""

from dataclasses import dataclass

from keyferry.v1 import ListGrantsRequest, ListGrantsResponse
from keyferry_server.call import Call
from keyferry_server.domain.grant import GRANT_ID, check_grant_id
from keyferry_server.domain.principal import check_principal_arn
from keyferry_server.operations.key_door import KeyDoor
from keyferry_server.storage.grant_store import GrantStore
from keyferry_server.wire.grants import format_grant
from keyferry_server.wire.marker import PagedList

GRANTS = PagedList("grants", GRANT_ID, default_limit=50)


@dataclass(frozen=True, slots=True)
class ListGrants:
    """Lists grants page by page."""

    door: KeyDoor
    grants: GrantStore

    async def __call__(self, request: ListGrantsRequest, call: Call) -> ListGrantsResponse:
        """Read one page."""
        page = GRANTS.parse(request)
        grantee = check_principal_arn(request.grantee_principal) if request.grantee_principal else None
        grant_id = check_grant_id(request.grant_id) if request.grant_id else None

        key = await self.door.open(request.key_id, call)

        found = await self.grants.of_key(
            key.identifier, grantee=grantee, grant_id=grant_id, after=page.after or "", limit=page.fetch
        )
        shown, truncated = page.cut(found)

        return ListGrantsResponse(
            grants=[format_grant(grant) for grant in shown],
            next_marker=GRANTS.format_marker(shown[-1].grant_id) if truncated else None,
            truncated=truncated,
        )
