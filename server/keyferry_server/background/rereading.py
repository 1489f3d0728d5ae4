"""Reads again what may change while the server runs: the file of principals, the token issuer's keys."""

import asyncio
from collections.abc import Awaitable, Callable, Coroutine
from typing import Any


def read_again_regularly(
    read: Callable[[], Awaitable[None]], interval_seconds: float
) -> Callable[[], Coroutine[Any, Any, None]]:
    """Return a background task that calls `read` every `interval_seconds`, and ends when cancelled."""

    async def run() -> None:
        while True:
            await asyncio.sleep(interval_seconds)
            await read()

    return run
