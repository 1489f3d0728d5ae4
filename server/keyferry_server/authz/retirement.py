"""Who may retire a grant: it is the grant that says so, and an identity policy can only deny it.

1. What an identity policy denies is denied. A key policy has no say, as in AWS.
2. The retiring principal may, and the grantee if RetireGrant is among the grant's operations.
3. If that is the root of an account, so may its other principals whose identity policies allow it.
4. The root of the account that owns the key may, and others in it whose identity policies allow it.
5. Nobody else.
"""

from keyferry_server.authz.decision import Access, Decision, Reason, judge_identity
from keyferry_server.authz.policy.document import Question
from keyferry_server.authz.policy.patterns import Limited
from keyferry_server.domain.grant import Grant, GrantOperation


def decide_retirement(access: Access, grant: Grant) -> Decision:
    """Decide by the rules of this module; `access` is about the key of the grant."""
    caller, key_policy = access.caller, access.key_policy
    if not access.standing.is_known:
        return Decision(Reason.UNKNOWN)
    if key_policy is None:
        raise AssertionError("a grant is on a key")
    question = Question(caller, access.permission, access.resource, Limited(access.conditions))
    identity = judge_identity(access.standing, question)
    if identity.denies is not None:
        return Decision(
            Reason.IDENTITY_POLICY_DENIES, policy_name=identity.name, policy_statement=identity.denies
        )
    named = {grant.retiring}
    if GrantOperation.RETIRE_GRANT in grant.terms.operations:
        named.add(grant.grantee)
    if caller.arn in named:
        return Decision(Reason.GRANT, grant=grant)
    is_of_account = caller.root_arn in named or caller.account_id == key_policy.account_id
    if is_of_account and caller.is_root:
        return Decision(Reason.ACCOUNT_ROOT, grant=grant)
    if is_of_account and identity.allows is not None:
        return Decision(Reason.GRANT_AND_IDENTITY_POLICY, None, identity.name, identity.allows, grant)
    return Decision(Reason.NO_IDENTITY_POLICY if is_of_account else Reason.NO_KEY_POLICY)
