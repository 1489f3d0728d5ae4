"""ListRetirableGrants: lists the grants that name a retiring principal of the caller's account.

They may be on keys of other accounts, too. Whether the caller may do anything with
those keys does not matter.
"""

from dataclasses import dataclass

from keyferry.v1 import ListRetirableGrantsRequest, ListRetirableGrantsResponse
from keyferry_server.authz.admission import denied_across_accounts
from keyferry_server.call import Call
from keyferry_server.domain.grant import GRANT_ID
from keyferry_server.domain.principal import account_of, check_principal_arn
from keyferry_server.operations.gate import Gate
from keyferry_server.storage.grant_store import GrantStore
from keyferry_server.wire.grants import format_grant
from keyferry_server.wire.marker import PagedList

RETIRABLE_GRANTS = PagedList("retirable-grants", GRANT_ID, default_limit=50)


@dataclass(frozen=True, slots=True)
class ListRetirableGrants:
    """Lists what a principal can retire, page by page."""

    gate: Gate
    grants: GrantStore

    async def __call__(self, request: ListRetirableGrantsRequest, call: Call) -> ListRetirableGrantsResponse:
        """Read one page."""
        page = RETIRABLE_GRANTS.parse(request)
        retiring = check_principal_arn(request.retiring_principal)

        caller = await self.gate.admit_to_account(call, resource=retiring)
        if account_of(retiring) != caller.account_id:
            raise denied_across_accounts(caller, call.route.permission, retiring)

        shown, truncated = page.cut(
            await self.grants.retirable_by(retiring, call.scope, page.after or "", page.fetch)
        )

        return ListRetirableGrantsResponse(
            grants=[format_grant(grant) for grant in shown],
            next_marker=RETIRABLE_GRANTS.format_marker(shown[-1].grant_id) if truncated else None,
            truncated=truncated,
        )
