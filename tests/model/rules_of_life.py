"""Rules: keys are created, switched, rotated, deleted; time passes; the server does its background work or restarts."""

from datetime import datetime, timedelta

from hypothesis import strategies as st
from hypothesis.stateful import MultipleResults, initialize, multiple, precondition, rule
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
# An integer: to the next moments at which anything changes by itself, or just before them.
TIMES = st.one_of(
    st.integers(0, 2),
    st.sampled_from([timedelta(seconds=1), timedelta(hours=1), timedelta(days=1), timedelta(days=40)]),
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
    def look(self, key: str, operation: str) -> None:
        self.call(operation, **({} if operation == "list_keys" else {"key_id": key}))

    @rule(by=TIMES, early=st.booleans())
    def time_passes(self, by: timedelta | int, *, early: bool) -> None:
        now = self.world.clock.now()
        if isinstance(by, int):
            coming = sorted(date for date in self._dates() if date > now + 2 * MOMENT)[: by + 1]
            # The next call is a moment later: just when it happens, or just before.
            by = coming[-1] - now - (2 if early else 1) * MOMENT if coming else MOMENT
        self.world.clock.advance(by)

    @rule(work=WORK)
    def background_work(self, work: str) -> None:
        self.the_server_works(work)

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
            self.describe_all()

    def _create(self, origin: str, *, in_full: bool) -> str:
        """Create a key and return its ID, or its ARN."""
        self.call("create_key", origin=origin)
        key = self.live[-1]
        return key.arn if in_full else key.key_id

    def _dates(self) -> set[datetime]:
        """When something changes by itself."""
        dates = {one.valid_to for one in self.model.tokens if one.spent_by is None}
        for key in self.live:
            dates |= {one.valid_to for one in key.associated(self.world.clock.now())}
            dates |= {key.next_rotation, key.next_rotation and key.next_rotation - timedelta(minutes=20)}
            dates |= {key.deletion and key.deletion[0]}
        return {date for date in dates if date is not None}
