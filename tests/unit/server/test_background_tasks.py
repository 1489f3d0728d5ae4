"""A background task that fails ends the server, whatever else fails."""

import asyncio

import pytest

from keyferry_server.background import tasks
from keyferry_server.background.tasks import BackgroundTasks


class FullDisk:
    """A log that cannot be written."""

    def critical(self, *_: object, **__: object) -> None:
        raise OSError


async def test_a_crash_is_known_also_if_the_log_cannot_say_it(monkeypatch: pytest.MonkeyPatch) -> None:
    async def fail() -> None:
        raise ValueError

    monkeypatch.setattr(tasks, "_log", FullDisk())
    background = BackgroundTasks()
    background.start(fail(), "a task")
    async with asyncio.timeout(5):
        await background.crashed()
