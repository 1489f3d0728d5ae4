"""Requests against the limits of their contract: all violations at once, and no secret in any."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from keyferry import v1
from keyferry_server.domain.errors import ValidationException
from keyferry_server.wire.constraints import enum_prefix, validate

KEY_ID = "1234abcd-12ab-34cd-56ef-1234567890ab"
SECRET = b"attack at dawn, attack at dawn!!"


def refusal(request: object) -> ValidationException:
    with pytest.raises(ValidationException) as refused:
        validate(request)  # type: ignore[arg-type]  # parametrized over request types
    return refused.value


def test_a_request_within_its_limits_passes() -> None:
    validate(v1.EncryptRequest(key_id=KEY_ID, plaintext=SECRET))
    validate(v1.ListKeysRequest())
    validate(v1.ListKeysRequest(limit=1000, marker="x"))
    validate(v1.CreateKeyRequest(description=""))


def test_every_missing_member_is_named_as_aws_names_it() -> None:
    error = refusal(v1.ImportKeyMaterialRequest())
    assert [violation.field for violation in error.violations] == [
        "keyId",
        "importToken",
        "encryptedKeyMaterial",
    ]
    assert error.message == (
        "3 validation errors detected: "
        "Value null at 'keyId' failed to satisfy constraint: Member must not be null; "
        "Value null at 'importToken' failed to satisfy constraint: Member must not be null; "
        "Value null at 'encryptedKeyMaterial' failed to satisfy constraint: Member must not be null"
    )


def test_an_empty_value_is_not_taken_for_a_missing_one() -> None:
    error = refusal(v1.DescribeKeyRequest(key_id=""))
    assert error.message == (
        "1 validation error detected: Value '' at 'keyId' failed to satisfy constraint: "
        "Member must have length greater than or equal to 1"
    )


@given(st.integers(0, 5000))
def test_the_limits_of_a_blob_count_bytes(length: int) -> None:
    request = v1.EncryptRequest(key_id=KEY_ID, plaintext=bytes(length))
    if 1 <= length <= 4096:
        validate(request)
    else:
        assert [violation.field for violation in refusal(request).violations] == ["plaintext"]


def test_the_limits_of_a_text_count_characters_and_not_bytes() -> None:
    validate(v1.CreateKeyRequest(description="é" * 8192))
    assert refusal(v1.CreateKeyRequest(description="é" * 8193))


@given(st.integers(-(2**31), 2**31 - 1))
def test_the_limits_of_a_number_belong_to_it(limit: int) -> None:
    request = v1.ListKeysRequest(limit=limit)
    if 1 <= limit <= 1000:
        validate(request)
    else:
        assert f"Value '{limit}' at 'limit'" in refusal(request).message


def test_an_enum_value_that_is_not_in_the_contract_is_refused_with_those_that_are() -> None:
    request = v1.GetParametersForImportRequest(key_id=KEY_ID, wrapping_algorithm=77, wrapping_key_spec=1)
    message = refusal(request).message
    assert "at 'wrappingAlgorithm'" in message
    assert "[RSAES_PKCS1_V1_5, RSAES_OAEP_SHA_1, " in message
    assert "UNSPECIFIED" not in message


def test_an_enum_value_that_is_not_in_the_contract_is_refused_where_it_is_optional_too() -> None:
    assert "at 'origin'" in refusal(v1.CreateKeyRequest(origin=99)).message


def test_an_unspecified_enum_value_counts_as_absent() -> None:
    validate(v1.CreateKeyRequest(origin=0))
    request = v1.GetParametersForImportRequest(key_id=KEY_ID, wrapping_algorithm=0, wrapping_key_spec=1)
    assert "Value null at 'wrappingAlgorithm'" in refusal(request).message


@pytest.mark.parametrize(
    "request_",
    [
        v1.EncryptRequest(key_id=KEY_ID, plaintext=SECRET * 200),
        v1.DecryptRequest(ciphertext_blob=SECRET * 200),
        v1.ImportKeyMaterialRequest(
            key_id=KEY_ID, import_token=SECRET * 200, encrypted_key_material=SECRET * 200
        ),
    ],
    ids=lambda request: type(request).__name__,
)
def test_the_value_of_a_blob_appears_in_no_violation(request_: object) -> None:
    error = refusal(request_)
    for text in (error.message, *(violation.description for violation in error.violations)):
        assert "attack" not in text
        assert SECRET.hex() not in text


def test_a_member_of_a_structure_in_a_list_is_named_by_its_place() -> None:
    tags = [v1.Tag(tag_key="k", tag_value=""), v1.Tag(tag_key="", tag_value="v" * 257)]
    assert [violation.field for violation in refusal(v1.CreateKeyRequest(tags=tags)).violations] == [
        "tags.2.member.tagKey",
        "tags.2.member.tagValue",
    ]
    validate(v1.CreateKeyRequest(tags=[v1.Tag(tag_key="k" * 128, tag_value="v" * 256)]))


def test_members_of_a_structure_come_where_the_structure_is() -> None:
    request = v1.TagResourceRequest(key_id="", tags=[v1.Tag(tag_key="k")])
    assert [violation.field for violation in refusal(request).violations] == [
        "keyId",
        "tags.1.member.tagValue",
    ]


def test_a_list_of_values_has_one_violation_with_all_that_is_asked_of_an_entry() -> None:
    request = v1.UntagResourceRequest(key_id=KEY_ID, tag_keys=["", "k" * 129, "right"])
    (violation,) = refusal(request).violations
    assert violation.description == (
        f"Value '[, {'k' * 97}...' at 'tagKeys' failed to satisfy constraint: Member must satisfy constraint: "
        "[Member must have length less than or equal to 128, Member must have length greater than or equal to 1]"
    )


def test_the_values_of_a_list_of_an_enumeration_are_shown_by_name() -> None:
    request = v1.DecryptRequest(ciphertext_blob=b"c", dry_run=True, dry_run_modifiers=[1, 99])
    assert refusal(request).message == (
        "1 validation error detected: Value '[IGNORE_CIPHERTEXT, 99]' at 'dryRunModifiers' failed to satisfy "
        "constraint: Member must satisfy constraint: [Member must satisfy enum value set: [IGNORE_CIPHERTEXT]]"
    )


def test_an_empty_list_counts_as_absent() -> None:
    assert "Value null at 'tags'" in refusal(v1.TagResourceRequest(key_id=KEY_ID)).message
    assert "Value null at 'tagKeys'" in refusal(v1.UntagResourceRequest(key_id=KEY_ID)).message


@pytest.mark.parametrize("text", ["ключ", "a\0b", "a\nb", "\x1f"])
def test_a_text_keeps_to_its_pattern(text: str) -> None:
    assert refusal(v1.ListKeysRequest(marker=text)).message == (
        f"1 validation error detected: Value '{text}' at 'marker' failed to satisfy constraint: "
        r"Member must satisfy regular expression pattern: [\u0020-\u00FF]*"
    )
    validate(v1.ListKeysRequest(marker=" é~"))


def test_every_way_in_which_one_value_is_wrong_is_named() -> None:
    request = v1.DeleteAliasRequest(alias_name="é" * 257)
    demands = [violation.description.split("constraint: ")[1] for violation in refusal(request).violations]
    assert demands == [
        "Member must have length less than or equal to 256",
        "Member must satisfy regular expression pattern: ^[a-zA-Z0-9:/_-]+$",
    ]


def test_a_long_value_is_shown_shortened() -> None:
    assert len(refusal(v1.DescribeKeyRequest(key_id="k" * 100_000)).message) < 400


@pytest.mark.parametrize(
    ("name", "prefix"),
    [
        ("KeyState", "KEY_STATE_"),
        ("AlgorithmSpec", "ALGORITHM_SPEC_"),
        ("ExpirationModelType", "EXPIRATION_MODEL_TYPE_"),
    ],
)
def test_enum_values_carry_the_name_of_their_enum(name: str, prefix: str) -> None:
    assert enum_prefix(name) == prefix
