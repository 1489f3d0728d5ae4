"""The servers of one process: started one after the other, drained all at the same time."""

import asyncio
from typing import Any

from keyferry_server.settings import ListenAddress
from keyferry_server.transport.grpc import GrpcServer
from keyferry_server.transport.http import HttpServer
from keyferry_server.transport.https import HttpTls


class Servers:
    """What listens. A start is an OSError if its address cannot be had."""

    def __init__(self, drain_seconds: float, receive_seconds: float) -> None:
        self._drain_seconds = drain_seconds
        self._receive_seconds = receive_seconds
        self._started: list[GrpcServer | HttpServer] = []

    async def start_http(
        self,
        address: ListenAddress | str,
        app: Any,
        tls: HttpTls | None = None,
        *,
        shares_port: bool = False,
    ) -> str:
        """Serve an ASGI application and return its address; `off` is taken at its word."""
        if not isinstance(address, ListenAddress):
            return "off"
        context = None if tls is None else tls.context()
        server = HttpServer(app, receive_seconds=self._receive_seconds, tls=context, shares_port=shares_port)
        actual = await server.start(address)
        self._started.append(server)
        return actual

    async def start_grpc(self, address: ListenAddress, server: GrpcServer) -> str:
        """Serve gRPC and return its address."""
        port = await server.start(address)
        self._started.append(server)
        return address.with_port(port)

    async def stop(self) -> None:
        """Drain them all."""
        await asyncio.gather(*(server.stop(self._drain_seconds) for server in self._started))
