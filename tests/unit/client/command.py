"""The real `keyferry` command as a process, beside the service that runs in the test's loop."""

import asyncio
import json
import os
import sys
from asyncio.subprocess import PIPE, Process
from dataclasses import dataclass
from typing import Any

PATIENCE_SECONDS = 60


@dataclass(frozen=True)
class Outcome:
    """How the command ended and what it wrote."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        assert self.code == 0, self.err
        return json.loads(self.out)


async def start(*arguments: object, **environment: str) -> Process:
    clean = {name: value for name, value in os.environ.items() if not name.startswith("KEYFERRY_")}
    command = [sys.executable, "-m", "keyferry_client", *map(str, arguments)]
    return await asyncio.create_subprocess_exec(
        *command, stdin=PIPE, stdout=PIPE, stderr=PIPE, env={**clean, **environment}
    )


async def end(process: Process, stdin: bytes = b"") -> Outcome:
    async with asyncio.timeout(PATIENCE_SECONDS):
        out, err = await process.communicate(stdin)
    assert process.returncode is not None
    return Outcome(process.returncode, out.decode(), err.decode())


async def keyferry(*arguments: object, stdin: bytes = b"", **environment: str) -> Outcome:
    """Run the command to its end."""
    return await end(await start(*arguments, **environment), stdin)
