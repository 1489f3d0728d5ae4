"""ListKeyPolicies: lists the names of a key's policies, of which there is one."""

from dataclasses import dataclass

from keyferry.v1 import ListKeyPoliciesRequest, ListKeyPoliciesResponse
from keyferry_server.call import Call
from keyferry_server.domain.key_policy import POLICY_NAME
from keyferry_server.operations.key_door import KeyDoor
from keyferry_server.wire.marker import PagedList

POLICIES = PagedList("policies", POLICY_NAME)


@dataclass(frozen=True, slots=True)
class ListKeyPolicies:
    """Lists the policies of one key."""

    door: KeyDoor

    async def __call__(self, request: ListKeyPoliciesRequest, call: Call) -> ListKeyPoliciesResponse:
        """Load the key and name its policy."""
        page = POLICIES.parse(request)

        await self.door.open(request.key_id, call)

        shown, truncated = page.cut([POLICY_NAME] if page.after is None else [])

        return ListKeyPoliciesResponse(policy_names=shown, truncated=truncated)
