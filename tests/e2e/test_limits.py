"""Limits on the size of messages: what is beyond is refused before anything looks at it."""

import grpc
import pytest
from e2e.callers_view import plain_stub
from fixtures.server import ServerFactory, TestServer
from steps import create_external_key

from keyferry.v1 import CreateKeyRequest, GenerateRandomRequest
from keyferry_client import KeyManagementServiceClient, ResourceExhaustedError, ValidationException

LIMIT_BYTES = 262_144
# Tag and length of the one field that is filled.
FRAME_BYTES = len(CreateKeyRequest(description="x" * 200_000).SerializeToString()) - 200_000


async def test_a_message_beyond_the_limit_is_refused_on_the_wire(server: TestServer) -> None:
    async with plain_stub(server.address) as stub:
        with pytest.raises(grpc.aio.AioRpcError) as refused:
            await stub.CreateKey(CreateKeyRequest(description="x" * (LIMIT_BYTES - FRAME_BYTES + 1)))
    assert refused.value.code() is grpc.StatusCode.RESOURCE_EXHAUSTED


async def test_a_message_at_the_limit_is_still_looked_at(server: TestServer) -> None:
    async with server.client() as client:
        with pytest.raises(ValidationException):
            await client.create_key_async(CreateKeyRequest(description="x" * (LIMIT_BYTES - FRAME_BYTES)))


async def test_the_client_has_a_class_for_it_and_goes_on_afterwards(
    client: KeyManagementServiceClient,
) -> None:
    with pytest.raises(ResourceExhaustedError) as refused:
        await client.create_key_async(CreateKeyRequest(description="x" * (LIMIT_BYTES + 1)))
    assert not refused.value.retryable
    assert await create_external_key(client)


async def test_the_limit_is_a_setting(start_server: ServerFactory) -> None:
    server = await start_server(max_message_bytes=16_384)
    async with server.client() as client:
        with pytest.raises(ResourceExhaustedError):
            await client.create_key_async(CreateKeyRequest(description="x" * 20_000))


async def test_what_is_no_message_at_all_is_refused_and_harms_nobody(server: TestServer) -> None:
    async with grpc.aio.insecure_channel(server.address) as channel:
        call = channel.unary_unary("/keyferry.v1.KeyManagementService/GenerateRandom")
        with pytest.raises(grpc.aio.AioRpcError):
            await call(b"\xff\xff\xff\xff no protobuf")
        unknown = channel.unary_unary("/keyferry.v1.KeyManagementService/Destroy")
        with pytest.raises(grpc.aio.AioRpcError) as refused:
            await unknown(b"")
        assert refused.value.code() is grpc.StatusCode.UNIMPLEMENTED
    async with plain_stub(server.address) as stub:
        assert len((await stub.GenerateRandom(GenerateRandomRequest(number_of_bytes=5))).plaintext) == 5
