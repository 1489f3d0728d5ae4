"""The one decision: key policy, identity policies and grants together, in the key's account and across accounts."""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from unit.authz.questions import ACCOUNT, ALICE, BOB, EVE, KEY, OTHER, ROOT, parsed, statement

from keyferry_server.authn.caller import Principal
from keyferry_server.authz.decision import Access, KeyPolicy, Reason, decide
from keyferry_server.authz.permission import ACROSS_ACCOUNTS, Permission
from keyferry_server.authz.policy.parser import Kind
from keyferry_server.authz.standing import Standing
from keyferry_server.domain.grant import Grant, GrantConstraints, GrantOperation, GrantTerms
from keyferry_server.domain.identifiers import KeyIdentifier, Scope

OTHER_ROOT = Principal(OTHER, f"arn:aws:iam::{OTHER}:root")
DELEGATES = statement(Principal={"AWS": ACCOUNT})
PERMITS = statement(Principal=None)
FORBIDS = statement(Principal=None, Effect="Deny")


class Request:
    """A request with an encryption context, if it can have one."""

    def __init__(self, context: Mapping[str, str] | None = None, new_terms: GrantTerms | None = None) -> None:
        self.encryption_context = context
        self.grant_terms = new_terms

    def values(self, key: str) -> Sequence[str]:
        return tuple(self.encryption_context or ()) if key == "kms:encryptioncontextkeys" else ()


def grant(grantee: str, *operations: str, **constraints: Any) -> Grant:
    return Grant(
        grant_id="ab" * 32,
        key=KeyIdentifier(Scope("aws", "us-east-1", ACCOUNT), KEY.rpartition("/")[2]),
        name=None,
        grantee=grantee,
        retiring=None,
        issuing_account=ROOT.arn,
        terms=GrantTerms(frozenset(map(GrantOperation, operations)), GrantConstraints(**constraints)),
        created_at=datetime(2026, 11, 24, tzinfo=UTC),
    )


def standing(*policies: dict[str, Any], grants: Sequence[Grant] = ()) -> Standing:
    documents = {
        f"policy-{number}": parsed(one, kind=Kind.IDENTITY_POLICY) for number, one in enumerate(policies)
    }
    return Standing(is_known=True, policies=documents, grants=grants)


def decided(
    caller: Principal,
    *key_statements: dict[str, Any],
    has: Standing | None = None,
    permission: str = Permission.ENCRYPT,
    request: Request | None = None,
) -> Reason:
    """Return why a caller may or may not use the key with a policy of these statements."""
    key_policy = KeyPolicy(ACCOUNT, parsed(*key_statements))
    access = Access(caller, permission, KEY, key_policy, has or standing(), request or Request({}))
    return decide(access).reason


