"""What happens around every operation, one concern a file, read aloud in app.py from the outside in.

A middleware is a function of the request, its call and the handler inside it.
"""

from collections.abc import Sequence
from functools import partial, reduce

from keyferry_server.call import Handler, Middleware


def compose(middleware: Sequence[Middleware], operation: Handler) -> Handler:
    """Return `operation` inside all of `middleware`, the first outermost."""
    # Partials are called by the interpreter itself: no frame between two layers.
    return reduce(lambda inner, outer: partial(outer, proceed=inner), reversed(middleware), operation)
