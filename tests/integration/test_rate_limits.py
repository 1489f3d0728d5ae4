"""Rate limits over real servers on one database."""

import pytest
from e2e.callers_view import until
from fixtures.server import ServerFactory
from rows import connected

from keyferry.v1 import GenerateRandomRequest
from keyferry_client import KeyManagementServiceClient, ThrottlingException
from keyferry_server.opening import StartError

ONE_BYTE = GenerateRandomRequest(number_of_bytes=1)


async def is_let_through(client: KeyManagementServiceClient) -> bool:
    try:
        await client.generate_random_async(ONE_BYTE)
    except ThrottlingException as error:
        return not (error.retryable and error.message.startswith("You have exceeded the rate"))
    return True


async def test_two_servers_share_one_limit_and_it_refills(
    start_server: ServerFactory, database_url: str
) -> None:
    # So slow that nothing refills while the test counts.
    limits = {"rate_limits": "GenerateRandom=0.01"}
    one, other = await start_server(**limits), await start_server(**limits)
    async with one.client() as first, other.client() as second:
        assert await is_let_through(first)
        assert not await is_let_through(first)

        async def is_below(tokens: float) -> bool:
            query = "SELECT count(*) FROM rate_limits WHERE tokens < $1"
            async with connected(database_url) as database:
                return bool(await database.fetchval(query, tokens))

        await until(lambda: is_below(1))
        # A server that has not heard of the principal takes its bucket for full, once.
        let_through = [await is_let_through(second) for _ in range(3)]
        assert let_through == [True, False, False]
        await second.list_keys_async()
        # What the second spent is settled too: it would be taken from what refills.
        await until(lambda: is_below(0))

        async with connected(database_url) as database:
            assert await database.fetchval("SELECT count(*) FROM rate_limits") == 1
            arn = await database.fetchval("SELECT principal FROM rate_limits")
            assert arn == "arn:aws:iam::000000000000:root"
            await database.execute("UPDATE rate_limits SET refilled_at = now() - interval '1 hour'")
        await until(lambda: is_let_through(first))


async def test_a_limit_of_an_operation_that_there_is_not_stops_the_start(start_server: ServerFactory) -> None:
    with pytest.raises(StartError, match="no operation Encrpyt"):
        await start_server(rate_limits="Encrpyt=1")
