"""How a thread without an event loop calls: the Task runs in the client's loop, the thread waits for it.

Nothing of an operation is written twice: a blocking method is the async one plus the
waiting (`blocking`), and begin and end are its two halves.
"""

import asyncio
import functools
import inspect
import threading
from collections.abc import Callable
from concurrent.futures import CancelledError, Future
from contextlib import suppress
from typing import Any, Concatenate, ParamSpec, TypeVar, get_args

from keyferry_client.async_result import AsyncCallback, AsyncResult
from keyferry_client.cancellation import CancellationToken
from keyferry_client.errors import ClientClosedError
from keyferry_client.importing import ImportingOperations
from keyferry_client.loop_thread import OtherLoop
from keyferry_client.rpc import Request, Response, Rpc
from keyferry_client.task import Task

P = ParamSpec("P")
T = TypeVar("T")

# A Ctrl-C that comes just before the thread falls asleep, or that the system gives to another
# thread, does not wake it: it is seen when the thread looks up again.
_LONGEST_SLEEP_SECONDS = 0.5


class BlockingCalls:
    """Calls `operations` in the loop that they belong to."""

    def __init__(self, operations: ImportingOperations, loop: OtherLoop) -> None:
        self._operations = operations
        self._loop = loop

    def _wait(self, start: Callable[[ImportingOperations], Task[T]]) -> T:
        outcome: Future[T] = Future()
        started: list[Task[T]] = []

        def follow() -> None:
            try:
                task = start(self._operations)
            except BaseException as failure:  # noqa: BLE001 -- raised in the thread that waits
                outcome.set_exception(failure)
            else:
                started.append(task)
                task.add_done_callback(functools.partial(_pass_on, outcome))

        try:
            self._loop.schedule(follow)
            return _result(outcome)
        finally:
            if not outcome.done():  # Ctrl-C, most likely: nobody waits any more
                with suppress(ClientClosedError):
                    self._loop.schedule(lambda: [task.cancel() for task in started])

    def _begin(
        self,
        rpc: Rpc[Request, Response],
        request: Request,
        callback: AsyncCallback[Response] | None,
        state: object,
    ) -> AsyncResult[Response]:
        begun: _Begun[Response] = _Begun(self, rpc, state)

        def end(task: asyncio.Task[Response]) -> None:
            _pass_on(begun.outcome, task)
            begun.complete(callback)

        def start() -> None:
            self._operations._start(rpc, request, {}, CancellationToken.none, None).add_done_callback(end)  # noqa: SLF001 -- its other face

        self._loop.call(start)
        return begun

    def _end(self, rpc: Rpc[Any, Response], async_result: AsyncResult[Response]) -> Response:
        if not isinstance(async_result, _Begun):
            raise TypeError(f"end_{rpc.snake_name} takes what begin_{rpc.snake_name} returned")
        begun: _Begun[Response] = async_result
        begun.claim(self, rpc)
        return _result(begun.outcome)


class _Begun(AsyncResult[T]):
    """An AsyncResult with what its client knows about it."""

    def __init__(self, owner: BlockingCalls, rpc: Rpc[Any, Any], async_state: object) -> None:
        self._has_ended = threading.Event()
        super().__init__(self._has_ended, async_state)
        self.outcome: Future[T] = Future()
        self._owner = owner
        self._rpc = rpc
        self._unclaimed = [True]

    def complete(self, callback: AsyncCallback[T] | None) -> None:
        """Signal the end, and call back in a thread of its own, which may block as long as it likes."""
        self._has_ended.set()
        if callback is not None:
            threading.Thread(target=callback, args=[self], name="keyferry-callback", daemon=True).start()

    def claim(self, owner: BlockingCalls, rpc: Rpc[Any, Any]) -> None:
        """Make sure that `owner` ends it by the right operation and for the first time."""
        begin, end = f"begin_{self._rpc.snake_name}", f"end_{rpc.snake_name}"
        if rpc is not self._rpc:
            raise ValueError(f"{end} was given a result of {begin}: end it with end_{self._rpc.snake_name}")
        if owner is not self._owner:
            raise ValueError(
                f"{end} was given a result of another client: end it with the client that began it"
            )
        try:
            self._unclaimed.pop()
        except IndexError:
            raise RuntimeError(f"{end} was called before with this result: a result is ended once") from None


def blocking(
    method: Callable[Concatenate[ImportingOperations, P], Task[T]],
) -> Callable[Concatenate[BlockingCalls, P], T]:
    """Return the method that does what `method` does, and returns when it is done."""

    def call(self: BlockingCalls, /, *args: P.args, **kwargs: P.kwargs) -> T:
        return self._wait(lambda operations: method(operations, *args, **kwargs))

    signature = inspect.signature(method)
    (result,) = get_args(signature.return_annotation)
    call.__name__ = method.__name__.removesuffix("_async")
    call.__qualname__ = f"BlockingOperations.{call.__name__}"
    call.__doc__ = method.__doc__
    call.__signature__ = signature.replace(return_annotation=result)  # type: ignore[attr-defined]  # inspect reads it
    return call


def _pass_on(outcome: Future[T], task: asyncio.Task[T]) -> None:
    if task.cancelled():
        outcome.cancel()
        return
    failure = task.exception()
    if failure is None:
        outcome.set_result(task.result())
    else:
        outcome.set_exception(failure)


def _result(outcome: Future[T]) -> T:
    try:
        while not outcome.done():
            with suppress(TimeoutError):
                outcome.exception(_LONGEST_SLEEP_SECONDS)
        return outcome.result()
    except CancelledError:
        raise ClientClosedError("The client's event loop ended during the call.") from None
