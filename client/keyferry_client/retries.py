"""When a failed call is made again: only where that does no harm, later each time, and never past the deadline.

1. Only an operation that the contract calls free of side effects or idempotent.
2. Only after an error that may pass: the service could not be reached, or said that the
   same call may succeed later.
3. After a random wait of at most `first_wait_seconds`, which doubles each time up to
   `longest_wait_seconds`; not less than the service asked for.
4. Not if the deadline of the call would pass meanwhile: then the error is the answer.
"""

import random
from dataclasses import dataclass
from typing import Self

from keyferry_client.errors import KeyferryError


@dataclass(frozen=True, slots=True)
class RetryPolicy:
    """How often a call is made in all, and the bounds of the waits between."""

    attempts: int = 5
    first_wait_seconds: float = 0.1
    longest_wait_seconds: float = 3.0

    def __post_init__(self) -> None:
        if self.attempts < 1 or not 0 < self.first_wait_seconds <= self.longest_wait_seconds:
            raise ValueError("a call is made at least once, and waits are longer than nothing and in order")

    @classmethod
    def once(cls) -> Self:
        """Return the policy of those who make their calls again themselves."""
        return cls(attempts=1)

    def wait_seconds(self, attempt: int, error: KeyferryError) -> float | None:
        """Return how long to wait after the failed `attempt`, counted from 1; None: do not make another."""
        if attempt >= self.attempts or not error.retryable:
            return None
        longest = min(self.first_wait_seconds * 2 ** (attempt - 1), self.longest_wait_seconds)
        return max(random.uniform(0, longest), error.retry_after_seconds)  # noqa: S311 -- it spreads load, no secret
