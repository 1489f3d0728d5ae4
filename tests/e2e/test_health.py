"""Health: SERVING and 200 only while the database answers; everything else is told at once."""

from collections.abc import Awaitable, Callable
from pathlib import Path

import grpc
import pytest
from e2e.callers_view import http_get, until, watched_health
from e2e.test_serve import somebody_waits_for
from fixtures.postgres import OwnPostgres, migrate
from fixtures.server import ServerFactory, TestServer
from grpc_health.v1 import health_pb2, health_pb2_grpc
from rows import connected
from steps import create_external_key, state_of

from keyferry_client import DependencyTimeoutException
from keyferry_server.storage.embedded import EmbeddedPostgres

SERVICE = "keyferry.v1.KeyManagementService"
QUICK = {"health_interval_seconds": 0.05, "health_timeout_seconds": 0.3, "metrics_listen": "127.0.0.1:0"}


@pytest.mark.parametrize("service", ["", SERVICE])
async def test_a_running_server_and_its_service_are_serving(server: TestServer, service: str) -> None:
    async with grpc.aio.insecure_channel(server.address) as channel:
        response = await health_pb2_grpc.HealthStub(channel).Check(
            health_pb2.HealthCheckRequest(service=service)
        )
    assert response.status == health_pb2.HealthCheckResponse.SERVING


async def test_a_service_that_is_not_here_has_no_health(server: TestServer) -> None:
    async with grpc.aio.insecure_channel(server.address) as channel:
        with pytest.raises(grpc.aio.AioRpcError) as refused:
            await health_pb2_grpc.HealthStub(channel).Check(health_pb2.HealthCheckRequest(service="another"))
    assert refused.value.code() is grpc.StatusCode.NOT_FOUND


async def test_health_follows_the_database_on_both_wires(
    own_postgres: Callable[..., Awaitable[OwnPostgres]], start_server: ServerFactory
) -> None:
    postgres = await own_postgres()
    server = await start_server(database_url=postgres.database_url, **QUICK)
    async with (
        watched_health(server.address) as whole,
        watched_health(server.address, SERVICE) as service,
    ):
        assert (await whole(), await service()) == ("SERVING", "SERVING")
        assert await http_get(server.running.metrics_address, "/health") == (200, "ok\n")

        postgres.freeze()
        assert (await whole(), await service()) == ("NOT_SERVING", "NOT_SERVING")
        status, body = await http_get(server.running.metrics_address, "/health")
        assert (status, body) == (503, "the database does not answer\n")

        postgres.thaw()
        assert (await whole(), await service()) == ("SERVING", "SERVING")
        assert await http_get(server.running.metrics_address, "/health") == (200, "ok\n")


async def becomes(health: Callable[[], Awaitable[str]], status: str) -> None:
    """Wait for a status; on a busy machine the database may be late once, and be back."""
    while await health() != status:
        pass


async def test_health_follows_a_database_that_is_stopped_and_started_again(
    data_folder: Path, start_server: ServerFactory
) -> None:
    postgres = await EmbeddedPostgres.start(data_folder)
    try:
        await migrate(postgres.url())
        server = await start_server(database_url=postgres.dsn(), **QUICK)
        async with watched_health(server.address) as health, server.client() as client:
            await becomes(health, "SERVING")
            key_id = await create_external_key(client)

            await postgres.stop()
            await becomes(health, "NOT_SERVING")
            assert (await http_get(server.running.metrics_address, "/health"))[0] == 503
            with pytest.raises(DependencyTimeoutException):
                await state_of(client, key_id)

            postgres = await EmbeddedPostgres.start(data_folder)
            await becomes(health, "SERVING")
            assert await state_of(client, key_id) == "PENDING_IMPORT"
        await server.stop()
    finally:
        await postgres.stop()


async def test_a_server_whose_connections_are_all_busy_is_healthy(
    start_server: ServerFactory, database_url: str
) -> None:
    server = await start_server(database_pool_size=1, **QUICK)
    async with (
        server.client() as client,
        connected(database_url) as holder,
        watched_health(server.address) as health,
    ):
        assert await health() == "SERVING"
        key_id = await create_external_key(client)
        async with holder.transaction():
            await holder.execute("SELECT FROM keys FOR UPDATE")
            waiting = client.update_key_description_async(key_id=key_id, description="after a while")
            await until(somebody_waits_for(holder))
            for _ in range(3):
                assert await http_get(server.running.metrics_address, "/health") == (200, "ok\n")
        await waiting
