"""HTTP servers in the server's own event loop: uvicorn, which leaves signals to us, with connections that must hurry.

What uvicorn does not watch is watched here: a connection that does not complete
a request in time, or sends headers without end, is closed.
"""

import asyncio
import contextlib
import socket
import ssl
from collections.abc import Iterator
from typing import Any

import uvicorn
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from keyferry_server.settings import ListenAddress
from keyferry_server.transport.listening import CannotListenError

# Between requests. Longer than most SDKs keep an idle connection, so that they close it and not we.
_KEEP_ALIVE_SECONDS = 65
_MOST_HEADER_BYTES = 65_536
# How long the last answers may take to leave.
_FAREWELL_SECONDS = 1.0


class HttpServer:
    """Serves one ASGI application on one address. `start` it, `stop` it once."""

    def __init__(
        self,
        app: Any,
        *,
        receive_seconds: float,
        tls: ssl.SSLContext | None = None,
        shares_port: bool = False,
    ) -> None:
        """`receive_seconds` is how long a request may take to arrive, from its first byte to its last.

        With `shares_port` other processes may listen on the same address, and each gets some of the connections.
        """
        self._shares_port = shares_port

        class Connection(_HurriedConnection):
            seconds = receive_seconds

        self._server = _Server(
            uvicorn.Config(
                app,
                http=Connection,
                ws="none",
                lifespan="off",
                log_config=None,
                access_log=False,
                server_header=False,
                proxy_headers=False,
                timeout_keep_alive=_KEEP_ALIVE_SECONDS,
                ssl_context_factory=None if tls is None else (lambda _config, _default: tls),
            )
        )
        self._task: asyncio.Task[None] | None = None

    async def start(self, address: ListenAddress) -> str:
        """Listen and return the address with its port; OSError if it cannot be had."""
        family = socket.AF_INET6 if ":" in address.host else socket.AF_INET
        # The protocol by name: asyncio sends small answers at once (TCP_NODELAY) only where it is told that this is TCP.
        listener = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        if self._shares_port:
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
        try:
            listener.bind((address.host, address.port))
            # Now, and not when uvicorn gets to it: what is said to be ready takes connections.
            listener.listen()
        except OSError as error:
            listener.close()
            raise CannotListenError(address, error) from error
        port: int = listener.getsockname()[1]
        self._task = asyncio.create_task(self._server.serve(sockets=[listener]))
        return address.with_port(port)

    async def stop(self, grace_seconds: float) -> None:
        """Take no new connections and end idle ones, give running requests `grace_seconds`, then cancel them."""
        self._server.should_exit = True
        if self._task is None:
            return
        await asyncio.wait({self._task}, timeout=grace_seconds)
        state = self._server.server_state
        requests = list(state.tasks)
        for request in requests:
            request.cancel()
        await asyncio.gather(*requests, return_exceptions=True)
        while not self._task.done():
            await asyncio.wait({self._task}, timeout=_FAREWELL_SECONDS)
            for connection in list(state.connections):
                connection.transport.abort()
        await self._task


class _Server(uvicorn.Server):
    """Uvicorn without its signal handlers: the process has its own."""

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield


class _HurriedConnection(HttpToolsProtocol):
    """A connection whose requests must arrive within `seconds`, and their headers within a size."""

    seconds: float

    def __init__(self, *arguments: Any, **named: Any) -> None:
        super().__init__(*arguments, **named)
        self._timer: asyncio.TimerHandle | None = None
        self._is_in_head = False
        self._head_bytes = 0

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]  # as in uvicorn
        super().connection_made(transport)
        self._hurry()

    def connection_lost(self, exc: Exception | None) -> None:
        self._rest()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        if self._timer is None:
            self._hurry()
        self._head_bytes += len(data)
        super().data_received(data)
        if self._is_in_head and self._head_bytes > _MOST_HEADER_BYTES and not self.transport.is_closing():
            self.send_400_response("The headers are too large.")

    def on_message_begin(self) -> None:
        if self._timer is None:
            # It began in the same packet that ended the one before.
            self._hurry()
        self._is_in_head = True
        super().on_message_begin()

    def on_headers_complete(self) -> None:
        self._is_in_head = False
        self._head_bytes = 0
        super().on_headers_complete()

    def on_message_complete(self) -> None:
        self._head_bytes = 0
        self._rest()
        super().on_message_complete()

    def _hurry(self) -> None:
        self._timer = self.loop.call_later(self.seconds, self._time_is_up)

    def _rest(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _time_is_up(self) -> None:
        if self.flow.read_paused:
            # It is we who do not read: a request before this one is still being answered.
            self._hurry()
        else:
            self.transport.close()
