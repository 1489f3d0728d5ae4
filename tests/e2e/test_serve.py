"""`keyferry-server serve`: one line when ready, a drain on SIGTERM, a clean end on Ctrl-C."""

import asyncio
import os
import signal
import socket
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

import asyncpg
import grpc
import pytest
from e2e.callers_view import http_get, plain_stub, until, watched_health
from e2e.operators_view import complaint, read_log
from fixtures.processes import READY, RunCommand, ServerProcess, StartProcess
from steps import create_external_key, create_imported_key, get_parameters, state_of

from keyferry.v1 import DisableKeyRequest, GenerateRandomRequest
from keyferry_server.app import running
from keyferry_server.settings import Settings

ANY_PORT = "127.0.0.1:0"


@asynccontextmanager
async def held_key(connection: asyncpg.Connection, key_id: str) -> AsyncIterator[None]:
    """Keep every writer of a key waiting."""
    async with connection.transaction():
        await connection.execute("SELECT FROM keys WHERE key_id = $1 FOR UPDATE", key_id)
        yield


def somebody_waits_for(connection: asyncpg.Connection) -> Callable[[], Awaitable[bool]]:
    async def ask() -> bool:
        query = "SELECT count(*) > 0 FROM pg_stat_activity WHERE $1 = ANY(pg_blocking_pids(pid))"
        return bool(await connection.fetchval(query, connection.get_server_pid()))

    return ask


def new_calls_are_turned_away(address: str) -> Callable[[], Awaitable[bool]]:
    async def ask() -> bool:
        async with plain_stub(address) as stub:
            call = stub.GenerateRandom(GenerateRandomRequest(number_of_bytes=1))
            return await call.code() is grpc.StatusCode.UNAVAILABLE

    return ask


async def test_it_prints_one_line_when_it_is_ready_and_nothing_else(start_process: StartProcess) -> None:
    server = await start_process(aws_listen=ANY_PORT, metrics_listen=ANY_PORT)
    grpc, aws, metrics = (server.addresses[name] for name in ("grpc", "aws", "metrics"))
    async with server.client() as client:
        await create_external_key(client)
    assert await server.terminate() == 0
    assert server.output == f"{READY}grpc={grpc} aws={aws} metrics={metrics}\n"


async def test_every_address_in_the_ready_line_takes_connections_at_once(
    server_settings: Callable[..., Settings],
) -> None:
    async with running(server_settings(aws_listen=ANY_PORT, metrics_listen=ANY_PORT)) as server:
        # Not awaited: nothing of the server runs between its being ready and the connections.
        for address in (server.grpc_address, server.aws_address, server.metrics_address):
            host, port = address.split(":")
            socket.create_connection((host, int(port)), timeout=5).close()


async def test_options_win_over_the_environment(
    start_process: StartProcess, free_port: Callable[[], int]
) -> None:
    address = f"127.0.0.1:{free_port()}"
    server = await start_process(
        environment={"KEYFERRY_GRPC_LISTEN": "127.0.0.1:1", "KEYFERRY_METRICS_LISTEN": ANY_PORT},
        grpc_listen=address,
        metrics_listen="off",
    )
    assert server.addresses == {"grpc": address, "aws": "off", "metrics": "off"}


async def test_on_sigterm_it_shows_that_it_leaves_and_a_running_call_is_answered(
    server_process: ServerProcess, connection: asyncpg.Connection
) -> None:
    async with server_process.client() as client, watched_health(server_process.address) as health:
        key_id = await create_imported_key(client)
        assert await health() == "SERVING"
        async with held_key(connection, key_id):
            call = client.disable_key_async(DisableKeyRequest(key_id=key_id))
            await until(somebody_waits_for(connection))
            server_process.send(signal.SIGTERM)
            assert await health() == "NOT_SERVING"
            assert not call.done()
            await until(new_calls_are_turned_away(server_process.address))
            assert not call.done()
        await call
    assert await server_process.ended() == 0
    assert await connection.fetchval("SELECT enabled FROM keys WHERE key_id = $1", key_id) is False


