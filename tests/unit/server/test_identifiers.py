"""Key identifiers: what names a key, what does not, and how each mistake is refused."""

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from keyferry_server.domain.errors import InvalidArnException, NotFoundException
from keyferry_server.domain.identifiers import (
    Accepts,
    AliasIdentifier,
    KeyIdentifier,
    Scope,
    generate_key_id,
    parse_identifier,
)

SCOPE = Scope("aws", "us-east-1", "000000000000")
KEY_ID = "1234abcd-12ab-34cd-56ef-1234567890ab"
ARN = f"arn:aws:kms:us-east-1:000000000000:key/{KEY_ID}"

key_ids = st.one_of(
    st.uuids().map(str), st.text("0123456789abcdef", min_size=32, max_size=32).map("mrk-{}".format)
)
regions = st.from_regex(r"[a-z]{2}-[a-z]+-[0-9]", fullmatch=True)
accounts = st.from_regex(r"[0-9]{12}", fullmatch=True).filter(str.isascii)
accepts = st.sampled_from([Accepts.KEY_ID_OR_ARN, Accepts.KEY_OR_ALIAS])


def test_a_fresh_key_id_names_a_key() -> None:
    key_id = generate_key_id()
    assert parse_identifier(key_id, SCOPE, Accepts.KEY_ID_OR_ARN) == KeyIdentifier(SCOPE, key_id)
    assert generate_key_id() != key_id


@given(key_id=key_ids, accepts=accepts)
def test_a_key_id_belongs_to_the_scope_of_its_caller(key_id: str, accepts: Accepts) -> None:
    assert parse_identifier(key_id, SCOPE, accepts) == KeyIdentifier(SCOPE, key_id)


@given(key_id=key_ids, region=regions, account=accounts, caller=accounts, accepts=accepts)
def test_a_key_arn_names_its_own_account(
    key_id: str, region: str, account: str, caller: str, accepts: Accepts
) -> None:
    identifier = KeyIdentifier(Scope("aws", region, account), key_id)
    assert parse_identifier(identifier.arn, Scope("aws", region, caller), accepts) == identifier


@given(key_id=key_ids, region=regions)
def test_a_key_of_another_region_is_not_found(key_id: str, region: str) -> None:
    caller = Scope("aws", f"{region}9", "000000000000")
    with pytest.raises(NotFoundException, match="Invalid arn"):
        parse_identifier(Scope("aws", region, "000000000000").key_arn(key_id), caller, Accepts.KEY_ID_OR_ARN)


@pytest.mark.parametrize(
    "text",
    [
        "no-such-key",
        KEY_ID.upper(),
        f" {KEY_ID}",
        f"{KEY_ID}\n",
        KEY_ID.replace("-", ""),
        f"key/{KEY_ID}",
        "mrk-1234",
        KEY_ID[:-1] + "٣",  # a digit, but not one of ours
        f"arn:aws:kms:us-east-1:000000000000:key/{KEY_ID[:-1]}",
        "arn:aws:kms:us-east-1:000000000000:key/",
    ],
)
def test_a_malformed_key_id_is_not_found(text: str) -> None:
    with pytest.raises(NotFoundException, match="Invalid keyId"):
        parse_identifier(text, SCOPE, Accepts.KEY_ID_OR_ARN)


@pytest.mark.parametrize(
    "text",
    [
        "arn:",
        "arn:aws:kms:us-east-1:000000000000",
        f"arn:aws:kms:us-east-1:key/{KEY_ID}",
        f"arn:aws-cn:kms:us-east-1:000000000000:key/{KEY_ID}",
        f"arn:aws:s3:us-east-1:000000000000:key/{KEY_ID}",
        f"arn:aws:kms::000000000000:key/{KEY_ID}",
        f"arn:aws:kms:us-east-1:12345:key/{KEY_ID}",
        f"arn:aws:kms:us-east-1:٣٣٣٣٣٣٣٣٣٣٣٣:key/{KEY_ID}",
        f"arn:aws:kms:us-east-1:000000000000:{KEY_ID}",
        f"arn:aws:kms:us-east-1:000000000000:grant/{KEY_ID}",
    ],
)
def test_a_broken_arn_is_invalid(text: str) -> None:
    with pytest.raises(InvalidArnException, match="Invalid ARN"):
        parse_identifier(text, SCOPE, Accepts.KEY_ID_OR_ARN)


@pytest.mark.parametrize("alias", ["alias/payroll", "arn:aws:kms:us-east-1:000000000000:alias/payroll"])
def test_an_alias_is_invalid_where_none_is_taken_and_names_a_key_elsewhere(alias: str) -> None:
    with pytest.raises(InvalidArnException, match="Key Aliases are not supported for this operation"):
        parse_identifier(alias, SCOPE, Accepts.KEY_ID_OR_ARN)
    identifier = parse_identifier(alias, SCOPE, Accepts.KEY_OR_ALIAS)
    assert identifier == AliasIdentifier(SCOPE, "alias/payroll")
    assert identifier.arn == "arn:aws:kms:us-east-1:000000000000:alias/payroll"


def test_an_alias_arn_names_its_own_account() -> None:
    scope = Scope("aws", "us-east-1", "111111111111")
    assert parse_identifier(scope.alias_arn("alias/payroll"), SCOPE, Accepts.KEY_OR_ALIAS) == AliasIdentifier(
        scope, "alias/payroll"
    )


@pytest.mark.parametrize(
    "alias", ["alias/", "alias/a b", "alias/a:b", "alias/é", "alias/a\n", f"alias/{'a' * 251}"]
)
def test_a_text_that_cannot_be_an_alias_is_not_found(alias: str) -> None:
    for text in (alias, SCOPE.alias_arn(alias)):
        with pytest.raises(NotFoundException, match="is not found"):
            parse_identifier(text, SCOPE, Accepts.KEY_OR_ALIAS)


@given(
    text=st.one_of(
        st.text(),
        st.text().map("arn:{}".format),
        st.text().map("alias/{}".format),
        st.text().map("arn:aws:kms:us-east-1:000000000000:{}".format),
    ),
    accepts=accepts,
)
@example(text="x" * 2048, accepts=Accepts.KEY_ID_OR_ARN)
@example(text="arn:" + "x" * 2044, accepts=Accepts.KEY_ID_OR_ARN)
@example(text="alias/" + "x" * 2042, accepts=Accepts.KEY_OR_ALIAS)
def test_anything_else_is_refused_in_a_short_message(text: str, accepts: Accepts) -> None:
    try:
        identifier = parse_identifier(text, SCOPE, accepts)
    except (NotFoundException, InvalidArnException) as error:
        message = error.message
    else:
        of_key = isinstance(identifier, KeyIdentifier)
        assert text in {identifier.key_id if of_key else identifier.name, identifier.arn}
        return
    assert 0 < len(message) < 300
