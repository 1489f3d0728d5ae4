"""Cancellation as .NET has it: a source cancels, and its token tells everybody who was given it.

::

    with CancellationTokenSource() as source:
        task = client.import_key_material_async(request, source.token)
        ...                                  # any thread: source.cancel()
        await task                           # OperationCanceledError, which carries source.token

Rules, whichever threads take part:

1. A source is cancelled once; every further `cancel` does nothing.
2. A callback runs exactly once, in the thread that cancels, or at once in the thread
   that registers it too late; the last registered runs first.
3. A callback whose `unregister` returned True never runs.
4. What one callback raises stops no other. `cancel` raises all of it as one group.

There is no lock: whoever takes a callback out of the dictionary runs it, and taking
out is atomic. So all of this may be called from a signal handler, too.
"""

import itertools
import threading
from collections.abc import Callable
from contextlib import suppress
from datetime import timedelta
from types import TracebackType
from typing import ClassVar, Self


class OperationCanceledError(Exception):
    """The operation was cancelled through its cancellation token.

    Not an asyncio.CancelledError, which says that the task around it was cancelled,
    and no KeyferryError: nothing has failed.
    """

    def __init__(self, cancellation_token: "CancellationToken") -> None:
        super().__init__("The operation was canceled.")
        self.cancellation_token = cancellation_token


class CancellationToken:
    """Receives notice of cancellation. Get it from a CancellationTokenSource."""

    none: ClassVar["CancellationToken"]
    """A token that is never cancelled."""

    __slots__ = ("_source",)

    def __init__(self, source: "CancellationTokenSource | None" = None) -> None:
        self._source = source

    @property
    def is_cancellation_requested(self) -> bool:
        """Whether the source was cancelled."""
        return self._source is not None and self._source.is_cancellation_requested

    @property
    def can_be_canceled(self) -> bool:
        """Whether there is a source that may cancel."""
        return self._source is not None

    def throw_if_cancellation_requested(self) -> None:
        """Raise OperationCanceledError if the source was cancelled."""
        if self.is_cancellation_requested:
            raise OperationCanceledError(self)

    def register(self, callback: Callable[[], object]) -> "CancellationTokenRegistration":
        """Have `callback` run when the source is cancelled: at once, here, if it is cancelled already."""
        registration = CancellationTokenRegistration(self, callback)
        if self._source is not None:
            self._source._add(registration)  # noqa: SLF001 -- a token is its source's other face
        return registration

    def __repr__(self) -> str:
        if self._source is None:
            return "<CancellationToken none>"
        return f"<CancellationToken {'canceled' if self.is_cancellation_requested else 'not canceled'}>"


CancellationToken.none = CancellationToken()


class CancellationTokenRegistration:
    """A callback that waits for a cancellation. As a context manager it ends with the block."""

    __slots__ = ("_callback", "_has_ended", "_number", "_owner", "_thread", "token")

    def __init__(self, token: CancellationToken, callback: Callable[[], object]) -> None:
        self.token = token
        self._callback = callback
        self._owner: CancellationTokenSource | None = None
        self._number = 0
        self._thread: int | None = None
        self._has_ended = threading.Event()

    def unregister(self) -> bool:
        """Take the callback back. True if it will never run; False if it runs, has run or was taken back before."""
        return self._owner is not None and self._owner._remove(self._number)  # noqa: SLF001 -- its other half

    def close(self) -> None:
        """Take the callback back; if another thread is running it, wait until it has ended."""
        if self._owner is None or self.unregister() or self._thread == threading.get_ident():
            return
        self._has_ended.wait()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        exception_type: type[BaseException] | None,
        exception: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()

    def _belong_to(self, source: "CancellationTokenSource", number: int) -> None:
        self._owner, self._number = source, number

    def _run(self) -> None:
        self._thread = threading.get_ident()
        try:
            self._callback()
        finally:
            self._has_ended.set()


