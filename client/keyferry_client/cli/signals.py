"""SIGTERM and SIGHUP end the command as Ctrl-C does, so that what it has begun is cleaned up.

1. The first of them does what Ctrl-C does, and the exit code is 128 and its number.
2. Further ones change nothing: a terminal that closes sends more than one.
3. Cleaning up may have to wait for a file that cannot be read to its end, such as a pipe
   on which nothing comes. After `longest_seconds` unfinished files are removed and the
   process ends as it is.

A signal that was ignored when the command began, as `nohup` does it, stays so.
"""

import os
import signal
import threading
from types import FrameType

from keyferry_client.atomic_file import remove_unfinished_files

# Longer than the clean-up after an interrupted `keys create`.
_LONGEST_SECONDS = 15.0

_ENDING = [one for one in signal.Signals if one.name in {"SIGTERM", "SIGHUP"}]
_received: list[signal.Signals] = []


def end_in_order(longest_seconds: float = _LONGEST_SECONDS) -> None:
    """From here on let the signals raise KeyboardInterrupt, in an event loop as asyncio does it."""

    def interrupt(number: int, frame: FrameType | None) -> None:
        if _received:
            return
        _received.append(signal.Signals(number))
        giving_up = threading.Timer(longest_seconds, _give_up)
        giving_up.daemon = True
        giving_up.start()
        on_ctrl_c = signal.getsignal(signal.SIGINT)
        # Ignored for example in the background of a script.
        (on_ctrl_c if callable(on_ctrl_c) else signal.default_int_handler)(signal.SIGINT, frame)

    for one in _ENDING:
        if signal.getsignal(one) is signal.SIG_DFL:
            signal.signal(one, interrupt)


def received() -> signal.Signals | None:
    """Return what ended the command, None if it was Ctrl-C."""
    return _received[0] if _received else None


def exit_code() -> int:
    """Return the exit code of an interrupted command."""
    return 128 + (received() or signal.SIGINT)


def _give_up() -> None:
    remove_unfinished_files()
    os._exit(exit_code())
