"""How a Postgres is made to end: asked, then urged, then killed. No step loses what was committed."""

import asyncio
import signal
import time
from collections.abc import Callable

from keyferry_server.storage.embedded.errors import EmbeddedPostgresError

_STEPS = (
    (signal.SIGINT, 15.0),  # "fast": ends its connections and writes a checkpoint
    (signal.SIGQUIT, 10.0),  # "immediate": no checkpoint; after 5 s it kills its own processes
    (signal.SIGKILL, 5.0),
)
_POLL_SECONDS = 0.01


async def shut_down(send: Callable[[signal.Signals], object], is_gone: Callable[[], bool]) -> None:
    """Send the signals that end a Postgres until it is gone; EmbeddedPostgresError if it never is."""
    for step, patience_seconds in _STEPS:
        send(step)
        if await happens(is_gone, patience_seconds):
            return
    raise EmbeddedPostgresError(
        "Postgres does not end, even when it is killed: its storage does not answer. Look into the machine."
    )


async def happens(event: Callable[[], bool], patience_seconds: float) -> bool:
    """Wait until `event` is true; tell whether that came within `patience_seconds`."""
    end = time.monotonic() + patience_seconds
    while not event():
        if time.monotonic() > end:
            return False
        await asyncio.sleep(_POLL_SECONDS)
    return True
