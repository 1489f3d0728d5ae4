"""One operation as the client needs it: where it is called, what it takes, what it answers."""

from dataclasses import dataclass
from typing import Generic, TypeVar

from google.protobuf.message import Message

Request = TypeVar("Request", bound=Message)
Response = TypeVar("Response", bound=Message)


@dataclass(frozen=True, slots=True)
class Rpc(Generic[Request, Response]):
    """An RPC of the contract. `path` is /PACKAGE.SERVICE/NAME."""

    path: str
    request_type: type[Request]
    response_type: type[Response]

    @property
    def name(self) -> str:
        """The operation's AWS name."""
        return self.path.rpartition("/")[2]
