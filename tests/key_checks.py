"""The processes that check imported RSA keys, as the operating system sees them."""

import asyncio

import psutil  # type: ignore[import-untyped]

from keyferry_server.crypto.rsa_key_check import MODULE


def checking() -> list[psutil.Process]:
    """Return our processes that check a key at this moment."""
    return [one for one in psutil.Process().children() if MODULE in _command(one)]


async def until_checking(count: int) -> list[psutil.Process]:
    """Wait until as many processes check keys."""
    async with asyncio.timeout(30):
        while len(found := checking()) < count:  # noqa: ASYNC110 -- a process does not announce itself
            await asyncio.sleep(0.001)
    return found


def _command(process: psutil.Process) -> list[str]:
    try:
        return list(process.cmdline())
    except (psutil.NoSuchProcess, psutil.ZombieProcess):
        return []
