"""HTTP/1.1 as AWS's clients speak it, as little of it as a load needs: one request in flight on each connection.

Requests are sent as they are, signatures included; of an answer its status and its
length are read. A server that closes after each answer is connected to again.
"""

import select
import socket
import time
from collections.abc import Sequence
from itertools import cycle

_STATUS_OK = b"200"
_END_OF_HEADERS = b"\r\n\r\n"


class _Connection:
    def __init__(self, address: str) -> None:
        host, _, port = address.rpartition(":")
        self._place = (host, int(port))
        self.connect()

    def connect(self) -> None:
        self.socket = socket.create_connection(self._place, timeout=30)
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.received = b""
        self.sent_at = 0.0
        self.is_closing = False


class HttpCalls:
    """Requests, again and again, over as many connections as are to be in flight."""

    def __init__(self, address: str, requests: Sequence[bytes], in_flight: int) -> None:
        self._requests = cycle(requests)
        # When each was sent and when it was answered.
        self.answered: list[tuple[float, float]] = []
        self.failures: list[bytes] = []
        self._poll = select.poll()
        self._by_fd: dict[int, _Connection] = {}
        for _ in range(in_flight):
            self._register(_Connection(address))

    def until(self, end: float) -> None:
        """Keep the requests in flight until that moment."""
        for connection in self._by_fd.values():
            if not connection.sent_at:
                self._send(connection)
        while (now := time.perf_counter()) < end:
            for fd, _ in self._poll.poll(max(1, (end - now) * 1000)):
                self._receive(self._by_fd[fd])

    def _register(self, connection: _Connection) -> None:
        self._by_fd[connection.socket.fileno()] = connection
        self._poll.register(connection.socket, select.POLLIN)

    def _send(self, connection: _Connection) -> None:
        connection.sent_at = time.perf_counter()
        if connection.is_closing:
            del self._by_fd[connection.socket.fileno()]
            self._poll.unregister(connection.socket)
            connection.socket.close()
            sent_at = connection.sent_at
            connection.connect()
            connection.sent_at = sent_at
            self._register(connection)
        connection.socket.sendall(next(self._requests))

    def _receive(self, connection: _Connection) -> None:
        received = connection.socket.recv(1 << 16)
        if not received:
            raise ConnectionError(f"the server closed the connection: {connection.received[:300]!r}")
        connection.received += received
        head, found, body = connection.received.partition(_END_OF_HEADERS)
        if not found:
            return
        fields = head.lower()
        length = int(fields.partition(b"content-length:")[2].partition(b"\r\n")[0])
        if len(body) < length:
            return
        self.answered.append((connection.sent_at, time.perf_counter()))
        if head[9:12] != _STATUS_OK:
            self.failures.append(connection.received)
        connection.is_closing = head.startswith(b"HTTP/1.0") or b"connection: close" in fields
        connection.received = b""
        self._send(connection)
