"""An operation that takes its time, and tells what became of it."""

import asyncio
from typing import Any

from keyferry.v1 import DescribeKeyResponse, KeyMetadata

ANSWER = DescribeKeyResponse(key_metadata=KeyMetadata(key_id="the key"))


class Waiting:
    """Answers only when `release` is set, counts its calls, and tells how it ended."""

    def __init__(self) -> None:
        self.has_begun = asyncio.Event()
        self.has_ended = asyncio.Event()
        self.release = asyncio.Event()
        self.was_cancelled = False
        self.calls = 0

    async def describe(self, _request: Any, _context: Any) -> DescribeKeyResponse:
        self.calls += 1
        self.has_begun.set()
        try:
            await self.release.wait()
        except asyncio.CancelledError:
            self.was_cancelled = True
            raise
        finally:
            self.has_ended.set()
        return ANSWER
