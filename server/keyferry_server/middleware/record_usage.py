"""Notes the last use of keys: after the call succeeded, for the operations that AWS tracks."""

from collections.abc import Callable

from google.protobuf.message import Message

from keyferry_server.call import Call, Handler, Middleware
from keyferry_server.domain.clock import Clock
from keyferry_server.domain.identifiers import KeyIdentifier, identifier_of
from keyferry_server.domain.key_usage import KeyUsageRecord
from keyferry_server.wire.key_usage import TRACKED

# The members of an answer that hold the ARN of a key that was used.
_USED = ("key_id", "source_key_id")

Note = Callable[[KeyIdentifier, KeyUsageRecord], None]


def record_usage(note: Note, clock: Clock) -> Middleware:
    """Return the middleware that hands every use to `note`, by key."""

    async def recorded(request: Message, call: Call, proceed: Handler) -> Message:
        response = await proceed(request, call)
        if call.route.name in TRACKED:
            usage = KeyUsageRecord(call.route.name, clock.now(), call.request_id)
            for member in _USED:
                arn: str = getattr(response, member, "")
                if arn:
                    note(identifier_of(arn), usage)
        return response

    return recorded
