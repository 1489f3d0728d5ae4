"""Prometheus metrics of every call: how many, how they ended, how long they took."""

import asyncio
import time

from google.protobuf.message import Message
from prometheus_client import CollectorRegistry, Counter, Histogram

from keyferry_server.call import Call, Handler, Middleware
from keyferry_server.domain.errors import KmsError

_BUCKETS_SECONDS = (0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30)


def measure(registry: CollectorRegistry) -> Middleware:
    """Return the middleware that counts and times calls into `registry`."""
    calls = Counter(
        "keyferry_calls", "Calls by operation and outcome", ["operation", "outcome"], registry=registry
    )
    duration = Histogram(
        "keyferry_call_duration_seconds",
        "Time from the request's arrival to its answer",
        ["operation"],
        buckets=_BUCKETS_SECONDS,
        registry=registry,
    )

    async def measured(request: Message, call: Call, proceed: Handler) -> Message:
        outcome = "ok"
        start = time.perf_counter()
        try:
            return await proceed(request, call)
        except KmsError as error:
            outcome = error.name
            raise
        except asyncio.CancelledError:
            outcome = "cancelled"
            raise
        finally:
            calls.labels(call.route.name, outcome).inc()
            duration.labels(call.route.name).observe(time.perf_counter() - start)

    return measured
