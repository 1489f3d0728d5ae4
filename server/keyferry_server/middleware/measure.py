"""Prometheus metrics of every call: how many, how they ended, how long they took.

Counted in plain numbers, which cost a tenth of what a metric object does, and made
into metrics when somebody asks for them.
"""

import asyncio
import time
from bisect import bisect_left
from collections import defaultdict
from collections.abc import Iterator

from google.protobuf.message import Message
from prometheus_client import CollectorRegistry
from prometheus_client.metrics_core import CounterMetricFamily, HistogramMetricFamily, Metric
from prometheus_client.registry import Collector

from keyferry_server.call import Call, Handler, Middleware
from keyferry_server.domain.errors import KmsError

_BUCKETS_SECONDS = (0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30)
_BUCKET_NAMES = (*(str(float(one)) for one in _BUCKETS_SECONDS), "+Inf")


class _Durations:
    """How many calls took how long, and how long all took together."""

    __slots__ = ("counts", "seconds")

    def __init__(self) -> None:
        self.counts = [0] * len(_BUCKET_NAMES)
        self.seconds = 0.0

    def add(self, seconds: float) -> None:
        self.counts[bisect_left(_BUCKETS_SECONDS, seconds)] += 1
        self.seconds += seconds

    def cumulated(self) -> Iterator[tuple[str, float]]:
        """Return how many took no longer than each bucket's bound, as Prometheus wants it."""
        count = 0
        for name, one in zip(_BUCKET_NAMES, self.counts, strict=True):
            count += one
            yield name, count


class _Calls(Collector):
    def __init__(self) -> None:
        self.counts: defaultdict[tuple[str, str], int] = defaultdict(int)
        self.durations: defaultdict[str, _Durations] = defaultdict(_Durations)

    def collect(self) -> Iterator[Metric]:
        """Return the metrics as they are now."""
        calls = CounterMetricFamily(
            "keyferry_calls", "Calls by operation and outcome", labels=["operation", "outcome"]
        )
        for labels, count in self.counts.items():
            calls.add_metric(labels, count)
        yield calls
        duration = HistogramMetricFamily(
            "keyferry_call_duration_seconds",
            "Time from the request's arrival to its answer",
            labels=["operation"],
        )
        for operation, durations in self.durations.items():
            duration.add_metric([operation], list(durations.cumulated()), durations.seconds)
        yield duration


def measure(registry: CollectorRegistry) -> Middleware:
    """Return the middleware that counts and times calls into `registry`."""
    calls = _Calls()
    registry.register(calls)

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
            name = call.route.name
            calls.counts[name, outcome] += 1
            calls.durations[name].add(time.perf_counter() - start)

    return measured
