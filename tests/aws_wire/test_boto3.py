"""boto3 unchanged: every operation, its paginators, its exceptions, its retries. AWS's model judges each answer."""

import asyncio
import os
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from aws_wire.conftest import ask, refusal
from botocore.exceptions import ClientError
from contract.beneath import change, give_away
from fixtures.aws import Boto3Client
from fixtures.server import TestServer
from steps import wrap

from keyferry_server.transport.calls import AWS_SERVICE

OPERATIONS = sorted(method.name for method in AWS_SERVICE.methods)
METHODS = {
    "".join(f"_{one.lower()}" if one.isupper() else one for one in name)[1:]: name for name in OPERATIONS
}
UNKNOWN = "12345678-1234-1234-1234-123456789abc"
MATERIAL = os.urandom(32)


def import_material(kms: Any, key_id: str, **members: Any) -> Any:
    parameters = kms.get_parameters_for_import(
        KeyId=key_id, WrappingAlgorithm="RSAES_OAEP_SHA_256", WrappingKeySpec="RSA_2048"
    )
    assert parameters["ParametersValidTo"] > datetime.now(UTC)
    return kms.import_key_material(
        KeyId=key_id,
        ImportToken=parameters["ImportToken"],
        EncryptedKeyMaterial=wrap(parameters["PublicKey"], MATERIAL),
        **members,
    )


def bring_a_key(kms: Any) -> str:
    created = kms.create_key(Origin="EXTERNAL", Description="brought")["KeyMetadata"]
    assert (created["KeyState"], created["Enabled"]) == ("PendingImport", False)
    key_id: str = created["KeyId"]
    valid_to = datetime.now(UTC).replace(microsecond=0) + timedelta(days=30)
    imported = import_material(kms, key_id, ExpirationModel="KEY_MATERIAL_EXPIRES", ValidTo=valid_to)
    assert imported["KeyId"] == created["Arn"]
    metadata = kms.describe_key(KeyId=created["Arn"])["KeyMetadata"]
    assert metadata["KeyState"] == "Enabled"
    assert metadata["ValidTo"] == valid_to
    assert metadata["CurrentKeyMaterialId"] == imported["KeyMaterialId"]
    return key_id


def use_it(kms: Any, key_id: str, other: str) -> None:
    context = {"tenant": "7", "ä": ""}
    sealed = kms.encrypt(KeyId=key_id, Plaintext=b"\0attack", EncryptionContext=context)["CiphertextBlob"]
    moved = kms.re_encrypt(CiphertextBlob=sealed, SourceEncryptionContext=context, DestinationKeyId=other)
    opened = kms.decrypt(CiphertextBlob=moved["CiphertextBlob"])
    assert opened["Plaintext"] == b"\0attack"
    data_key = kms.generate_data_key(KeyId=key_id, KeySpec="AES_256")
    assert kms.decrypt(CiphertextBlob=data_key["CiphertextBlob"])["Plaintext"] == data_key["Plaintext"]
    assert "Plaintext" not in kms.generate_data_key_without_plaintext(KeyId=key_id, NumberOfBytes=64)
    assert len(kms.generate_random(NumberOfBytes=32)["Plaintext"]) == 32


async def test_a_key_is_brought_used_and_emptied_with_boto3(
    aws_server: TestServer, boto3_client: Boto3Client
) -> None:
    kms = boto3_client(aws_server)

    def walk() -> None:
        key_id = bring_a_key(kms)
        other = kms.create_key()["KeyMetadata"]["KeyId"]
        use_it(kms, key_id, other)
        kms.disable_key(KeyId=key_id)
        with pytest.raises(kms.exceptions.DisabledException):
            kms.encrypt(KeyId=key_id, Plaintext=b"x")
        kms.enable_key(KeyId=key_id)
        kms.delete_imported_key_material(KeyId=key_id)
        with pytest.raises(kms.exceptions.KMSInvalidStateException, match="is pending import"):
            kms.encrypt(KeyId=key_id, Plaintext=b"x")
        import_material(kms, key_id, ExpirationModel="KEY_MATERIAL_DOES_NOT_EXPIRE")
        use_it(kms, key_id, other)

    await asyncio.to_thread(walk)


async def test_every_operation_is_there_without_a_line_of_its_own(
    aws_server: TestServer, boto3_client: Boto3Client, subtests: pytest.Subtests
) -> None:
    kms = boto3_client(aws_server)
    key_id = (await ask(kms.create_key, Origin="EXTERNAL"))["KeyMetadata"]["KeyId"]
    for method, operation in METHODS.items():
        with subtests.test(operation):
            shape = kms.meta.service_model.operation_model(operation).input_shape
            members = {name: example(shape.members[name], name, key_id) for name in shape.required_members}
            code = await outcome(getattr(kms, method), **members)
            modelled = {
                error.name for error in kms.meta.service_model.operation_model(operation).error_shapes
            }
            assert code in modelled | {"ok", "ValidationException", "AccessDeniedException"}


