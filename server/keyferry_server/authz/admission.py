"""The only way from a guarded key to a key: the decision whether the caller may. What is not allowed is denied."""

from keyferry_server.authn.caller import Caller, Principal
from keyferry_server.authz.decision import (
    Access,
    Decision,
    KeyPolicy,
    Reason,
    RequestConditions,
    decide,
)
from keyferry_server.authz.policy.parser import Kind, parse_policy
from keyferry_server.authz.standing import Standing
from keyferry_server.domain.errors import (
    AccessDeniedException,
    KMSInternalException,
    MalformedPolicyDocumentException,
)
from keyferry_server.domain.key import Admission, GuardedKey, Key
from keyferry_server.domain.key_policy import default_key_policy

_WHY = {
    Reason.UNKNOWN: " because the principal does not exist",
    Reason.KEY_POLICY_DENIES: " with an explicit deny in a resource-based policy",
    Reason.IDENTITY_POLICY_DENIES: " with an explicit deny in an identity-based policy",
    Reason.NO_KEY_POLICY: " because no resource-based policy allows the {permission} action",
    Reason.NO_IDENTITY_POLICY: " because no identity-based policy allows the {permission} action",
}
_ACROSS_ACCOUNTS = (
    " because the resource does not exist in this Region, no resource-based policies allow access, "
    "or a resource-based policy explicitly denies access"
)


def admit_owner(caller: Caller, key: GuardedKey) -> Key | None:
    """Open a key with the default policy for its account's root, whom it leaves everything to; None for everybody else.

    It is what `admit` would decide, without looking anything up.
    """
    scope = key.scope
    root = f"arn:{scope.partition}:iam::{scope.account_id}:root"
    if key.policy is None and isinstance(caller, Principal) and caller.arn == root:
        return key.open(Admission(key.arn))
    return None


def admit_service(key: GuardedKey) -> Key:
    """Open a key for the service's own work on it, which no caller asked for: automatic rotation."""
    return key.open(Admission(key.arn))


def admit(access: Access, key: GuardedKey) -> Key | Decision:
    """Open the key that an access is about, or return why not."""
    decision = decide(access)
    return key.open(Admission(access.resource)) if decision.is_allowed else decision


def access_to_key(
    caller: Principal, permission: str, key: GuardedKey, standing: Standing, conditions: RequestConditions
) -> Access:
    """Return the question whether a caller may do something with a key.

    KMSInternalException for a key whose policy cannot be read: it lets nobody in.
    """
    text = key.policy or default_key_policy(key.scope)
    try:
        document = parse_policy(text, Kind.KEY_POLICY)
    except MalformedPolicyDocumentException as error:
        raise KMSInternalException(f"the policy of {key.arn} cannot be read") from error
    return Access(caller, permission, key.arn, KeyPolicy(key.account_id, document), standing, conditions)


def known_caller(caller: Caller, permission: str, resource: str) -> Principal:
    """Return a caller that proved who it is; AccessDeniedException for one that did not."""
    if isinstance(caller, Principal):
        return caller
    raise denied(caller, permission, resource)


def refusal(access: Access, decision: Decision) -> AccessDeniedException:
    """Return the refusal of an access with its reason; across accounts it tells none."""
    if access.key_policy is not None and access.key_policy.account_id != access.caller.account_id:
        return denied_across_accounts(access.caller, access.permission, access.resource)
    why = _WHY[decision.reason].format(permission=access.permission)
    return denied(access.caller, access.permission, access.resource, why)


def denied_across_accounts(caller: Caller, permission: str, resource: str) -> AccessDeniedException:
    """Return the refusal of a resource of another account, worded the same whether or not it exists."""
    return denied(caller, permission, resource, _ACROSS_ACCOUNTS)


def denied(caller: Caller, permission: str, resource: str, why: str = "") -> AccessDeniedException:
    """Return a refusal."""
    return AccessDeniedException(
        f"User: {caller} is not authorized to perform: {permission} on resource: {resource}{why}"
    )
