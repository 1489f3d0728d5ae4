"""The server seen by whoever runs it: what it says, and which processes there are."""

import json
from contextlib import suppress
from pathlib import Path
from typing import Any

import psutil


def complaint(errors: str) -> str:
    """Return what a command says in its own name on standard error, beside the log; never a traceback."""
    assert "Traceback" not in errors, errors
    return "\n".join(line for line in errors.splitlines() if not line.startswith("{"))


def read_log(text: str) -> list[dict[str, Any]]:
    """Return the entries of a log; every line must be a JSON object with a time, a level and an event."""
    entries = [json.loads(line) for line in text.splitlines()]
    for entry in entries:
        assert {"timestamp", "level", "event"} <= entry.keys()
    return entries


def processes_at(folder: Path) -> list[psutil.Process]:
    """Return the living processes that work in `folder` or were told about it."""
    return [process for process in psutil.process_iter() if _is_at(process, folder)]


def postmasters_at(folder: Path) -> list[psutil.Process]:
    """Return the Postgres servers among them, without the processes that they started."""
    parents: dict[psutil.Process, int] = {}
    for process in processes_at(folder):
        # It may end while it is looked at.
        with suppress(psutil.NoSuchProcess):
            if process.name().startswith("postgres"):
                parents[process] = process.ppid()
    numbers = {process.pid for process in parents}
    return [process for process, parent in parents.items() if parent not in numbers]


def _is_at(process: psutil.Process, folder: Path) -> bool:
    try:
        if process.status() == psutil.STATUS_ZOMBIE:
            return False
        told = any(str(folder) in argument for argument in process.cmdline())
        return told or Path(process.cwd()).is_relative_to(folder)
    except psutil.Error:
        return False
