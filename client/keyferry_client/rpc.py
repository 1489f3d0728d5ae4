"""One operation as the client needs it: where it is called, what it takes, what it answers."""

import re
from dataclasses import dataclass
from typing import Generic, TypeVar

from google.protobuf.message import Message

Request = TypeVar("Request", bound=Message)
Response = TypeVar("Response", bound=Message)


@dataclass(frozen=True, slots=True)
class Rpc(Generic[Request, Response]):
    """An RPC of the contract. `path` is /PACKAGE.SERVICE/NAME.

    `is_repeatable`: the contract calls it free of side effects or idempotent, so that a
    call whose outcome is unknown may be made again.
    """

    path: str
    request_type: type[Request]
    response_type: type[Response]
    is_repeatable: bool

    @property
    def name(self) -> str:
        """The operation's AWS name."""
        return self.path.rpartition("/")[2]

    @property
    def snake_name(self) -> str:
        """The operation's name as methods have it: create_key."""
        return re.sub(r"(?<=[a-z])(?=[A-Z])", "_", self.name).lower()
