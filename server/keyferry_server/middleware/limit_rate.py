"""Turns a principal away that makes more calls than it may, before its request is looked at."""

from collections.abc import Callable

from google.protobuf.message import Message

from keyferry_server.authn.caller import Principal
from keyferry_server.call import Call, Handler, Middleware


def limit_rate(take: Callable[[str, str], None]) -> Middleware:
    """Return the middleware that counts each call by `take`, which raises ThrottlingException if there are too many."""

    async def limited(request: Message, call: Call, proceed: Handler) -> Message:
        if isinstance(call.caller, Principal):
            take(call.caller.arn, call.route.name)
        return await proceed(request, call)

    return limited
