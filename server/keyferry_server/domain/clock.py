"""The one source of time: import tokens, expiry and deletion windows read it."""

from datetime import UTC, datetime
from typing import Protocol


class Clock(Protocol):
    """Tells the time. It never fails and never blocks; it may be moved by tests."""

    def now(self) -> datetime:
        """Return the present moment, aware, in UTC."""
        ...


class SystemClock:
    """The operating system's clock."""

    def now(self) -> datetime:
        """Return the present moment, aware, in UTC."""
        return datetime.now(UTC)
