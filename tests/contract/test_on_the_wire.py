"""What a refusal looks like on the gRPC wire, seen without our client."""

import uuid
from collections.abc import AsyncIterator, Awaitable, Callable
from datetime import timedelta
from typing import Any

import grpc
import pytest
from contract.beneath import change, foreign_arn
from contract.operations import request_on
from fixtures.postgres import OwnPostgres
from fixtures.server import ServerFactory, TestServer
from google.protobuf.message import Message
from google.rpc import error_details_pb2, status_pb2
from grpc import StatusCode
from steps import (
    create_external_key,
    create_imported_key,
    disable,
    encrypt,
    get_parameters,
    import_request,
)

from keyferry.v1 import (
    CreateKeyRequest,
    DecryptRequest,
    DescribeKeyRequest,
    GenerateRandomRequest,
    GetParametersForImportRequest,
    ListKeysRequest,
    Tag,
)
from keyferry.v1.key_management_service_pb2_grpc import KeyManagementServiceStub
from keyferry_client import KeyManagementServiceClient
from keyferry_client.errors import ValidationException

UNKNOWN = "12345678-1234-1234-1234-123456789abc"
REQUEST_ID = "x-keyferry-request-id"


@pytest.fixture
async def stub(server: TestServer) -> AsyncIterator[KeyManagementServiceStub]:
    async with grpc.aio.insecure_channel(server.address) as channel:
        yield KeyManagementServiceStub(channel)


async def refusal(stub: KeyManagementServiceStub, request: Message, **options: float) -> grpc.aio.AioRpcError:
    """Make the call that a request belongs to and return how it failed."""
    operation = type(request).__name__.removesuffix("Request")
    with pytest.raises(grpc.aio.AioRpcError) as caught:
        await getattr(stub, operation)(request, **options)
    return caught.value


def details(error: grpc.aio.AioRpcError) -> dict[str, Any]:
    """Return the details of a refusal by the names of their types; the status agrees with the call's."""
    trailers = dict(error.trailing_metadata())
    status = status_pb2.Status.FromString(trailers["grpc-status-details-bin"])
    assert status.code == error.code().value[0]
    assert status.message == error.details()
    found = {}
    for detail in status.details:
        name = detail.TypeName().removeprefix("google.rpc.")
        found[name] = getattr(error_details_pb2, name)()
        assert detail.Unpack(found[name])
    assert len(found) == len(status.details)
    assert found["RequestInfo"].request_id == trailers[REQUEST_ID]
    return found


async def breaks_a_constraint(_server: TestServer, _client: KeyManagementServiceClient) -> Message:
    return GenerateRandomRequest(number_of_bytes=0)


async def has_a_broken_arn(_server: TestServer, _client: KeyManagementServiceClient) -> Message:
    return DescribeKeyRequest(key_id="arn:broken")


async def has_a_foreign_marker(_server: TestServer, _client: KeyManagementServiceClient) -> Message:
    return ListKeysRequest(marker="marker")


async def has_no_ciphertext(_server: TestServer, _client: KeyManagementServiceClient) -> Message:
    return DecryptRequest(ciphertext_blob=b"no ciphertext")


async def has_no_token(_server: TestServer, client: KeyManagementServiceClient) -> Message:
    return request_on("ImportKeyMaterial", await create_external_key(client), import_token=b"no token")


async def imports_wrong_material(_server: TestServer, client: KeyManagementServiceClient) -> Message:
    key_id = await create_external_key(client)
    return import_request(key_id, await get_parameters(client, key_id), b"short")


async def names_no_key(_server: TestServer, _client: KeyManagementServiceClient) -> Message:
    return DescribeKeyRequest(key_id=UNKNOWN)


async def uses_a_disabled_key(_server: TestServer, client: KeyManagementServiceClient) -> Message:
    key_id = await create_imported_key(client)
    await disable(client, key_id)
    return request_on("Encrypt", key_id)


async def uses_a_key_without_material(_server: TestServer, client: KeyManagementServiceClient) -> Message:
    return request_on("Encrypt", await create_external_key(client))


async def imports_into_a_generated_key(_server: TestServer, client: KeyManagementServiceClient) -> Message:
    key = (await client.create_key_async(CreateKeyRequest())).key_metadata
    return request_on("ImportKeyMaterial", key.key_id)


async def imports_with_an_expired_token(server: TestServer, client: KeyManagementServiceClient) -> Message:
    key_id = await create_external_key(client)
    request = import_request(key_id, await get_parameters(client, key_id))
    server.clock.advance(timedelta(hours=24))
    return request


async def decrypts_with_another_key(_server: TestServer, client: KeyManagementServiceClient) -> Message:
    one, other = await create_imported_key(client), await create_imported_key(client)
    return request_on("Decrypt", one, ciphertext=await encrypt(client, other))


async def names_a_key_of_another_account(_server: TestServer, _client: KeyManagementServiceClient) -> Message:
    return DescribeKeyRequest(key_id=foreign_arn(UNKNOWN))


