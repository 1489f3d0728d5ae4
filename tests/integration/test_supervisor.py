"""The supervisor of workers, beside programs that stand for a worker that does not start."""

import asyncio
import os
import signal
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from structlog.testing import capture_logs

from keyferry_server import workers
from keyferry_server.settings import ListenAddress, Settings

SETTINGS = {
    "database_url": "postgresql://nobody@127.0.0.1:1/nothing",
    "grpc_listen": ListenAddress("127.0.0.1:0"),
    "aws_listen": "off",
    "metrics_listen": "off",
    "workers": 1,
}
GETS_READY = 'echo "keyferry-server is ready: metrics=off"'


class StandIn:
    """A program in place of the interpreter that a worker is started with; each start is a line in `starts`."""

    def __init__(self, folder: Path) -> None:
        self.path = folder / "stand-in"
        self._starts = folder / "starts"

    def write(self, command: str) -> None:
        self.path.write_text(f"#!/bin/sh\necho $$ >> {self._starts}\n{command}\nexec sleep 1000\n")
        self.path.chmod(0o700)

    @property
    def starts(self) -> list[int]:
        return [int(line) for line in self._starts.read_text().split()] if self._starts.exists() else []


async def until(is_so: Callable[[], bool]) -> None:
    """Wait for something that another process does."""
    async with asyncio.timeout(20):
        while not is_so():  # noqa: ASYNC110 -- there is no event to wait for
            await asyncio.sleep(0.01)


@pytest.fixture
def stand_in(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> StandIn:
    made = StandIn(tmp_path)
    monkeypatch.setattr(sys, "executable", str(made.path))
    return made


@pytest.fixture
def settings() -> Settings:
    return Settings(**SETTINGS)


async def test_a_worker_that_cannot_be_started_again_is_tried_again(
    stand_in: StandIn, settings: Settings
) -> None:
    stand_in.write(GETS_READY)
    stop = asyncio.Event()
    with capture_logs() as logs:
        supervising = asyncio.create_task(workers.supervise(settings, stop))
        await until(lambda: len(stand_in.starts) == 1)
        stand_in.path.unlink()
        os.kill(stand_in.starts[0], signal.SIGKILL)
        await until(lambda: "a worker did not start" in {line["event"] for line in logs})
        stand_in.write(GETS_READY)
        await until(lambda: len(stand_in.starts) == 2)
        stop.set()
        await supervising


async def test_a_worker_that_ends_before_it_was_told_its_settings_is_a_worker_that_did_not_start(
    stand_in: StandIn, settings: Settings
) -> None:
    stand_in.write("exit 3")
    for _ in range(10):
        with pytest.raises(workers.StartError, match="worker 1 did not start"):
            await workers.Worker(0, settings).start()


async def test_a_worker_that_gets_never_ready_is_killed(
    stand_in: StandIn, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(workers, "_LONGEST_START_SECONDS", 0.2)
    stand_in.write("")
    with pytest.raises(workers.StartError):
        await workers.Worker(0, settings).start()


async def test_told_to_stop_while_workers_start_it_stops(stand_in: StandIn, settings: Settings) -> None:
    stand_in.write("")
    stop = asyncio.Event()
    supervising = asyncio.create_task(workers.supervise(settings, stop))
    await until(lambda: len(stand_in.starts) == 1)
    stop.set()
    async with asyncio.timeout(10):
        await supervising
