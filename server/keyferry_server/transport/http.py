"""Health and metrics over HTTP, for load balancers, containers and Prometheus."""

import asyncio
import contextlib
import socket
from collections.abc import Awaitable, Callable, Iterator

import uvicorn
from prometheus_client import CollectorRegistry
from prometheus_client.exposition import choose_encoder
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route


class MetricsServer:
    """Serves GET /health and GET /metrics. `start` it, `stop` it once."""

    def __init__(self, registry: CollectorRegistry, is_healthy: Callable[[], Awaitable[bool]]) -> None:
        async def health(_: Request) -> Response:
            if await is_healthy():
                return PlainTextResponse("ok\n")
            return PlainTextResponse("the database does not answer\n", status_code=503)

        async def metrics(request: Request) -> Response:
            encode, content_type = choose_encoder(request.headers.get("accept", ""))
            return Response(encode(registry), headers={"content-type": content_type})

        app = Starlette(routes=[Route("/health", health), Route("/metrics", metrics)])
        self._server = _Server(
            uvicorn.Config(
                app, log_config=None, access_log=False, lifespan="off", timeout_graceful_shutdown=2
            )
        )
        self._task: asyncio.Task[None] | None = None

    async def start(self, host: str, port: int) -> int:
        """Listen and return the port; OSError if the address cannot be had."""
        family = socket.AF_INET6 if ":" in host else socket.AF_INET
        listener = socket.socket(family, socket.SOCK_STREAM)
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            listener.bind((host, port))
            # Now, and not when uvicorn gets to it: what is said to be ready takes connections.
            listener.listen()
        except OSError as error:
            listener.close()
            raise OSError(f"cannot listen on {host}:{port}: {error.strerror}") from error
        self._task = asyncio.create_task(self._server.serve(sockets=[listener]))
        actual: int = listener.getsockname()[1]
        return actual

    async def stop(self) -> None:
        """Close the listener and end."""
        self._server.should_exit = True
        if self._task is not None:
            await self._task


class _Server(uvicorn.Server):
    """Uvicorn without its signal handlers: the process has its own."""

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield
