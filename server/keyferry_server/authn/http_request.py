"""An HTTP request as it arrived: what Signature V4 signs."""

from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class HttpRequest:
    """Path and query as they were sent, not decoded; header names in lower case, in the order of arrival."""

    method: str
    path: bytes
    query: bytes
    headers: Sequence[tuple[bytes, bytes]]
    body: bytes

    def header_values(self, name: str) -> list[str]:
        """Return every value of a header, without blanks around it, as Latin-1: that keeps every byte."""
        wanted = name.encode()
        return [value.decode("latin-1").strip(" \t") for found, value in self.headers if found == wanted]
