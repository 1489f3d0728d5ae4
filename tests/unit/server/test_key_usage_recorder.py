"""Last uses are written once an interval, however busy a key is."""

from typing import Any

from keyferry_server.background import key_usage
from keyferry_server.background.key_usage import KeyUsageRecorder
from keyferry_server.domain.errors import DependencyTimeoutException


class BusyStore:
    """Takes last uses; the same key is used again while they are being written."""

    def __init__(self) -> None:
        self.written: list[dict[Any, Any]] = []
        self.recorder: Any = KeyUsageRecorder(self, 1)  # type: ignore[arg-type]
        self.fails = False

    async def put(self, batch: dict[Any, Any]) -> None:
        if self.fails:
            raise DependencyTimeoutException("no")
        self.written.append(batch)
        for key in batch:
            self.recorder.note(key, f"use {len(self.written)}")


async def test_a_key_that_is_used_while_its_use_is_written_waits_for_the_next_time() -> None:
    store = BusyStore()
    store.recorder.note("key", "use 0")
    await store.recorder.write()
    await store.recorder.write()
    assert store.written == [{"key": "use 0"}, {"key": "use 1"}]


async def test_what_cannot_be_written_is_written_later_in_portions() -> None:
    store = BusyStore()
    store.fails = True
    for number in range(key_usage.BATCH + 1):
        store.recorder.note(number, "used")
    await store.recorder.write_if_possible()
    store.fails = False
    await store.recorder.write_if_possible()
    assert [len(batch) for batch in store.written] == [key_usage.BATCH, 1]
