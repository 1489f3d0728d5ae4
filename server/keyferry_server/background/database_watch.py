"""Watches the database: whether it answers, and whether its clock agrees with ours."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import timedelta

import structlog

from keyferry_server.domain.clock import Clock
from keyferry_server.domain.errors import DependencyTimeoutException
from keyferry_server.storage.database import Database

_log: structlog.stdlib.BoundLogger = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class DatabaseWatch:
    """Asks the database for its time every `interval_seconds`, and waits `answer_seconds` for it."""

    database: Database
    clock: Clock
    interval_seconds: float
    answer_seconds: float
    largest_drift: timedelta

    async def answers(self) -> bool:
        """Tell whether the database answers now."""
        try:
            await self.drift()
        except DependencyTimeoutException:
            return False
        return True

    async def drift(self) -> timedelta:
        """Return how far our clock is ahead of the database's; DependencyTimeoutException if it does not answer."""
        before = self.clock.now()
        try:
            async with asyncio.timeout(self.answer_seconds):
                theirs = await self.database.now()
        except TimeoutError:
            raise DependencyTimeoutException("The database does not answer.") from None
        return before + (self.clock.now() - before) / 2 - theirs

    async def run(self, report: Callable[[bool], Awaitable[None]]) -> None:
        """Report each time whether the database answers, warn when the clocks drift apart; ends when cancelled."""
        while True:
            try:
                drift = await self.drift()
            except DependencyTimeoutException:
                await report(False)  # noqa: FBT003 -- the report is the answer to "does it?"
            else:
                await report(True)  # noqa: FBT003 -- as above
                if abs(drift) > self.largest_drift:
                    _log.warning("our clock and the database's drift apart", seconds=drift.total_seconds())
            await asyncio.sleep(self.interval_seconds)
