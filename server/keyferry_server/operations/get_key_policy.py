"""GetKeyPolicy: shows the policy of a key as it was given, or the default one, in every key state."""

from dataclasses import dataclass

from keyferry.v1 import GetKeyPolicyRequest, GetKeyPolicyResponse
from keyferry_server.call import Call
from keyferry_server.domain.key_policy import POLICY_NAME, check_policy_name, default_key_policy
from keyferry_server.operations.key_door import KeyDoor


@dataclass(frozen=True, slots=True)
class GetKeyPolicy:
    """Shows who may do what with one key."""

    door: KeyDoor

    async def __call__(self, request: GetKeyPolicyRequest, call: Call) -> GetKeyPolicyResponse:
        """Load the key and show its policy."""
        key = await self.door.open(request.key_id, call)

        check_policy_name(request.policy_name or POLICY_NAME)

        return GetKeyPolicyResponse(
            policy=key.policy or default_key_policy(key.identifier.scope), policy_name=POLICY_NAME
        )
