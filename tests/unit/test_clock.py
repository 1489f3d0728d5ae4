"""What every clock promises: the one of the operating system and the one that tests move."""

from datetime import UTC, datetime, timedelta

import pytest
from fakes.moved_clock import MovedClock

from keyferry_server.domain.clock import Clock, SystemClock


@pytest.fixture(params=[SystemClock, MovedClock])
def clock(request: pytest.FixtureRequest) -> Clock:
    made: Clock = request.param()
    return made


def test_the_time_is_aware_and_in_utc(clock: Clock) -> None:
    assert clock.now().tzinfo is UTC


def test_a_new_clock_tells_the_present(clock: Clock) -> None:
    assert abs(clock.now() - datetime.now(UTC)) < timedelta(seconds=10)


def test_time_does_not_go_back(clock: Clock) -> None:
    times = [clock.now() for _ in range(1000)]
    assert times == sorted(times)


def test_time_can_be_kept_in_the_database(clock: Clock) -> None:
    # Postgres keeps microseconds; a finer time would come back as another.
    now = clock.now()
    assert datetime.fromisoformat(now.isoformat(timespec="microseconds")) == now


def test_a_moved_clock_stands_still_until_it_is_moved() -> None:
    clock = MovedClock()
    start = clock.now()
    assert clock.now() == start

    clock.advance(timedelta(hours=24))

    assert clock.now() == start + timedelta(hours=24)
