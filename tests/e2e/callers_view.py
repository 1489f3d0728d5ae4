"""The server seen from outside, without our own client: gRPC health, plain stubs, HTTP."""

import asyncio
import urllib.error
import urllib.request
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any

import grpc
from grpc_health.v1 import health_pb2, health_pb2_grpc

from keyferry.v1.key_management_service_pb2_grpc import KeyManagementServiceStub

PATIENCE_SECONDS = 20

Statuses = Callable[[], Awaitable[str]]


@asynccontextmanager
async def watched_health(address: str, service: str = "") -> AsyncIterator[Statuses]:
    """Watch the health of a service; what is yielded waits for its next status."""
    async with grpc.aio.insecure_channel(address) as channel:
        stream = health_pb2_grpc.HealthStub(channel).Watch(health_pb2.HealthCheckRequest(service=service))

        async def following() -> str:
            async with asyncio.timeout(PATIENCE_SECONDS):
                response = await stream.read()
            return health_pb2.HealthCheckResponse.ServingStatus.Name(response.status)

        yield following
        stream.cancel()


@asynccontextmanager
async def plain_stub(address: str) -> AsyncIterator[Any]:
    """Give the generated stub: no retries, no error classes."""
    async with grpc.aio.insecure_channel(address) as channel:
        yield KeyManagementServiceStub(channel)


async def http_get(address: str, path: str) -> tuple[int, str]:
    """Return the status and the body of GET http://address/path."""

    def get() -> tuple[int, str]:
        try:
            with urllib.request.urlopen(f"http://{address}{path}", timeout=PATIENCE_SECONDS) as response:
                return response.status, response.read().decode()
        except urllib.error.HTTPError as error:
            with error:
                return error.code, error.read().decode()

    return await asyncio.to_thread(get)


async def until(is_so: Callable[[], Awaitable[bool]]) -> None:
    """Wait for something in another process that nobody announces."""
    async with asyncio.timeout(PATIENCE_SECONDS):
        while not await is_so():  # noqa: ASYNC110 -- there is no event to wait for
            await asyncio.sleep(0.02)
