"""Stops at every await of a piece of asynchronous work, also at those inside the tasks that it starts.

A step ends where a task of the work gives way to the event loop, and where it
ends. Work is run again and again, and each time another step is the last one
before its caller cancels it, or before something else happens in between.
"""

import asyncio
import types
from collections.abc import Awaitable, Callable, Coroutine, Generator
from contextvars import ContextVar
from functools import partial
from typing import Any, TypeVar

T = TypeVar("T")

_watched: ContextVar["_Steps | None"] = ContextVar("watched", default=None)


class _Steps:
    def __init__(self, cancel_at: int, turns: int) -> None:
        self.count = 0
        self.task: asyncio.Task[Any] | None = None
        self._cancel_at = cancel_at
        self._turns = turns

    def end_one(self) -> None:
        self.count += 1
        if self.count == self._cancel_at:
            self._cancel_after(self._turns)

    def _cancel_after(self, turns: int) -> None:
        if turns:
            asyncio.get_running_loop().call_soon(self._cancel_after, turns - 1)
        elif self.task is not None:
            self.task.cancel()


async def cancelled_at_step(
    work: Coroutine[Any, Any, T], step: int, turns: int = 0, *, inner: bool = True
) -> tuple[T | None, int]:
    """Run `work` and cancel it at the end of a step, or `turns` turns of the event loop later.

    Return its result, None if it was cancelled, and how many steps it took.
    `inner` counts the steps of the tasks that it starts as well. Step 0 never comes.
    """
    steps = _Steps(step, turns)
    loop = asyncio.get_running_loop()
    before = loop.get_task_factory()
    if inner:
        loop.set_task_factory(_watching)
    token = _watched.set(steps)
    try:
        steps.task = asyncio.create_task(work) if inner else asyncio.create_task(_in_steps(work, steps))
    finally:
        _watched.reset(token)
    try:
        await asyncio.wait({steps.task})
        return (None if steps.task.cancelled() else steps.task.result()), steps.count
    finally:
        loop.set_task_factory(before)


async def interrupted_after_step(
    work: Coroutine[Any, Any, T], step: int, event: Callable[[], Awaitable[object]]
) -> T:
    """Run `work`; once it has the answer that it awaits at the end of a step, let `event` happen, and only then go on.

    Steps are those of the work itself, not of tasks that it starts.
    """
    return await _interrupted(work, step, event)


def _watching(
    loop: asyncio.AbstractEventLoop, coroutine: Coroutine[Any, Any, T], **options: Any
) -> asyncio.Task[T]:
    steps = _watched.get()
    return asyncio.Task(coroutine if steps is None else _in_steps(coroutine, steps), loop=loop, **options)


async def _in_steps(coroutine: Coroutine[Any, Any, T], steps: _Steps) -> T:
    return await _stepped(coroutine, steps.end_one)


@types.coroutine
def _stepped(coroutine: Coroutine[Any, Any, T], end_one: Callable[[], None]) -> Generator[Any, Any, T]:
    """Do what `await coroutine` does, and call `end_one` at the end of each step."""
    go_on: Callable[[], Any] = partial(coroutine.send, None)
    while True:
        try:
            awaited = go_on()
        except StopIteration as end:
            end_one()
            return end.value
        end_one()
        try:
            value = yield awaited
        except BaseException as error:  # noqa: BLE001 -- it is passed on to the coroutine
            go_on = partial(coroutine.throw, error)
        else:
            go_on = partial(coroutine.send, value)


@types.coroutine
def _interrupted(
    coroutine: Coroutine[Any, Any, T], step: int, event: Callable[[], Awaitable[object]]
) -> Generator[Any, Any, T]:
    count = 0
    go_on: Callable[[], Any] = partial(coroutine.send, None)
    while True:
        try:
            awaited = go_on()
        except StopIteration as end:
            assert count >= step, f"the work ended with step {count + 1}"
            return end.value
        count += 1
        go_on = partial(coroutine.send, (yield awaited))
        if count == step:
            yield from event().__await__()
