"""A block that a cancellation token ends, as asyncio.timeout ends one at its time."""

import asyncio
from contextlib import suppress
from types import TracebackType

from keyferry_client.cancellation import (
    CancellationToken,
    CancellationTokenRegistration,
    OperationCanceledError,
)


class CancellationScope:
    """Raises OperationCanceledError out of its block when `token` is cancelled, by whichever thread.

    1. A token that is cancelled already keeps the block from beginning.
    2. A cancellation is carried into the event loop and cancels the task inside the block.
    3. On the way out that cancellation is taken back, and OperationCanceledError raised in
       its place: unless the task was also cancelled by somebody else, which comes first.
    """

    def __init__(self, token: CancellationToken) -> None:
        self._token = token
        self._registration: CancellationTokenRegistration | None = None
        self._is_open = False
        self._has_cancelled = False

    async def __aenter__(self) -> None:
        self._token.throw_if_cancellation_requested()
        if not self._token.can_be_canceled:
            return
        task = asyncio.current_task()
        if task is None:
            raise RuntimeError("a cancellation scope needs a task around it")
        self._task = task
        self._cancelled_before = task.cancelling()
        self._is_open = True
        self._registration = self._token.register(self._notice)

    async def __aexit__(
        self,
        exception_type: type[BaseException] | None,
        exception: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        if self._registration is None:
            return
        self._is_open = False
        self._registration.unregister()
        if (
            self._has_cancelled
            and self._task.uncancel() <= self._cancelled_before
            and exception_type is asyncio.CancelledError
        ):
            raise OperationCanceledError(self._token) from exception

    def _notice(self) -> None:
        # The loop may have ended, and the block with it, since the cancelling thread began.
        with suppress(RuntimeError):
            self._task.get_loop().call_soon_threadsafe(self._cancel)

    def _cancel(self) -> None:
        if self._is_open and not self._has_cancelled:
            self._has_cancelled = True
            self._task.cancel()
