"""Load for one gRPC method from a process of its own, cheap enough to be no bottleneck.

A gRPC client in Python costs about as much CPU for a call as the server does. So
this speaks HTTP/2 itself, as little of it as a unary call needs: requests are
encoded once, of the answers only frame headers are read, and the status in the
trailers. It keeps a fixed number of calls in flight on each of its connections and
sends the next one when one is answered.

Reads a Load as JSON on standard input, prints a Result as JSON.
"""

import json
import select
import socket
import struct
import sys
import time
from base64 import b64decode, b64encode
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass, field
from itertools import cycle

import psutil

_PREFACE = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"
_DATA, _HEADERS, _RESET, _SETTINGS, _PING, _GOAWAY, _WINDOW_UPDATE = 0, 1, 3, 4, 6, 7, 8
_END_STREAM, _END_HEADERS, _ACK = 1, 4, 1
_HEADER_BYTES = 9
_LARGEST_WINDOW = 2**31 - 1
_DEFAULT_WINDOW = 65_535
_NUMBER = struct.Struct(">I")
# As the server writes it when it may not use a table of headers, which our settings forbid.
_STATUS_OK = b"\x0bgrpc-status\x010"


@dataclass(frozen=True)
class Load:
    """What to send, for how long, and whose CPU time to count."""

    address: str
    path: str
    bodies: tuple[bytes, ...]
    in_flight: int
    seconds: float
    warm_up_seconds: float = 0.2
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


@dataclass
class _Connection:
    socket: socket.socket
    wanted: int
    sent_at: dict[int, float] = field(default_factory=dict)
    received: bytes = b""
    unsent: bytearray = field(default_factory=bytearray)
    next_stream: int = 1
    window: int = _DEFAULT_WINDOW


class _Ended(Exception):
    """Every body was sent and answered."""


class _Run:
    def __init__(self, load: Load) -> None:
        self._headers = _encode_headers(load)
        self._bodies: Iterator[bytes] = iter(load.bodies) if load.once else cycle(load.bodies)
        self._is_over = False
        self.latencies: list[float] = []
        self.failures: list[bytes] = []
        share, rest = divmod(load.in_flight, load.connections)
        self._connections = [
            _Connection(_connect(load.address), share + (number < rest)) for number in range(load.connections)
        ]
        self._by_fd = {one.socket.fileno(): one for one in self._connections}
        self._poll = select.poll()
        for fd in self._by_fd:
            self._poll.register(fd, select.POLLIN)

    def until(self, end: float) -> None:
        """Keep the calls in flight until that moment; _Ended if there is nothing left to send."""
        for connection in self._connections:
            self._fill(connection)
        while (now := time.perf_counter()) < end:
            for fd, _ in self._poll.poll(max(1, (end - now) * 1000)):
                self._receive(self._by_fd[fd])
            if self._is_over and not any(one.sent_at for one in self._connections):
                raise _Ended

    def _fill(self, connection: _Connection) -> None:
        while len(connection.sent_at) < connection.wanted and not self._is_over and connection.window > 0:
            body = next(self._bodies, None)
            if body is None:
                self._is_over = True
                break
            stream = connection.next_stream
            connection.next_stream += 2
            message = b"\0" + _NUMBER.pack(len(body)) + body
            connection.unsent += _frame(_HEADERS, _END_HEADERS, stream, self._headers)
            connection.unsent += _frame(_DATA, _END_STREAM, stream, message)
            connection.window -= len(message)
            connection.sent_at[stream] = time.perf_counter()
        if connection.unsent:
            connection.socket.sendall(connection.unsent)
            connection.unsent.clear()

    def _receive(self, connection: _Connection) -> None:
        received = connection.socket.recv(1 << 18)
        if not received:
            raise ConnectionError("the server closed the connection")
        buffer, position = connection.received + received, 0
        while len(buffer) - position >= _HEADER_BYTES:
            length = int.from_bytes(buffer[position : position + 3], "big")
            end = position + _HEADER_BYTES + length
            if end > len(buffer):
                break
            kind, flags = buffer[position + 3], buffer[position + 4]
            if kind != _DATA:
                (stream,) = _NUMBER.unpack_from(buffer, position + 5)
                self._handle(connection, kind, flags, stream, buffer[position + _HEADER_BYTES : end])
            position = end
        connection.received = buffer[position:]
        self._fill(connection)

    def _handle(self, connection: _Connection, kind: int, flags: int, stream: int, payload: bytes) -> None:
        if kind == _HEADERS and flags & _END_STREAM:
            self.latencies.append(time.perf_counter() - connection.sent_at.pop(stream))
            if _STATUS_OK not in payload:
                self.failures.append(payload)
        elif kind == _RESET:
            del connection.sent_at[stream]
            self.failures.append(b"reset")
        elif kind == _SETTINGS and not flags & _ACK:
            connection.unsent += _frame(_SETTINGS, _ACK, 0, b"")
        elif kind == _PING and not flags & _ACK:
            connection.unsent += _frame(_PING, _ACK, 0, payload)
        elif kind == _WINDOW_UPDATE and stream == 0:
            connection.window += _NUMBER.unpack(payload)[0]
        elif kind == _GOAWAY:
            raise ConnectionError(f"the server went away: {payload!r}")


