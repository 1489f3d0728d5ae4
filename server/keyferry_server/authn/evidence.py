"""What a caller shows to prove who it is, as the wire saw it, and how it is refused if that proves nothing."""

from dataclasses import dataclass, field
from datetime import datetime
from typing import Protocol

from keyferry_server.authn.caller import Principal


@dataclass(frozen=True, slots=True)
class Evidence:
    """What came with a call over gRPC. A certificate has already passed the TLS handshake.

    `certificate` is PEM; `authorization` holds every value of that metadata key.
    """

    certificate: bytes | None = None
    authorization: tuple[str, ...] = field(default=(), repr=False)


NOTHING_SHOWN = Evidence()


@dataclass(frozen=True, slots=True)
class ClientCertificate:
    """What a client certificate says. `spiffe_id` is set if it has exactly one URI, and that is a SPIFFE ID.

    `subject` is written as RFC 4514 does: CN=backup,O=Example.
    """

    spiffe_id: str | None
    subject: str
    valid_to: datetime


class CallerRefusedError(Exception):
    """What was shown proves nothing. The text is for the log and not for the caller, and holds no part of a token."""

    def __init__(self, reason: str, *, is_expired: bool = False) -> None:
        super().__init__(reason)
        self.is_expired = is_expired


class Authenticator(Protocol):
    """One way to prove who one is."""

    async def __call__(self, evidence: Evidence) -> Principal | None:
        """Return who is calling; None if nothing of this kind was shown.

        CallerRefusedError if what was shown does not do; DependencyTimeoutException
        if it cannot be checked now.
        """
        ...
