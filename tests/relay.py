"""A stretch of network between a client and a server, which a test can cut or silence."""

import asyncio
import socket
from asyncio import StreamReader, StreamWriter
from collections.abc import AsyncIterator, Awaitable, Coroutine
from contextlib import asynccontextmanager
from typing import Any, Self

from fixtures.ports import find_free_port

_Streams = tuple[StreamReader, StreamWriter]


class Relay:
    """Passes bytes both ways until it is cut. Its client calls `address`."""

    def __init__(self, server_address: str) -> None:
        self._server_address = server_address
        self._listening = socket.create_server(("127.0.0.1", find_free_port()))
        self._listening.settimeout(0)
        self.address = "{}:{}".format(*self._listening.getsockname())
        self._writers: list[StreamWriter] = []
        self._readers: list[StreamReader] = []
        self._silenced: list[StreamReader] = []
        self._running: set[asyncio.Task[Any]] = set()
        self._is_silent = False
        self._is_cut = False

    @classmethod
    @asynccontextmanager
    async def between(cls, server_address: str) -> AsyncIterator[Self]:
        """Listen on a free port of the loopback address; cut on leaving. The server is HOST:PORT or a socket's path."""
        relay = cls(server_address)
        # asyncio's own server loses a connection that it accepts in the turn in which it is closed.
        asyncio.get_running_loop().add_reader(relay._listening, relay._accept)
        try:
            yield relay
        finally:
            relay.cut()
            while relay._running:
                await asyncio.wait(relay._running)
            await asyncio.gather(*(writer.wait_closed() for writer in relay._writers), return_exceptions=True)

    def cut(self) -> None:
        """Reset all connections and refuse new ones."""
        if self._is_cut:
            return
        self._is_cut = True
        asyncio.get_running_loop().remove_reader(self._listening)
        self._listening.close()
        for writer in self._writers:
            writer.transport.abort()

    def silence(self) -> None:
        """Swallow everything from now on: connections stay open, and nothing comes through."""
        self._is_silent = True

    def silence_present(self) -> None:
        """Swallow everything on the connections that there are; those that come work."""
        self._silenced = list(self._readers)

    def _accept(self) -> None:
        try:
            connection, _ = self._listening.accept()
        except BlockingIOError:
            return
        self._run(self._connect(connection))

    async def _connect(self, connection: socket.socket) -> None:
        reader, writer = await self._opened(asyncio.open_connection(sock=connection))
        try:
            from_server, at_server = await self._opened(self._open())
        except OSError:
            writer.transport.abort()
            return
        for source, sink in ((reader, at_server), (from_server, writer)):
            self._readers.append(source)
            self._run(self._pass_on(source, sink))

    async def _opened(self, opening: Awaitable[_Streams]) -> _Streams:
        reader, writer = await opening
        self._writers.append(writer)
        if self._is_cut:
            writer.transport.abort()
        return reader, writer

    async def _open(self) -> _Streams:
        if self._server_address.startswith("/"):
            return await asyncio.open_unix_connection(self._server_address)
        host, _, port = self._server_address.rpartition(":")
        return await asyncio.open_connection(host, int(port))

    async def _pass_on(self, reader: StreamReader, writer: StreamWriter) -> None:
        try:
            while some := await reader.read(65536):
                if not self._is_silent and reader not in self._silenced:
                    writer.write(self._passed(reader, some))
                    await writer.drain()
        except ConnectionError:
            pass
        finally:
            writer.close()

    def _run(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.create_task(work)
        self._running.add(task)
        task.add_done_callback(self._running.discard)

    def _passed(self, _: StreamReader, some: bytes) -> bytes:
        """Return what is passed on in place of what came."""
        return some


class TransactionPooler(Relay):
    """A relay to Postgres that passes notifications on while a query is being answered, and drops those that come in
    between: as a pooler does that lends its connections for a transaction each.
    """

    def __init__(self, server_address: str) -> None:
        super().__init__(server_address)
        self._streams: dict[StreamReader, _Messages] = {}
        self.kept_back = 0

    async def _open(self) -> _Streams:
        from_server, at_server = await super()._open()
        self._streams[from_server] = _Messages()
        return from_server, at_server

    def _passed(self, reader: StreamReader, some: bytes) -> bytes:
        messages = self._streams.get(reader)
        if messages is None:
            return some
        passed, dropped = messages.without_idle_notifications(some)
        self.kept_back += dropped
        return passed


class _Messages:
    """What Postgres sends on one connection, message by message."""

    def __init__(self) -> None:
        self._rest = b""
        self._has_begun = False
        self._is_idle = False

    def without_idle_notifications(self, some: bytes) -> tuple[bytes, int]:
        """Return whole messages, and how many notifications were left out."""
        self._rest += some
        passed, dropped = b"", 0
        if not self._has_begun and self._rest[:1] in b"NS":
            # The answer to the question for TLS is one byte.
            passed, self._rest = self._rest[:1], self._rest[1:]
        self._has_begun = True
        while len(self._rest) >= 5 and len(self._rest) > (length := int.from_bytes(self._rest[1:5])):
            message, self._rest = self._rest[: length + 1], self._rest[length + 1 :]
            kind = message[:1]
            if kind == b"A" and self._is_idle:
                dropped += 1
                continue
            if kind != b"A":
                self._is_idle = kind == b"Z"
            passed += message
        return passed, dropped
