"""The Postgres that a killed server left running: ended, never adopted.

It may be in any state, with settings of another release, and it is not our
child, so that nobody would notice its end.
"""

import asyncio
import signal
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path

import psutil  # type: ignore[import-untyped]
import structlog

from keyferry_server.storage.embedded.errors import EmbeddedPostgresError
from keyferry_server.storage.embedded.shutdown import happens, shut_down

_ENDING_SECONDS = 5.0

_log: structlog.stdlib.BoundLogger = structlog.get_logger()


async def end_leftover(cluster: Path) -> None:
    """End whatever runs on `cluster` and return when it is gone. Call it with the data folder locked.

    1. Find the processes that work in this folder. The number in postmaster.pid
       alone proves nothing: it may long be somebody else's.
    2. End the postmaster, which ends the others. One that was only just started
       has no postmaster.pid yet, and no others.
    3. Wait until the last is gone.
    4. Remove postmaster.pid, of which Postgres itself would believe the number.
    """
    postmaster_pid = cluster / "postmaster.pid"
    number = _number_in(postmaster_pid)
    for process in await asyncio.to_thread(_processes, cluster):
        if number in {None, process.pid}:
            await _end_postmaster(process)
    await wait_until_deserted(cluster)
    postmaster_pid.unlink(missing_ok=True)


def _number_in(postmaster_pid: Path) -> int | None:
    if not postmaster_pid.exists():
        return None
    first = postmaster_pid.read_text(errors="replace").partition("\n")[0]
    # After a power cut it may hold anything.
    return int(first) if first.isdecimal() else 0


async def wait_until_deserted(cluster: Path) -> None:
    """Return when the last process that works on `cluster` is gone; their postmaster is."""
    processes = await asyncio.to_thread(_processes, cluster)
    # They notice by themselves that it is, unless they are frozen.
    if await _are_gone(processes):
        return
    for process in processes:
        with suppress(psutil.NoSuchProcess):
            process.kill()
    if not await _are_gone(processes):
        raise EmbeddedPostgresError(
            f"Postgres's processes in {cluster} cannot be ended. Look into the machine."
        )


async def _end_postmaster(process: psutil.Process) -> None:
    def send(step: signal.Signals) -> None:
        with suppress(psutil.NoSuchProcess):
            process.send_signal(step)

    _log.warning("ending the Postgres that a killed server left running", pid=process.pid)
    await shut_down(send, lambda: not _is_alive(process))


async def _are_gone(processes: Iterable[psutil.Process]) -> bool:
    return await happens(lambda: not any(map(_is_alive, processes)), _ENDING_SECONDS)


def _processes(cluster: Path) -> list[psutil.Process]:
    return [process for process in psutil.process_iter() if _works_on(process, cluster)]


def _works_on(process: psutil.Process, cluster: Path) -> bool:
    # Postgres changes into its data folder before it does anything there.
    try:
        return process.name().startswith("postgres") and Path(process.cwd()) == cluster
    except psutil.Error:
        return False


def _is_alive(process: psutil.Process) -> bool:
    # A zombie has let go of everything; when it is buried is its parent's affair.
    try:
        return bool(process.is_running() and process.status() != psutil.STATUS_ZOMBIE)
    except psutil.NoSuchProcess:
        return False