async def meets_damaged_rows(server: TestServer, client: KeyManagementServiceClient) -> Message:
    key_id = await create_imported_key(client)
    await change(server, "UPDATE key_materials SET sealed = '\\x00'")
    return request_on("Encrypt", key_id)


Cause = Callable[[TestServer, KeyManagementServiceClient], Awaitable[Message]]

REFUSALS: list[tuple[Cause, str, StatusCode]] = [
    (breaks_a_constraint, "ValidationException", StatusCode.INVALID_ARGUMENT),
    (has_a_broken_arn, "InvalidArnException", StatusCode.INVALID_ARGUMENT),
    (has_a_foreign_marker, "InvalidMarkerException", StatusCode.INVALID_ARGUMENT),
    (has_no_ciphertext, "InvalidCiphertextException", StatusCode.INVALID_ARGUMENT),
    (has_no_token, "InvalidImportTokenException", StatusCode.INVALID_ARGUMENT),
    (imports_wrong_material, "IncorrectKeyMaterialException", StatusCode.INVALID_ARGUMENT),
    (names_no_key, "NotFoundException", StatusCode.NOT_FOUND),
    (uses_a_disabled_key, "DisabledException", StatusCode.FAILED_PRECONDITION),
    (uses_a_key_without_material, "KMSInvalidStateException", StatusCode.FAILED_PRECONDITION),
    (imports_into_a_generated_key, "UnsupportedOperationException", StatusCode.FAILED_PRECONDITION),
    (imports_with_an_expired_token, "ExpiredImportTokenException", StatusCode.FAILED_PRECONDITION),
    (decrypts_with_another_key, "IncorrectKeyException", StatusCode.FAILED_PRECONDITION),
    (names_a_key_of_another_account, "AccessDeniedException", StatusCode.PERMISSION_DENIED),
    # The last: it damages every key.
    (meets_damaged_rows, "KMSInternalException", StatusCode.INTERNAL),
]


async def test_a_refusal_has_the_status_of_its_category_and_says_its_name_and_whether_to_retry(
    server: TestServer,
    client: KeyManagementServiceClient,
    stub: KeyManagementServiceStub,
    subtests: pytest.Subtests,
) -> None:
    for cause, reason, code in REFUSALS:
        with subtests.test(reason):
            error = await refusal(stub, await cause(server, client))

            assert error.code() is code
            found = details(error)
            assert (found["ErrorInfo"].reason, found["ErrorInfo"].domain) == (reason, "keyferry")
            assert ("RetryInfo" in found) == (reason == "KMSInternalException")
            assert ("BadRequest" in found) == (reason == "ValidationException")


async def test_a_database_that_does_not_answer_is_unavailable_and_may_be_tried_again(
    own_postgres: Callable[[], Awaitable[OwnPostgres]], start_server: ServerFactory
) -> None:
    postgres = await own_postgres()
    server = await start_server(database_url=postgres.database_url)
    async with grpc.aio.insecure_channel(server.address) as channel:
        stub = KeyManagementServiceStub(channel)
        postgres.freeze()
        error = await refusal(stub, DescribeKeyRequest(key_id=UNKNOWN), timeout=2)
        postgres.thaw()

    assert error.code() is StatusCode.UNAVAILABLE
    found = details(error)
    assert found["ErrorInfo"].reason == "DependencyTimeoutException"
    assert found["RetryInfo"].retry_delay.ToTimedelta() > timedelta(0)


async def test_a_validation_exception_lists_every_violation_with_its_member(
    stub: KeyManagementServiceStub,
) -> None:
    error = await refusal(stub, GetParametersForImportRequest(key_id=""))

    violations = details(error)["BadRequest"].field_violations
    assert [violation.field for violation in violations] == ["keyId", "wrappingAlgorithm", "wrappingKeySpec"]
    assert all(violation.description in error.details() for violation in violations)


async def test_every_answer_has_a_request_id_of_its_own_in_its_trailers(
    client: KeyManagementServiceClient, stub: KeyManagementServiceStub
) -> None:
    key_id = await create_external_key(client)
    request_ids = set()
    for _ in range(5):
        call = stub.DescribeKey(DescribeKeyRequest(key_id=key_id))
        await call
        request_ids.add(uuid.UUID(dict(await call.trailing_metadata())[REQUEST_ID]))
        error = await refusal(stub, DescribeKeyRequest(key_id=UNKNOWN))
        request_ids.add(uuid.UUID(dict(error.trailing_metadata())[REQUEST_ID]))

    assert len(request_ids) == 10


@pytest.mark.parametrize("text", ["\x01", "\U0001f511", "x"])
async def test_a_refusal_is_heard_however_much_is_wrong_with_the_request(
    text: str, client: KeyManagementServiceClient
) -> None:
    tags = [Tag(tag_key=f"{number}", tag_value=text * 1000) for number in range(50)]
    with pytest.raises(ValidationException, match="description"):
        await client.create_key_async(description=text * 9000, tags=tags)
