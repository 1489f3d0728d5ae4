"""Runs commands of the server in forks of one process that has imported it: the import takes most of a command's time.

Each command is a process of its own, with its own arguments, environment, files,
exit code; only the import is shared. `forking_program` is what runs in that process.
"""

import asyncio
import json
import os
import signal
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from fixtures.processes import Finished, arguments

_LONGEST_SECONDS = 60


class CommandForks:
    """The process that forks; it is started with the first command."""

    def __init__(self) -> None:
        self._process: subprocess.Popen[str] | None = None

    async def run(
        self,
        *command: str,
        environment: Mapping[str, str] | None = None,
        kill_at: int | None = None,
        **options: str,
    ) -> Finished:
        """Run a command to its end as `run_command` does, or kill it at its Nth step."""
        request = {
            "arguments": [*command, *arguments(options)],
            "environment": dict(environment or {}),
            "kill_at": kill_at,
        }
        async with asyncio.timeout(_LONGEST_SECONDS):
            return await asyncio.to_thread(self._ask, request)

    def close(self) -> None:
        if self._process is not None:
            with self._process:
                # Its group: a command that never ends is in it too.
                os.killpg(self._process.pid, signal.SIGKILL)

    def _ask(self, request: dict[str, Any]) -> Finished:
        if self._process is None:
            environment = {
                name: value
                for name, value in os.environ.items()
                if not name.startswith(("KEYFERRY_", "GRPC_"))
            }
            self._process = subprocess.Popen(
                [sys.executable, Path(__file__).with_name("forking_program.py")],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                env=environment,
                start_new_session=True,
                text=True,
            )
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        print(json.dumps(request), file=self._process.stdin, flush=True)
        return Finished(**json.loads(self._process.stdout.readline()))
