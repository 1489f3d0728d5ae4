"""Who the service is, and who calls it: TLS, mutual TLS, bearer tokens."""

import inspect
import ipaddress
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Self

import grpc

from keyferry_client.errors import InputError

BearerToken = str | Callable[[], str | Awaitable[str]]
"""A JWT, or a function, plain or async, that gives the one to send now."""


@dataclass(frozen=True, slots=True)
class Tls:
    """TLS, in PEM. With `certificate` and `private_key` the client shows who it is, too (mutual TLS).

    `authorities` sign the service's certificate; None: those that gRPC ships with.
    `server_name` is the name in it, where that is not the host of the address.
    """

    authorities: bytes | None = None
    certificate: bytes | None = None
    private_key: bytes | None = field(default=None, repr=False)
    server_name: str | None = None

    def __post_init__(self) -> None:
        if (self.certificate is None) is not (self.private_key is None):
            raise InputError("Mutual TLS needs the certificate and its private key, not one of them.")

    @classmethod
    def from_files(
        cls,
        *,
        authorities: str | Path | None = None,
        certificate: str | Path | None = None,
        private_key: str | Path | None = None,
        server_name: str | None = None,
    ) -> Self:
        """Read the PEM files; OSError if one cannot be read."""
        return cls(_read(authorities), _read(certificate), _read(private_key), server_name)

    @classmethod
    def from_folder(
        cls,
        folder: str | Path,
        *,
        authorities: str | Path | None = None,
        server_name: str | None = None,
    ) -> Self:
        """Read authorities.pem, certificate.pem and key.pem, as `keyferry-server certificates` writes them."""
        return cls.from_files(
            authorities=authorities or Path(folder) / "authorities.pem",
            certificate=Path(folder) / "certificate.pem",
            private_key=Path(folder) / "key.pem",
            server_name=server_name,
        )

    @property
    def channel_credentials(self) -> grpc.ChannelCredentials:
        """What gRPC takes."""
        return grpc.ssl_channel_credentials(self.authorities, self.private_key, self.certificate)

    @property
    def options(self) -> tuple[tuple[str, str], ...]:
        """What gRPC takes beside them."""
        if self.server_name is None:
            return ()
        return (("grpc.ssl_target_name_override", self.server_name),)


async def authorization(token: BearerToken) -> tuple[str, str]:
    """Return the entry of metadata that shows `token`; InputError, which does not show it, if it cannot be sent."""
    value = token if isinstance(token, str) else token()
    if inspect.isawaitable(value):
        value = await value
    value = value.strip()
    if not value or not all("!" <= character <= "~" for character in value):
        raise InputError("The bearer token is empty or holds characters that no token has.")
    return ("authorization", f"Bearer {value}")


def check_way_of_token(address: str) -> None:
    """Raise InputError if a bearer token would travel to `address` in the clear, past this machine."""
    host = address.rpartition(":")[0].strip("[]")
    try:
        is_here = ipaddress.ip_address(host).is_loopback
    except ValueError:
        is_here = host == "localhost"
    if not is_here:
        raise InputError(f"A bearer token is not sent to {address} without TLS: whoever sees it can use it.")


def _read(path: str | Path | None) -> bytes | None:
    return None if path is None else Path(path).read_bytes()