@pytest.mark.parametrize(
    ("caller", "statements", "has", "reason"),
    [
        (ALICE, [statement()], standing(), Reason.KEY_POLICY),
        (ALICE, [statement()], standing(FORBIDS), Reason.IDENTITY_POLICY_DENIES),
        (BOB, [statement()], standing(PERMITS), Reason.NO_KEY_POLICY),
        (BOB, [DELEGATES], standing(PERMITS), Reason.KEY_POLICY_AND_IDENTITY_POLICY),
        (BOB, [DELEGATES], standing(), Reason.NO_IDENTITY_POLICY),
        (BOB, [DELEGATES], standing(PERMITS, FORBIDS), Reason.IDENTITY_POLICY_DENIES),
        (BOB, [DELEGATES, statement(Effect="Deny", Principal="*")], standing(PERMITS), Reason.KEY_POLICY_DENIES),
        (ROOT, [DELEGATES], standing(), Reason.KEY_POLICY),
        (ROOT, [statement()], standing(), Reason.NO_KEY_POLICY),
        (EVE, [statement(Principal="*")], standing(), Reason.NO_IDENTITY_POLICY),
        (EVE, [statement(Principal={"AWS": EVE.arn})], standing(PERMITS), Reason.KEY_POLICY_AND_IDENTITY_POLICY),
        (EVE, [statement(Principal={"AWS": OTHER})], standing(PERMITS), Reason.KEY_POLICY_AND_IDENTITY_POLICY),
        (EVE, [DELEGATES], standing(PERMITS), Reason.NO_KEY_POLICY),
        (OTHER_ROOT, [statement(Principal={"AWS": OTHER})], standing(), Reason.ACCOUNT_ROOT),
        (OTHER_ROOT, [statement(Principal={"AWS": EVE.arn})], standing(), Reason.NO_KEY_POLICY),
        (ALICE, [statement()], Standing(is_known=False), Reason.UNKNOWN),
        (BOB, [statement()], standing(grants=[grant(BOB.arn, "Encrypt")]), Reason.GRANT),
        (BOB, [statement()], standing(grants=[grant(BOB.arn, "Decrypt")]), Reason.NO_KEY_POLICY),
        (BOB, [statement()], standing(grants=[grant(ALICE.arn, "Encrypt")]), Reason.NO_KEY_POLICY),
        (BOB, [statement()], standing(grants=[grant(ROOT.arn, "Encrypt")]), Reason.NO_IDENTITY_POLICY),
        (BOB, [statement()], standing(PERMITS, grants=[grant(ROOT.arn, "Encrypt")]), Reason.GRANT_AND_IDENTITY_POLICY),
        (BOB, [statement()], standing(FORBIDS, grants=[grant(BOB.arn, "Encrypt")]), Reason.IDENTITY_POLICY_DENIES),
        (ROOT, [statement()], standing(grants=[grant(ROOT.arn, "Encrypt")]), Reason.GRANT),
        (EVE, [DELEGATES], standing(grants=[grant(EVE.arn, "Encrypt")]), Reason.NO_IDENTITY_POLICY),
        (EVE, [DELEGATES], standing(PERMITS, grants=[grant(EVE.arn, "Encrypt")]), Reason.GRANT_AND_IDENTITY_POLICY),
        (OTHER_ROOT, [DELEGATES], standing(grants=[grant(OTHER_ROOT.arn, "Encrypt")]), Reason.GRANT),
    ],
)  # fmt: skip
def test_what_decides(caller: Principal, statements: list[Any], has: Standing, reason: Reason) -> None:
    assert decided(caller, *statements, has=has) is reason


@pytest.mark.parametrize("permission", sorted(set(Permission) - ACROSS_ACCOUNTS))
def test_an_operation_that_does_not_work_across_accounts_is_refused_there_whatever_allows_it(
    permission: str,
) -> None:
    everything = standing(PERMITS, grants=[grant(EVE.arn, *GrantOperation)])
    for caller in (EVE, OTHER_ROOT):
        found = decided(caller, statement(Principal="*"), has=everything, permission=permission)
        assert found is Reason.NOT_ACROSS_ACCOUNTS


def test_without_a_key_the_root_may_everything_and_others_what_their_identity_policies_say() -> None:
    def reason(caller: Principal, has: Standing) -> Reason:
        return decide(Access(caller, Permission.CREATE_KEY, "*", None, has, Request())).reason

    assert reason(ROOT, standing()) is Reason.IS_ROOT
    assert reason(ALICE, standing()) is Reason.NO_IDENTITY_POLICY
    assert reason(ALICE, standing(PERMITS)) is Reason.IDENTITY_POLICY
    assert reason(ALICE, standing(PERMITS, FORBIDS)) is Reason.IDENTITY_POLICY_DENIES
    assert reason(ALICE, standing(grants=[grant(ALICE.arn, *GrantOperation)])) is Reason.NO_IDENTITY_POLICY


def test_a_decision_names_the_statements_and_the_grant_that_decide() -> None:
    key_policy = KeyPolicy(ACCOUNT, parsed(statement(), DELEGATES))
    has = standing(statement(Principal=None, Action="kms:Sign"), PERMITS)
    found = decide(Access(BOB, Permission.ENCRYPT, KEY, key_policy, has, Request({})))
    assert found.is_allowed
    assert found.key_statement is not None
    assert found.policy_statement is not None
    assert (found.key_statement.place, found.policy_name, found.policy_statement.place) == (
        "Statement[1]",
        "policy-1",
        "Statement[0]",
    )
    by_grant = decide(
        Access(BOB, Permission.ENCRYPT, KEY, KeyPolicy(ACCOUNT, parsed(statement())), standing(grants=[grant(BOB.arn, "Encrypt")]), Request({}))
    )  # fmt: skip
    assert by_grant.grant is not None


