"""PutKeyPolicy: gives a key another policy, in every key state.

A policy that would not let the caller put another one later is refused, unless the
caller insists.
"""

from dataclasses import dataclass, replace
from datetime import datetime

from keyferry.v1 import PutKeyPolicyRequest, PutKeyPolicyResponse
from keyferry_server.authz.policy.parser import Kind, read_policy
from keyferry_server.call import Call
from keyferry_server.domain.key import Key
from keyferry_server.domain.key_policy import (
    POLICY_NAME,
    check_new_policy_name,
    check_policy_size,
    stored_key_policy,
)
from keyferry_server.operations.gate import Gate
from keyferry_server.operations.key_change import KeyChange
from keyferry_server.storage.database import Transaction
from keyferry_server.storage.key_store import KeyStore


@dataclass(frozen=True, slots=True)
class PutKeyPolicy:
    """Changes who may do what with one key."""

    change: KeyChange
    keys: KeyStore
    gate: Gate

    async def __call__(self, request: PutKeyPolicyRequest, call: Call) -> PutKeyPolicyResponse:
        """Check the policy, and write it as it was given."""
        check_new_policy_name(request.policy_name or POLICY_NAME)
        check_key_policy(request.policy)

        async def write(transaction: Transaction, key: Key, _: datetime) -> None:
            changed = replace(key, policy=stored_key_policy(request.policy, key.identifier.scope))
            if not request.bypass_policy_lockout_safety_check:
                await self.gate.check_not_locked_out(changed, call, transaction)
            await self.keys.put_policy(transaction, key, changed.policy)

        await self.change.run(request.key_id, call, write)

        return PutKeyPolicyResponse()


def check_key_policy(policy: str) -> None:
    """Raise LimitExceededException or MalformedPolicyDocumentException for what no key can have as its policy."""
    check_policy_size(policy)
    read_policy(policy, Kind.KEY_POLICY)
