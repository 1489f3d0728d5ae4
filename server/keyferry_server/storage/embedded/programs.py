"""How Postgres's programs are run: as its user, apart from our terminal, without our environment."""

import os
from pathlib import Path
from typing import Any

from keyferry_server.storage.embedded.system_user import SystemUser

# No more than these: the environment may hold the root key, and PG… variables would change what Postgres does.
_INHERITED = ("PATH", "LD_LIBRARY_PATH", "DYLD_LIBRARY_PATH")


def process_arguments(user: SystemUser) -> dict[str, Any]:
    """Return the arguments of subprocess.Popen for a program of Postgres."""
    environment = {name: os.environ[name] for name in _INHERITED if name in os.environ}
    return {
        "env": environment | {"LC_ALL": "C", "TZ": "UTC"},
        # Our working folder may be closed to `user`.
        "cwd": Path("/"),
        # Ctrl-C in a terminal reaches its whole group: only we are to hear it, and end Postgres in order.
        "start_new_session": True,
        **user.process_arguments(),
    }
