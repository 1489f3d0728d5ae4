"""What the service knows of a caller besides its name: its identity policies, and the grants it has on a key."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from types import MappingProxyType

from keyferry_server.authz.policy.document import Document
from keyferry_server.domain.grant import Grant


@dataclass(frozen=True, slots=True)
class Standing:
    """A caller's identity policies by their names, and its grants on the key that is asked for.

    `is_known` is False for a principal that nobody made, or that was deleted. The
    root of an account is always known, and has no policies.
    """

    is_known: bool
    policies: Mapping[str, Document] = field(default_factory=lambda: MappingProxyType({}))
    grants: Sequence[Grant] = ()