class CancellationTokenSource:
    """Cancels its `token`, from any thread, now or later (`cancel_after`, in seconds).

    Close it, or use it as a context manager, to stop its timer and to let go of the
    tokens that it is linked to. A closed source cancels nothing any more.
    """

    def __init__(self, *, cancel_after: float | timedelta | None = None) -> None:
        self._token = CancellationToken(self)
        self._is_cancelled = False
        self._is_closed = False
        self._unclaimed = [True]
        self._numbers = itertools.count()
        self._registrations: dict[int, CancellationTokenRegistration] = {}
        self._links: list[CancellationTokenRegistration] = []
        self._timers: dict[int, threading.Timer] = {}
        self._timer_number: int | None = None
        self.cancel_after(cancel_after)

    @classmethod
    def create_linked_token_source(cls, *tokens: CancellationToken) -> Self:
        """Return a source that is cancelled when any of `tokens` is, and that can be cancelled by itself."""
        linked = cls()
        linked._links = [token.register(linked.cancel) for token in tokens if token.can_be_canceled]
        return linked

    @property
    def token(self) -> CancellationToken:
        """What to hand to the operations that this source shall cancel."""
        return self._token

    @property
    def is_cancellation_requested(self) -> bool:
        """Whether `cancel` was called, by anyone."""
        return self._is_cancelled

    def cancel(self) -> None:
        """Cancel, and run the registered callbacks here; an exception group of what they raise."""
        if self._is_closed:
            return
        self._is_cancelled = True
        try:
            self._unclaimed.pop()
        except IndexError:
            return
        self._disarm()
        failures: list[BaseException] = []
        with suppress(KeyError):
            while True:
                _, registration = self._registrations.popitem()
                try:
                    registration._run()  # noqa: SLF001 -- its other half
                except BaseException as failure:  # noqa: BLE001 -- raised below, when all have run
                    failures.append(failure)
        if failures:
            raise BaseExceptionGroup("callbacks of a cancellation failed", failures)

    def cancel_after(self, seconds: float | timedelta | None) -> None:
        """Cancel in `seconds`, instead of at the time that was set before; None: not by itself.

        The callbacks then run in the timer's thread, and what they raise goes to `threading.excepthook`.
        """
        if isinstance(seconds, timedelta):
            seconds = seconds.total_seconds()
        if seconds is not None and not 0 <= seconds <= threading.TIMEOUT_MAX:
            raise ValueError(f"a source cancels in 0 seconds or more, not in {seconds}")
        self._disarm()
        if seconds is None or self._is_closed or self._is_cancelled:
            return
        self._timer_number = number = next(self._numbers)
        timer = threading.Timer(seconds, self._go_off, [number])
        timer.daemon = True
        self._timers[number] = timer
        timer.start()

    def try_reset(self) -> bool:
        """Make the source as good as new for another operation. False if it was cancelled, is linked or closed.

        Everything registered is forgotten, and it no longer cancels by itself.
        """
        if self._is_cancelled or self._is_closed or self._links or not self._disarm():
            return False
        self._registrations.clear()
        return not self._is_cancelled

    def close(self) -> None:
        """Stop the timer, forget all callbacks, let go of linked tokens. A token that was cancelled stays so."""
        self._is_closed = True
        self._disarm()
        for link in self._links:
            link.unregister()
        self._registrations.clear()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        exception_type: type[BaseException] | None,
        exception: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()

    def _add(self, registration: CancellationTokenRegistration) -> None:
        number = next(self._numbers)
        registration._belong_to(self, number)  # noqa: SLF001 -- its other half
        # Into the dictionary first, then the look at the flag: `cancel` does it the other
        # way round, so one of the two finds it, and taking it out decides which.
        self._registrations[number] = registration
        if self._is_cancelled and self._remove(number):
            registration._run()  # noqa: SLF001 -- as above

    def _remove(self, number: int) -> bool:
        return self._registrations.pop(number, None) is not None

    def _disarm(self) -> bool:
        """Stop the timer. False if it is going off at this moment."""
        number, self._timer_number = self._timer_number, None
        if number is None:
            return True
        timer = self._timers.pop(number, None)
        if timer is None:
            return False
        timer.cancel()
        return True

    def _go_off(self, number: int) -> None:
        if self._timers.pop(number, None) is not None:
            self.cancel()
