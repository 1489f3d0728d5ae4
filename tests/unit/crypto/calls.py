"""Which built-in functions a piece of our code calls: for steps that leave no trace in the result."""

import sys
from collections.abc import Callable
from types import FrameType
from typing import Any


def built_ins_called(action: Callable[[], object], *names: str) -> list[str]:
    """Return, in order, the calls of built-in functions with one of `names` while `action` runs."""
    called: list[str] = []

    def note(_frame: FrameType, event: str, function: Any) -> None:
        if event == "c_call" and function.__name__ in names:
            called.append(function.__name__)

    previous = sys.getprofile()
    sys.setprofile(note)
    try:
        action()
    finally:
        sys.setprofile(previous)
    return called