@pytest.mark.parametrize(
    ("child", "parent", "is_within"),
    [
        ({}, {}, True),
        ({"subset": {"a": "1"}}, {}, True),
        ({}, {"subset": {"a": "1"}}, False),
        ({"subset": {"a": "1", "b": "2"}}, {"subset": {"a": "1"}}, True),
        ({"subset": {"a": "2"}}, {"subset": {"a": "1"}}, False),
        ({"equals": {"a": "1", "b": "2"}}, {"subset": {"a": "1"}}, True),
        ({"equals": {"b": "2"}}, {"subset": {"a": "1"}}, False),
        ({"subset": {"a": "1"}}, {"equals": {"a": "1"}}, False),
        ({"equals": {"a": "1"}}, {"equals": {"a": "1"}}, True),
        ({"equals": {"a": "1", "b": "2"}}, {"equals": {"a": "1"}}, False),
        ({"equals": {"a": "1"}}, {"equals": {"a": "1"}, "subset": {"b": "2"}}, False),
    ],
)
def test_constraints_are_within_others_if_all_they_admit_is_admitted_there(
    child: dict[str, Any], parent: dict[str, Any], *, is_within: bool
) -> None:
    one, other = GrantConstraints(**child), GrantConstraints(**parent)
    assert one.is_within(other) is is_within


_PAIRS = st.none() | st.dictionaries(st.sampled_from("ab"), st.sampled_from("12"), min_size=1)
_CONSTRAINTS = st.builds(GrantConstraints, equals=_PAIRS, subset=_PAIRS)
_CONTEXT = st.dictionaries(st.sampled_from("abc"), st.sampled_from("12"))


@settings(max_examples=200, deadline=None)
@given(_CONSTRAINTS, _CONSTRAINTS, _CONTEXT)
def test_a_grant_made_by_a_grant_never_admits_a_context_that_the_other_refuses(
    child: GrantConstraints, parent: GrantConstraints, context: dict[str, str]
) -> None:
    if child.is_within(parent) and child.admit(context):
        assert parent.admit(context)


_CALLERS = st.sampled_from([ALICE, BOB, ROOT, EVE, OTHER_ROOT])
_KEY_STATEMENTS = st.lists(
    st.sampled_from([DELEGATES, statement(), statement(Principal="*"), statement(Principal={"AWS": OTHER}), statement(Principal={"AWS": BOB.arn}, Action="kms:Decrypt")]),
    min_size=1,
    max_size=3,
)  # fmt: skip
_IDENTITY = st.lists(
    st.sampled_from([PERMITS, statement(Principal=None, Action="kms:Decrypt"), FORBIDS]), max_size=2
)
_GRANTS = st.lists(
    st.sampled_from([grant(BOB.arn, "Encrypt"), grant(EVE.arn, "Encrypt", subset={"a": "1"}), grant(ROOT.arn, "Encrypt")]),
    max_size=2,
)  # fmt: skip


@settings(max_examples=150, deadline=None)
@given(
    _CALLERS, _KEY_STATEMENTS, _IDENTITY, _GRANTS, _CONTEXT, st.sampled_from(["Allow", "Deny"]), st.booleans()
)
def test_one_more_denial_never_allows_and_one_more_permission_never_denies(
    caller: Principal,
    key_statements: list[Any],
    policies: list[Any],
    grants: list[Grant],
    context: dict[str, str],
    effect: str,
    of_key: bool,  # noqa: FBT001 -- drawn
) -> None:
    def allowed(key: list[Any], identity: list[Any]) -> bool:
        access = Access(caller, Permission.ENCRYPT, KEY, KeyPolicy(ACCOUNT, parsed(*key)), standing(*identity, grants=grants), Request(context))  # fmt: skip
        return decide(access).is_allowed

    before = allowed(key_statements, policies)
    if of_key:
        after = allowed([*key_statements, statement(Effect=effect, Principal="*")], policies)
    else:
        after = allowed(key_statements, [*policies, statement(Effect=effect, Principal=None)])
    assert after <= before if effect == "Deny" else after >= before