def run(load: Load) -> Result:
    """Send the load and measure it."""
    processes = [psutil.Process(pid) for pid in load.pids]
    sending = _Run(load)
    start = time.perf_counter()
    try:
        if load.warm_up_seconds:
            sending.until(start + load.warm_up_seconds)
            sending.latencies.clear()
        start, cpu, own = time.perf_counter(), _cpu_seconds(processes), time.process_time()
        sending.until(start + load.seconds)
    except _Ended:
        pass
    elapsed = time.perf_counter() - start
    cpu, own = _cpu_seconds(processes) - cpu, time.process_time() - own
    if sending.failures:
        sys.stderr.write(f"{load.path}: {len(sending.failures)} failures, such as {sending.failures[0]!r}\n")
    calls = len(sending.latencies)
    return Result(
        calls=calls,
        per_second=calls / elapsed,
        p50_ms=percentile(sending.latencies, 0.5) * 1000,
        p99_ms=percentile(sending.latencies, 0.99) * 1000,
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


def _connect(address: str) -> socket.socket:
    host, _, port = address.rpartition(":")
    connection = socket.create_connection((host, int(port)), timeout=30)
    connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    # No table of headers, windows that are never full.
    settings = struct.pack(">HIHI", 1, 0, 4, _LARGEST_WINDOW)
    update = _NUMBER.pack(_LARGEST_WINDOW - _DEFAULT_WINDOW)
    connection.sendall(_PREFACE + _frame(_SETTINGS, 0, 0, settings) + _frame(_WINDOW_UPDATE, 0, 0, update))
    return connection


def _frame(kind: int, flags: int, stream: int, payload: bytes) -> bytes:
    return struct.pack(">IBI", len(payload) << 8 | kind, flags, stream) + payload


def _encode_headers(load: Load) -> bytes:
    """HPACK, every value literally: POST and http are entries 3 and 6 of the static table."""
    block = b"\x83\x86" + b"\x04" + _text(load.path) + b"\x01" + _text(load.address)
    pairs = (
        ("content-type", "application/grpc"),
        ("te", "trailers"),
        ("user-agent", "keyferry-benchmark"),
        ("grpc-timeout", "30S"),
        *load.metadata,
    )
    return block + b"".join(b"\x00" + _text(name) + _text(value) for name, value in pairs)


def _text(value: str) -> bytes:
    encoded = value.encode()
    if len(encoded) < 127:  # noqa: PLR2004 -- what fits in seven bits
        return bytes([len(encoded)]) + encoded
    rest, parts = len(encoded) - 127, bytearray([127])
    while rest >= 128:  # noqa: PLR2004 -- seven bits a byte
        parts.append(rest % 128 + 128)
        rest //= 128
    return bytes([*parts, rest]) + encoded


if __name__ == "__main__":
    sys.stdout.write(json.dumps(asdict(run(Load.decode(sys.stdin.read())))))
