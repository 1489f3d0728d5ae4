"""However calls are spread over servers, a principal gets its limit and no more than the bound that is stated."""

import random
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from keyferry_server.background.rate_limiter import RateLimiter
from keyferry_server.domain.errors import DependencyTimeoutException, ThrottlingException
from keyferry_server.domain.rate_limit import ROUND_SECONDS, RateLimit, RateLimits
from keyferry_server.storage.rate_limit_store import BucketKey, Settlement

ARN = "arn:aws:iam::000000000000:role/busy"


@dataclass
class Buckets:
    """The buckets of the database, on a clock that the test moves."""

    number: int
    now: float = 0.0
    is_down: bool = False
    settled: int = 0
    kept: dict[BucketKey, tuple[float, float]] = field(default_factory=dict)

    async def settle(self, spent: Mapping[BucketKey, float]) -> Settlement:
        if self.is_down:
            raise DependencyTimeoutException
        self.settled += 1
        left = {}
        for key, number in spent.items():
            tokens, at = self.kept.get(key, (key[1].burst, self.now))
            left[key] = key[1].after(tokens, self.now - at, number)
            self.kept[key] = left[key], self.now
        return Settlement(left, self.number)

    async def servers(self) -> int:
        return self.number

    async def forget(self) -> None: ...


class Servers:
    """Several servers, round by round."""

    def __init__(self, text: str, number: int) -> None:
        self.buckets = Buckets(number)
        limits = RateLimits.parse(text)
        self.limiters = [RateLimiter(limits, self.buckets, lambda: self.buckets.now) for _ in range(number)]  # type: ignore[arg-type]

    async def start(self) -> "Servers":
        for limiter in self.limiters:
            await limiter.count_servers()
        return self

    def call(self, server: int, principal: str = ARN, operation: str = "Encrypt") -> bool:
        try:
            self.limiters[server].take(principal, operation)
        except ThrottlingException:
            return False
        return True

    async def round(self) -> None:
        self.buckets.now += ROUND_SECONDS
        for limiter in self.limiters:
            with suppress(DependencyTimeoutException):
                await limiter.settle()
            limiter._drop_idle()


@settings(deadline=None, max_examples=25)
@given(
    per_second=st.sampled_from([0.5, 1, 3, 50, 1000]),
    number=st.integers(1, 8),
    seed=st.integers(0, 2**32),
    down=st.booleans(),
)
@example(per_second=50, number=3, seed=6871172, down=False)  # three servers that have just started
async def test_in_no_window_does_a_principal_get_more_than_the_bound(
    per_second: float,
    number: int,
    seed: int,
    down: bool,  # noqa: FBT001 -- drawn
) -> None:
    chance = random.Random(seed)
    servers = await Servers(f"*={per_second}", number).start()
    burst = RateLimit("*", per_second).burst
    taken: list[int] = []
    for _ in range(120):
        # Bursts, pauses, one server or all of them.
        tries = chance.choice([0, 0, 1, 3, int(per_second), int(per_second * 3)])
        where = chance.choice([[0], list(range(number))])
        taken.append(sum(servers.call(chance.choice(where)) for _ in range(tries)))
        servers.buckets.is_down = down and chance.random() < 0.3
        await servers.round()
    for start in range(0, 120, 7):
        for rounds in (1, 10, 60):
            window = taken[start : start + rounds]
            bound = per_second * len(window) * ROUND_SECONDS + 2 * burst + number
            # A database that is away for a while lets each server refill its own part.
            assert sum(window) <= bound + (burst + per_second * len(window) * ROUND_SECONDS if down else 0)


@pytest.mark.parametrize("number", [1, 3, 10])
async def test_a_principal_that_calls_one_server_alone_gets_all_of_its_limit(number: int) -> None:
    servers = await Servers("*=100", number).start()
    taken = 0
    for _ in range(100):
        taken += sum(servers.call(0) for _ in range(100))
        await servers.round()
    assert 900 <= taken <= 1000 + 200 + number


async def test_principals_and_operations_do_not_take_from_each_other() -> None:
    servers = await Servers("*=5,GetParametersForImport=1", 1).start()
    assert sum(servers.call(0) for _ in range(50)) == 5
    assert sum(servers.call(0, "another") for _ in range(50)) == 5
    assert sum(servers.call(0, operation="GetParametersForImport") for _ in range(50)) == 1
    assert not servers.call(0, operation="Decrypt")


async def test_without_a_limit_nothing_is_counted() -> None:
    servers = await Servers("Decrypt=1", 1).start()
    assert all(servers.call(0) for _ in range(1000))
    await servers.round()
    assert servers.buckets.settled == 0


async def test_after_a_pause_the_first_call_is_let_through_also_where_it_was_turned_away_before() -> None:
    servers = await Servers("*=1", 3).start()
    for server in range(3):
        servers.call(server)
    await servers.round()
    assert not any(servers.call(server) for server in range(3))
    for _ in range(60):
        await servers.round()
    assert servers.call(1)


async def test_an_idle_principal_costs_nothing_and_is_forgotten() -> None:
    servers = await Servers("*=10", 1).start()
    servers.call(0)
    for _ in range(700):
        await servers.round()
    assert servers.buckets.settled == 1
    assert servers.limiters[0]._shares == {}


async def test_a_database_that_does_not_answer_leaves_every_server_its_part() -> None:
    servers = await Servers("*=10", 2).start()
    servers.call(0)
    servers.call(1)
    await servers.round()
    servers.buckets.is_down = True
    for _ in range(100):
        await servers.round()
    taken = 0
    for _ in range(100):
        taken += sum(servers.call(0) for _ in range(10)) + sum(servers.call(1) for _ in range(10))
        await servers.round()
    assert 80 <= taken <= 100 + 20 + 2


async def test_while_an_answer_is_waited_for_every_server_has_its_part_too() -> None:
    servers = await Servers("*=10", 2).start()
    for server in range(2):
        while servers.call(server):
            pass
    await servers.round()
    # One round that takes as long as a database that does not answer makes it wait.
    taken = 0
    for _ in range(100):
        servers.buckets.now += ROUND_SECONDS
        taken += sum(servers.call(0) for _ in range(10)) + sum(servers.call(1) for _ in range(10))
    assert 80 <= taken <= 100 + 20 + 2


@pytest.mark.parametrize(
    "text", ["", "*", "*=", "*=x", "*=0", "*=-1", "*=nan", "*=inf", "=5", "Encrypt=1,", "Encrypt=1,Encrypt=2", "En crypt=1", "*=1;x=2"]
)  # fmt: skip
def test_limits_that_are_none_are_refused(text: str) -> None:
    with pytest.raises(ValueError, match="expected"):
        RateLimits.parse(text)


def test_limits_are_read_and_names_that_are_no_operation_are_found() -> None:
    limits = RateLimits.parse(" *=500 , GetParametersForImport=0.5,Nonsense=1")
    assert limits.of("GetParametersForImport") == RateLimit("GetParametersForImport", 0.5)
    assert limits.of("Encrypt") == RateLimit("*", 500)
    assert limits.unknown(["Encrypt", "GetParametersForImport"]) == ["Nonsense"]
