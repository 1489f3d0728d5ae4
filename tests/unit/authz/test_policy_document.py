"""Documents: whom and what statements are about, and how statements are weighed against each other."""

from typing import Any

import pytest
from unit.authz.questions import (
    ACCOUNT,
    ALICE,
    BOB,
    EVE,
    KEY,
    OTHER,
    ROOT,
    parsed,
    question,
    statement,
    verdict,
)

from keyferry_server.authn.caller import Principal
from keyferry_server.authz.policy.parser import Kind

CALLERS = {"alice": ALICE, "bob": BOB, "root": ROOT, "eve": EVE}


def verdicts(*statements: Any) -> dict[str, str]:
    """Return what a key policy says to each caller that it says something to."""
    document = parsed(*statements)
    found = {name: verdict(document, question(caller)) for name, caller in CALLERS.items()}
    return {name: said for name, said in found.items() if said != "nothing"}


@pytest.mark.parametrize(
    ("principal", "expected"),
    [
        ({"AWS": ALICE.arn}, {"alice": "allows"}),
        ({"AWS": [ALICE.arn, EVE.arn]}, {"alice": "allows", "eve": "allows"}),
        ({"AWS": ACCOUNT}, {"alice": "delegates", "bob": "delegates", "root": "allows"}),
        ({"AWS": ROOT.arn}, {"alice": "delegates", "bob": "delegates", "root": "allows"}),
        ({"AWS": [OTHER, BOB.arn]}, {"bob": "allows", "eve": "delegates"}),
        ("*", {"alice": "allows", "bob": "allows", "root": "allows", "eve": "allows"}),
        ({"AWS": "*"}, {"alice": "allows", "bob": "allows", "root": "allows", "eve": "allows"}),
        ({"Service": "backup.amazonaws.com"}, {}),
        ({"Federated": "accounts.google.com", "AWS": BOB.arn}, {"bob": "allows"}),
        ({"AWS": f"arn:aws-cn:iam::{ACCOUNT}:root"}, {}),
        ({"AWS": ALICE.arn.replace("alice", "Alice")}, {}),
        ({"AWS": f"arn:aws:sts::{ACCOUNT}:assumed-role/alice/session"}, {}),
    ],
)
def test_principal_names_callers_and_their_accounts(principal: Any, expected: dict[str, str]) -> None:
    assert verdicts(statement(Principal=principal)) == expected


def test_naming_the_account_in_a_denial_denies_to_all_in_it() -> None:
    allow = statement(Principal="*")
    assert verdicts(allow, statement(Effect="Deny", Principal={"AWS": ACCOUNT})) == {
        "alice": "denies",
        "bob": "denies",
        "root": "denies",
        "eve": "allows",
    }


def deny_all_but(*principals: str) -> dict[str, Any]:
    return statement(Effect="Deny", Principal=None, NotPrincipal={"AWS": list(principals)})


@pytest.mark.parametrize(
    ("spared", "expected"),
    [
        ([ALICE.arn, ROOT.arn], {"bob": "denies", "eve": "denies"}),
        ([ALICE.arn, ACCOUNT], {"bob": "denies", "eve": "denies"}),
        ([ALICE.arn], {"alice": "denies", "bob": "denies", "root": "denies", "eve": "denies"}),
        ([ACCOUNT], {"alice": "denies", "bob": "denies", "eve": "denies"}),
        ([ALICE.arn, OTHER], {"alice": "denies", "bob": "denies", "root": "denies", "eve": "denies"}),
        ([EVE.arn, OTHER], {"alice": "denies", "bob": "denies", "root": "denies"}),
    ],
)
def test_not_principal_spares_whom_it_names_together_with_the_account(
    spared: list[str], expected: dict[str, str]
) -> None:
    assert verdicts(deny_all_but(*spared)) == expected


