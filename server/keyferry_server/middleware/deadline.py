"""Ends a call before its caller gives up, so that the caller still learns what happened."""

import asyncio

from google.protobuf.message import Message

from keyferry_server.call import Call, Handler
from keyferry_server.domain.errors import DependencyTimeoutException


async def enforce_deadline(request: Message, call: Call, proceed: Handler) -> Message:
    """Cancel the operation at the call's deadline and answer DependencyTimeoutException."""
    try:
        async with asyncio.timeout_at(call.deadline):
            return await proceed(request, call)
    except TimeoutError:
        raise DependencyTimeoutException(
            "The system timed out while trying to fulfill the request. The request may be retried."
        ) from None
