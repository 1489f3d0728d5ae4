"""The way from other threads into the event loop that a client belongs to."""

import asyncio
import os
import threading
from collections.abc import Callable
from concurrent.futures import Future
from typing import TypeVar

from keyferry_client.errors import ClientClosedError

T = TypeVar("T")


class OtherLoop:
    """An event loop that runs in another thread."""

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self._loop = loop

    def schedule(self, function: Callable[[], object]) -> None:
        """Have `function` called in the loop, soon. ClientClosedError if the loop has ended."""
        if _is_running_here(self._loop):
            raise RuntimeError(
                "this would block the event loop that has to answer: await the operation's _async method instead"
            )
        try:
            self._loop.call_soon_threadsafe(function)
        except RuntimeError:
            raise ClientClosedError("The client's event loop has ended.") from None

    def call(self, function: Callable[[], T]) -> T:
        """Call `function` in the loop and return what it returns."""
        outcome: Future[T] = Future()

        def call() -> None:
            try:
                outcome.set_result(function())
            except BaseException as failure:  # noqa: BLE001 -- raised in the thread that asked
                outcome.set_exception(failure)

        self.schedule(call)
        return outcome.result()


_lock = threading.Lock()
_loop_of_the_process: list[OtherLoop] = []


def loop_of_the_process() -> OtherLoop:
    """Return the loop for all clients of threads that have none. It starts once and runs to the end of the process.

    Not one for each client: gRPC hands its events to whichever loop wakes up first, and
    a loop that is closed meanwhile takes them to its grave.
    """
    with _lock:
        if not _loop_of_the_process:
            loop = asyncio.new_event_loop()
            threading.Thread(target=loop.run_forever, name="keyferry-loop", daemon=True).start()
            _loop_of_the_process.append(OtherLoop(loop))
        return _loop_of_the_process[0]


def _forget() -> None:
    """Begin anew in the child of a fork, which has the loop, but not its thread."""
    global _lock  # noqa: PLW0603 -- another thread of the parent may have held it
    _lock = threading.Lock()
    _loop_of_the_process.clear()


os.register_at_fork(after_in_child=_forget)


def _is_running_here(loop: asyncio.AbstractEventLoop) -> bool:
    try:
        return asyncio.get_running_loop() is loop
    except RuntimeError:
        return False
