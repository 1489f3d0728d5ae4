"""A clock that tests move."""

from datetime import UTC, datetime, timedelta


class MovedClock:
    """Stands still until it is moved; starts at the present second."""

    def __init__(self) -> None:
        self._now = datetime.now(UTC).replace(microsecond=0)

    def now(self) -> datetime:
        return self._now

    def advance(self, by: timedelta) -> None:
        self._now += by
