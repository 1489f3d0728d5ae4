"""A thousand malformed policies and more: each is refused with the one exception that it deserves, naming the place."""

import json
import re
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from unit.authz.questions import ALICE, KEY, policy, statement

from keyferry_server.authz.policy.parser import Kind, parse_policy
from keyferry_server.authz.policy.patterns import LONGEST_TEXT
from keyferry_server.domain.errors import MalformedPolicyDocumentException

Fault = Callable[[dict[str, Any]], str]


def refusal(text: str, kind: Kind = Kind.KEY_POLICY) -> str:
    with pytest.raises(MalformedPolicyDocumentException) as refused:
        parse_policy(text, kind)
    return refused.value.message


def refusal_if_any(text: str) -> str | None:
    """Return the message of the refusal, or None; any other exception fails the test."""
    try:
        parse_policy(text, Kind.KEY_POLICY)
    except MalformedPolicyDocumentException as refused:
        return refused.message
    return None


def test_a_well_formed_policy_is_not_refused() -> None:
    parse_policy(policy(statement()), Kind.KEY_POLICY)
    parse_policy(policy(statement(Principal=None)), Kind.IDENTITY_POLICY)
    alone = json.dumps({"Id": "x", "Statement": statement(Sid="any text, of any length")})
    assert parse_policy(alone, Kind.KEY_POLICY).statements[0].place == "Statement"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "The policy document is not JSON: Expecting value at line 1, column 1."),
        (
            "{",
            "The policy document is not JSON: Expecting property name enclosed in double quotes at line 1, column 2.",
        ),
        ('{"Statement": NaN}', "The policy document is not JSON: it has no NaN."),
        ("[" * 100_000, "The policy document is nested too deeply."),
        ('{"a":' * 100_000, "The policy document is nested too deeply."),
        ("[]", "The policy document must be a JSON object."),
        ("7", "The policy document must be a JSON object."),
        ("null", "The policy document must be a JSON object."),
        ("{}", "The policy document must have the element Statement."),
        ('{"Statement": []}', "Statement must not be an empty list."),
        ('{"Statement": "x"}', "Statement must be a JSON object."),
        ('{"Statement": [7]}', "Statement[0] must be a JSON object."),
        ('{"Statement": {}, "Statement": {}}', "The policy document has the name 'Statement' twice."),
        (
            '{"statement": []}',
            "The policy document has the unknown element 'statement'; there can be Statement, Version, Id.",
        ),
        ('{"Version": "2012-10-18", "Statement": {}}', "Version must be one of 2008-10-17, 2012-10-17."),
        ('{"Version": 2012, "Statement": {}}', "Version must be a text."),
        ('{"Id": [], "Statement": {}}', "Id must be a text."),
    ],
)
def test_a_document_that_is_none_is_refused(text: str, message: str) -> None:
    assert refusal(text) == message


def test_an_element_that_comes_twice_is_refused_where_it_does() -> None:
    twice = policy(statement()).replace('"Effect": "Allow"', '"Effect": "Allow", "Effect": "Deny"')
    assert refusal(twice) == "Statement[0] has the name 'Effect' twice."
    inside = policy(statement(Condition={"Bool": {"aws:SecureTransport": True}})).replace(
        '"aws:SecureTransport": true', '"aws:SecureTransport": true, "aws:SecureTransport": false'
    )
    assert refusal(inside) == "Statement[0].Condition.Bool has the name 'aws:SecureTransport' twice."


def put(element: str, value: Any, place: str | None = None) -> Fault:
    """Return the fault of a wrong value, and where it is found if not at the element itself."""

    def spoil(whole: dict[str, Any]) -> str:
        whole[element] = value
        return f".{element if place is None else place}"

    return spoil


def drop(element: str) -> Fault:
    def spoil(whole: dict[str, Any]) -> str:
        del whole[element]
        return ""

    return spoil


def add(element: str, value: Any) -> Fault:
    """Return the fault of an element that must not stand there."""

    def spoil(whole: dict[str, Any]) -> str:
        whole[element] = value
        return ""

    return spoil


def condition(operator: str, key: str, operand: Any, place: str) -> Fault:
    return put("Condition", {operator: {key: operand}}, f"Condition{place}")


