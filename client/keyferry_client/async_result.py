"""What begin_<operation> returns and end_<operation> takes: .NET's IAsyncResult."""

import threading
from collections.abc import Callable
from typing import Generic, TypeVar

T_co = TypeVar("T_co", covariant=True)


class WaitHandle:
    """Becomes signaled once, and stays so."""

    def __init__(self, event: threading.Event) -> None:
        self._event = event

    def wait_one(self, seconds: float | None = None) -> bool:
        """Wait until it is signaled, at most `seconds`; return whether it is."""
        return self._event.wait(seconds)


class AsyncResult(Generic[T_co]):
    """An operation that was begun. `async_state` is what the caller gave to begin."""

    def __init__(self, has_ended: threading.Event, async_state: object) -> None:
        self.async_state = async_state
        self._has_ended = has_ended

    @property
    def is_completed(self) -> bool:
        """Whether the operation has ended, in whichever way."""
        return self._has_ended.is_set()

    @property
    def completed_synchronously(self) -> bool:
        """Whether it had ended when begin returned: never, because it always runs in another thread."""
        return False

    @property
    def async_wait_handle(self) -> WaitHandle:
        """Signaled when the operation has ended, before the callback is called."""
        return WaitHandle(self._has_ended)


AsyncCallback = Callable[[AsyncResult[T_co]], object]
