"""Ends a call before its caller gives up, so that the caller still learns what happened.

A timer costs more than most operations that use a key from memory. Those never wait
for anything, so no timer could interrupt them. So an operation runs first, and gets
its timer when it begins to wait.
"""

import asyncio
from collections.abc import Coroutine, Generator
from typing import Any, cast

from google.protobuf.message import Message

from keyferry_server.call import Call, Handler
from keyferry_server.domain.errors import DependencyTimeoutException


async def enforce_deadline(request: Message, call: Call, proceed: Handler) -> Message:
    """Cancel the operation at the call's deadline and answer DependencyTimeoutException."""
    running = cast("Coroutine[Any, None, Message]", proceed(request, call))
    try:
        waits_for = running.send(None)
    except StopIteration as done:
        return cast("Message", done.value)
    try:
        async with asyncio.timeout_at(call.deadline):
            return await _Rest(running, waits_for)
    except TimeoutError:
        raise DependencyTimeoutException(
            "The system timed out while trying to fulfill the request. The request may be retried."
        ) from None


class _Rest:
    """What is left of a coroutine that was begun and waits for something; awaiting it is awaiting the coroutine."""

    def __init__(self, running: Coroutine[Any, None, Message], waits_for: Any) -> None:
        self._running = running
        self._waits_for = waits_for

    def __await__(self) -> Generator[Any, None, Message]:
        waits_for = self._waits_for
        while True:
            try:
                try:
                    yield waits_for
                except BaseException as error:  # noqa: BLE001 -- whatever it is, it is the coroutine's
                    waits_for = self._running.throw(error)
                else:
                    waits_for = self._running.send(None)
            except StopIteration as done:
                return cast("Message", done.value)
