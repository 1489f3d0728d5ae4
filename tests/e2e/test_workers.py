"""`keyferry-server serve --workers N`: one address, several processes, and a supervisor that keeps them running."""

import os
import signal
import sys
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import asyncpg
import grpc
import psutil  # type: ignore[import-untyped]
from e2e.callers_view import http_get, until
from e2e.operators_view import complaint, postmasters_at, read_log
from e2e.test_serve import ANY_PORT, held_key, somebody_waits_for
from fixtures.aws import post_to
from fixtures.processes import READY, RunCommand, ServerProcess, StartProcess
from prometheus_client.parser import text_string_to_metric_families
from steps import create_external_key, create_imported_key, encrypt, state_of

from keyferry.v1 import DescribeKeyRequest, DisableKeyRequest
from keyferry.v1.key_management_service_pb2_grpc import KeyManagementServiceStub

CONNECTIONS = 24


def workers_of(server: ServerProcess) -> list[psutil.Process]:
    return [one for one in psutil.Process(server.pid).children() if _is_worker(one)]


def _is_worker(process: psutil.Process) -> bool:
    try:
        return "worker" in process.cmdline()
    except psutil.Error:
        return False


async def call_over_many_connections(server: ServerProcess, key_id: str) -> None:
    call: Any = DescribeKeyRequest(key_id=key_id)
    for _ in range(CONNECTIONS):
        # A connection of its own: channels to one address share theirs while it lasts.
        alone = [("grpc.use_local_subchannel_pool", 1)]
        async with grpc.aio.insecure_channel(server.address, options=alone) as channel:
            described = await KeyManagementServiceStub(channel).DescribeKey(call)  # type: ignore[no-untyped-call]
            assert described.key_metadata.enabled


def calls_by_worker(server: ServerProcess) -> dict[int, int]:
    """Count the calls in the log by the number of the worker."""
    numbers = [line["worker"] for line in read_log(server.log.read_text()) if line["event"] == "call"]
    return {number: numbers.count(number) for number in sorted(set(numbers))}


async def calls_counted(metrics: str) -> Counter[tuple[str, str]]:
    """Read from a worker's own metrics how many calls of which operation ended how."""
    status, body = await http_get(metrics, "/metrics")
    assert status == 200
    counted: Counter[tuple[str, str]] = Counter()
    for family in text_string_to_metric_families(body):
        for sample in family.samples:
            if sample.name == "keyferry_calls_total":
                counted[sample.labels["operation"], sample.labels["outcome"]] += int(sample.value)
    return counted


async def test_workers_share_one_address_and_are_kept_running_and_drained(
    start_process: StartProcess, run_command: RunCommand, database_url: str, connection: asyncpg.Connection
) -> None:
    server = await start_process(workers="2", aws_listen=ANY_PORT, metrics_listen=ANY_PORT)
    assert len(workers_of(server)) == 2
    async with server.client() as client:
        key_id = await create_imported_key(client)
    await call_over_many_connections(server, key_id)
    assert list(calls_by_worker(server)) == [1, 2]

    metrics = server.addresses["metrics"].split(",")
    assert len(set(metrics)) == 2
    for address in metrics:
        assert (await http_get(address, "/health"))[0] == 200

    # A stranger does not get a share of the address.
    options = {"database_url": database_url, "root_key_file": server.options["root_key_file"]}
    for workers in ("1", "2"):
        second = await run_command(
            "serve",
            **options,
            workers=workers,
            grpc_listen=server.address,
            aws_listen="off",
            metrics_listen="off",
        )
        assert second.exit_code == 1
        said = complaint(second.errors)
        assert said.startswith(f"keyferry-server: cannot listen on {server.address}: Address already in use")
        assert "--grpc-listen" in said

    victim = workers_of(server)[0]
    victim.kill()

    async def is_replaced() -> bool:
        return victim not in workers_of(server) and len(workers_of(server)) == 2

    await until(is_replaced)
    await call_over_many_connections(server, key_id)
    assert [line["event"] for line in read_log(server.log.read_text())].count("a worker ended") == 1

    async with server.client() as client:
        async with held_key(connection, key_id):
            call = client.disable_key_async(DisableKeyRequest(key_id=key_id))
            await until(somebody_waits_for(connection))
            server.send(signal.SIGTERM)
            # The other worker drains too and ends first: it has nothing to do.

            async def one_is_left() -> bool:
                return len(workers_of(server)) == 1

            await until(one_is_left)
            assert not call.done()
        await call
    assert await server.ended() == 0
    assert server.output.startswith(READY)
    assert server.output.count("\n") == 1
    read_log(server.log.read_text())


