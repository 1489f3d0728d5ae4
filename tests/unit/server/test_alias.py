"""The rules of aliases: names, quota, and which keys may follow each other."""

from datetime import UTC, datetime
from typing import cast

import pytest
from hypothesis import given
from hypothesis import strategies as st

from keyferry_server.domain.alias import check_quota, check_same_kind, parse_alias_name
from keyferry_server.domain.errors import (
    InvalidAliasNameException,
    LimitExceededException,
    NotAuthorizedException,
    ValidationException,
)
from keyferry_server.domain.identifiers import (
    Accepts,
    AliasIdentifier,
    KeyIdentifier,
    Scope,
    parse_identifier,
)
from keyferry_server.domain.key import Key, KeySpec, KeyUsage, Origin

SCOPE = Scope("aws", "us-east-1", "000000000000")
ALIAS = AliasIdentifier(SCOPE, "alias/payroll")
NAME = st.from_regex(r"[a-zA-Z0-9/_-]{1,250}", fullmatch=True)


def key(spec: str, usage: str) -> Key:
    """Return a key of any spec and usage, also of those that there are not yet."""
    return Key(
        identifier=KeyIdentifier(SCOPE, "1234abcd-12ab-34cd-56ef-1234567890ab"),
        description="",
        key_spec=cast("KeySpec", spec),
        key_usage=cast("KeyUsage", usage),
        origin=Origin.AWS_KMS,
        enabled=True,
        created_at=datetime(2026, 6, 1, tzinfo=UTC),
        materials=(),
    )


@given(NAME.map("alias/{}".format).filter(lambda name: not name.startswith("alias/aws/")))
def test_whatever_can_be_an_alias_name_also_names_a_key(name: str) -> None:
    identifier = parse_alias_name(name, SCOPE)
    assert parse_identifier(name, SCOPE, Accepts.KEY_OR_ALIAS) == identifier
    assert parse_identifier(identifier.arn, SCOPE, Accepts.KEY_OR_ALIAS) == identifier


@pytest.mark.parametrize(
    ("name", "exception"),
    [
        ("payroll", ValidationException),
        ("alias", ValidationException),
        ("aliaspayroll", ValidationException),
        ("arn:aws:kms:us-east-1:000000000000:alias/payroll", ValidationException),
        ("alias/", InvalidAliasNameException),
        ("alias/aws/", NotAuthorizedException),
        ("alias/aws/s3", NotAuthorizedException),
        ("alias/a:b", ValidationException),
    ],
)
def test_a_text_that_cannot_be_an_alias_name_is_refused(name: str, exception: type[Exception]) -> None:
    with pytest.raises(exception):
        parse_alias_name(name, SCOPE)


def test_a_key_has_at_most_50_aliases() -> None:
    one = key("SYMMETRIC_DEFAULT", "ENCRYPT_DECRYPT")
    check_quota(one, 49)
    with pytest.raises(LimitExceededException, match=f"{one.arn} has 50 aliases"):
        check_quota(one, 50)


@pytest.mark.parametrize(
    ("current", "new"),
    [
        (("SYMMETRIC_DEFAULT", "ENCRYPT_DECRYPT"), ("SYMMETRIC_DEFAULT", "ENCRYPT_DECRYPT")),
        (("RSA_2048", "ENCRYPT_DECRYPT"), ("RSA_4096", "ENCRYPT_DECRYPT")),
        (("RSA_2048", "SIGN_VERIFY"), ("ECC_NIST_P256", "SIGN_VERIFY")),
        (("HMAC_224", "GENERATE_VERIFY_MAC"), ("HMAC_512", "GENERATE_VERIFY_MAC")),
    ],
)
def test_an_alias_is_pointed_at_keys_of_the_same_type_and_usage(
    current: tuple[str, str], new: tuple[str, str]
) -> None:
    check_same_kind(ALIAS, key(*current), key(*new))
    check_same_kind(ALIAS, key(*new), key(*current))


def test_an_alias_is_not_pointed_at_a_key_of_another_usage() -> None:
    current, new = key("RSA_2048", "ENCRYPT_DECRYPT"), key("RSA_2048", "SIGN_VERIFY")
    with pytest.raises(ValidationException) as refused:
        check_same_kind(ALIAS, current, new)
    assert refused.value.message == (
        "Alias alias/payroll cannot be changed from a CMK with key usage ENCRYPT_DECRYPT to a CMK with key usage "
        "SIGN_VERIFY. The key usage of the current CMK and the new CMK must be the same."
    )


@pytest.mark.parametrize(
    ("one", "other"),
    [("SYMMETRIC_DEFAULT", "RSA_2048"), ("RSA_2048", "HMAC_256"), ("SYMMETRIC_DEFAULT", "HMAC_256")],
)
def test_an_alias_is_not_pointed_at_a_key_of_another_type(one: str, other: str) -> None:
    for current, new in ((one, other), (other, one)):
        with pytest.raises(
            ValidationException, match=f"from a CMK with key spec {current} to a CMK with key spec {new}"
        ):
            check_same_kind(ALIAS, key(current, "ENCRYPT_DECRYPT"), key(new, "ENCRYPT_DECRYPT"))
