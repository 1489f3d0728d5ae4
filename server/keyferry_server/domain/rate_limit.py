"""Rate limits: so many calls a second for each principal, over all servers together.

Each limit is a bucket of tokens in the database. It holds one second's worth (at least
one token), refills steadily, and a call takes one token. Servers do not ask it for each
call; they spend first and settle a tenth of a second later:

1. A server may spend its share: what is in the bucket, divided by the servers that run.
2. What it spent it settles, all its principals in one go, and learns what is left for
   its next share. What was spent is always settled, so a bucket can be overdrawn, and
   then nobody has a share until it has refilled.
3. A server that cannot settle refills its own share, at its part of the rate.

So over a long time no principal gets more than its limit. In any one window of T seconds
it gets at most limit * T and two full buckets, and one call more for each server; for a few
seconds after servers were added, until the others have counted them, a bucket more. A
principal that calls one server alone gets all of its limit as long as no more than ten
servers run; with N of them, ten Nths.
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass

ANY_OPERATION = "*"
ROUND_SECONDS = 0.1
_BURST_SECONDS = 1.0


@dataclass(frozen=True, slots=True)
class RateLimit:
    """One limit: an operation's name, or * for all that have none of their own, and calls a second."""

    name: str
    per_second: float

    @property
    def burst(self) -> float:
        """How many tokens a full bucket holds."""
        return max(1.0, self.per_second * _BURST_SECONDS)

    def after(self, tokens: float, seconds: float, spent: float) -> float:
        """Return what is in a bucket that had `tokens`, once it has refilled for a while and `spent` is settled."""
        return min(self.burst, tokens + max(0.0, seconds) * self.per_second) - spent

    def share(self, tokens: float, servers: int) -> float:
        """Return how many calls one of so many servers may let through before it settles again.

        One, if there is one in the bucket: else nobody could use a small limit.
        """
        return 0.0 if tokens < 1 else max(1.0, tokens / max(1, servers))


@dataclass(frozen=True, slots=True)
class RateLimits:
    """All limits by their names."""

    limits: Mapping[str, RateLimit]

    @classmethod
    def parse(cls, text: str) -> "RateLimits":
        """Parse `*=500,GetParametersForImport=1`; ValueError says what is wrong."""
        limits: dict[str, RateLimit] = {}
        for part in text.split(","):
            name, _, number = (one.strip() for one in part.partition("="))
            if not (name == ANY_OPERATION or (name.isascii() and name.isalpha())) or name in limits:
                raise ValueError(
                    f"expected OPERATION=CALLS-A-SECOND, with commas between them, each once, and * for all others, "
                    f"as in *=500,GetParametersForImport=1, not {part!r}"
                )
            limits[name] = RateLimit(name, _positive(number, part))
        return cls(limits)

    def __str__(self) -> str:
        """Return what `parse` reads."""
        return ",".join(f"{limit.name}={limit.per_second!r}" for limit in self.limits.values())

    def of(self, operation: str) -> RateLimit | None:
        """Return the limit that an operation counts against, if there is one."""
        return self.limits.get(operation) or self.limits.get(ANY_OPERATION)

    def unknown(self, operations: Collection[str]) -> list[str]:
        """Return the names that are no operation."""
        return sorted(self.limits.keys() - {ANY_OPERATION} - set(operations))


def _positive(number: str, part: str) -> float:
    try:
        per_second = float(number)
    except ValueError:
        per_second = 0.0
    if not 0 < per_second < float("inf"):
        raise ValueError(f"{part!r} does not say how many calls a second: expected a number above 0")
    return per_second
