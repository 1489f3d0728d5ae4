"""JSON to messages: what is not the JSON of a request is refused in one way, and never shown."""

import base64
import contextlib
import json
import math
from datetime import UTC, datetime
from typing import Any

import pytest
from google.protobuf.message import Message
from hypothesis import given, settings
from hypothesis import strategies as st

from keyferry.v1 import (
    CreateKeyRequest,
    DecryptRequest,
    DescribeKeyRequest,
    EncryptRequest,
    GenerateDataKeyRequest,
    GetParametersForImportRequest,
    GetParametersForImportResponse,
    ImportKeyMaterialRequest,
    ListKeysRequest,
)
from keyferry_server.domain.errors import (
    SerializationException,
    UnsupportedOperationException,
    ValidationException,
)
from keyferry_server.transport.aws_json.decoding import decode
from keyferry_server.transport.aws_json.encoding import encode
from keyferry_server.transport.calls import AWS_SERVICE

REQUESTS = [method.input_type for method in AWS_SERVICE.methods]
MOST_DIGITS = "9" * 5000


def decoded(request: type[Message], **members: object) -> Any:
    return decode(json.dumps(members).encode(), request.DESCRIPTOR)


def test_members_have_awss_names_and_blobs_are_base64() -> None:
    message = decoded(
        EncryptRequest,
        KeyId="key",
        Plaintext=base64.b64encode(b"\0text").decode(),
        EncryptionContext={"tenant": "7", "ä": ""},
        EncryptionAlgorithm="SYMMETRIC_DEFAULT",
    )

    assert message.key_id == "key"
    assert message.plaintext == b"\0text"
    assert dict(message.encryption_context) == {"tenant": "7", "ä": ""}
    assert message.encryption_algorithm == 1


@pytest.mark.parametrize("seconds", [0, 1, 1767225600, 1767225600.0, 1767225600.123456, -1.5, 1e-6])
def test_a_timestamp_is_seconds_since_1970_with_microseconds(seconds: float) -> None:
    valid_to = decoded(ImportKeyMaterialRequest, ValidTo=seconds).valid_to

    assert valid_to.ToDatetime(UTC) == datetime.fromtimestamp(seconds, UTC)


def test_null_and_unknown_members_are_absent() -> None:
    message = decoded(DescribeKeyRequest, KeyId=None, keyId="other", key_id="other", Future={"deep": [1]})

    assert not message.HasField("key_id")
    assert message == DescribeKeyRequest()


@pytest.mark.parametrize("body", [b"", b"{}", b" {} \n", b'{"Limit":null}'])
def test_nothing_is_an_empty_request(body: bytes) -> None:
    assert decode(body, ListKeysRequest.DESCRIPTOR) == ListKeysRequest()


@pytest.mark.parametrize(
    "body",
    [
        b"{", b"[]", b"1", b"null", b'"text"', b"{'KeyId': 1}", b'{"KeyId": "a"} {}', b"\xff{}", b'{"KeyId": NaN}',
        '{"KeyId": "a"}'.encode("utf-16"), b"\xef\xbb\xbf{}", b'{"KeyId": "\xe4"}', b"[" * 100_000,
        b'{"Future": ' + b"[" * 100_000, b'{"Future": ' + MOST_DIGITS.encode() + b"}",
    ],
    ids=lambda body: repr(body[:20]),
)  # fmt: skip
def test_a_body_that_is_no_json_object_in_utf_8_is_refused(body: bytes) -> None:
    with pytest.raises(SerializationException) as refused:
        decode(body, DescribeKeyRequest.DESCRIPTOR)
    assert refused.value.message


WRONG: list[tuple[type[Message], str, object]] = [
    (DescribeKeyRequest, "KeyId", 1),
    (DescribeKeyRequest, "KeyId", ["key"]),
    (DescribeKeyRequest, "KeyId", {}),
    (DescribeKeyRequest, "KeyId", True),
    (DescribeKeyRequest, "KeyId", "\ud800"),
    (EncryptRequest, "Plaintext", "c2VjcmV0!"),
    (EncryptRequest, "Plaintext", "c2VjcmV0\n"),
    (EncryptRequest, "Plaintext", "c2VjcmV"),
    (EncryptRequest, "Plaintext", "c2VjcmV0LWE_"),
    (EncryptRequest, "Plaintext", "sécret"),
    (EncryptRequest, "Plaintext", 7),
    (EncryptRequest, "EncryptionContext", "a=b"),
    (EncryptRequest, "EncryptionContext", {"secret": 1}),
    (EncryptRequest, "EncryptionContext", {"secret": None}),
    (EncryptRequest, "EncryptionContext", {"secret\ud800": "b"}),
    (EncryptRequest, "EncryptionAlgorithm", 1),
    (GenerateDataKeyRequest, "NumberOfBytes", "32"),
    (GenerateDataKeyRequest, "NumberOfBytes", 32.0),
    (GenerateDataKeyRequest, "NumberOfBytes", True),
    (GenerateDataKeyRequest, "NumberOfBytes", 2**31),
    (GenerateDataKeyRequest, "NumberOfBytes", -(2**31) - 1),
    (ImportKeyMaterialRequest, "ValidTo", "2030-01-01T00:00:00Z"),
    (ImportKeyMaterialRequest, "ValidTo", True),
    (ImportKeyMaterialRequest, "ValidTo", 10**30),
    (EncryptRequest, "DryRun", "true"),
    (EncryptRequest, "DryRun", 0),
]


