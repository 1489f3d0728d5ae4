"""Refuses a request that breaks the constraints of its contract, before anything looks at it."""

from google.protobuf.message import Message

from keyferry_server.call import Call, Handler
from keyferry_server.wire.constraints import validate


async def validate_request(request: Message, call: Call, proceed: Handler) -> Message:
    """Raise one ValidationException with all violations, or go on."""
    validate(request)
    return await proceed(request, call)
