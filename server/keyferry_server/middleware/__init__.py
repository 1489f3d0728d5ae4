"""What happens around every operation, one concern a file, read aloud in app.py from the outside in.

A middleware is a function of the request, its call and the handler inside it.
"""

from collections.abc import Sequence
from functools import reduce
from typing import Any

from google.protobuf.message import Message

from keyferry_server.call import Call, Handler, Middleware


def compose(middleware: Sequence[Middleware], operation: Handler) -> Handler:
    """Return `operation` inside all of `middleware`, the first outermost."""
    return reduce(_wrap, reversed(middleware), operation)


def _wrap(inner: Handler, outer: Middleware) -> Handler:
    async def handle(request: Any, call: Call) -> Message:
        return await outer(request, call, inner)

    return handle
