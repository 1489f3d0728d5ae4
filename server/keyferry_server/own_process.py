"""What the system says of this process, also of a hardened one: its age and its memory."""

import os
import time
from pathlib import Path

# Fields of /proc/PID/stat after the name, which ends with a parenthesis and may hold anything.
_STAT, _START_TIME, _RESIDENT_PAGES = Path("/proc/self/stat"), 19, 21


def own_figures() -> dict[str, float]:
    """Return `seconds_to_start` and `resident_mib`; nothing where there is no such file."""
    try:
        fields = _STAT.read_text().rpartition(")")[2].split()
    except OSError:
        return {}
    started = int(fields[_START_TIME]) / os.sysconf("SC_CLK_TCK")
    resident = int(fields[_RESIDENT_PAGES]) * os.sysconf("SC_PAGE_SIZE")
    return {
        "seconds_to_start": round(time.clock_gettime(time.CLOCK_BOOTTIME) - started, 2),
        "resident_mib": round(resident / 2**20, 1),
    }
