"""The buckets of rate limits: what each principal has left, for all servers together."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta

from sqlalchemy import bindparam, delete, func, select, tuple_, update
from sqlalchemy.dialects import postgresql

from keyferry_server.domain.rate_limit import RateLimit
from keyferry_server.storage.database import Database, Transaction
from keyferry_server.storage.tables import rate_limits, replicas

# The principal's ARN, and the limit.
BucketKey = tuple[str, RateLimit]

# Full long before, so that its row says nothing any more.
_FORGOTTEN_AFTER = timedelta(hours=1)

_ALIVE = select(func.count()).select_from(replicas).where(replicas.c.alive_until > func.clock_timestamp())


@dataclass(frozen=True, slots=True)
class Settlement:
    """What is left in each bucket, and how many servers share it."""

    tokens: Mapping[BucketKey, float]
    servers: int


@dataclass(frozen=True, slots=True)
class RateLimitStore:
    """Settles what was spent."""

    database: Database

    async def settle(self, spent: Mapping[BucketKey, float]) -> Settlement:
        """Take what was spent out of the buckets, in one short transaction; buckets that are new are full."""
        # In one order, so that two servers never wait for each other.
        by_name = {(arn, limit.name): (arn, limit) for arn, limit in sorted(spent, key=_order)}
        now = func.clock_timestamp()
        age = func.extract("epoch", now - rate_limits.c.refilled_at)
        which = tuple_(rate_limits.c.principal, rate_limits.c.name).in_(list(by_name))
        add = postgresql.insert(rate_limits).on_conflict_do_nothing()
        read = (
            select(rate_limits.c.principal, rate_limits.c.name, rate_limits.c.tokens, age)
            .where(which)
            .order_by(rate_limits.c.principal, rate_limits.c.name)
            .with_for_update()
        )
        write = (
            update(rate_limits)
            .where(rate_limits.c.principal == bindparam("of"), rate_limits.c.name == bindparam("in"))
            .values(tokens=bindparam("left"), refilled_at=now)
        )

        async def settle(transaction: Transaction) -> Settlement:
            connection = transaction.connection
            rows = (await connection.execute(read)).all()
            if len(rows) < len(by_name):
                found = {(row[0], row[1]) for row in rows}
                full = [
                    {"principal": arn, "name": name, "tokens": limit.burst, "refilled_at": now}
                    for (arn, name), (_, limit) in by_name.items()
                    if (arn, name) not in found
                ]
                await connection.execute(add.values(full))
                rows = (await connection.execute(read)).all()
            left: dict[BucketKey, float] = {}
            for arn, name, tokens, seconds in rows:
                key = by_name[arn, name]
                left[key] = key[1].after(tokens, float(seconds), spent[key])
            await connection.execute(
                write,
                [{"of": arn, "in": limit.name, "left": tokens} for (arn, limit), tokens in left.items()],
            )
            return Settlement(left, (await connection.execute(_ALIVE)).scalar_one())

        return await self.database.transact(settle)

    async def servers(self) -> int:
        """Return how many servers run."""

        async def read(transaction: Transaction) -> int:
            return (await transaction.connection.execute(_ALIVE)).scalar_one()

        return await self.database.run(read)

    async def forget(self) -> None:
        """Delete the buckets that nobody has taken from for an hour."""

        async def write(transaction: Transaction) -> None:
            # Not those that are being settled: the two would lock them in different orders.
            idle = (
                select(rate_limits.c.principal, rate_limits.c.name)
                .where(rate_limits.c.refilled_at < func.clock_timestamp() - _FORGOTTEN_AFTER)
                .with_for_update(skip_locked=True)
            )
            await transaction.connection.execute(
                delete(rate_limits).where(tuple_(rate_limits.c.principal, rate_limits.c.name).in_(idle))
            )

        await self.database.run(write)


def _order(key: BucketKey) -> tuple[str, str]:
    return key[0], key[1].name
