"""The Task that every operation returns: asyncio's own, which already runs, with .NET's names added.

Being an asyncio.Task it can be awaited, gathered, waited for, shielded and put under a
timeout, and `result()`, `exception()` and `cancel()` mean what they mean there. How a
call ended shows in its status:

::

    RUNNING ──┬─▶ RAN_TO_COMPLETION    it has its response
              ├─▶ CANCELED             through its token (OperationCanceledError), or as an asyncio task
              └─▶ FAULTED              any other exception, a passed deadline among them

Where asyncio takes a coroutine and no task, as TaskGroup.create_task does, give it `join()`.
"""

import asyncio
import inspect
from collections.abc import Awaitable, Callable, Coroutine, Generator
from enum import Enum
from typing import Any, TypeVar, overload

from keyferry_client.cancellation import CancellationToken, OperationCanceledError
from keyferry_client.cancellation_scope import CancellationScope

T_co = TypeVar("T_co", covariant=True)
R = TypeVar("R")


class TaskStatus(Enum):
    """How far a task is."""

    RUNNING = "Running"
    RAN_TO_COMPLETION = "RanToCompletion"
    CANCELED = "Canceled"
    FAULTED = "Faulted"


class Task(asyncio.Task[T_co]):
    """An asyncio.Task with a status and continuations."""

    def __repr__(self) -> str:
        # Not asyncio's, which shows the result, a secret perhaps, and goes into its log. Nor the
        # status: to ask for it counts as having seen the exception.
        state = "cancelled" if self.cancelled() else "finished" if self.done() else "pending"
        return f"<Task {self.get_name()} {state}>"

    @property
    def status(self) -> TaskStatus:
        """How far it is. Asking counts as having seen its exception."""
        if not self.done():
            return TaskStatus.RUNNING
        if self.cancelled():
            return TaskStatus.CANCELED
        exception = self.exception()
        if exception is None:
            return TaskStatus.RAN_TO_COMPLETION
        return TaskStatus.CANCELED if isinstance(exception, OperationCanceledError) else TaskStatus.FAULTED

    @property
    def is_completed(self) -> bool:
        """Whether it has ended, in whichever way."""
        return self.done()

    @property
    def is_completed_successfully(self) -> bool:
        """Whether it has ended with a result."""
        return self.status is TaskStatus.RAN_TO_COMPLETION

    @property
    def is_canceled(self) -> bool:
        """Whether it was cancelled, through its token or as an asyncio task."""
        return self.status is TaskStatus.CANCELED

    @property
    def is_faulted(self) -> bool:
        """Whether it has ended with an exception that is no cancellation."""
        return self.status is TaskStatus.FAULTED

    def join(self) -> Coroutine[Any, Any, T_co]:
        """Return a coroutine that waits for this task; cancelling it cancels this task."""
        return _Joining(self)

    @overload
    def continue_with(
        self,
        continuation: "Callable[[Task[T_co]], Awaitable[R]]",
        cancellation_token: CancellationToken = CancellationToken.none,
    ) -> "Task[R]": ...
    @overload
    def continue_with(
        self,
        continuation: "Callable[[Task[T_co]], R]",
        cancellation_token: CancellationToken = CancellationToken.none,
    ) -> "Task[R]": ...
    def continue_with(
        self,
        continuation: "Callable[[Task[T_co]], Any]",
        cancellation_token: CancellationToken = CancellationToken.none,
    ) -> "Task[Any]":
        """Return a Task that calls `continuation` with this one when it has ended, in whichever way.

        What an async function gives back is awaited. Cancelling the continuation, as a
        task or through its token, leaves this task alone.
        """

        async def continued() -> Any:
            async with CancellationScope(cancellation_token):
                await asyncio.wait({self})
                outcome = continuation(self)
                return await outcome if inspect.isawaitable(outcome) else outcome

        return Task(continued(), loop=self.get_loop())


class _Joining(Coroutine[Any, Any, T_co]):
    """What `async def` cannot be: it hears of a cancellation that comes before its first step."""

    def __init__(self, task: Task[T_co]) -> None:
        self._task = task
        self._steps: Generator[Any, Any, T_co] = task.__await__()

    def __await__(self) -> Generator[Any, Any, T_co]:
        return self._steps

    def send(self, value: Any) -> Any:
        return self._steps.send(value)

    def throw(self, *exception: Any) -> Any:
        self._task.cancel()
        return self._steps.throw(*exception)

    def close(self) -> None:
        self._steps.close()
