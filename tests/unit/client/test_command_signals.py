"""SIGTERM and SIGHUP end the command in order, with a file half written, too."""

import asyncio
import os
import signal
import sys
import time
from asyncio.subprocess import PIPE, Process
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from unit.client.command import PATIENCE_SECONDS, end, keyferry
from unit.client.small_kms import SmallKms
from unit.client.small_service import SmallService

MAIN = "from keyferry_client.cli import main, signals; main()"
WITH_CTRL_C_IGNORED = f"import signal; signal.signal(signal.SIGINT, signal.SIG_IGN); {MAIN}"
UNDER_NOHUP = f"import signal; signal.signal(signal.SIGHUP, signal.SIG_IGN); {MAIN}"
IMPATIENT = "from keyferry_client.cli import main, signals; signals.end_in_order(longest_seconds=0.2); main()"
PLAINTEXT = b"attack at dawn. " * 20_000


@pytest.fixture
async def envelope(service: SmallService, kms: SmallKms, tmp_path: Path) -> bytes:
    """PLAINTEXT, encrypted."""
    del kms
    plain, sealed = tmp_path / "plain", tmp_path / "sealed"
    plain.write_bytes(PLAINTEXT)
    files = ("--in", plain, "--out", sealed)
    assert (await keyferry("--endpoint", service.address, "encrypt", "x", *files)).code == 0
    plain.unlink()
    return sealed.read_bytes()


@pytest.fixture
def pipe(tmp_path: Path) -> Path:
    path = tmp_path / "pipe"
    os.mkfifo(path)
    return path


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Where the command writes its file."""
    folder = tmp_path / "folder"
    folder.mkdir()
    return folder


def names(folder: Path) -> list[str]:
    return [path.name for path in folder.iterdir()]


def wait_for_plaintext(folder: Path) -> None:
    while not any(PLAINTEXT[:16] in path.read_bytes() for path in folder.iterdir()):
        time.sleep(0.01)


@asynccontextmanager
async def half_way(
    program: str, service: SmallService, envelope: bytes, pipe: Path, folder: Path
) -> AsyncIterator[tuple[Process, int]]:
    """Decrypt from a pipe that brings all but the end; give the process when plaintext is in a file."""
    arguments = ("--endpoint", service.address, "decrypt", "--in", pipe, "--out", folder / "opened")
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-c", program, *map(str, arguments), stdin=PIPE, stdout=PIPE, stderr=PIPE
    )
    descriptor = await asyncio.to_thread(os.open, pipe, os.O_WRONLY)
    async with asyncio.timeout(PATIENCE_SECONDS):
        await asyncio.to_thread(os.write, descriptor, envelope[:-1000])
        await asyncio.to_thread(wait_for_plaintext, folder)
    yield process, descriptor


@pytest.mark.parametrize(
    ("program", "number", "code"),
    [
        (MAIN, signal.SIGTERM, 143),
        (MAIN, signal.SIGHUP, 129),
        (MAIN, signal.SIGINT, 130),
        (WITH_CTRL_C_IGNORED, signal.SIGTERM, 143),
    ],
    ids=["SIGTERM", "SIGHUP", "Ctrl-C", "SIGTERM in the background"],
)
async def test_a_command_that_is_ended_leaves_no_plaintext(
    program: str,
    number: signal.Signals,
    code: int,
    service: SmallService,
    envelope: bytes,
    pipe: Path,
    folder: Path,
) -> None:
    async with half_way(program, service, envelope, pipe, folder) as (process, descriptor):
        process.send_signal(number)
        # The terminal that closes tells it, and so does the shell in it.
        if number is signal.SIGHUP:
            process.send_signal(number)
        os.close(descriptor)
        outcome = await end(process)
    said = "interrupted" if number is signal.SIGINT else f"ended by {number.name}"
    assert (outcome.code, outcome.out, outcome.err) == (code, "", f"keyferry: {said}\n")
    assert names(folder) == []


async def test_a_pipe_on_which_nothing_comes_does_not_keep_the_command_for_ever(
    service: SmallService, envelope: bytes, pipe: Path, folder: Path
) -> None:
    async with half_way(IMPATIENT, service, envelope, pipe, folder) as (process, descriptor):
        process.send_signal(signal.SIGTERM)
        outcome = await end(process)
        os.close(descriptor)
    assert outcome.code == 143
    assert names(folder) == []


async def test_a_signal_that_is_ignored_stays_ignored(
    service: SmallService, envelope: bytes, pipe: Path, folder: Path
) -> None:
    async with half_way(UNDER_NOHUP, service, envelope, pipe, folder) as (process, descriptor):
        process.send_signal(signal.SIGHUP)
        os.write(descriptor, envelope[-1000:])
        os.close(descriptor)
        outcome = await end(process)
    assert outcome.code == 0, outcome.err
    assert (folder / "opened").read_bytes() == PLAINTEXT
