"""What is true of every policy: a denial wins, order is nothing, and no denial ever widens what is allowed."""

import json
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st
from unit.authz.questions import ACCOUNT, ALICE, BOB, EVE, KEY, OTHER, ROOT, parsed, question, verdict

from keyferry_server.authz.policy.parser import Kind, parse_policy

_PRINCIPAL = st.sampled_from(
    ["*", *({"AWS": one} for one in (ALICE.arn, BOB.arn, ACCOUNT, OTHER, [ROOT.arn, EVE.arn]))]
)
_ACTION = st.sampled_from(["*", "kms:*", "kms:Encrypt", ["kms:Decrypt", "kms:Enc*"], "kms:PutKeyPolicy"])
_RESOURCE = st.sampled_from(["*", KEY, f"arn:aws:kms:*:{ACCOUNT}:key/*", f"arn:aws:kms:*:{OTHER}:key/*"])
_CONDITION = st.sampled_from(
    [
        None,
        {"StringEquals": {"kms:EncryptionContext:tenant": ["a", "b"]}},
        {"StringNotEquals": {"kms:EncryptionContext:tenant": "a"}},
        {"ForAllValues:StringEquals": {"kms:EncryptionContextKeys": ["tenant"]}},
        {"ForAnyValue:StringLike": {"kms:EncryptionContextKeys": "t*"}},
        {"Null": {"kms:EncryptionContextKeys": True}},
        {"BoolIfExists": {"aws:SecureTransport": True}},
        {"StringEquals": {"kms:EncryptionContext:tenant": "${aws:username}"}},
    ]
)


@st.composite
def _statement(draw: st.DrawFn, effects: tuple[str, ...] = ("Allow", "Deny")) -> dict[str, Any]:
    whole = {"Effect": draw(st.sampled_from(effects)), "Condition": draw(_CONDITION)}
    denies = whole["Effect"] == "Deny"
    whole[draw(st.sampled_from(["Principal", "NotPrincipal"] if denies else ["Principal"]))] = draw(
        _PRINCIPAL
    )
    whole[draw(st.sampled_from(["Action", "NotAction"]))] = draw(_ACTION)
    whole[draw(st.sampled_from(["Resource", "NotResource"]))] = draw(_RESOURCE)
    return {name: value for name, value in whole.items() if value is not None}


@st.composite
def _question(draw: st.DrawFn) -> Any:
    tenant = draw(st.sampled_from([None, "a", "b", "c", "alice"]))
    values: dict[str, Any] = {"aws:username": ["alice"]}
    if tenant is not None:
        values |= {"kms:encryptioncontext:tenant": [tenant], "kms:encryptioncontextkeys": ["tenant"]}
    if draw(st.booleans()):
        values["aws:securetransport"] = [draw(st.sampled_from(["true", "false"]))]
    caller = draw(st.sampled_from([ALICE, BOB, ROOT, EVE]))
    return question(
        caller, draw(st.sampled_from(["kms:Encrypt", "kms:Decrypt", "kms:PutKeyPolicy"])), **values
    )


_STATEMENTS = st.lists(_statement(), min_size=1, max_size=5)
_STRENGTH = {"denies": 0, "nothing": 1, "delegates": 2, "allows": 3}


@settings(max_examples=100, deadline=None)
@given(_STATEMENTS, _question(), st.randoms(use_true_random=False))
def test_the_order_of_statements_does_not_matter(statements: list[Any], asked: Any, random: Any) -> None:
    shuffled = list(statements)
    random.shuffle(shuffled)
    assert verdict(parsed(*statements), asked) == verdict(parsed(*shuffled), asked)


@settings(max_examples=100, deadline=None)
@given(_STATEMENTS, _question(), st.integers(0, 5))
def test_one_statement_that_denies_decides(statements: list[Any], asked: Any, at: int) -> None:
    deny = {"Effect": "Deny", "Principal": "*", "Action": "*", "Resource": "*"}
    assert verdict(parsed(*statements[:at], deny, *statements[at:]), asked) == "denies"


@settings(max_examples=100, deadline=None)
@given(_STATEMENTS, _statement(("Deny",)), _question())
def test_adding_a_denial_never_widens_what_is_allowed(statements: list[Any], denial: Any, asked: Any) -> None:
    without, with_it = verdict(parsed(*statements), asked), verdict(parsed(*statements, denial), asked)
    assert with_it in {"denies", without}


@settings(max_examples=100, deadline=None)
@given(_STATEMENTS, _statement(("Allow",)), _question())
def test_adding_a_permission_never_narrows_what_is_allowed(
    statements: list[Any], more: Any, asked: Any
) -> None:
    without, with_it = verdict(parsed(*statements), asked), verdict(parsed(*statements, more), asked)
    assert _STRENGTH[with_it] >= _STRENGTH[without]


@settings(max_examples=100, deadline=None)
@given(_STATEMENTS, _question())
def test_a_document_says_what_its_statements_say_one_by_one(statements: list[Any], asked: Any) -> None:
    alone = [verdict(parsed(one), asked) for one in statements]
    expected = "denies" if "denies" in alone else max(alone, key=lambda said: _STRENGTH[said])
    assert verdict(parsed(*statements), asked) == expected


@settings(max_examples=100, deadline=None)
@given(_STATEMENTS, _question())
def test_the_spacing_of_a_document_does_not_matter(statements: list[Any], asked: Any) -> None:
    spaced = json.dumps({"Version": "2012-10-17", "Statement": statements}, indent=2)
    assert verdict(parse_policy(spaced, Kind.KEY_POLICY), asked) == verdict(parsed(*statements), asked)


@settings(max_examples=60, deadline=None)
@given(_statement(("Allow",)), _question())
def test_a_statement_and_the_one_with_the_other_actions_never_apply_both(one: Any, asked: Any) -> None:
    names = {"Action": "NotAction", "NotAction": "Action"}
    other = {names.get(name, name): value for name, value in one.items()}
    assert "nothing" in {verdict(parsed(one), asked), verdict(parsed(other), asked)}
