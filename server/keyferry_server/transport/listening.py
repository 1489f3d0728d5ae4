"""Why a server cannot listen, said so that the operator knows what to change."""

import socket
from collections.abc import Iterator
from contextlib import contextmanager

from keyferry_server.settings import ListenAddress

_FIRST_FREE_PORT = 1024


class CannotListenError(OSError):
    """An address cannot be had; the text says why."""

    def __init__(self, address: ListenAddress, error: OSError | None) -> None:
        """`error` is what the operating system said, None if it said nothing."""
        reason = "it is in use or is not this machine's" if error is None else error.strerror
        if isinstance(error, PermissionError) and address.port < _FIRST_FREE_PORT:
            reason = (
                f"{reason}: ports below {_FIRST_FREE_PORT} are for root, or whoever has CAP_NET_BIND_SERVICE"
            )
        super().__init__(f"cannot listen on {address}: {reason}")


def what_prevents(address: ListenAddress) -> OSError | None:
    """Ask the operating system why nobody can listen on an address, for those who were not told."""
    try:
        family, _, _, _, where = socket.getaddrinfo(address.host, address.port, type=socket.SOCK_STREAM)[0]
        with socket.socket(family) as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind(where)
    except OSError as error:
        return error
    return None


@contextmanager
def by_option(option: str) -> Iterator[None]:
    """Add to a CannotListenError which option gives another address."""
    try:
        yield
    except CannotListenError as error:
        variable = f"KEYFERRY_{option.upper().replace('-', '_')}"
        raise OSError(f"{error}; --{option} or {variable} names another address") from error
