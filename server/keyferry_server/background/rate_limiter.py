"""This server's part in the rate limits: it spends its share, and settles regularly (``domain.rate_limit``)."""

import asyncio
import time
from collections.abc import Callable
from dataclasses import dataclass

import structlog

from keyferry_server.domain.errors import DependencyTimeoutException, ThrottlingException
from keyferry_server.domain.rate_limit import ROUND_SECONDS, RateLimit, RateLimits
from keyferry_server.storage.rate_limit_store import BucketKey, RateLimitStore

_IDLE_SECONDS = 60.0
# Who has not settled for so long refills its own shares: also while it still waits for an answer.
_SILENCE_SECONDS = 5 * ROUND_SECONDS
_BETWEEN_COUNTS_SECONDS = 5.0
_BETWEEN_FORGETTING_SECONDS = 600.0

_log: structlog.stdlib.BoundLogger = structlog.get_logger()


@dataclass(slots=True)
class _Share:
    """What one principal may still do here under one limit, and what it did that is not settled yet."""

    left: float
    used_at: float
    refilled_at: float
    spent: int = 0
    is_wanted: bool = False


class RateLimiter:
    """Counts calls without waiting for anything; `run` settles."""

    def __init__(
        self, limits: RateLimits, store: RateLimitStore, now: Callable[[], float] = time.monotonic
    ) -> None:
        """`now` is in seconds and never goes back."""
        self._limits = limits
        self._store = store
        self._now = now
        self._shares: dict[BucketKey, _Share] = {}
        self._servers = 1
        self._settled_at = now()
        self._is_settling = True

    def take(self, principal: str, operation: str) -> None:
        """Count one call; ThrottlingException if the principal has none left."""
        limit = self._limits.of(operation)
        if limit is None:
            return
        now = self._now()
        share = self._shares.get((principal, limit))
        if share is None:
            # Nobody here has heard of it, so its bucket is most likely full. What it spends is settled all the same.
            share = _Share(limit.share(limit.burst, self._servers), now, now)
            self._shares[principal, limit] = share
        share.used_at = now
        if now - self._settled_at > _SILENCE_SECONDS:
            self._refill(share, limit, now)
        if share.left < 1:
            share.is_wanted = True
            raise ThrottlingException(
                "You have exceeded the rate at which you may call KMS. Reduce the frequency of your calls."
            )
        share.left -= 1
        share.spent += 1

    async def count_servers(self) -> None:
        """Learn among how many servers a bucket is shared; once before the first call, so that no share is too large."""
        if self._limits.limits:
            self._servers = max(1, await self._store.servers())

    async def settle(self) -> None:
        """Settle what was spent, and learn the next shares."""
        spent = {key: float(one.spent) for key, one in self._shares.items() if one.spent or one.is_wanted}
        if not spent:
            self._settled_at = self._now()
            return
        for key in spent:
            self._shares[key].spent = 0
        try:
            settlement = await self._store.settle(spent)
        except BaseException:
            for key, number in spent.items():
                self._shares[key].spent += int(number)
            raise
        self._servers = max(1, settlement.servers)
        self._settled_at = self._now()
        for key, tokens in settlement.tokens.items():
            share = self._shares[key]
            share.refilled_at = self._settled_at
            # Less what was spent while the database was asked.
            share.left = key[1].share(tokens, self._servers) - share.spent
            share.is_wanted = share.left < 1 and share.is_wanted

    async def run(self) -> None:
        """Settle in rounds, and drop what is idle; ends when cancelled."""
        counted_at = forgotten_at = self._now()
        while True:
            # Without limits there is nothing to do, ten times a second.
            await asyncio.sleep(ROUND_SECONDS if self._limits.limits else _BETWEEN_FORGETTING_SECONDS)
            try:
                await self.settle()
                if self._now() - counted_at > _BETWEEN_COUNTS_SECONDS:
                    counted_at = self._now()
                    await self.count_servers()
                if self._now() - forgotten_at > _BETWEEN_FORGETTING_SECONDS:
                    forgotten_at = self._now()
                    await self._store.forget()
                self._note(is_settling=True)
            except DependencyTimeoutException:
                self._note(is_settling=False)
            self._drop_idle()

    def _refill(self, share: _Share, limit: RateLimit, now: float) -> None:
        part = _part(limit, self._servers)
        share.left = min(part.burst, share.left + part.per_second * (now - share.refilled_at))
        share.refilled_at = now

    def _drop_idle(self) -> None:
        dead = [
            key
            for key, share in self._shares.items()
            if not share.spent and self._now() - share.used_at > _IDLE_SECONDS
        ]
        for key in dead:
            del self._shares[key]

    def _note(self, *, is_settling: bool) -> None:
        if is_settling != self._is_settling:
            self._is_settling = is_settling
            _log.warning(
                "rate limits are shared again"
                if is_settling
                else "rate limits are not shared: the database does not answer"
            )


def _part(limit: RateLimit, servers: int) -> RateLimit:
    return RateLimit(limit.name, limit.per_second / servers)
