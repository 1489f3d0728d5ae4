"""What a server still writes when it stops, and how long all of that may take together."""

import asyncio
from collections.abc import Awaitable, Callable

import structlog

_log: structlog.stdlib.BoundLogger = structlog.get_logger()

Last = Callable[[], Awaitable[None]]


class Farewell:
    """One time limit, which runs from the first of the last works on.

    Each of them waits for the database as long as any other work does. One after the
    other they would outlast whoever stops the server, and be killed.
    """

    def __init__(self, seconds: float) -> None:
        self._seconds = seconds
        self._ends_at: float | None = None

    def within(self, last: Last) -> Last:
        """Return `last` so that it ends when the time is up, and says so in the log."""

        async def said() -> None:
            if self._ends_at is None:
                self._ends_at = asyncio.get_running_loop().time() + self._seconds
            try:
                async with asyncio.timeout_at(self._ends_at):
                    await last()
            except TimeoutError:
                _log.warning(
                    "the server stops without having written everything: the database does not answer",
                    unwritten=getattr(last, "__qualname__", None),
                )

        return said
