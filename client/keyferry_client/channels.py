"""The connections: one channel for each address, and within it one for each machine that its name stands for.

Calls take turns among the addresses. One that cannot be reached is left out until its
channel, which tries again by itself, is connected.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import grpc

_OPTIONS = (
    # Environment variables for the web's proxies would send even loopback calls there.
    ("grpc.enable_http_proxy", 0),
    # A restarted service is found again within seconds; the default waits up to two minutes.
    ("grpc.initial_reconnect_backoff_ms", 100),
    ("grpc.max_reconnect_backoff_ms", 5_000),
    # Where a name stands for several machines, they take turns.
    ("grpc.lb_policy_name", "round_robin"),
)
KEEPALIVE_ANSWER_SECONDS = 10.0

Option = tuple[str, str | int]


@dataclass(frozen=True, slots=True)
class Line:
    """An address and the channel to it."""

    address: str
    channel: grpc.aio.Channel


class Channels:
    """The lines to all addresses. They belong to the event loop that they are made in."""

    def __init__(
        self, addresses: Sequence[str], credentials: grpc.ChannelCredentials | None, options: Sequence[Option]
    ) -> None:
        options = (*_OPTIONS, *options)
        self._lines = [
            Line(
                address,
                grpc.aio.insecure_channel(address, options)
                if credentials is None
                else grpc.aio.secure_channel(address, credentials, options),
            )
            for address in addresses
        ]

    def next_line(self) -> Line:
        """Return the one that has waited longest among the best: connected, else hopeful, else any."""
        chosen = min(self._lines, key=_rank) if len(self._lines) > 1 else self._lines[0]
        self._lines.remove(chosen)
        self._lines.append(chosen)
        return chosen

    async def close(self) -> None:
        """Close all of them; calls that still run are cancelled."""
        for line in self._lines:
            await line.channel.close()


def _rank(line: Line) -> int:
    # Asking makes an idle channel connect, so that all take part soon.
    match line.channel.get_state(try_to_connect=True):
        case grpc.ChannelConnectivity.READY:
            return 0
        case grpc.ChannelConnectivity.IDLE | grpc.ChannelConnectivity.CONNECTING:
            return 1
        case _:
            return 2


def keepalive_options(seconds: float | None) -> tuple[Option, ...]:
    """Return the options that find a dead connection `seconds` after its last sign of life, while calls wait."""
    if seconds is None:
        return ()
    answer_ms = int(KEEPALIVE_ANSWER_SECONDS * 1000)
    return (
        ("grpc.keepalive_time_ms", int(seconds * 1000)),
        ("grpc.keepalive_timeout_ms", answer_ms),
        # A ping that gRPC sent for reasons of its own stands in for the probe, with a limit of its own.
        ("grpc.http2.ping_timeout_ms", answer_ms),
        ("grpc.http2.max_pings_without_data", 0),
    )
