"""Hands the request on together with its call: policies decide by what is in it."""

from dataclasses import replace

from google.protobuf.message import Message

from keyferry_server.call import Call, Handler


async def keep_request(request: Message, call: Call, proceed: Handler) -> Message:
    """Go on with a call that knows its request."""
    return await proceed(request, replace(call, request=request))
