"""Who may do what: the one decision, from the key's policy, the caller's identity policies and its grants.

1. A key of another account takes part in the operations that AWS allows across
   accounts; in no other, whatever a policy says.
2. Somebody whom the service does not know may do nothing.
3. What any policy denies is denied.
4. In the key's own account: what the key policy allows to the caller is allowed; what
   it leaves to the account is allowed to the account's root, and to others whose
   identity policies allow it; what a grant permits is allowed.
5. From another account: the key policy or a grant must allow it to the caller or to
   its account, and the caller's account must allow it, too: the root is the account,
   others need an identity policy.
6. What concerns no key is allowed to the root, and to others by identity policies.
7. What is not allowed is denied.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import Enum
from typing import Protocol

from keyferry_server.authn.caller import Principal
from keyferry_server.authz.permission import ACROSS_ACCOUNTS
from keyferry_server.authz.policy.document import Document, Question, Statement, Verdict
from keyferry_server.authz.policy.patterns import Limited
from keyferry_server.authz.standing import Standing
from keyferry_server.domain.grant import Grant, GrantTerms


class RequestConditions(Protocol):
    """What a request says of itself: to policies by condition keys, to grants by its encryption context."""

    def values(self, key: str) -> Sequence[str]:
        """Return the values of a condition key, which is written in lower case."""
        ...

    @property
    def encryption_context(self) -> Mapping[str, str] | None:
        """The encryption context of the request; None if it can have none."""
        ...

    @property
    def grant_terms(self) -> GrantTerms | None:
        """The terms of the grant that the request asks for, if it does."""
        ...


@dataclass(frozen=True, slots=True)
class KeyPolicy:
    """The policy of a key, and the account that the key belongs to."""

    account_id: str
    document: Document


@dataclass(frozen=True, slots=True)
class Access:
    """May `caller` use `permission` on `resource`, an ARN or `*`? With everything that decides it.

    `key_policy` is that of the key that is asked for, None if the matter concerns no key.
    """

    caller: Principal
    permission: str
    resource: str
    key_policy: KeyPolicy | None
    standing: Standing
    conditions: RequestConditions


class Reason(Enum):
    """Why an access is allowed or not, in words that complete "because"."""

    IS_ROOT = "the caller is the root of its account"
    KEY_POLICY = "the key policy allows it"
    ACCOUNT_ROOT = "the key policy leaves it to the account, and the caller is its root"
    IDENTITY_POLICY = "an identity policy allows it"
    KEY_POLICY_AND_IDENTITY_POLICY = (
        "the key policy leaves it to the account, whose identity policy allows it"
    )
    GRANT = "a grant allows it"
    GRANT_AND_IDENTITY_POLICY = "a grant leaves it to the account, whose identity policy allows it"

    NOT_ACROSS_ACCOUNTS = "the operation does not work with a key of another account"
    UNKNOWN = "the caller is no principal that is known here"
    KEY_POLICY_DENIES = "a key policy denies it"
    IDENTITY_POLICY_DENIES = "an identity policy denies it"
    NO_KEY_POLICY = "no key policy and no grant allows it"
    NO_IDENTITY_POLICY = "no identity policy allows it"


_ALLOWED = frozenset(
    {
        Reason.IS_ROOT,
        Reason.KEY_POLICY,
        Reason.ACCOUNT_ROOT,
        Reason.IDENTITY_POLICY,
        Reason.KEY_POLICY_AND_IDENTITY_POLICY,
        Reason.GRANT,
        Reason.GRANT_AND_IDENTITY_POLICY,
    }
)


@dataclass(frozen=True, slots=True)
class Decision:
    """What was decided, and by which statements or grant."""

    reason: Reason
    key_statement: Statement | None = None
    policy_name: str | None = None
    policy_statement: Statement | None = None
    grant: Grant | None = None

    @property
    def is_allowed(self) -> bool:
        """Tell whether the caller may."""
        return self.reason in _ALLOWED

    @property
    def is_open_to_grants(self) -> bool:
        """Tell whether grants that were not looked at could still allow it."""
        return self.reason in {Reason.NO_KEY_POLICY, Reason.NO_IDENTITY_POLICY}


def decide(access: Access) -> Decision:  # noqa: PLR0911 -- each rule ends the matter
    """Decide by the rules of this module."""
    caller, key_policy = access.caller, access.key_policy
    is_foreign = key_policy is not None and key_policy.account_id != caller.account_id
    if is_foreign and access.permission not in ACROSS_ACCOUNTS:
        return Decision(Reason.NOT_ACROSS_ACCOUNTS)
    if not access.standing.is_known:
        return Decision(Reason.UNKNOWN)

    question = Question(caller, access.permission, access.resource, Limited(access.conditions))
    by_key = Verdict() if key_policy is None else key_policy.document.judge(question)
    if by_key.denies is not None:
        return Decision(Reason.KEY_POLICY_DENIES, key_statement=by_key.denies)
    identity = judge_identity(access.standing, question)
    if identity.denies is not None:
        return Decision(
            Reason.IDENTITY_POLICY_DENIES, policy_name=identity.name, policy_statement=identity.denies
        )

    if key_policy is None:
        return _by_account(caller, identity)
    if by_key.allows is not None and not is_foreign:
        return Decision(Reason.KEY_POLICY, key_statement=by_key.allows)
    statement = by_key.allows or by_key.delegates
    if statement is not None and caller.is_root:
        return Decision(Reason.ACCOUNT_ROOT, key_statement=statement)
    if statement is not None and identity.allows is not None:
        return Decision(Reason.KEY_POLICY_AND_IDENTITY_POLICY, statement, identity.name, identity.allows)
    return _by_grant(access, identity, statement, is_foreign=is_foreign)


@dataclass(frozen=True, slots=True)
class IdentityVerdict:
    """What all identity policies say together: the name of the one that decides, and its statement."""

    name: str | None = None
    denies: Statement | None = None
    allows: Statement | None = None


def judge_identity(standing: Standing, question: Question) -> IdentityVerdict:
    """Return what the identity policies of a caller say."""
    found = IdentityVerdict()
    for name, document in standing.policies.items():
        verdict = document.judge(question)
        if verdict.denies is not None:
            return IdentityVerdict(name, denies=verdict.denies)
        if verdict.allows is not None and found.allows is None:
            found = IdentityVerdict(name, allows=verdict.allows)
    return found


def _by_account(caller: Principal, identity: IdentityVerdict) -> Decision:
    if caller.is_root:
        return Decision(Reason.IS_ROOT)
    if identity.allows is not None:
        return Decision(Reason.IDENTITY_POLICY, policy_name=identity.name, policy_statement=identity.allows)
    return Decision(Reason.NO_IDENTITY_POLICY)


def _by_grant(
    access: Access, identity: IdentityVerdict, statement: Statement | None, *, is_foreign: bool
) -> Decision:
    operation = access.permission.partition(":")[2]
    is_allowed_by_account = access.caller.is_root or identity.allows is not None
    missed = False
    for grant in access.standing.grants:
        names_account = grant.grantee == access.caller.root_arn
        if not names_account and grant.grantee != access.caller.arn:
            continue
        conditions = access.conditions
        if not grant.permits(operation, conditions.encryption_context, conditions.grant_terms):
            continue
        if not is_foreign and (not names_account or access.caller.is_root):
            return Decision(Reason.GRANT, grant=grant)
        if is_allowed_by_account:
            return Decision(
                Reason.GRANT if access.caller.is_root else Reason.GRANT_AND_IDENTITY_POLICY,
                policy_name=identity.name,
                policy_statement=identity.allows,
                grant=grant,
            )
        missed = True
    if statement is not None or missed:
        return Decision(Reason.NO_IDENTITY_POLICY, key_statement=statement)
    return Decision(Reason.NO_KEY_POLICY)
