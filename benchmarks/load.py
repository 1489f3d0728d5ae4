"""Load for one operation from a process of its own, cheap enough to be no bottleneck.

A gRPC client in Python costs about as much CPU for a call as the server does. So
``grpc_calls`` and ``http_calls`` speak as little of their protocols as a call needs,
and say what share of a core they used.

Reads a Load as JSON on standard input, prints a Result as JSON.
"""

import json
import sys
import time
from base64 import b64decode, b64encode
from collections.abc import Sequence
from dataclasses import asdict, dataclass

import psutil
from grpc_calls import GrpcCalls
from http_calls import HttpCalls


@dataclass(frozen=True)
class Load:
    """What to send, for how long, and whose CPU time to count. Without a path the bodies are HTTP requests, headers included."""

    address: str
    path: str
    bodies: tuple[bytes, ...]
    in_flight: int
    seconds: float
    warm_up_seconds: float = 0.3
    connections: int = 1
    pids: tuple[int, ...] = ()
    metadata: tuple[tuple[str, str], ...] = ()
    # Send each body once and end then, instead of all of them again and again.
    once: bool = False

    def encode(self) -> str:
        """Return it as JSON."""
        return json.dumps(asdict(self) | {"bodies": [b64encode(body).decode() for body in self.bodies]})

    @classmethod
    def decode(cls, text: str) -> "Load":
        """Read what `encode` made."""
        values = json.loads(text)
        values["bodies"] = tuple(map(b64decode, values["bodies"]))
        values["pids"] = tuple(values["pids"])
        values["metadata"] = tuple(map(tuple, values["metadata"]))
        return cls(**values)

    def calls(self) -> GrpcCalls | HttpCalls:
        """Connect, and return what sends it."""
        if not self.path:
            return HttpCalls(self.address, self.bodies, self.in_flight)
        return GrpcCalls(
            self.address,
            self.path,
            self.metadata,
            self.bodies,
            self.in_flight,
            connections=self.connections,
            once=self.once,
        )


@dataclass(frozen=True)
class Result:
    """What came of it, in the time after the warm-up. Milliseconds; CPU is that of the processes named."""

    calls: int
    per_second: float
    p50_ms: float
    p99_ms: float
    cpu_ms_per_call: float
    failures: int
    client_cpu_share: float


def run(load: Load) -> Result:
    """Send the load and measure it."""
    processes = [psutil.Process(pid) for pid in load.pids]
    sending = load.calls()
    if load.warm_up_seconds:
        sending.until(time.perf_counter() + load.warm_up_seconds)
        sending.answered.clear()
    start, cpu, own = time.perf_counter(), _cpu_seconds(processes), time.process_time()
    sending.until(start + load.seconds)
    elapsed = time.perf_counter() - start
    cpu, own = _cpu_seconds(processes) - cpu, time.process_time() - own
    if sending.failures:
        sys.stderr.write(
            f"{load.address}{load.path}: {len(sending.failures)} failures, such as {sending.failures[0]!r}\n"
        )
    calls = len(sending.answered)
    # Not of those that waited for their connection in the warm-up, unless all are so slow.
    latencies = [answered - sent for sent, answered in sending.answered if sent >= start] or [
        answered - sent for sent, answered in sending.answered
    ]
    return Result(
        calls=calls,
        per_second=calls / elapsed,
        p50_ms=percentile(latencies, 0.5) * 1000,
        p99_ms=percentile(latencies, 0.99) * 1000,
        cpu_ms_per_call=cpu / max(calls, 1) * 1000,
        failures=len(sending.failures),
        client_cpu_share=own / elapsed,
    )


def percentile(values: Sequence[float], share: float) -> float:
    """Return the value below which that share of all lies; 0 of nothing."""
    ordered = sorted(values)
    return ordered[min(int(len(ordered) * share), len(ordered) - 1)] if ordered else 0.0


def _cpu_seconds(processes: Sequence[psutil.Process]) -> float:
    return sum(sum(process.cpu_times()[:2]) for process in processes)


if __name__ == "__main__":
    sys.stdout.write(json.dumps(asdict(run(Load.decode(sys.stdin.read())))))
