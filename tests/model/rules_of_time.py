"""Rules: time passes, what has its date happens to the microsecond, the server does its background work or restarts."""

from collections.abc import Callable, Iterable
from datetime import datetime, timedelta
from functools import partial

from hypothesis import strategies as st
from hypothesis.stateful import precondition, rule
from model.machine import MOMENT, Machine

PERIODS = st.sampled_from(
    [timedelta(seconds=1), timedelta(hours=1), timedelta(days=1), timedelta(days=40), timedelta(days=400)]
)
WORK = st.sampled_from(["reap", "rotate", "sweep"] * 3 + ["restart"])
WHICH = st.integers(0, 2)

# A date, and the call that it makes a difference to.
Events = list[tuple[datetime, Callable[[], object]]]


class Time(Machine):
    """The call is made one moment before the date, and at it."""

    @rule(by=PERIODS)
    def time_passes(self, by: timedelta) -> None:
        self.world.clock.advance(by)

    @rule(work=WORK)
    def background_work(self, work: str) -> None:
        self._work(work)
        if work in {"rotate", "restart"}:
            self.describe_all()

    @precondition(lambda self: self._expiries())
    @rule(which=WHICH, then_sweep=st.booleans())
    def material_expires(self, which: int, *, then_sweep: bool) -> None:
        self._happens(self._expiries(), which)
        if then_sweep:
            self._work("sweep")

    @precondition(lambda self: self._ends_of_tokens())
    @rule(which=WHICH, then_sweep=st.booleans())
    def token_expires(self, which: int, *, then_sweep: bool) -> None:
        self._happens(self._ends_of_tokens(), which)
        if then_sweep:
            self._work("sweep")

    @precondition(lambda self: self._rotations())
    @rule(which=WHICH)
    def rotation_falls_due(self, which: int) -> None:
        self._happens(self._rotations(), which)
        self.describe_all()

    @precondition(lambda self: self._deletions())
    @rule(which=WHICH)
    def deletion_falls_due(self, which: int) -> None:
        self._happens(self._deletions(), which)

    def _expiries(self) -> Events:
        now = self.world.clock.now()
        return self._to_come(
            (material.valid_to, partial(self.call, operation, key_id=key.key_id))
            for key in self.live
            for material in key.associated(now)
            for operation in ("describe_key", "rotate_key_on_demand")
        )

    def _ends_of_tokens(self) -> Events:
        now = self.world.clock.now()
        return self._to_come(
            (token.valid_to, partial(self.bring, token.key.key_id, b"\1" * 32, token=token, dry_run=True))
            for token in self.model.tokens
            if token.is_outstanding(now)
        )

    def _rotations(self) -> Events:
        dates = [(key, key.next_rotation) for key in self.live if key.next_rotation is not None]
        return self._to_come(
            event
            for key, date in dates
            for event in (
                (date, partial(self._work, "rotate", a_moment_later=True)),
                (date - timedelta(minutes=20), partial(self.call, "rotate_key_on_demand", key_id=key.key_id)),
            )
        )

    def _deletions(self) -> Events:
        return self._to_come(
            (key.deletion[0], partial(self._work, "reap", a_moment_later=True))
            for key in self.live
            if key.deletion is not None
        )

    def _to_come(self, events: Iterable[tuple[datetime | None, Callable[[], object]]]) -> Events:
        now = self.world.clock.now()
        coming = [(date, call) for date, call in events if date is not None and date > now + 2 * MOMENT]
        return sorted(coming, key=lambda event: event[0])

    def _happens(self, events: Events, which: int) -> None:
        date, call = events[min(which, len(events) - 1)]
        # Each call is a moment later than what went before it.
        self.world.clock.advance(date - 2 * MOMENT - self.world.clock.now())
        call()
        call()

    def _work(self, work: str, *, a_moment_later: bool = False) -> None:
        if a_moment_later:
            self.world.clock.advance(MOMENT)
        running = self.world.server.running
        if work == "sweep":
            self.world.run(running.sweeper.sweep())
        if work == "reap":
            self.world.run(running.reaper.reap())
        if work == "rotate":
            self.world.run(running.rotator.rotate_due())
        if work == "restart":
            self.world.restart()
        if work in {"reap", "restart"}:
            self.model.reap()
        if work in {"rotate", "restart"}:
            self.model.rotate_due()
