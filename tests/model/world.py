"""The real server for a machine that is not async: called from a thread, while it runs on the test's event loop."""

import asyncio
from collections import Counter
from collections.abc import Coroutine
from dataclasses import dataclass, field
from datetime import UTC
from typing import Any, TypeVar

from fakes.moved_clock import MovedClock
from fixtures.server import ServerFactory, TestServer
from google.protobuf.message import Message
from google.protobuf.timestamp_pb2 import Timestamp
from model.key import Members
from sqlalchemy import text

from keyferry_client import KeyManagementServiceClient
from keyferry_client.requests import enum_prefix

T = TypeVar("T")

# Patience with a busy machine.
_LONGEST_SECONDS = 120

# Decades go by in a long run.
_SETTINGS = {"max_clock_drift_seconds": 10**10, "sweep_interval_seconds": 10**6}


@dataclass
class World:
    """A server, its client and its clock; they outlive the machines, whose keys do not."""

    loop: asyncio.AbstractEventLoop
    start_server: ServerFactory
    server: TestServer
    client: KeyManagementServiceClient
    steps: int = 0
    outcomes: Counter[tuple[str, str]] = field(default_factory=Counter)

    @classmethod
    async def start(cls, start_server: ServerFactory) -> "World":
        server = await start_server(**_SETTINGS)
        return cls(asyncio.get_running_loop(), start_server, server, server.client())

    @property
    def clock(self) -> MovedClock:
        return self.server.clock

    def call(self, operation: str, asked: Members) -> Members:
        """Call the server and return the members of its answer that are present."""
        return members_of(self.run(self._call(f"{operation}_async", asked)))

    def restart(self) -> None:
        self.run(self._restart())

    def begin_anew(self) -> None:
        """Delete all keys beneath the server."""
        self.run(self._empty())

    def run(self, work: Coroutine[Any, Any, T]) -> T:
        return asyncio.run_coroutine_threadsafe(work, self.loop).result(_LONGEST_SECONDS)

    async def close(self) -> None:
        await self.client.close()

    async def _call(self, method: str, asked: Members) -> Message:
        return await getattr(self.client, method)(**asked)

    async def _restart(self) -> None:
        # A starting server does at once what is due, and nobody could tell when it has done it.
        await self.server.running.reaper.reap()
        await self.server.running.rotator.rotate_due()
        await self.client.close()
        await self.server.stop()
        self.server = await self.start_server(clock=self.clock, **_SETTINGS)
        self.client = self.server.client()

    async def _empty(self) -> None:
        async def delete(transaction: Any) -> None:
            await transaction.connection.execute(text("DELETE FROM keys"))

        await self.server.running.database.transact(delete)


def members_of(message: Message) -> Members:
    """Return the members that are present: enums by AWS's names, times as datetime."""
    return {
        field.name: [_value(field, one) for one in value] if field.is_repeated else _value(field, value)
        for field, value in message.ListFields()
    }


def _value(field: Any, value: Any) -> Any:
    if field.enum_type is not None:
        return field.enum_type.values_by_number[value].name.removeprefix(enum_prefix(field.enum_type))
    if isinstance(value, Timestamp):
        return value.ToDatetime(tzinfo=UTC)
    return members_of(value) if isinstance(value, Message) else value
