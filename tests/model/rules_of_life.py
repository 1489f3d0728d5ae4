"""Rules: keys are created, looked at, switched, rotated, deleted, and saved from deletion."""

from hypothesis import strategies as st
from hypothesis.stateful import initialize, precondition, rule
from model.machine import IMPORTABLE, KEYS, Machine

MOST_KEYS = 4
DAYS = st.sampled_from([None, 7, 7, 30, 6])
PERIODS = st.sampled_from([None, 90, 100, "off"])
TIMES = st.sampled_from([1] * 15 + [26])
LOOKS = st.sampled_from(
    [
        "get_key_last_usage",
        "get_key_rotation_status",
        "list_import_receipts",
        "list_import_tokens",
        "list_key_rotations",
    ]
)


class Life(Machine):
    """What happens to keys, but for their material. They are called by ID or by ARN ("in full")."""

    @initialize(targets=(KEYS, IMPORTABLE))
    def begin_with_an_imported_key(self) -> str:
        key = self._create("EXTERNAL", in_full=False)
        self.bring(key, b"\1" * 32)
        return key

    @initialize(target=KEYS)
    def begin_with_a_generated_key(self) -> str:
        return self._create("AWS_KMS", in_full=False)

    @precondition(lambda self: len(self.live) < MOST_KEYS)
    @rule(targets=(KEYS, IMPORTABLE), in_full=st.booleans())
    def create(self, *, in_full: bool) -> str:
        return self._create("EXTERNAL", in_full=in_full)

    @precondition(lambda self: len(self.live) < MOST_KEYS)
    @rule(target=KEYS, in_full=st.booleans())
    def create_and_generate(self, *, in_full: bool) -> str:
        return self._create("AWS_KMS", in_full=in_full)

    @rule(key=KEYS, operation=st.sampled_from(["enable_key", "disable_key", "enable_key"]))
    def switch(self, key: str, operation: str) -> None:
        self.call(operation, key_id=key)

    @rule(key=KEYS, days=DAYS)
    def schedule_deletion(self, key: str, days: int | None) -> None:
        self.call("schedule_key_deletion", key_id=key, pending_window_in_days=days)

    @rule(key=KEYS)
    def cancel_deletion(self, key: str) -> None:
        self.call("cancel_key_deletion", key_id=key)

    @precondition(lambda self: any(key.deletion for key in self.live))
    @rule(then_enable=st.booleans())
    def cancel_deletions(self, *, then_enable: bool) -> None:
        for key in self.live:
            if key.deletion is not None:
                self.call("cancel_key_deletion", key_id=key.key_id)
                if then_enable:
                    self.call("enable_key", key_id=key.key_id)

    @rule(key=KEYS, days=PERIODS)
    def rotate_on_a_period(self, key: str, days: int | str | None) -> None:
        if days == "off":
            self.call("disable_key_rotation", key_id=key)
        else:
            self.call("enable_key_rotation", key_id=key, rotation_period_in_days=days)
        self.call("get_key_rotation_status", key_id=key)

    @rule(key=KEYS, times=TIMES)
    def rotate(self, key: str, times: int) -> None:
        for _ in range(times):
            if not self.rotate_on_demand(key):
                break

    @rule(key=KEYS, operation=LOOKS)
    def look(self, key: str, operation: str) -> None:
        self.call(operation, key_id=key)

    def _create(self, origin: str, *, in_full: bool) -> str:
        self.call("create_key", origin=origin)
        key = self.live[-1]
        return key.arn if in_full else key.key_id
