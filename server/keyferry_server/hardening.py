"""Keeps other processes of the same user out of this one's memory, where keys are.

1. No core dumps (RLIMIT_CORE): a crash does not write keys to a disk.
2. On Linux not dumpable (PR_SET_DUMPABLE): no debugger of the same user can attach, and
   /proc/PID/mem and its like belong to root. Root itself is not kept out by anything.
"""

import ctypes
import os
import resource
import sys

_PR_SET_DUMPABLE = 4


def harden_process() -> None:
    """Do both, for this process and those that it forks; OSError if the system refuses."""
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    if sys.platform != "linux":
        return
    prctl = ctypes.CDLL(None, use_errno=True).prctl
    prctl.argtypes = [ctypes.c_int] + [ctypes.c_ulong] * 4
    if prctl(_PR_SET_DUMPABLE, 0, 0, 0, 0) != 0:
        number = ctypes.get_errno()
        raise OSError(number, f"this process cannot be closed to debuggers: {os.strerror(number)}")
