"""Messages to JSON: members of AWS's names, absent ones left out, the lists of a page always there."""

import json
from datetime import UTC, datetime

import pytest

from keyferry.v1 import (
    CreateKeyResponse,
    DecryptResponse,
    EnableKeyResponse,
    KeyListEntry,
    KeyMetadata,
    ListKeysResponse,
    MultiRegionConfiguration,
    ReplicateKeyResponse,
)
from keyferry_server.domain.errors import (
    AccessDeniedException,
    DependencyTimeoutException,
    InvalidCiphertextException,
    KMSInternalException,
    NotFoundException,
    RequestEntityTooLargeException,
)
from keyferry_server.transport.aws_json.answers import format_refusal
from keyferry_server.transport.aws_json.encoding import encode


def test_members_have_awss_names_and_values_awss_forms() -> None:
    metadata = KeyMetadata(
        aws_account_id="000000000000",
        key_id="key",
        enabled=False,
        origin="ORIGIN_TYPE_EXTERNAL",
        encryption_algorithms=["ENCRYPTION_ALGORITHM_SPEC_SYMMETRIC_DEFAULT"],
    )
    metadata.creation_date.FromDatetime(datetime(2026, 1, 1, 0, 0, 0, 123456, tzinfo=UTC))

    assert json.loads(encode(CreateKeyResponse(key_metadata=metadata))) == {
        "KeyMetadata": {
            "AWSAccountId": "000000000000",
            "KeyId": "key",
            "CreationDate": 1767225600.123456,
            "Enabled": False,
            "Origin": "EXTERNAL",
            "EncryptionAlgorithms": ["SYMMETRIC_DEFAULT"],
        }
    }


def test_a_blob_is_base64_with_padding_also_when_it_is_empty() -> None:
    assert encode(DecryptResponse(plaintext=b"\xff\xfe>?a")) == b'{"Plaintext":"//4+P2E="}'
    assert encode(DecryptResponse(plaintext=b"")) == b'{"Plaintext":""}'


def test_an_operation_without_output_answers_nothing() -> None:
    assert encode(EnableKeyResponse()) == b""


def test_a_page_has_its_list_also_when_it_is_empty() -> None:
    assert json.loads(encode(ListKeysResponse(truncated=False))) == {"Keys": [], "Truncated": False}
    page = ListKeysResponse(keys=[KeyListEntry(key_id="key")], truncated=True, next_marker="more")
    assert json.loads(encode(page)) == {"Keys": [{"KeyId": "key"}], "Truncated": True, "NextMarker": "more"}


def test_what_aws_sends_when_it_is_empty_is_always_there() -> None:
    metadata = KeyMetadata(multi_region_configuration=MultiRegionConfiguration())
    assert json.loads(encode(ReplicateKeyResponse(replica_key_metadata=metadata))) == {
        "ReplicaKeyMetadata": {"MultiRegionConfiguration": {"ReplicaKeys": []}},
        "ReplicaTags": [],
    }


def test_other_lists_that_belong_to_no_page_are_left_out_when_they_are_empty() -> None:
    assert json.loads(encode(CreateKeyResponse(key_metadata=KeyMetadata(key_id="key")))) == {
        "KeyMetadata": {"KeyId": "key"}
    }


@pytest.mark.parametrize("retryable", [DependencyTimeoutException, KMSInternalException])
def test_only_what_may_be_tried_again_is_a_500(
    retryable: type[DependencyTimeoutException | KMSInternalException],
) -> None:
    assert format_refusal(retryable("why")).status == 500
    assert format_refusal(NotFoundException("why")).status == 400


def test_a_refusal_names_its_exception_and_leaves_an_empty_message_out() -> None:
    assert json.loads(format_refusal(NotFoundException("Invalid keyId 'ä'")).body) == {
        "__type": "NotFoundException",
        "message": "Invalid keyId 'ä'",
    }
    assert json.loads(format_refusal(InvalidCiphertextException()).body) == {
        "__type": "InvalidCiphertextException"
    }


def test_access_denied_writes_its_message_as_awss_front_door_does() -> None:
    assert set(json.loads(format_refusal(AccessDeniedException("why")).body)) == {"__type", "Message"}


def test_a_body_that_is_too_large_ends_the_connection() -> None:
    answer = format_refusal(RequestEntityTooLargeException("why"))

    assert answer.status == 413
    assert (b"connection", b"close") in answer.headers("id")
    assert (b"x-amzn-requestid", b"id") in answer.headers("id")