@pytest.mark.parametrize(("request_", "member", "value"), WRONG)
def test_a_value_of_another_type_is_refused_by_its_name_and_not_shown(
    request_: type[Message], member: str, value: object
) -> None:
    with pytest.raises(SerializationException) as refused:
        decoded(request_, **{member: value})

    assert f"'{member[0].lower()}{member[1:]}'" in refused.value.message
    assert "cret" not in refused.value.message


@pytest.mark.parametrize("number", ["1e999", "-1e999", "1" + "0" * 400, "-1" + "0" * 400, str(2**62 + 1)])
def test_a_number_that_is_too_large_is_no_timestamp(number: str) -> None:
    with pytest.raises(SerializationException):
        decode(f'{{"ValidTo": {number}}}'.encode(), ImportKeyMaterialRequest.DESCRIPTOR)


@pytest.mark.parametrize("value", ["", "external", "ORIGIN_TYPE_EXTERNAL", "UNSPECIFIED", "1", "\0"])
def test_what_is_no_value_of_an_enumeration_is_a_violation_in_awss_words(value: str) -> None:
    with pytest.raises(ValidationException) as refused:
        decoded(CreateKeyRequest, Origin=value)

    (violation,) = refused.value.violations
    assert violation.field == "origin"
    assert violation.description.startswith(
        f"Value '{value}' at 'origin' failed to satisfy constraint: Member must satisfy enum value set: [AWS_KMS, "
    )


def test_all_violations_come_together_and_an_unknown_value_is_not_also_a_missing_one() -> None:
    with pytest.raises(ValidationException) as refused:
        decoded(GetParametersForImportRequest, KeyId="", WrappingAlgorithm="ROT13")

    assert refused.value.message.startswith("3 validation errors detected: ")
    assert sorted(violation.field for violation in refused.value.violations) == [
        "keyId",
        "wrappingAlgorithm",
        "wrappingKeySpec",
    ]


def test_members_of_our_own_do_not_exist_on_awss_wire() -> None:
    assert decoded(GetParametersForImportRequest, LifetimeSeconds=60) == GetParametersForImportRequest()
    response = GetParametersForImportResponse(key_id="key", import_token_id="id")
    assert encode(response) == b'{"KeyId":"key"}'


def test_what_must_not_be_ignored_is_refused_unless_it_says_nothing() -> None:
    with pytest.raises(UnsupportedOperationException, match="Recipient"):
        decoded(DecryptRequest, Recipient={"AttestationDocument": "YQ=="})
    assert decoded(DecryptRequest, Recipient={}, CustomKeyStoreId="") == DecryptRequest()


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=8,
)


@settings(max_examples=100, deadline=None)
@given(data=st.data())
def test_whatever_arrives_is_a_message_or_a_refusal(data: st.DataObject) -> None:
    descriptor = data.draw(st.sampled_from(REQUESTS))
    names = [field.json_name[0].upper() + field.json_name[1:] for field in descriptor.fields]
    members = data.draw(st.dictionaries(st.sampled_from([*names, "Other"]), JSON, max_size=4))
    with contextlib.suppress(SerializationException, UnsupportedOperationException, ValidationException):
        assert decode(json.dumps(members).encode(), descriptor).DESCRIPTOR is descriptor


@settings(max_examples=100, deadline=None)
@given(body=st.binary(max_size=64))
def test_any_bytes_are_refused_in_order(body: bytes) -> None:
    with contextlib.suppress(SerializationException):
        assert isinstance(decode(body, DescribeKeyRequest.DESCRIPTOR), DescribeKeyRequest)


@given(seconds=st.floats(min_value=-62_135_596_800, max_value=253_402_300_799))
def test_a_timestamp_is_off_by_no_more_than_a_microsecond(seconds: float) -> None:
    valid_to = decode(json.dumps({"ValidTo": seconds}).encode(), ImportKeyMaterialRequest.DESCRIPTOR).valid_to

    assert 0 <= valid_to.nanos < 10**9
    assert math.isclose(valid_to.seconds + valid_to.nanos / 1e9, seconds, rel_tol=1e-15, abs_tol=1e-6)
