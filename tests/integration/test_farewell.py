"""A server that is told to stop ends in time, whatever the database does."""

import asyncio
from collections.abc import Awaitable, Callable

import pytest
from fixtures.postgres import OwnPostgres
from fixtures.server import ServerFactory
from relay import Relay
from steps import create_external_key
from structlog.testing import capture_logs

from keyferry.v1 import GenerateRandomRequest
from keyferry_server import app
from keyferry_server.storage import database


async def test_a_server_whose_database_is_silent_ends_soon_all_the_same(
    start_server: ServerFactory,
    own_postgres: Callable[..., Awaitable[OwnPostgres]],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(app, "FAREWELL_SECONDS", 0.5)
    monkeypatch.setattr(database, "_LONGEST_CLOSE_SECONDS", 0.5)
    own = await own_postgres()
    async with Relay.between(own.socket) as relay:
        server = await start_server(database_url=own.url_through(relay.address))
        async with server.client() as client:
            # Several connections of the pool, and something to write at the end.
            await asyncio.gather(*(create_external_key(client) for _ in range(8)))
            await client.generate_random_async(GenerateRandomRequest(number_of_bytes=1))
        relay.silence()
        # Any one answer is waited for ten seconds.
        with capture_logs() as logs:
            async with asyncio.timeout(8):
                await server.stop()
    said = {line["event"] for line in logs}
    assert "connections to the database are cut off: it does not answer" in said
    assert "the server stops without having written everything: the database does not answer" in said
