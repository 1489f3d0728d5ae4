"""A server agrees with its database on the time, or does not start."""

import asyncio
import re
from collections.abc import Callable
from datetime import timedelta

import pytest
from dumps import pg_dump
from fakes.moved_clock import MovedClock
from fixtures.server import ServerFactory
from steps import create_imported_key, state_of
from structlog.testing import capture_logs

from keyferry_client import KeyManagementServiceClient
from keyferry_server.app import running
from keyferry_server.opening import StartError
from keyferry_server.settings import Settings

WARNING = "our clock and the database's drift apart"


@pytest.mark.parametrize("ahead", [timedelta(hours=1), timedelta(hours=-1), timedelta(seconds=30)])
async def test_a_server_whose_clock_differs_from_the_databases_does_not_start(
    start_server: ServerFactory, database_url: str, ahead: timedelta
) -> None:
    clock = MovedClock()
    clock.advance(ahead)
    before = await pg_dump(database_url)

    with pytest.raises(StartError) as refused:
        await start_server(clock=clock, max_clock_drift_seconds=2)

    reason = str(refused.value)
    drift = re.search(r"differs from the database's by (-?[0-9.]+) s, more than 2 s", reason)
    assert drift is not None
    assert float(drift[1]) == pytest.approx(ahead.total_seconds(), abs=10)
    assert "NTP" in reason
    assert "KEYFERRY_MAX_CLOCK_DRIFT_SECONDS" in reason
    assert await pg_dump(database_url) == before


async def test_a_server_whose_clock_agrees_with_the_databases_starts(
    server_settings: Callable[..., Settings],
) -> None:
    async with (
        running(server_settings(max_clock_drift_seconds=2)) as server,
        KeyManagementServiceClient(server.grpc_address) as client,
    ):
        assert await state_of(client, await create_imported_key(client)) == "ENABLED"


async def test_a_larger_difference_can_be_allowed(start_server: ServerFactory) -> None:
    clock = MovedClock()
    clock.advance(timedelta(hours=1))

    server = await start_server(clock=clock, max_clock_drift_seconds=2 * 3600)

    async with server.client() as client:
        await create_imported_key(client)


async def test_a_running_server_warns_when_the_clocks_drift_apart(start_server: ServerFactory) -> None:
    with capture_logs() as logs:
        server = await start_server(max_clock_drift_seconds=1800, health_interval_seconds=0.01)
        async with server.client() as client:
            await create_imported_key(client)
        assert WARNING not in [entry["event"] for entry in logs]

        server.clock.advance(timedelta(hours=1))

        async with asyncio.timeout(10):
            while WARNING not in [entry["event"] for entry in logs]:  # noqa: ASYNC110 -- a log tells nobody
                await asyncio.sleep(0.01)
    warning = next(entry for entry in logs if entry["event"] == WARNING)
    assert warning["log_level"] == "warning"
    assert warning["seconds"] == pytest.approx(3600, abs=60)