@pytest.mark.parametrize(
    ("action", "allowed"),
    [
        ("kms:Encrypt", ["kms:Encrypt"]),
        ("KMS:encrypt", ["kms:Encrypt"]),
        ("kms:*crypt", ["kms:Decrypt", "kms:Encrypt"]),
        (["kms:Decrypt", "kms:ReEncrypt*"], ["kms:Decrypt", "kms:ReEncryptFrom", "kms:ReEncryptTo"]),
        ("*", ["kms:Decrypt", "kms:Encrypt", "kms:ReEncryptFrom", "kms:ReEncryptTo"]),
        ("kms:?e?rypt", ["kms:Decrypt"]),
        ("s3:*", []),
    ],
)
def test_action_lists_actions_in_any_case_and_not_action_all_others(action: Any, allowed: list[str]) -> None:
    actions = ["kms:Decrypt", "kms:Encrypt", "kms:ReEncryptFrom", "kms:ReEncryptTo"]
    listed = parsed(statement(Action=action))
    others = parsed(statement(Action=None, NotAction=action))
    assert [one for one in actions if verdict(listed, question(action=one)) == "allows"] == allowed
    assert [one for one in actions if verdict(others, question(action=one)) == "nothing"] == allowed


@pytest.mark.parametrize(
    ("resource", "fits"),
    [
        ("*", True),
        (KEY, True),
        ([f"arn:aws:kms:*:{OTHER}:key/*", f"arn:aws:kms:*:{ACCOUNT}:key/*"], True),
        ("arn:aws:kms:*:${kms:CallerAccount}:key/*", True),
        ("arn:aws:kms:*:${aws:missing}:key/*", False),
        (KEY.upper().replace("ARN:", "arn:"), False),
        (f"arn:aws:kms:us-east-1:{ACCOUNT}:alias/*", False),
    ],
)
def test_resource_lists_arns_and_not_resource_all_others(resource: Any, *, fits: bool) -> None:
    account: dict[str, Any] = {"kms:calleraccount": [ACCOUNT]}
    listed = parsed(statement(Resource=resource))
    others = parsed(statement(Resource=None, NotResource=resource))
    assert (verdict(listed, question(**account)) == "allows") is fits
    assert (verdict(others, question(**account)) == "nothing") is fits


def test_a_denial_outweighs_whatever_allows() -> None:
    allow, deny = statement(), statement(Effect="Deny", Action="kms:Encrypt")
    for order in ((allow, deny), (deny, allow), (allow, deny, allow)):
        document = parsed(*order)
        assert verdict(document, question()) == "denies"
        assert verdict(document, question(action="kms:Decrypt")) == "allows"


def test_a_verdict_names_the_statement_that_decides() -> None:
    document = parsed(
        statement(Principal={"AWS": ACCOUNT}),
        statement(Sid="by name"),
        statement(Sid="never", Effect="Deny", Action="kms:PutKeyPolicy"),
    )
    allowed = document.judge(question())
    assert allowed.allows is not None
    assert (allowed.allows.place, allowed.allows.sid) == ("Statement[1]", "by name")
    denied = document.judge(question(action="kms:PutKeyPolicy"))
    assert denied.denies is not None
    assert (denied.denies.place, denied.denies.sid) == ("Statement[2]", "never")
    delegated = document.judge(question(BOB))
    assert delegated.delegates is not None
    assert delegated.delegates.place == "Statement[0]"


def test_an_identity_policy_is_about_whomever_it_is_attached_to() -> None:
    document = parsed(
        {"Effect": "Allow", "Action": "kms:*", "Resource": f"arn:aws:kms:*:{ACCOUNT}:key/*"},
        kind=Kind.IDENTITY_POLICY,
    )
    for caller in (ALICE, BOB, EVE, Principal(OTHER, f"arn:aws:iam::{OTHER}:role/x")):
        assert verdict(document, question(caller)) == "allows"
    assert verdict(document, question(resource="*")) == "nothing"