async def test_wrapping_keys_that_are_being_made_when_sigterm_comes_are_answered(
    start_process: StartProcess,
) -> None:
    server = await start_process(environment={"KEYFERRY_WRAPPING_KEY_POOL_SIZE": "0"})
    async with server.client() as client:
        key_id = await create_external_key(client)
        calls = [asyncio.create_task(get_parameters(client, key_id, spec="RSA_4096")) for _ in range(4)]
        await asyncio.wait(calls, return_when=asyncio.FIRST_COMPLETED)
        server.send(signal.SIGTERM)
        answers = await asyncio.gather(*calls)
    assert [len(answer.public_key) for answer in answers] == [550] * 4
    assert await server.ended() == 0


async def test_a_call_that_outlasts_the_drain_is_ended_and_changes_nothing(
    start_process: StartProcess, connection: asyncpg.Connection
) -> None:
    server = await start_process(environment={"KEYFERRY_DRAIN_SECONDS": "0.2"})
    async with server.client() as client:
        key_id = await create_imported_key(client)
    async with plain_stub(server.address) as stub, held_key(connection, key_id):
        call = asyncio.ensure_future(stub.DisableKey(DisableKeyRequest(key_id=key_id)))
        await until(somebody_waits_for(connection))
        assert await server.terminate() == 0
        with pytest.raises(grpc.aio.AioRpcError):
            await call
    assert complaint(server.log.read_text()) == ""
    assert await connection.fetchval("SELECT enabled FROM keys WHERE key_id = $1", key_id) is True


async def test_a_caller_that_only_watches_health_does_not_hold_up_the_end(
    start_process: StartProcess,
) -> None:
    server = await start_process(environment={"KEYFERRY_DRAIN_SECONDS": "3600"})
    async with watched_health(server.address) as health:
        assert await health() == "SERVING"
        server.send(signal.SIGTERM)
        assert await health() == "NOT_SERVING"
        assert await server.ended() == 0


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
async def test_it_ends_cleanly_while_nobody_calls(
    start_process: StartProcess, number: signal.Signals
) -> None:
    # Wrapping keys are being made ahead while it is told to end.
    server = await start_process({"KEYFERRY_WRAPPING_KEY_POOL_SIZE": "4"}, metrics_listen=ANY_PORT)
    server.send(number)
    assert await server.ended() == 0
    read_log(server.log.read_text())


async def test_ctrl_c_in_a_terminal_ends_it_cleanly(start_process: StartProcess) -> None:
    # A terminal's Ctrl-C reaches a whole group of processes.
    server = await start_process(process_arguments={"start_new_session": True})
    async with server.client() as client:
        key_id = await create_external_key(client)
        assert await state_of(client, key_id) == "PENDING_IMPORT"
        os.killpg(server.pid, signal.SIGINT)
        assert await server.ended() == 0
    read_log(server.log.read_text())


@pytest.mark.parametrize("taken", ["grpc", "aws", "metrics"])
async def test_a_second_server_on_the_same_port_says_so_and_ends(
    start_process: StartProcess, run_forked: RunCommand, database_url: str, taken: str
) -> None:
    server = await start_process(aws_listen=ANY_PORT, metrics_listen=ANY_PORT)
    address = server.addresses[taken]
    options = {
        "database_url": database_url,
        "root_key_file": server.options["root_key_file"],
        "grpc_listen": ANY_PORT,
        "aws_listen": "off",
        "metrics_listen": "off",
    }
    second = await run_forked("serve", **(options | {f"{taken}_listen": address}))
    assert second.exit_code == 1
    assert second.output == ""
    said = complaint(second.errors)
    assert said.startswith(f"keyferry-server: cannot listen on {address}: Address already in use")
    assert f"--{taken}-listen" in said
    assert len(complaint(second.errors).splitlines()) == 1
    assert (await http_get(server.addresses["metrics"], "/health"))[0] == 200


async def test_two_servers_serve_one_database(start_process: StartProcess) -> None:
    one, other = await asyncio.gather(start_process(), start_process())
    async with one.client() as at_one, other.client() as at_other:
        key_id = await create_imported_key(at_one)
        assert await state_of(at_other, key_id) == "ENABLED"
