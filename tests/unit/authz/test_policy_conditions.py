"""Condition: every operator, set operators, IfExists and Null, and keys that a request does not have."""

from typing import Any

import pytest
from unit.authz.questions import parsed, question, statement, verdict

from keyferry_server.domain.errors import AccessDeniedException

KEY = "kms:EncryptionContext:k"


def holds(operator: str, operand: Any, *values: str, key: str = KEY, **others: list[str]) -> bool:
    """Tell whether a condition holds when the request has `values` for its key."""
    document = parsed(statement(Condition={operator: {key: operand}}))
    context: dict[str, Any] = {key.lower(): list(values), **others}
    return verdict(document, question(**context)) == "allows"


POSITIVE = [
    ("StringEquals", "a", ["a"], ["A", "aa", ""]),
    ("StringEquals", ["a", "b"], ["a", "b"], ["c"]),
    ("StringEquals", "a*", ["a*"], ["ab"]),
    ("StringEquals", 7, ["7"], ["07"]),
    ("StringEquals", True, ["true"], ["True"]),
    ("StringEqualsIgnoreCase", "aB", ["AB", "ab"], ["b"]),
    ("StringLike", "a?c*", ["abc", "abcd"], ["ac"]),
    ("NumericEquals", 5, ["5", "5.0", "+5"], ["6", "five", ""]),
    ("NumericEquals", "5.5", ["5.50"], ["5"]),
    ("NumericLessThan", 5, ["4", "-1"], ["5", "6"]),
    ("NumericLessThanEquals", 5, ["4", "5"], ["6", "x"]),
    ("NumericGreaterThan", [5, 10], ["6"], ["5"]),
    ("NumericGreaterThanEquals", 5, ["5"], ["4.9", "NaN", "inf", "1e9"]),
    ("DateEquals", "2030-01-31T12:00:00Z", ["2030-01-31T13:00:00+01:00", "1896091200"], ["2030-01-31"]),
    ("DateLessThan", "2030-01-31", ["2030-01-30T23:59:59Z", "0"], ["2030-01-31T00:00:00Z", "soon"]),
    ("DateLessThanEquals", "2030-01-31", ["2030-01-31"], ["2030-02-01"]),
    ("DateGreaterThan", 1896091200, ["1896091201"], ["1896091200"]),
    ("DateGreaterThanEquals", "2030-01-31T12:00:00Z", ["1896091200"], ["1896091199"]),
    ("Bool", True, ["true", "True"], ["false", ""]),
    ("Bool", "false", ["false"], ["true"]),
    ("BinaryEquals", "YWJj", ["YWJj"], ["YWJk", "!"]),
    ("IpAddress", "203.0.113.0/24", ["203.0.113.7"], ["203.0.114.7", "2001:db8::1", "", "host"]),
    ("IpAddress", "203.0.113.7", ["203.0.113.7"], ["203.0.113.8"]),
    ("IpAddress", ["2001:db8::/32", "10.0.0.0/8"], ["2001:db8::1", "10.1.1.1"], ["2001:db9::1"]),
    ("ArnEquals", "arn:aws:iam::1:user/a", ["arn:aws:iam::1:user/a"], ["arn:aws:iam::1:user/b", "a"]),
    ("ArnLike", "arn:aws:iam::*:user/*", ["arn:aws:iam::1:user/a:b"], ["arn:aws:iam::1:2:user/a"]),
    ("ArnLike", "arn:*:*:*:*:*", ["arn:a:b:c:d:e:f"], ["arn:a:b:c:d"]),
]
NEGATED = {
    "StringEquals": "StringNotEquals",
    "StringEqualsIgnoreCase": "StringNotEqualsIgnoreCase",
    "StringLike": "StringNotLike",
    "NumericEquals": "NumericNotEquals",
    "DateEquals": "DateNotEquals",
    "IpAddress": "NotIpAddress",
    "ArnEquals": "ArnNotEquals",
    "ArnLike": "ArnNotLike",
}


@pytest.mark.parametrize(("operator", "operand", "fits", "misfits"), POSITIVE)
def test_an_operator_compares(operator: str, operand: Any, fits: list[str], misfits: list[str]) -> None:
    assert [value for value in fits if not holds(operator, operand, value)] == []
    assert [value for value in misfits if holds(operator, operand, value)] == []
    negated = NEGATED.get(operator)
    if negated is not None:
        assert [value for value in fits if holds(negated, operand, value)] == []
        assert [value for value in misfits if not holds(negated, operand, value)] == []


@pytest.mark.parametrize("operator", sorted({row[0] for row in POSITIVE}))
def test_a_key_that_the_request_does_not_have_equals_nothing(operator: str) -> None:
    operand = next(row[1] for row in POSITIVE if row[0] == operator)
    assert not holds(operator, operand)
    assert holds(f"{operator}IfExists", operand)
    assert not holds(f"ForAnyValue:{operator}", operand, key="aws:TagKeys")
    assert holds(f"ForAllValues:{operator}", operand, key="aws:TagKeys")
    assert holds(f"ForAnyValue:{operator}IfExists", operand, key="aws:TagKeys")
    negated = NEGATED.get(operator)
    if negated is not None:
        assert holds(negated, operand)
        assert holds(f"{negated}IfExists", operand)
        assert not holds(f"ForAnyValue:{negated}", operand, key="aws:TagKeys")
        assert holds(f"ForAllValues:{negated}", operand, key="aws:TagKeys")


