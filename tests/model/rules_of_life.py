"""Rules: keys are created, switched, rotated, deleted; time passes; the server does its background work or restarts."""

from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from functools import partial

from hypothesis import strategies as st
from hypothesis.stateful import MultipleResults, initialize, multiple, precondition, rule
from model.key import Key
from model.machine import KEYS, MOMENT, Machine

MOST_KEYS = 4
ORIGINS = st.sampled_from(["EXTERNAL", "EXTERNAL", "AWS_KMS"])
DELETIONS = st.sampled_from(
    ["schedule", "cancel", "cancel and enable", "schedule", "cancel and enable", "wrongly", "for good"]
)
PERIODS = st.sampled_from([None, 90, 100, "off"])
LOOKS = st.sampled_from(
    [
        "get_key_last_usage",
        "get_key_rotation_status",
        "list_import_receipts",
        "list_import_tokens",
        "list_key_rotations",
        "list_keys",
    ]
)
WORK = st.sampled_from(["reap", "rotate", "sweep"] * 3 + ["restart"])


class Life(Machine):
    """What happens to keys, but for their material."""

    @initialize(target=KEYS)
    def begin(self) -> MultipleResults[str]:
        keys = [self._create(origin, in_full=False) for origin in ("EXTERNAL", "AWS_KMS")]
        self.bring(keys[0], b"\1" * 32)
        return multiple(*keys)

    @precondition(lambda self: len(self.live) < MOST_KEYS)
    @rule(target=KEYS, origin=ORIGINS, in_full=st.booleans())
    def create(self, origin: str, *, in_full: bool) -> str:
        return self._create(origin, in_full=in_full)

    @rule(key=KEYS, operation=st.sampled_from(["enable_key", "disable_key"]))
    def switch(self, key: str, operation: str) -> None:
        self.call(operation, key_id=key)

    @rule(key=KEYS, what=DELETIONS)
    def delete(self, key: str, what: str) -> None:
        if what.startswith("cancel"):
            self.call("cancel_key_deletion", key_id=key)
            if "enable" in what:
                self.call("enable_key", key_id=key)
        else:
            days = 6 if what == "wrongly" else 7
            self.call("schedule_key_deletion", key_id=key, pending_window_in_days=days)
        if what == "for good":
            self.world.clock.advance(timedelta(days=7))
            self.the_server_works("reap")

    @rule(key=KEYS, days=PERIODS)
    def rotate_on_a_period(self, key: str, days: int | str | None) -> None:
        if days == "off":
            self.call("disable_key_rotation", key_id=key)
        else:
            self.call("enable_key_rotation", key_id=key, rotation_period_in_days=days)
        self.call("get_key_rotation_status", key_id=key)

    @rule(key=KEYS, times=st.sampled_from([1] * 15 + [26]))
    def rotate(self, key: str, times: int) -> None:
        for _ in range(times):
            if not self.rotate_on_demand(key):
                break

    @rule(key=KEYS, operation=LOOKS)
    def look_at(self, key: str, operation: str) -> None:
        self.look(key, operation)

    @rule(
        by=st.sampled_from([timedelta(seconds=1), timedelta(hours=1), timedelta(days=1), timedelta(days=40)])
    )
    def time_passes(self, by: timedelta) -> None:
        self.world.clock.advance(by)

    @rule(which=st.integers(0, 4), then_sweep=st.booleans())
    def something_happens_by_itself(self, which: int, *, then_sweep: bool) -> None:
        """Call what it makes a difference to a moment before, and at its very moment."""
        now = self.world.clock.now()
        events = sorted((one for one in self._events() if one[0] > now + 2 * MOMENT), key=lambda one: one[0])
        for date, call in events[which : which + 1] or events[-1:]:
            self.world.clock.advance(date - now - 2 * MOMENT)
            call()
            call()
            if then_sweep:
                self.the_server_works("sweep")
            self.describe_all()

    @rule(work=WORK)
    def background_work(self, work: str) -> None:
        self.the_server_works(work)

    def look(self, key: str, operation: str) -> None:
        only = {"include_key_material": "ALL_KEY_MATERIAL"} if operation == "list_key_rotations" else {}
        self.call(operation, **({} if operation == "list_keys" else {"key_id": key}), **only)

    def the_server_works(self, work: str) -> None:
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
        if work == "restart":
            self.describe_all()

    def _create(self, origin: str, *, in_full: bool) -> str:
        """Create a key and return its ID, or its ARN."""
        self.call("create_key", origin=origin)
        key = self.live[-1]
        return key.arn if in_full else key.key_id

    def _events(self) -> Iterator[tuple[datetime, Callable[[], object]]]:
        """Say when something changes by itself, and which call shows it."""
        now = self.world.clock.now()
        for token in self.model.tokens:
            if token.is_outstanding(now):
                yield (
                    token.valid_to,
                    partial(self.bring, token.key.key_id, b"\1" * 32, token=token, dry_run=True),
                )
        for key in self.live:
            for material in key.associated(now):
                if material.valid_to is not None:
                    yield material.valid_to, partial(self.look, key.key_id, "list_key_rotations")
                    yield material.valid_to, partial(self.look, key.key_id, "describe_key")
            if key.next_rotation is not None:
                yield key.next_rotation, partial(self._work_a_moment_later, "rotate")
                yield key.next_rotation - timedelta(minutes=20), partial(self._rotate_once, key)
            if key.deletion is not None:
                yield key.deletion[0], partial(self._work_a_moment_later, "reap")

    def _work_a_moment_later(self, work: str) -> None:
        self.world.clock.advance(MOMENT)
        self.the_server_works(work)

    def _rotate_once(self, key: Key) -> None:
        self.call("rotate_key_on_demand", key_id=key.key_id)
