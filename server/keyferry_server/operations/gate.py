"""How every call is decided: by the key's policy, by what is known of its caller, and by what its request says.

Nothing is looked up that cannot matter: nothing at all for the root of a key's own
account under the default policy, and grants only where no policy decides.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from keyferry.v1 import PutKeyPolicyRequest
from keyferry_server.authn.caller import Principal
from keyferry_server.authz.admission import (
    access_to_key,
    admit,
    admit_owner,
    denied_across_accounts,
    known_caller,
    refusal,
)
from keyferry_server.authz.conditions import Circumstances, Conditions, parse_source_ip
from keyferry_server.authz.decision import Access, Decision, decide
from keyferry_server.authz.permission import Permission
from keyferry_server.authz.policy.document import Document
from keyferry_server.authz.policy.parser import Kind, parse_policy
from keyferry_server.authz.retirement import decide_retirement
from keyferry_server.authz.standing import Standing
from keyferry_server.call import Call
from keyferry_server.crypto.grant_token import GrantTokenCodec
from keyferry_server.domain.clock import Clock
from keyferry_server.domain.errors import (
    AccessDeniedException,
    KMSInternalException,
    MalformedPolicyDocumentException,
)
from keyferry_server.domain.grant import Grant
from keyferry_server.domain.identifiers import AliasIdentifier, KeyIdentifier, generate_key_id
from keyferry_server.domain.key import GuardedKey, Key
from keyferry_server.storage.caller_store import CallerStore
from keyferry_server.storage.database import Transaction
from keyferry_server.storage.grant_store import GrantStore
from keyferry_server.wire.condition_keys import RequestFacts, facts_of_grant


@dataclass(frozen=True, slots=True)
class Gate:
    """Lets callers in, or refuses them with an AccessDeniedException."""

    callers: CallerStore
    grants: GrantStore
    grant_tokens: GrantTokenCodec
    clock: Clock

    async def admit(
        self, key: GuardedKey, call: Call, permission: str, transaction: Transaction | None = None
    ) -> Key:
        """Open a key for a call; InvalidGrantTokenException if it has a grant token that is none."""
        self._check_grant_tokens(call)
        opened = admit_owner(call.caller, key)
        if opened is not None:
            return opened
        caller = known_caller(call.caller, permission, key.arn)
        standing = await self.standing(caller, transaction)
        access = access_to_key(
            caller, permission, key, standing, self.conditions(call, caller, permission, key)
        )
        result = admit(access, key)
        # Of a key of another account also when it is denied anyway: `refusal_of_unknown` does not know that.
        is_foreign = key.account_id != caller.account_id
        if isinstance(result, Decision) and (result.is_open_to_grants or (is_foreign and standing.is_known)):
            grantees = (caller.arn, caller.root_arn)
            grants = await self.grants.of_grantees(key.identifier, grantees, transaction)
            access = replace(access, standing=replace(standing, grants=grants))
            result = admit(access, key)
        if isinstance(result, Decision):
            raise refusal(access, result)
        return result

    async def refusal_of_unknown(
        self, identifier: KeyIdentifier | AliasIdentifier, call: Call, permission: str
    ) -> AccessDeniedException:
        """Return the refusal of a key or an alias of another account that does not exist.

        It is what `admit` would answer for one that does, after the same look-ups.
        """
        self._check_grant_tokens(call)
        caller = known_caller(call.caller, permission, identifier.arn)
        if (await self.standing(caller)).is_known:
            key = KeyIdentifier(identifier.scope, generate_key_id())
            await self.grants.of_grantees(key, (caller.arn, caller.root_arn))
        return denied_across_accounts(caller, permission, identifier.arn)

    async def admit_retirement(
        self, grant: Grant, key: GuardedKey, call: Call, transaction: Transaction | None = None
    ) -> None:
        """Let a call retire a grant on a key."""
        permission = call.route.permission
        caller = known_caller(call.caller, permission, key.arn)
        about_grant = replace(call, facts=facts_of_grant(grant.terms))
        conditions = self.conditions(about_grant, caller, permission, key)
        access = access_to_key(caller, permission, key, await self.standing(caller, transaction), conditions)
        decision = decide_retirement(access, grant)
        if not decision.is_allowed:
            raise refusal(access, decision)

    async def admit_to_account(
        self, call: Call, permission: str | None = None, resource: str = "*"
    ) -> Principal:
        """Let a call do something that concerns no key, with a resource of the caller's account."""
        permission = permission or call.route.permission
        caller = known_caller(call.caller, permission, resource)
        standing = await self.standing(caller)
        access = Access(
            caller, permission, resource, None, standing, self.conditions(call, caller, permission)
        )
        decision = decide(access)
        if not decision.is_allowed:
            raise refusal(access, decision)
        return caller

    async def check_not_locked_out(
        self, key: Key, call: Call, transaction: Transaction | None = None
    ) -> None:
        """Raise MalformedPolicyDocumentException if the key's policy does not let the caller put another one."""
        permission = Permission.PUT_KEY_POLICY
        guarded = GuardedKey(key)
        caller = known_caller(call.caller, permission, key.arn)
        later = replace(call, request=PutKeyPolicyRequest(key_id=key.key_id))
        access = access_to_key(
            caller,
            permission,
            guarded,
            await self.standing(caller, transaction),
            self.conditions(later, caller, permission, guarded),
        )
        if not decide(access).is_allowed:
            raise MalformedPolicyDocumentException(
                "The new key policy will not allow you to update the key policy in the future."
            )

    async def standing(self, caller: Principal, transaction: Transaction | None = None) -> Standing:
        """Look up whether a caller is known, and its identity policies."""
        if caller.is_root:
            return Standing(is_known=True)
        policies = await self.callers.policies(caller.arn, transaction)
        if policies is None:
            return Standing(is_known=False)
        return Standing(is_known=True, policies=_documents(caller, policies))

    def conditions(
        self, call: Call, caller: Principal, permission: str, key: GuardedKey | None = None
    ) -> Conditions:
        """Return what policies can ask for of a call."""
        if call.request is None:
            raise AssertionError("a call came to the gate without its request")
        circumstances = Circumstances(
            caller=caller,
            now=self.clock.now(),
            region=call.scope.region,
            source_ip=parse_source_ip(call.peer),
            is_encrypted=call.is_encrypted,
        )
        return Conditions(RequestFacts(permission, call.request, call.facts), circumstances, key)

    def _check_grant_tokens(self, call: Call) -> None:
        tokens: Any = getattr(call.request, "grant_tokens", ())
        for token in tokens:
            self.grant_tokens.parse(token)


def _documents(caller: Principal, policies: Mapping[str, str]) -> Mapping[str, Document]:
    try:
        return {name: parse_policy(text, Kind.IDENTITY_POLICY) for name, text in policies.items()}
    except MalformedPolicyDocumentException as error:
        raise KMSInternalException(f"an identity policy of {caller} cannot be read") from error
