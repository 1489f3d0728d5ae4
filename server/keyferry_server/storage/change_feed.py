"""Hears what was changed, by whomever: a connection of its own that listens to Postgres.

Triggers notify ``keyferry_changes`` of every change of a key, of what callers may do
and of what they sign with, in the transaction that makes it (``tables.CHANGES``).
Postgres delivers notifications in the order in which their transactions were
committed, to every session that listens, and not before others see what they did. So
when a notification that a session sent to itself comes back, all that was committed
before it was sent has been heard. `Listening.echo` is that.

Behind a pooler that lends its connections for a transaction each, a session hears itself
and nobody else. So it must first hear another one while it says nothing itself
(`ChangeFeed.is_heard`).
"""

import asyncio
import secrets
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from typing import Any

from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.ext.asyncio import AsyncConnection

from keyferry_server.domain.errors import DependencyTimeoutException
from keyferry_server.storage.database import Database, translated
from keyferry_server.storage.tables import CHANGES

Heard = Callable[[str], None]

_NOTIFY = "SELECT pg_notify($1, $2)"


class Listening:
    """A session that listens. It is lost when its connection ends, and for good."""

    def __init__(self, connection: Any, heard: Heard) -> None:
        self._connection = connection  # asyncpg's own
        self._heard = heard
        self._channel = f"keyferry_echo_{secrets.token_hex(8)}"
        self._lost = asyncio.Event()
        self._came_back = asyncio.Event()
        self._expected = ""

    async def start(self) -> None:
        """Begin to listen."""
        self._connection.add_termination_listener(self._on_end)
        await self._connection.add_listener(CHANGES, self._on_change)
        await self._connection.add_listener(self._channel, self._on_echo)
        # An echo is a transaction that writes nothing: there is nothing to wait for.
        await self._connection.execute("SET synchronous_commit = off")

    async def echo(self, seconds: float) -> None:
        """Return when all that was committed before this call has been heard.

        DependencyTimeoutException if that takes longer than `seconds`, or the session is lost.
        """
        if not await self.hears(self._connection, seconds):
            raise DependencyTimeoutException("The changes of keys are not heard.")

    async def hears(self, session: Any, seconds: float) -> bool:
        """Tell whether a notification of a session, asyncpg's own, is heard within `seconds`.

        DependencyTimeoutException if it cannot be sent.
        """
        self._expected = secrets.token_hex(8)
        self._came_back.clear()
        end = asyncio.get_running_loop().time() + seconds
        with translated():
            async with asyncio.timeout_at(end):
                await session.execute(_NOTIFY, self._channel, self._expected)
        with suppress(TimeoutError):
            async with asyncio.timeout_at(end):
                await self._came_back.wait()
        return self._came_back.is_set()

    async def lost_within(self, seconds: float) -> bool:
        """Wait that long; tell, at once, if the session is lost."""
        with suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await self._lost.wait()
        return self._lost.is_set()

    def _on_change(self, _: object, __: int, ___: str, name: str) -> None:
        self._heard(name)

    def _on_echo(self, _: object, __: int, ___: str, payload: str) -> None:
        if payload == self._expected:
            self._came_back.set()

    def _on_end(self, _: object) -> None:
        self._lost.set()


class ChangeFeed:
    """Where changes are heard."""

    def __init__(self, database: Database) -> None:
        self._database = database

    @asynccontextmanager
    async def listening(self, heard: Heard) -> AsyncIterator[Listening]:
        """Listen with a session of its own; `heard` gets the name of what is changed from then on.

        DependencyTimeoutException if there is none to be had.
        """
        async with self._own_session() as session:
            listening = Listening(session, heard)
            with translated():
                await listening.start()
            yield listening

    async def is_heard(self, listening: Listening, seconds: float) -> bool:
        """Tell whether `listening` hears another session; DependencyTimeoutException if there is none to be had."""
        async with self._own_session() as other:
            return await listening.hears(other, seconds)

    @asynccontextmanager
    async def _own_session(self) -> AsyncIterator[Any]:
        with translated():
            connection = await self._database.own_connection()
        driver: Any = None
        try:
            with translated():
                driver = (await connection.get_raw_connection()).driver_connection
            yield driver
        finally:
            await _give_up(connection, driver)


async def _give_up(connection: AsyncConnection, driver: Any) -> None:
    # Not closed in order: a connection whose other end is silent would hold up whoever waits for that.
    if driver is not None:
        driver.terminate()
    with suppress(SQLAlchemyError, DependencyTimeoutException, OSError):
        await connection.invalidate()
        await connection.close()