async def test_every_worker_answers_on_both_wires_within_the_limits_that_were_set(
    start_process: StartProcess,
) -> None:
    server = await start_process(
        # So slow that nothing refills while the test counts.
        environment={"KEYFERRY_RATE_LIMITS": "GenerateRandom=0.001"},
        workers="2",
        aws_listen=ANY_PORT,
        metrics_listen=ANY_PORT,
    )
    for _ in range(CONNECTIONS):
        answer = await post_to(server.addresses["aws"], target="TrentService.ListKeys")
        assert (answer.status, answer.json) == (200, {"Keys": [], "Truncated": False})
    refused = 0
    for _ in range(CONNECTIONS):
        answer = await post_to(
            server.addresses["aws"], b'{"NumberOfBytes": 1}', target="TrentService.GenerateRandom"
        )
        refused += answer.status != 200
        assert answer.status == 200 or answer.refusal == (400, "ThrottlingException")
    # Each lets one through before it has heard of the other.
    assert refused >= CONNECTIONS - 2

    async with server.client() as client:
        await create_external_key(client)
    if sys.platform == "linux":
        ready = [line for line in read_log(server.log.read_text()) if line["event"] == "ready"]
        assert {line["worker"] for line in ready} == {1, 2}
        for line in ready:
            sys.stdout.write(
                f"worker {line['worker']}: ready after {line['seconds_to_start']} s, {line['resident_mib']} MiB resident\n"
            )
            assert line["seconds_to_start"] > 0
            assert line["resident_mib"] > 1
    counted = [await calls_counted(address) for address in server.addresses["metrics"].split(",")]
    assert len(counted) == 2
    for calls in counted:
        assert calls["ListKeys", "ok"] > 0
        assert calls["GenerateRandom", "ThrottlingException"] > 0
    total = sum(counted, Counter())
    assert total["ListKeys", "ok"] == CONNECTIONS
    assert total["GenerateRandom", "ThrottlingException"] == refused
    assert total["CreateKey", "ok"] == 1


async def test_workers_end_with_their_supervisor_and_share_its_embedded_postgres(
    start_process: StartProcess, data_folder: Path, free_port: Callable[[], int]
) -> None:
    server = await start_process(
        workers="2",
        database_url=None,
        root_key_file=None,
        data_dir=str(data_folder),
        grpc_listen=f"127.0.0.1:{free_port()}",
    )
    workers = workers_of(server)
    assert len(postmasters_at(data_folder)) == 1
    async with server.client() as client:
        key_id = await create_imported_key(client)
        await encrypt(client, key_id)

    os.kill(server.pid, signal.SIGKILL)

    async def all_are_gone() -> bool:
        return not any(one.is_running() and one.status() != psutil.STATUS_ZOMBIE for one in workers)

    await until(all_are_gone)
    await server.ended()
    await server.start()
    async with server.client() as client:
        assert await state_of(client, key_id) == "ENABLED"
    assert await server.terminate() == 0
    assert postmasters_at(data_folder) == []


async def test_workers_that_cannot_start_end_their_supervisor_with_the_reason(
    run_command: RunCommand, database_url: str, tmp_path: Path
) -> None:
    missing = tmp_path / "no-root-key"
    ended = await run_command(
        "serve",
        workers="2",
        database_url=database_url,
        root_key_file=str(missing),
        grpc_listen=ANY_PORT,
        metrics_listen="off",
    )
    assert ended.exit_code == 1
    assert ended.output == ""
    assert str(missing) in complaint(ended.errors)
