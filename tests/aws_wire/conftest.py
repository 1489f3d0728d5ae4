"""What the tests of AWS's wire share."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any

import pytest
from botocore.exceptions import ClientError
from fixtures.aws import Boto3Client
from fixtures.server import ServerFactory, TestServer

EAST, WEST, SOUTH = "us-east-1", "eu-west-1", "ap-south-1"

Kms = Any
Refusal = Callable[..., Awaitable[ClientError]]


async def ask(call: Callable[..., Any], **members: Any) -> Any:
    """Make a call of a blocking SDK."""
    return await asyncio.to_thread(call, **members)


async def refusal(call: Callable[..., Any], **members: Any) -> tuple[str, str]:
    """Make a call that must be refused; return the exception's name and its message."""
    with pytest.raises(ClientError) as refused:
        await ask(call, **members)
    error: Any = refused.value.response["Error"]
    return error["Code"], error["Message"]


@dataclass(frozen=True)
class World:
    """One deployment, seen from three of its Regions."""

    server: TestServer
    east: Kms
    west: Kms
    south: Kms
    database_url: str


@pytest.fixture
async def world(
    start_server: ServerFactory,
    free_port: Callable[[], int],
    boto3_client: Boto3Client,
    database_url: str,
) -> World:
    server = await start_server(
        aws_listen=f"127.0.0.1:{free_port()}", allowed_regions=f"{EAST},{WEST},{SOUTH}"
    )
    clients = (boto3_client(server, region=region) for region in (EAST, WEST, SOUTH))
    return World(server, *clients, database_url)
