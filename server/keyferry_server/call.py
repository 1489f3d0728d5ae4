"""What every room is told about its call.

Cancellation is asyncio's own: when the caller cancels or goes away, the task
that handles the call is cancelled.
"""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

from google.protobuf.message import Message

from keyferry_server.authn.caller import Caller
from keyferry_server.authn.evidence import NOTHING_SHOWN, Evidence
from keyferry_server.authn.http_request import HttpRequest
from keyferry_server.domain.identifiers import Accepts, Scope
from keyferry_server.domain.key import KeyStates


@dataclass(frozen=True, slots=True)
class Route:
    """One operation: what does it, which permission it needs, on which keys and states it works, how long it may take.

    `permissions` are strings as policies write them, the first for the key that
    the operation is named after. `deadline_seconds` caps the caller's own deadline.
    """

    operation: type[Any]
    permissions: tuple[str, ...]
    key_states: KeyStates
    accepts: Accepts
    deadline_seconds: float

    @property
    def name(self) -> str:
        """The operation's AWS name."""
        return self.operation.__name__

    @property
    def permission(self) -> str:
        """The permission for the key that the operation is named after."""
        return self.permissions[0]


@dataclass(frozen=True, slots=True)
class Call:
    """One call. `deadline` is on the event loop's clock, in seconds.

    `peer` is where it comes from, as gRPC writes it, and `is_encrypted` whether
    nobody between can read it. Policies decide by `request`, which is what is asked
    and is here once the caller is known, and by `facts`, which an operation found out about it, by condition key.
    What the caller showed to say who it is: over gRPC `evidence`; over AWS's wire
    the whole `http_request`, which is signed. `asked_region` is what a caller over gRPC
    asks for in place of the default Region; `scope` is in it once that is granted.
    """

    request_id: str
    route: Route
    peer: str
    deadline: float
    caller: Caller
    scope: Scope
    is_encrypted: bool = False
    request: Message | None = None
    http_request: HttpRequest | None = None
    evidence: Evidence = NOTHING_SHOWN
    asked_region: str | None = None
    facts: Mapping[str, Sequence[str]] = field(default_factory=dict)


Handler = Callable[[Any, Call], Awaitable[Message]]


class Middleware(Protocol):
    """Something around an operation: it looks at a call, and proceeds with it or raises why not."""

    def __call__(self, request: Message, call: Call, /, proceed: Handler) -> Awaitable[Message]:
        """Return the answer, mostly that of `proceed`."""
        ...
