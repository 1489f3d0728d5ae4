"""What arrives at AWS's wire without an SDK: each thing that is wrong has its exception, and none is a 500."""

import json
import uuid
from typing import Any

import pytest
from contract.beneath import all_rows
from fixtures.aws import Answer, post
from fixtures.server import ServerFactory, TestServer

LARGEST = 20_000

REFUSED: dict[str, tuple[dict[str, Any], int, str]] = {
    "no target": ({"target": None}, 400, "UnknownOperationException"),
    "an empty target": ({"target": ""}, 400, "UnknownOperationException"),
    "an unknown operation": ({"target": "TrentService.ReadMind"}, 400, "UnknownOperationException"),
    "an operation in lower case": ({"target": "TrentService.listkeys"}, 400, "UnknownOperationException"),
    "another service": ({"target": "DynamoDB_20120810.ListTables"}, 400, "UnknownOperationException"),
    "what AWS does not have": ({"target": "TrentService.ListImportTokens"}, 400, "UnknownOperationException"),
    "GET": ({"method": "GET"}, 400, "UnknownOperationException"),
    "OPTIONS": (
        {"method": "OPTIONS", "origin": "https://evil.example", "access_control_request_method": "POST"},
        400,
        "UnknownOperationException",
    ),
    "another path": ({"path": "/health"}, 400, "UnknownOperationException"),
    "a page in a browser": ({"origin": "http://127.0.0.1:8701"}, 400, "AccessDeniedException"),
    "no JSON": ({"body": b"{"}, 400, "SerializationException"),
    "no object": ({"body": b"[]"}, 400, "SerializationException"),
    "no UTF-8": ({"body": b'{"Marker":"\xff"}'}, 400, "SerializationException"),
    "CBOR": ({"body": b"\xbf\xff"}, 400, "SerializationException"),
    "endless nesting": ({"body": b"[" * 9999}, 400, "SerializationException"),
    "a wrong type": ({"body": b'{"Limit":"10"}'}, 400, "SerializationException"),
    "a number out of its type's range": ({"body": b'{"Limit":4294967296}'}, 400, "SerializationException"),
    "a moment that no float can hold": (
        {"target": "TrentService.ImportKeyMaterial", "body": b'{"ValidTo":1' + b"0" * 400 + b"}"},
        400,
        "SerializationException",
    ),
    "bad base64": (
        {"target": "TrentService.Decrypt", "body": b'{"CiphertextBlob":"%"}'},
        400,
        "SerializationException",
    ),
    "a missing member": ({"target": "TrentService.DescribeKey"}, 400, "ValidationException"),
    "a member that is null": (
        {"target": "TrentService.DescribeKey", "body": b'{"KeyId":null}'},
        400,
        "ValidationException",
    ),
    "a number out of range": ({"body": b'{"Limit":1001}'}, 400, "ValidationException"),
    "a body that is too large": ({"body": b" " * (LARGEST + 1)}, 413, "RequestEntityTooLargeException"),
    "a body that is endlessly large": (
        {"body": b" " * (LARGEST * 17)},
        413,
        "RequestEntityTooLargeException",
    ),
}


@pytest.fixture
async def server(start_server: ServerFactory, free_port: Any) -> TestServer:
    return await start_server(aws_listen=f"127.0.0.1:{free_port()}", max_message_bytes=LARGEST)


def check_form(answer: Answer) -> None:
    """Check what every answer has, and what none has."""
    assert uuid.UUID(answer.headers["x-amzn-requestid"])
    assert answer.headers["content-type"] == "application/x-amz-json-1.1"
    assert "no-cache" in answer.headers["cache-control"]
    assert "date" in answer.headers
    assert "server" not in answer.headers
    assert [name for name in answer.headers if name.startswith("access-control")] == []


async def test_each_thing_that_is_wrong_has_its_exception_and_changes_nothing(
    server: TestServer, subtests: pytest.Subtests
) -> None:
    before = await keys_of(server)
    for what, (request, status, kind) in REFUSED.items():
        with subtests.test(what):
            answer = await post(server, **request)
            check_form(answer)
            assert answer.refusal == (status, kind)
            assert set(answer.json) == {"__type", "Message" if kind == "AccessDeniedException" else "message"}
    assert await keys_of(server) == before


async def keys_of(server: TestServer) -> list[tuple[str, str]]:
    return [row for row in await all_rows(server) if not row[0].startswith("audit")]


async def test_a_request_that_is_right_is_answered_in_full(server: TestServer) -> None:
    answer = await post(server, target="TrentService.ListKeys", body=b" {} ")
    check_form(answer)
    assert (answer.status, answer.json) == (200, {"Keys": [], "Truncated": False})

    created = await post(server, target="TrentService.CreateKey", body=b'{"Future":[1,{"a":null}]}')
    key_id = created.json["KeyMetadata"]["KeyId"]
    disabled = await post(
        server, target="TrentService.DisableKey", body=json.dumps({"KeyId": key_id}).encode()
    )
    check_form(disabled)
    assert (disabled.status, disabled.body) == (200, b"")


async def test_the_message_names_what_would_be_right(server: TestServer) -> None:
    assert "X-Amz-Target" in (await post(server, target=None)).json["message"]
    assert "ReadMind" in (await post(server, target="TrentService.ReadMind")).json["message"]
    assert str(LARGEST) in (await post(server, body=b" " * (LARGEST + 1))).json["message"]


async def test_a_refusal_before_the_call_is_no_place_for_a_long_echo(server: TestServer) -> None:
    answer = await post(server, target="TrentService." + "x" * 4000)
    assert len(answer.body) < 400


async def test_a_grant_is_not_made_wider_than_it_was_asked_for(server: TestServer) -> None:
    created = (await post(server, target="TrentService.CreateKey")).json["KeyMetadata"]
    asked = {
        "KeyId": created["KeyId"],
        "GranteePrincipal": f"arn:aws:iam::{created['AWSAccountId']}:user/alice",
        "Operations": ["Decrypt"],
        "Constraints": {"SourceArn": "arn:aws:s3:::bucket"},
    }
    answer = await post(server, target="TrentService.CreateGrant", body=json.dumps(asked).encode())
    assert (answer.status, answer.json["__type"]) == (400, "UnsupportedOperationException")


@pytest.mark.parametrize("condition", ['{"\\ud800": {"a": "b"}}', '{"StringEquals": {"\\ud800": "b"}}'])
async def test_a_refusal_may_quote_what_no_wire_can_carry(condition: str, server: TestServer) -> None:
    statement = '{"Effect": "Allow", "Principal": "*", "Action": "*", "Resource": "*", "Condition": %s}'
    document = '{"Version": "2012-10-17", "Statement": [%s]}' % (statement % condition)
    answer = await post(
        server, target="TrentService.CreateKey", body=json.dumps({"Policy": document}).encode()
    )
    assert (answer.status, answer.json["__type"]) == (400, "MalformedPolicyDocumentException")
    assert "\\ud800" in answer.json["message"]
