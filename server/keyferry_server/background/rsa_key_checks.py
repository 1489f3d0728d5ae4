"""Checks of imported RSA keys, each in a process of its own (``crypto.rsa_key_check`` says why).

The key goes to the process through a pipe, never by its command line or environment,
and of our environment it gets what Python needs to start and nothing else. The
process ends with the check, and is ended with a call that gives up.
"""

import asyncio
import os
import sys
from asyncio.subprocess import DEVNULL, PIPE
from pathlib import Path

from keyferry_server.crypto.rsa_key_check import INVALID, MODULE, VALID
from keyferry_server.crypto.secret import Secret
from keyferry_server.domain.errors import KMSInternalException

_INHERITED = ("PATH", "LD_LIBRARY_PATH", "DYLD_LIBRARY_PATH", "PYTHONHOME", "PYTHONPATH")
_COMMAND = (sys.executable, "-P", "-m", MODULE)


class RsaKeyChecks:
    """Runs at most `at_once` checks at the same time; further ones wait."""

    def __init__(self, at_once: int) -> None:
        self._places = asyncio.Semaphore(at_once)

    async def is_valid(self, private_key: Secret) -> bool:
        """Tell whether the key is what it should be; KMSInternalException if the check itself fails."""
        async with self._places:
            exit_code = await _run(private_key)
        if exit_code not in {VALID, INVALID}:
            raise KMSInternalException(f"An imported RSA key could not be checked: exit code {exit_code}.")
        return exit_code == VALID


async def _run(private_key: Secret) -> int | None:
    process = await asyncio.create_subprocess_exec(
        *_COMMAND,
        stdin=PIPE,
        stdout=DEVNULL,
        stderr=DEVNULL,
        env={name: os.environ[name] for name in _INHERITED if name in os.environ},
        cwd=Path("/"),
        # Ctrl-C in a terminal reaches its whole group: only we are to hear it.
        start_new_session=True,
    )
    try:
        await process.communicate(private_key.reveal())
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()
    return process.returncode