async def outcome(call: Callable[..., Any], **members: Any) -> str:
    """Make a call and return `ok`, or the name of the exception that it was refused with."""
    try:
        await ask(call, **members)
    except ClientError as refused:
        return str(refused.response["Error"]["Code"])
    return "ok"


def example(shape: Any, name: str, key_id: str) -> Any:
    """Return a value of a shape that boto3 sends."""
    if name.endswith("KeyId"):
        return key_id
    if getattr(shape, "enum", None):
        return shape.enum[0]
    if shape.type_name == "list":
        return [example(shape.member, name, key_id)]
    if shape.type_name == "structure":
        return {one: example(member, one, key_id) for one, member in shape.members.items()}
    return {"string": "alias/example", "blob": b"blob", "integer": 7}[shape.type_name]


async def test_a_paginator_finds_every_key_once(aws_server: TestServer, boto3_client: Boto3Client) -> None:
    kms = boto3_client(aws_server)

    def walk() -> tuple[set[str], list[str]]:
        paginator = kms.get_paginator("list_keys")
        assert [page["Keys"] for page in paginator.paginate()] == [[]]
        made = {kms.create_key()["KeyMetadata"]["Arn"] for _ in range(5)}
        pages = list(paginator.paginate(PaginationConfig={"PageSize": 2}))
        assert [len(page["Keys"]) for page in pages] == [2, 2, 1]
        assert [page["Truncated"] for page in pages] == [True, True, False]
        return made, [key["KeyArn"] for page in pages for key in page["Keys"]]

    made, found = await asyncio.to_thread(walk)
    assert set(found) == made
    assert len(found) == len(made)


async def test_every_paginator_of_boto3_turns_our_pages(
    aws_server: TestServer, boto3_client: Boto3Client, subtests: pytest.Subtests
) -> None:
    kms = boto3_client(aws_server)
    key_id = (await ask(kms.create_key))["KeyMetadata"]["KeyId"]
    for method in filter(kms.can_paginate, METHODS):
        with subtests.test(method):
            shape = kms.meta.service_model.operation_model(METHODS[method]).input_shape
            wanted = [name for name in shape.members if name in {"KeyId", "RetiringPrincipal"}]
            members = {"KeyId": key_id, "RetiringPrincipal": "arn:aws:iam::000000000000:root"}
            pages: Iterator[Any] = kms.get_paginator(method).paginate(
                **{name: members[name] for name in wanted}
            )
            assert (await asyncio.to_thread(list, pages))[-1]["Truncated"] is False


async def test_refusals_are_boto3s_own_exceptions(aws_server: TestServer, boto3_client: Boto3Client) -> None:
    kms = boto3_client(aws_server)
    made = (await ask(kms.create_key))["KeyMetadata"]

    assert await refusal(kms.describe_key, KeyId=UNKNOWN) == (
        "NotFoundException",
        f"Key 'arn:aws:kms:us-east-1:000000000000:key/{UNKNOWN}' does not exist",
    )
    assert await refusal(kms.decrypt, CiphertextBlob=b"no ciphertext") == ("InvalidCiphertextException", "")
    code, message = await refusal(kms.create_key, Origin="ELSEWHERE", Description="d" * 8193)
    assert code == "ValidationException"
    assert message.startswith("2 validation errors detected: ")
    assert "Value 'ELSEWHERE' at 'origin' failed to satisfy constraint" in message
    code, message = await refusal(kms.describe_key, KeyId=await give_away(aws_server, made["KeyId"]))
    assert code == "AccessDeniedException"
    assert "is not authorized to perform: kms:DescribeKey" in message
    for kind in ("NotFoundException", "InvalidCiphertextException", "KMSInvalidStateException"):
        assert issubclass(getattr(kms.exceptions, kind), ClientError)


async def test_boto3_tries_again_what_the_service_did_not_manage_and_nothing_else(
    aws_server: TestServer, boto3_client: Boto3Client
) -> None:
    kms = boto3_client(aws_server, attempts=2)
    key_id = (await ask(kms.create_key))["KeyMetadata"]["KeyId"]
    await change(aws_server, "UPDATE key_materials SET sealed = '\\x00'")

    with pytest.raises(kms.exceptions.KMSInternalException) as failed:
        await ask(kms.encrypt, KeyId=key_id, Plaintext=b"x")
    with pytest.raises(kms.exceptions.NotFoundException) as refused:
        await ask(kms.encrypt, KeyId=UNKNOWN, Plaintext=b"x")

    assert failed.value.response["ResponseMetadata"]["HTTPStatusCode"] == 500
    assert failed.value.response["ResponseMetadata"]["RetryAttempts"] == 1
    assert refused.value.response["ResponseMetadata"]["RetryAttempts"] == 0
