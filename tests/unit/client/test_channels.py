"""Several addresses: they take turns, and one that is down is left out."""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Callable
from contextlib import suppress
from typing import Any

import pytest
from relay import Relay
from unit.client.small_service import SmallService

from keyferry.v1 import CreateKeyResponse, GenerateRandomResponse
from keyferry_client import (
    InputError,
    KeyManagementServiceClient,
    RetryPolicy,
    ServiceUnavailableError,
    channels,
)


class Replicas:
    """Services that count their calls."""

    def __init__(self, addresses: list[str]) -> None:
        self.addresses = addresses
        self.calls: Counter[str] = Counter()
        self._running: dict[str, SmallService] = {}

    async def start(self, address: str) -> None:
        async def random(_request: Any, _context: Any) -> GenerateRandomResponse:
            self.calls[address] += 1
            return GenerateRandomResponse()

        async def create(_request: Any, _context: Any) -> CreateKeyResponse:
            self.calls[address] += 1
            return CreateKeyResponse()

        service = self._running[address] = SmallService(address)
        service.serve(GenerateRandom=random, CreateKey=create)
        await service.start()

    async def stop(self, address: str) -> None:
        await self._running.pop(address).stop()

    async def stop_all(self) -> None:
        for address in list(self._running):
            await self.stop(address)


@pytest.fixture
async def replicas(free_port: Callable[[], int]) -> AsyncIterator[Replicas]:
    replicas = Replicas([f"127.0.0.1:{free_port()}" for _ in range(3)])
    for address in replicas.addresses:
        await replicas.start(address)
    yield replicas
    await replicas.stop_all()


@pytest.fixture
async def client(replicas: Replicas) -> AsyncIterator[KeyManagementServiceClient]:
    async with KeyManagementServiceClient(replicas.addresses, retries=RetryPolicy.once()) as client:
        await until_all_take_part(client, replicas)
        yield client


async def until_all_take_part(client: KeyManagementServiceClient, replicas: Replicas) -> None:
    replicas.calls.clear()
    async with asyncio.timeout(20):
        while len(replicas.calls) < len(replicas.addresses):
            await client.generate_random_async()
    replicas.calls.clear()


async def test_calls_take_turns_among_the_addresses(
    replicas: Replicas, client: KeyManagementServiceClient
) -> None:
    await asyncio.gather(*(client.generate_random_async() for _ in range(30)))
    assert replicas.calls == dict.fromkeys(replicas.addresses, 10)


async def test_an_address_that_is_down_is_left_out_even_for_calls_that_are_never_repeated(
    replicas: Replicas, client: KeyManagementServiceClient
) -> None:
    down, *up = replicas.addresses
    await replicas.stop(down)
    with suppress(ServiceUnavailableError):  # the first call may be the one that notices
        for _ in replicas.addresses:
            await client.generate_random_async()
    replicas.calls.clear()
    for _ in range(20):
        await client.create_key_async()
    assert replicas.calls == dict.fromkeys(up, 10)


async def test_an_address_that_is_back_takes_part_again(
    replicas: Replicas, client: KeyManagementServiceClient
) -> None:
    address = replicas.addresses[1]
    await replicas.stop(address)
    await replicas.start(address)
    replicas.calls.clear()
    async with asyncio.timeout(20):
        while not replicas.calls[address]:
            try:
                await client.generate_random_async()
            except ServiceUnavailableError:
                await asyncio.sleep(0.01)


async def test_with_retries_nobody_notices_that_one_of_several_addresses_went_down(
    replicas: Replicas,
) -> None:
    async with KeyManagementServiceClient(replicas.addresses) as client:
        await until_all_take_part(client, replicas)
        await replicas.stop(replicas.addresses[2])
        for _ in range(20):
            await client.generate_random_async()


async def test_when_all_are_down_the_error_names_one(
    replicas: Replicas, client: KeyManagementServiceClient
) -> None:
    await replicas.stop_all()
    with pytest.raises(ServiceUnavailableError, match=r"127\.0\.0\.1:\d+ cannot be reached"):
        await client.create_key_async()


def test_a_client_needs_an_address() -> None:
    with pytest.raises(InputError, match="HOST:PORT"):
        KeyManagementServiceClient([])


async def test_a_connection_that_went_silent_is_given_up_long_before_the_deadline(
    replicas: Replicas, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(channels, "KEEPALIVE_ANSWER_SECONDS", 0.2)
    async with (
        Relay.between(replicas.addresses[0]) as relay,
        KeyManagementServiceClient(
            relay.address, keepalive_seconds=0.2, retries=RetryPolicy.once()
        ) as client,
    ):
        await client.generate_random_async()
        relay.silence()
        with pytest.raises(ServiceUnavailableError):
            await client.generate_random_async(timeout=3600)


def test_keepalive_can_be_switched_off() -> None:
    assert channels.keepalive_options(None) == ()
