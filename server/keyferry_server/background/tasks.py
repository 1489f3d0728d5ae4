"""The server's background tasks: started together, stopped together, and never silently dead."""

import asyncio
from collections.abc import Coroutine
from typing import Any

import structlog

_log: structlog.stdlib.BoundLogger = structlog.get_logger()


class BackgroundTasks:
    """Tasks that run until the server stops. One that fails is a crash of the server, not a quiet loss."""

    def __init__(self) -> None:
        self._tasks: list[asyncio.Task[None]] = []
        self._crashed = asyncio.Event()

    def start(self, work: Coroutine[Any, Any, None], name: str) -> None:
        """Start one task."""
        task = asyncio.create_task(work, name=name)
        task.add_done_callback(self._ended)
        self._tasks.append(task)

    async def crashed(self) -> None:
        """Wait until a task has failed; the log says which and why."""
        await self._crashed.wait()

    async def stop(self) -> None:
        """Cancel all tasks and wait for their end."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    def _ended(self, task: asyncio.Task[None]) -> None:
        if not task.cancelled():
            self._crashed.set()
            _log.critical("a background task ended", task=task.get_name(), exc_info=task.exception())
