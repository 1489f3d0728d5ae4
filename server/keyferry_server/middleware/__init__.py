"""What happens around every operation, one concern a file, read aloud in app.py from the outside in.

A middleware is a function of the request, its call and the handler inside it.
"""

from collections.abc import Sequence
from functools import reduce

from keyferry_server.call import Handler, Middleware


def compose(middleware: Sequence[Middleware], operation: Handler) -> Handler:
    """Return `operation` inside all of `middleware`, the first outermost."""
    return reduce(_wrap, reversed(middleware), operation)


def _wrap(inner: Handler, outer: Middleware) -> Handler:
    # Not a coroutine of its own: one less to go through at every call and every layer.
    return lambda request, call: outer(request, call, inner)
