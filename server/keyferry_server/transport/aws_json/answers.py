"""What goes back on AWS's wire, and THE ONE MAPPING of refusals out to it.

Everything that the caller did is status 400, whatever it was: that is what AWS's
KMS was seen to send. What the service did not manage is 500, because the status
is what makes SDKs try again. The exception's name is `__type`; a message that is
empty is not there.
"""

import json
from dataclasses import dataclass

from keyferry_server.domain.errors import (
    AccessDeniedException,
    Category,
    KmsError,
    RequestEntityTooLargeException,
)

CONTENT_TYPE = b"application/x-amz-json-1.1"

_FAULTS = {Category.UNAVAILABLE, Category.INTERNAL}
_REFUSED, _FAILED = 400, 500
_TOO_LARGE = 413


@dataclass(frozen=True, slots=True)
class Answer:
    """A status and a body; `is_last` closes the connection, because more may be on its way that nobody will read."""

    status: int
    body: bytes
    is_last: bool = False

    def headers(self, request_id: str) -> list[tuple[bytes, bytes]]:
        """Return the headers of the answer to one request."""
        headers = [
            (b"content-type", CONTENT_TYPE),
            (b"content-length", str(len(self.body)).encode()),
            (b"x-amzn-requestid", request_id.encode()),
            (b"cache-control", b"no-cache, no-store, must-revalidate, private"),
        ]
        if self.is_last:
            headers.append((b"connection", b"close"))
        return headers


def format_refusal(error: KmsError) -> Answer:
    """Return the answer that refuses a request."""
    members = {"__type": error.name}
    if error.message:
        # AWS's KMS writes it in lower case, its front door does not.
        members["Message" if isinstance(error, AccessDeniedException) else "message"] = error.message
    is_too_large = isinstance(error, RequestEntityTooLargeException)
    status = _FAILED if error.category in _FAULTS else _TOO_LARGE if is_too_large else _REFUSED
    return Answer(status, json.dumps(members, ensure_ascii=False).encode(), is_last=is_too_large)