def test_if_exists_still_compares_what_is_there() -> None:
    assert holds("StringEqualsIfExists", "a", "a")
    assert not holds("StringEqualsIfExists", "a", "b")
    assert not holds("StringNotEqualsIfExists", "a", "a")


@pytest.mark.parametrize(
    ("operator", "values", "expected"),
    [
        ("ForAnyValue:StringEquals", ["a", "z"], True),
        ("ForAnyValue:StringEquals", ["y", "z"], False),
        ("ForAllValues:StringEquals", ["a", "b"], True),
        ("ForAllValues:StringEquals", ["a", "z"], False),
        ("ForAnyValue:StringNotEquals", ["a", "z"], True),
        ("ForAnyValue:StringNotEquals", ["a", "b"], False),
        ("ForAllValues:StringNotEquals", ["y", "z"], True),
        ("ForAllValues:StringNotEquals", ["a", "z"], False),
        ("StringEquals", ["a", "z"], True),
        ("StringNotEquals", ["a", "z"], False),
        ("StringNotEquals", ["y", "z"], True),
    ],
)
def test_several_values_of_the_request_count_as_the_set_operator_says(
    operator: str, values: list[str], *, expected: bool
) -> None:
    assert holds(operator, ["a", "b"], *values, key="aws:TagKeys") is expected


def test_null_tells_whether_the_key_is_there() -> None:
    assert holds("Null", "true")
    assert not holds("Null", [True], "x")
    assert holds("Null", [False], "x")
    assert not holds("Null", "false")
    assert holds("Null", ["true", "false"])


def test_case_does_not_count_in_a_condition_key_but_in_its_value() -> None:
    assert holds("StringEquals", "a", "a", key="KMS:EncryptionContext:K")
    assert not holds("StringEquals", "a", "A", key="KMS:EncryptionContext:K")


def test_all_conditions_must_hold() -> None:
    both = {"StringEquals": {"kms:EncryptionContext:a": "1", "kms:EncryptionContext:b": "2"}, "Bool": {"aws:SecureTransport": True}}  # fmt: skip
    document = parsed(statement(Condition=both))
    present: dict[str, Any] = {
        "kms:encryptioncontext:a": ["1"],
        "kms:encryptioncontext:b": ["2"],
        "aws:securetransport": ["true"],
    }
    assert verdict(document, question(**present)) == "allows"
    for missing in present:
        assert (
            verdict(document, question(**{key: present[key] for key in present if key != missing}))
            == "nothing"
        )


def test_a_variable_in_a_condition_is_filled_in_from_the_request() -> None:
    username: dict[str, Any] = {"aws:username": ["alice"]}
    for operator, operand in (
        ("StringEquals", "${aws:username}"),
        ("StringLike", "${aws:username}*"),
        ("StringEqualsIgnoreCase", "${aws:username}"),
    ):
        assert holds(operator, operand, "alice", **username)
        assert not holds(operator, operand, "bob", **username)
        assert not holds(operator, operand, "alice")
    arn = "arn:aws:iam::1:user/${aws:username}"
    assert holds("ArnEquals", arn, "arn:aws:iam::1:user/alice", **username)
    assert not holds("ArnEquals", arn, "arn:aws:iam::1:user/bob", **username)
    assert not holds("ArnEquals", arn, "arn:aws:iam::1:user/x:y", **{"aws:username": ["x"]})


def test_the_value_of_a_variable_with_colons_stays_in_its_part_of_the_arn() -> None:
    operand = "arn:aws:iam::${aws:PrincipalAccount}:user/a"
    assert not holds("ArnEquals", operand, "arn:aws:iam::1:user/a", **{"aws:principalaccount": ["1:user/a"]})


def test_the_older_version_has_no_variables() -> None:
    for version in ("2008-10-17", None):
        document = parsed(statement(Condition={"StringEquals": {KEY: "${aws:username}"}}), version=version)
        asked: dict[str, Any] = {KEY.lower(): ["${aws:username}"], "aws:username": ["alice"]}
        assert verdict(document, question(**asked)) == "allows"


def test_a_document_knows_the_condition_keys_that_it_asks_for() -> None:
    document = parsed(
        statement(
            Condition={"StringLike": {"aws:ResourceTag/Team": "${aws:username}"}},
            Resource="arn:aws:kms:*:*:key/${kms:CallerAccount}",
        )
    )
    assert document.condition_keys == {"aws:resourcetag/team", "aws:username", "kms:calleraccount"}


def test_many_texts_are_compared_with_many_values_in_one_look_each() -> None:
    operands = [f"operand-{number}" for number in range(3_000)]
    document = parsed(
        statement(Condition={"ForAnyValue:StringEquals": {"kms:EncryptionContextKeys": operands}})
    )
    values = {"kms:encryptioncontextkeys": [f"key-{number}" for number in range(100_000)]}
    assert verdict(document, question(**values)) == "nothing"
    assert verdict(document, question(**{"kms:encryptioncontextkeys": ["key", operands[-1]]})) == "allows"


def test_conditions_that_take_too_many_steps_deny() -> None:
    operands = [f"operand-{number}*" for number in range(3_000)]
    document = parsed(
        statement(Condition={"ForAnyValue:StringLike": {"kms:EncryptionContextKeys": operands}})
    )
    asked = question(**{"kms:encryptioncontextkeys": [f"key-{number}" for number in range(1_000)]})
    with pytest.raises(AccessDeniedException, match="too many steps"):
        document.judge(asked)
