"""Health and metrics over HTTP, for load balancers, containers and Prometheus."""

from collections.abc import Awaitable, Callable

from prometheus_client import CollectorRegistry
from prometheus_client.exposition import choose_encoder
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route


def metrics_app(registry: CollectorRegistry, is_healthy: Callable[[], Awaitable[bool]]) -> Starlette:
    """Return the application that answers GET /health and GET /metrics."""

    async def health(_: Request) -> Response:
        if await is_healthy():
            return PlainTextResponse("ok\n")
        return PlainTextResponse("the database does not answer\n", status_code=503)

    async def metrics(request: Request) -> Response:
        encode, content_type = choose_encoder(request.headers.get("accept", ""))
        return Response(encode(registry), headers={"content-type": content_type})

    return Starlette(routes=[Route("/health", health), Route("/metrics", metrics)])