FAULTS: list[Fault] = [
    drop("Effect"),
    drop("Action"),
    drop("Resource"),
    drop("Principal"),
    add("NotAction", "kms:*"),
    add("NotResource", "*"),
    add("NotPrincipal", {"AWS": "*"}),
    *(put("Effect", value) for value in ("allow", "DENY", "", None, True, 1, [], ["Allow"], {})),
    *(put("Sid", value) for value in (None, 1, [], ["x"], {})),
    *(add(name, "x") for name in ("effect", "Actions", "Principals", "Comment", "", "Condition ", "Efféct")),
    *(
        put("Action", value)
        for value in ("", "kms", "kms:", ":Encrypt", "kms Encrypt", "kms:En crypt", "kms:*:x", "k*s:Encrypt", "kms:Ünicode", "kms:${aws:username}", None, 7, True, [], {})
    ),
    *(put("Action", ["kms:Encrypt", value], "Action[1]") for value in ("", "encrypt", None, 3, ["kms:*"], {})),
    *(put("Resource", value) for value in ("", "key/1", "arn:", "arn:aws:kms", KEY[4:], " *", None, 1, [], {})),
    *(put("Resource", ["*", value], "Resource[1]") for value in ("", "x", None, [])),
    put("Resource", "arn:aws:kms:*:${:key/*"),
    put("Resource", "arn:aws:kms:*:*:key/" + "a" * LONGEST_TEXT),
    *(put("Principal", value) for value in ("", "**", ALICE.arn, None, 7, True, [], ["*"], {})),
    *(put("Principal", {name: "*"}) for name in ("aws", "AWS ", "CanonicalUser", "User")),
    *(
        put("Principal", {"AWS": value}, "Principal.AWS")
        for value in ("", "x", "11112222333", "1111222233334", "arn:aws:iam::111122223333:user/", "arn:aws:iam::111122223333:user/*", "arn:aws:iam::111122223333:group/x", "arn:aws:iam::1:root", "arn:aws:s3:::bucket", "AIDAEXAMPLE", None, 111122223333, [], {})
    ),
    *(put("Principal", {"AWS": ["*", value]}, "Principal.AWS[1]") for value in ("x", None, 1, ["*"])),
    put("Principal", {"Service": 7}, "Principal.Service"),
    put("Principal", {"Federated": ["x", None]}, "Principal.Federated[1]"),
    *(put("Condition", value) for value in ("", None, 7, [], ["x"])),
    *(
        put("Condition", {name: {"aws:username": "x"}}, f"Condition.{name}")
        for name in ("StringEqual", "stringEquals", "Equals", "", "ForAnyValue:", "ForAny:StringEquals", "foranyvalue:StringEquals", "NullIfExists", "ForAllValues:Null", "StringEqualsifexists", "IfExists", "Bool:Bool")
    ),
    put("Condition", {"StringEquals": "x"}, "Condition.StringEquals"),
    put("Condition", {"StringEquals": ["x"]}, "Condition.StringEquals"),
    *(condition("StringEquals", key, "x", f".StringEquals.{key}") for key in ("username", "", ":", "aws:", " aws:x")),
    *(condition("StringEquals", "aws:username", value, ".StringEquals.aws:username") for value in (None, [], {}, "${", "${}", "a" * (LONGEST_TEXT + 1))),
    *(condition("StringEquals", "aws:username", ["x", value], ".StringEquals.aws:username[1]") for value in (None, [], {}, "${aws:username")),
    *(condition("NumericEquals", "kms:ValidTo", value, ".NumericEquals.kms:ValidTo") for value in ("", "x", "1e400", True, "\u0661", "0x10", "NaN", "9" * 31)),
    *(condition("DateLessThan", "aws:CurrentTime", value, ".DateLessThan.aws:CurrentTime") for value in ("", "soon", "2030-13-01", "2030-01-01T25:00:00Z", "2030-01-01T00:00:00", "99999999999999", False)),
    *(condition("Bool", "aws:SecureTransport", value, ".Bool.aws:SecureTransport") for value in ("yes", "", 1, 0)),
    *(condition("IpAddress", "aws:SourceIp", value, ".IpAddress.aws:SourceIp") for value in ("", "host", "10.0.0.0/33", "10.0.0", "::/129", 10, True)),
    *(condition("ArnLike", "aws:PrincipalArn", value, ".ArnLike.aws:PrincipalArn") for value in ("", "*", "arn:aws:iam::1", True)),
    *(condition("BinaryEquals", "aws:x", value, ".BinaryEquals.aws:x") for value in ("!", "abc", "ä")),
    *(condition("Null", "aws:x", value, ".Null.aws:x") for value in ("", "null", 0, None)),
    *(condition("ForAllValues:StringLike", key, "*", f".ForAllValues:StringLike.{key}") for key in ("kms:EncryptionContext:a", "KMS:encryptioncontext:A", "aws:RequestTag/team")),
]  # fmt: skip
WELL_FORMED = st.sampled_from(
    [
        statement(),
        statement(Sid="x", Action=["kms:*", "s3:GetObject"], Resource=[KEY, "*"]),
        statement(Effect="Deny", Principal="*", Condition={"Bool": {"aws:SecureTransport": False}}),
        statement(Effect="Deny", Principal=None, NotPrincipal={"AWS": [ALICE.arn]}),
    ]
)


@settings(max_examples=1000, deadline=None)
@given(
    st.lists(WELL_FORMED, max_size=3),
    st.lists(WELL_FORMED, max_size=3),
    st.sampled_from(FAULTS),
    st.sampled_from(["2012-10-17", "2008-10-17", None]),
)
def test_a_fault_anywhere_is_refused_with_its_place(
    before: list[Any], after: list[Any], fault: Fault, version: str | None
) -> None:
    faulty = statement()
    place = f"Statement[{len(before)}]{fault(faulty)}"
    text = policy(*before, faulty, *after, version=version)
    if version != "2012-10-17" and "${" in text:
        return
    message = refusal(text)
    assert message.startswith(place + " "), message
    assert len(message) < 500


def test_every_fault_is_one() -> None:
    assert len(FAULTS) > 150
    for fault in FAULTS:
        faulty = statement()
        place = f"Statement[0]{fault(faulty)}"
        assert refusal(policy(faulty)).startswith(f"{place} "), place


def test_an_identity_policy_names_no_principals_and_a_key_policy_must() -> None:
    for element in ("Principal", "NotPrincipal"):
        faulty = statement(**{"Effect": "Deny", "Principal": None, element: "*"})
        assert refusal(policy(faulty), Kind.IDENTITY_POLICY).startswith(
            f"Statement[0] has the unknown element {element!r}"
        )
    assert refusal(policy(statement(Principal=None))) == (
        "Statement[0] must have exactly one of Principal and NotPrincipal."
    )


def test_not_principal_does_not_allow() -> None:
    assert refusal(policy(statement(Principal=None, NotPrincipal={"AWS": ALICE.arn}))).startswith(
        "Statement[0].NotPrincipal can only be used to deny"
    )


_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3)
    | st.dictionaries(
        st.sampled_from(["Version", "Statement", "Effect", "Principal", "AWS", "Action", "Resource", "Condition", "StringEquals"]) | st.text(max_size=3),
        inner,
        max_size=4,
    ),
    max_leaves=12,
)  # fmt: skip


@settings(max_examples=200, deadline=None)
@given(_JSON)
def test_no_json_whatever_makes_it_fail_in_another_way(document: Any) -> None:
    for text in (json.dumps(document), json.dumps({"Statement": document}), json.dumps({"Statement": statement(Condition=document)})):  # fmt: skip
        message = refusal_if_any(text)
        assert message is None or re.match(r"The policy document |Statement|Version|Id ", message)


@settings(max_examples=200, deadline=None)
@given(st.data())
def test_no_damage_to_a_policy_makes_it_fail_in_another_way(data: st.DataObject) -> None:
    text = policy(statement(Condition={"StringLike": {"aws:username": "${aws:username}*"}}), statement())
    start = data.draw(st.integers(0, len(text)))
    end = data.draw(st.integers(start, min(len(text), start + 5)))
    damaged = text[:start] + data.draw(st.text('{}[]",:\\$*\0é \ud800', max_size=3)) + text[end:]
    assert refusal_if_any(damaged) != ""
