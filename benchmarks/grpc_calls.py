"""HTTP/2, as little of it as unary gRPC calls need, so that who sends is no bottleneck.

Requests are encoded once; of the answers only frame headers are read, and the
status in the trailers. A fixed number of calls is in flight on each connection;
the next one is sent when one is answered.
"""

import select
import socket
import struct
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from itertools import cycle

_PREFACE = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"
_DATA, _HEADERS, _RESET, _SETTINGS, _PING, _GOAWAY, _WINDOW_UPDATE = 0, 1, 3, 4, 6, 7, 8
_END_STREAM, _END_HEADERS, _ACK = 1, 4, 1
_HEADER_BYTES = 9
_LARGEST_WINDOW = 2**31 - 1
_DEFAULT_WINDOW = 65_535
_NUMBER = struct.Struct(">I")
# As the server writes it when it may not use a table of headers, which our settings forbid.
_STATUS_OK = b"\x0bgrpc-status\x010"


@dataclass
class _Connection:
    socket: socket.socket
    wanted: int
    sent_at: dict[int, float] = field(default_factory=dict)
    received: bytes = b""
    unsent: bytearray = field(default_factory=bytearray)
    next_stream: int = 1
    window: int = _DEFAULT_WINDOW


class GrpcCalls:
    """Calls of one method; each body once, or all of them again and again."""

    def __init__(
        self,
        address: str,
        path: str,
        metadata: Sequence[tuple[str, str]],
        bodies: Sequence[bytes],
        in_flight: int,
        *,
        connections: int,
        once: bool,
    ) -> None:
        self._headers = _encode_headers(address, path, metadata)
        self._bodies: Iterator[bytes] = iter(bodies) if once else cycle(bodies)
        self._is_over = False
        # When each was sent and when it was answered.
        self.answered: list[tuple[float, float]] = []
        self.failures: list[bytes] = []
        share, rest = divmod(in_flight, connections)
        self._connections = [
            _Connection(_connect(address), share + (number < rest)) for number in range(connections)
        ]
        self._by_fd = {one.socket.fileno(): one for one in self._connections}
        self._poll = select.poll()
        for fd in self._by_fd:
            self._poll.register(fd, select.POLLIN)

    def until(self, end: float) -> None:
        """Keep the calls in flight until that moment, or until nothing is left to send and all is answered."""
        for connection in self._connections:
            self._fill(connection)
        while (now := time.perf_counter()) < end:
            for fd, _ in self._poll.poll(max(1, (end - now) * 1000)):
                self._receive(self._by_fd[fd])
            if self._is_over and not any(one.sent_at for one in self._connections):
                return

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
            self.answered.append((connection.sent_at.pop(stream), time.perf_counter()))
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


def _encode_headers(address: str, path: str, metadata: Sequence[tuple[str, str]]) -> bytes:
    """HPACK, every value literally: POST and http are entries 3 and 6 of the static table."""
    block = b"\x83\x86" + b"\x04" + _text(path) + b"\x01" + _text(address)
    pairs = (
        ("content-type", "application/grpc"),
        ("te", "trailers"),
        ("user-agent", "keyferry-benchmark"),
        ("grpc-timeout", "30S"),
        *metadata,
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
