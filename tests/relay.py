"""A stretch of network between a client and a server, which a test can cut or silence."""

import asyncio
from asyncio import StreamReader, StreamWriter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any, Self


class Relay:
    """Passes bytes both ways until it is cut. Its client calls `address`."""

    def __init__(self, server_address: str) -> None:
        self._server_address = server_address
        self._writers: list[StreamWriter] = []
        self._readers: list[StreamReader] = []
        self._silenced: list[StreamReader] = []
        self._accepting: set[asyncio.Task[Any]] = set()
        self._passing: set[asyncio.Task[None]] = set()
        self._listening: asyncio.Server | None = None
        self._is_silent = False
        self._is_cut = False

    @classmethod
    @asynccontextmanager
    async def between(cls, server_address: str) -> AsyncIterator[Self]:
        """Listen on a free port of the loopback address; cut on leaving. The server is HOST:PORT or a socket's path."""
        relay = cls(server_address)
        relay._listening = await asyncio.start_server(relay._accept, "127.0.0.1", 0)
        try:
            yield relay
        finally:
            relay.cut()
            await asyncio.gather(*relay._passing, return_exceptions=True)
            # What was being accepted at that moment still gets its turns, to be aborted.
            for _ in range(10):
                await asyncio.sleep(0)
            await asyncio.gather(*relay._accepting, return_exceptions=True)

    @property
    def address(self) -> str:
        assert self._listening is not None
        host, port = self._listening.sockets[0].getsockname()
        return f"{host}:{port}"

    def cut(self) -> None:
        """Reset all connections and refuse new ones."""
        assert self._listening is not None
        self._is_cut = True
        self._listening.close()
        for writer in self._writers:
            writer.transport.abort()

    def silence(self) -> None:
        """Swallow everything from now on: connections stay open, and nothing comes through."""
        self._is_silent = True

    def silence_present(self) -> None:
        """Swallow everything on the connections that there are; those that come work."""
        self._silenced = list(self._readers)

    async def _accept(self, reader: StreamReader, writer: StreamWriter) -> None:
        accepting = asyncio.current_task()
        assert accepting is not None
        self._accepting.add(accepting)
        self._writers.append(writer)
        try:
            from_server, at_server = await self._open()
        except OSError:
            writer.transport.abort()
            return
        self._writers.append(at_server)
        if self._is_cut:
            # It came at the last moment.
            for one in (writer, at_server):
                one.transport.abort()
            return
        for source, sink in ((reader, at_server), (from_server, writer)):
            self._readers.append(source)
            self._passing.add(asyncio.create_task(self._pass_on(source, sink)))

    async def _open(self) -> tuple[StreamReader, StreamWriter]:
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

    async def _open(self) -> tuple[StreamReader, StreamWriter]:
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
